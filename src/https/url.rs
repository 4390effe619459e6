//! Where somebody else's server is asked.

use std::fmt;

use http::Uri;

/// The longest that is written by hand.
const CHARS_MAX: usize = 500;

/// An address such as `https://issuer.example/keys`: a host, and nothing that could be read in two ways.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpsUrl {
    text: String,
    pub(super) server: Server,
    pub(super) path: String,
}

/// The server an address names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// A name or address, without the brackets of an IPv6 one.
    pub host: String,
    pub port: u16,
    /// The `Host` header (RFC 9110 section 7.2).
    pub authority: String,
}

impl Server {
    /// Of the address `text`, read as `uri`. What could be read in two ways, or hides a secret in an address, names
    /// none.
    pub fn of(text: &str, uri: &Uri, port_unsaid: u16) -> Result<Self, &'static str> {
        let authority = uri.authority().ok_or("a url without a host")?;
        if authority.as_str().contains('@') {
            return Err("no user or password belongs in a url");
        }
        if uri.query().is_some() || text.contains('#') {
            return Err("no query or fragment belongs here");
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err("a url without a host");
        }
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None if authority.as_str() != authority.host() => return Err("not a port"),
            None => port_unsaid,
        };
        Ok(Self { host, port, authority: authority.to_string() })
    }
}

impl HttpsUrl {
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("{why}: write `https://host/path`");
        if text.len() > CHARS_MAX || !text.starts_with("https://") {
            return Err(wrong("not an https url"));
        }
        let uri: Uri = text.parse().map_err(|_| wrong("not a url"))?;
        let server = Server::of(text, &uri, 443).map_err(wrong)?;
        Ok(Self { text: text.to_owned(), server, path: uri.path().to_owned() })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for HttpsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for HttpsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpsUrl({})", self.text)
    }
}
