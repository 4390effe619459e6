//! Where somebody else's server is asked.

use std::fmt;

use http::Uri;

/// The longest that is written by hand.
const CHARS_MAX: usize = 500;

/// An address such as `https://issuer.example/keys`: a host, and nothing that could be read in two ways.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpsUrl {
    text: String,
    /// A name or address, without the brackets of an IPv6 one.
    pub(super) host: String,
    pub(super) port: u16,
    /// The `Host` header (RFC 9110 section 7.2).
    pub(super) authority: String,
    pub(super) path: String,
}

impl HttpsUrl {
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("{why}: write `https://host/path`");
        if text.len() > CHARS_MAX || !text.starts_with("https://") {
            return Err(wrong("not an https url"));
        }
        let uri: Uri = text.parse().map_err(|_| wrong("not a url"))?;
        let authority = uri.authority().ok_or_else(|| wrong("a url without a host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("no user or password belongs in a url"));
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(wrong("no query or fragment belongs here"));
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None if authority.as_str() != authority.host() => return Err(wrong("not a port")),
            None => 443,
        };
        if host.is_empty() {
            return Err(wrong("a url without a host"));
        }
        let (authority, path) = (authority.to_string(), uri.path().to_owned());
        Ok(Self { text: text.to_owned(), host, port, authority, path })
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
