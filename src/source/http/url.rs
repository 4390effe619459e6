//! Where an HTTP system listens.

use ::http::Uri;
use ::http::uri::Scheme;

use crate::https::Server;

/// A base address: `http://host:port/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    pub tls: bool,
    pub server: Server,
    /// What comes before every path, without its last slash.
    pub prefix: String,
}

impl BaseUrl {
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("{why}: write `http://host:port` or `https://host/path`");
        let uri: Uri = text.parse().map_err(|_| wrong("not a url"))?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            _ => return Err(wrong("not an http or https url")),
        };
        let server = Server::of(text, &uri, if tls { 443 } else { 80 }).map_err(wrong)?;
        Ok(Self { tls, server, prefix: uri.path().trim_end_matches('/').to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_a_scheme_a_host_and_a_prefix() {
        let url = BaseUrl::parse("http://127.0.0.1:9000").unwrap();
        assert_eq!(
            (url.tls, url.server.host.as_str(), url.server.port, url.prefix.as_str()),
            (false, "127.0.0.1", 9000, "")
        );
        let url = BaseUrl::parse("https://records.example/api/").unwrap();
        assert_eq!((url.tls, url.server.port, url.prefix.as_str()), (true, 443, "/api"));
        assert_eq!(BaseUrl::parse("http://[::1]:80").unwrap().server.host, "::1");
    }

    #[test]
    fn what_is_more_or_less_is_refused() {
        for bad in [
            "",
            "records.example",
            "ftp://records.example",
            "http://user:word@records.example",
            "http://records.example/?q=1",
            "http://records.example/#a",
            "http://records.example:99999",
            "http://records.example:",
            "http:///x",
            "/x",
        ] {
            assert!(BaseUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
