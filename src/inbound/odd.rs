//! Heads that are well-formed and could still be read in two ways, by us and by whoever stands before us (RFC
//! 9110): refused, once it is known whose they are, so that it is on the record. The same for HTTP/1.1 and 2.
//!
//! Not here: what of a message's bytes is ambiguous (`serve/wire`, h2). What a proxy may add honestly and nobody
//! here believes (`Forwarded`, `X-Forwarded-*`, names and certificates of clients) is left unread.

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Version};

use super::claims::OddHeader;

/// Put among a request's extensions by the listener: it stands in for a head that was none, for this reason.
#[derive(Debug, Clone, Copy)]
pub struct Malformed(pub &'static str);

/// Why a head is refused, as a sentence for the caller. Holds nothing of the head.
pub(super) struct Odd(pub(super) String);

impl Odd {
    fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl From<OddHeader> for Odd {
    fn from(OddHeader(name): OddHeader) -> Self {
        Self(format!("The header {name} is there twice, too long, or not printable UTF-8."))
    }
}

/// Headers that say: read this request as another one. Nobody here would, and somebody before us might.
const ANOTHER_REQUEST: [&str; 10] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "upgrade",
    "http2-settings",
    // The body is the question: not a part of one, and nothing that has to be unpacked first.
    "content-encoding",
    "content-range",
    "trailer",
];

/// What a connection may be told of itself (RFC 9110 section 7.6.1). Any other option names a header that one
/// reader takes away and the next still sees.
const OPTIONS: [&str; 3] = ["close", "keep-alive", "te"];

/// What is odd about a head, if anything is.
pub(super) fn find(parts: &Parts) -> Option<Odd> {
    if let Some(Malformed(why)) = parts.extensions.get() {
        return Some(Odd::new(*why));
    }
    let headers = &parts.headers;
    if !headers
        .keys()
        .all(|name| name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
    {
        return Some(Odd::new("The name of a header holds more than letters, digits and hyphens."));
    }
    if let Some(name) = ANOTHER_REQUEST.iter().find(|name| headers.contains_key(**name)) {
        return Some(Odd(format!("The header {name} makes another request of this one.")));
    }
    if !is_of_the_connection(headers) {
        return Some(Odd::new("The header connection names more than close, keep-alive and te."));
    }
    let expected =
        headers.get_all(EXPECT).iter().all(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    if !expected {
        return Some(Odd::new("The header expect wants more than 100-continue."));
    }
    // HTTP/1.1 has no such values and one length; HTTP/2 leaves it to us (RFC 9113 sections 8.1.1 and 8.2.1).
    if !headers.values().all(is_trimmed) || headers.get_all(CONTENT_LENGTH).iter().count() > 1 {
        return Some(Odd::new("A header has white space around it, or there are two lengths."));
    }
    (!has_one_host(parts)).then(|| Odd::new("The host is not named once."))
}

fn is_trimmed(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    bytes.trim_ascii().len() == bytes.len()
}

fn is_of_the_connection(headers: &HeaderMap) -> bool {
    headers.get_all(CONNECTION).iter().all(|value| {
        let mut options = value.to_str().unwrap_or("?").split(',').map(str::trim);
        options.all(|option| OPTIONS.iter().any(|known| option.eq_ignore_ascii_case(known)))
    })
}

/// Exactly one host in HTTP/1.1 (RFC 9112 section 3.2); in HTTP/2 what `host` says, `:authority` says too (RFC
/// 9113 section 8.3.1).
fn has_one_host(parts: &Parts) -> bool {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let (host, more) = (hosts.next(), hosts.next());
    let authority = parts.uri.authority().map(|authority| authority.as_str());
    let named = match (host, more) {
        (_, Some(_)) => return false,
        (Some(host), None) => Some(host.to_str().unwrap_or_default()),
        (None, None) => None,
    };
    match parts.version {
        Version::HTTP_2 => {
            let same = named.is_none_or(|host| authority.is_none_or(|authority| authority == host));
            same && named.or(authority).is_some_and(is_host)
        }
        Version::HTTP_10 => named.is_none_or(is_host),
        _ => named.is_some_and(is_host),
    }
}

/// A name or an address and perhaps a port (RFC 9110 section 7.2): no user, no path, no list.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (text, "0"),
    };
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let named = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        }
    };
    named && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn odd(version: Version, uri: &str, headers: &[(&str, &str)]) -> Option<String> {
        let mut request = http::Request::post(uri).version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        find(&request.body(()).unwrap().into_parts().0).map(|odd| odd.0)
    }

    #[test]
    fn a_head_that_asks_to_be_read_otherwise_is_odd() {
        let with = |name, value| odd(Version::HTTP_11, "/a", &[("host", "h"), (name, value)]);
        for (name, value) in [
            ("x-http-method-override", "GET"),
            ("content-encoding", "gzip"),
            ("connection", "close, tolbooth-role"),
            ("connection", "upgrade"),
            ("expect", "200-ok"),
            ("tolbooth_role", "x"),
            ("host", "h"),
        ] {
            assert!(with(name, value).is_some(), "{name}");
        }
        for (name, value) in [
            ("x-forwarded-for", "10.0.0.1"),
            ("connection", "Keep-Alive, close"),
            ("expect", "100-Continue"),
            ("te", "trailers"),
        ] {
            assert_eq!(with(name, value), None, "{name}");
        }
    }

    #[test]
    fn a_host_is_named_once() {
        let host = |host| odd(Version::HTTP_11, "/a", &[("host", host)]);
        for good in ["localhost", "10.0.0.1:8443", "[::1]", "[::1]:8443", "a_b.example:1"] {
            assert_eq!(host(good), None, "{good}");
        }
        for bad in ["", "a@b", "a, b", "a/b", "a:", "a:x", "a:99999", "[::1", "::1", "a b", "a:+1"] {
            assert!(host(bad).is_some(), "{bad}");
        }
        assert!(odd(Version::HTTP_11, "/a", &[]).is_some());
        assert_eq!(odd(Version::HTTP_10, "/a", &[]), None);
        assert_eq!(odd(Version::HTTP_2, "https://a/a", &[]), None);
        assert_eq!(odd(Version::HTTP_2, "https://a/a", &[("host", "a")]), None);
        assert!(odd(Version::HTTP_2, "https://a/a", &[("host", "b")]).is_some());
        assert!(odd(Version::HTTP_2, "https://u@a/a", &[]).is_some());
    }
}
