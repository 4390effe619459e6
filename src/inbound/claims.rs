//! The headers a caller may set, each at most once, bounded, printable. What they say is *claimed*:
//! decide compares it with the agreement and the ledger records it as claimed.

use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use crate::model::limits::CLAIM_BYTES_MAX;

/// What a question says beside its body. Values are as used; none is ever logged.
#[derive(Default)]
pub struct Claims {
    pub(super) purpose: Option<String>,
    pub(super) role: Option<String>,
    pub(super) user: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) case: Option<String>,
    pub(super) agreement: Option<String>,
    pub(super) emergency: Option<String>,
    pub(super) idempotency_key: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) correlation_id: Option<String>,
    pub(super) traceparent: Option<String>,
    pub(super) content_type: Option<String>,
}

/// A header of ours is there twice, too long, or not printable: it could be read in two ways.
pub struct OddHeader(pub(super) &'static str);

impl Claims {
    pub fn read(headers: &HeaderMap) -> Result<Self, OddHeader> {
        Ok(Self {
            purpose: one(headers, "tolbooth-purpose")?,
            role: one(headers, "tolbooth-role")?,
            user: one(headers, "tolbooth-user")?,
            reason: one(headers, "tolbooth-reason")?,
            case: one(headers, "tolbooth-case")?,
            agreement: one(headers, "tolbooth-agreement")?,
            emergency: one(headers, "tolbooth-emergency")?,
            idempotency_key: one(headers, "idempotency-key")?,
            request_id: one(headers, "x-request-id")?,
            correlation_id: one(headers, "x-correlation-id")?,
            traceparent: one(headers, "traceparent")?,
            content_type: one(headers, CONTENT_TYPE.as_str())?,
        })
    }

    /// The deciding headers as used, in a fixed order: what the request digest covers.
    pub(super) fn deciding(&self) -> Vec<(&'static str, &str)> {
        [
            ("tolbooth-purpose", &self.purpose),
            ("tolbooth-role", &self.role),
            ("tolbooth-user", &self.user),
            ("tolbooth-reason", &self.reason),
            ("tolbooth-case", &self.case),
            ("tolbooth-agreement", &self.agreement),
            ("tolbooth-emergency", &self.emergency),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
        .collect()
    }

    /// A header that goes on to the system behind, where its mapping asks for it.
    pub(super) fn forwarded(&self, name: &HeaderName) -> Option<HeaderValue> {
        let value = match name.as_str() {
            "idempotency-key" => &self.idempotency_key,
            "x-request-id" => &self.request_id,
            "x-correlation-id" => &self.correlation_id,
            "traceparent" => &self.traceparent,
            _ => return None,
        };
        HeaderValue::from_str(value.as_deref()?).ok()
    }
}

fn one(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, OddHeader> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| OddHeader(name))?.trim();
    let printable = !text.chars().any(char::is_control);
    if values.next().is_some() || text.len() > CLAIM_BYTES_MAX || !printable {
        return Err(OddHeader(name));
    }
    // An empty header says nothing; treating it as absent keeps one meaning.
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &[u8])]) -> Result<Claims, &'static str> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        Claims::read(&headers).map_err(|odd| odd.0)
    }

    #[test]
    fn a_header_of_ours_is_there_once_or_refused() {
        assert_eq!(read(&[("tolbooth-user", b"a"), ("tolbooth-user", b"a")]).err(), Some("tolbooth-user"));
        assert_eq!(
            read(&[("tolbooth-user", "M\u{e0}iri".as_bytes())]).unwrap().user.as_deref(),
            Some("M\u{e0}iri")
        );
        assert_eq!(read(&[("tolbooth-user", b"\xff")]).err(), Some("tolbooth-user"));
        assert_eq!(read(&[("tolbooth-user", "x".repeat(257).as_bytes())]).err(), Some("tolbooth-user"));
        assert_eq!(read(&[("tolbooth-user", b" ")]).unwrap().user, None);
    }
}
