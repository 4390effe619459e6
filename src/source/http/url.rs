//! Where an HTTP system listens.

use ::http::Uri;
use ::http::uri::Scheme;

/// A base address: `http://host:port/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    pub tls: bool,
    /// A name or address, without the brackets of an IPv6 one.
    pub host: String,
    pub port: u16,
    /// The `Host` header (RFC 9110 section 7.2).
    pub authority: String,
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
        let authority = uri.authority().ok_or_else(|| wrong("a url without a host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("no user or password belongs in a url"));
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(wrong("no query or fragment belongs in the base url"));
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(wrong("a url without a host"));
        }
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None if authority.as_str() != authority.host() => return Err(wrong("not a port")),
            None => {
                if tls {
                    443
                } else {
                    80
                }
            }
        };
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { tls, host, port, authority: authority.to_string(), prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_a_scheme_a_host_and_a_prefix() {
        let url = BaseUrl::parse("http://127.0.0.1:9000").unwrap();
        assert_eq!(
            (url.tls, url.host.as_str(), url.port, url.prefix.as_str()),
            (false, "127.0.0.1", 9000, "")
        );
        let url = BaseUrl::parse("https://records.example/api/").unwrap();
        assert_eq!((url.tls, url.port, url.prefix.as_str()), (true, 443, "/api"));
        assert_eq!(BaseUrl::parse("http://[::1]:80").unwrap().host, "::1");
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
