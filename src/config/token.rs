//! `[token]`: this gateway as the issuer of access tokens for its own partners.

use std::time::Duration;

use super::strict::Table;

/// How the built-in token endpoint answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The address partners reach the gateway at, as its tokens and metadata name it. Left out, it is made
    /// of the certificate's first name and the listener's port.
    pub issuer: Option<String>,
    /// How long a token lasts. Nothing but its end, and its certificate's, takes one back.
    pub lifetime: Duration,
    /// Tokens one member may ask for in a minute: a system needs one for each lifetime.
    pub per_member_per_minute: u32,
    /// How long one key signs.
    pub rotate: Duration,
}

pub(super) fn read(table: Option<&Table<'_>>) -> Option<Token> {
    let count = |key, default, within| {
        let given = table.and_then(|table| table.optional(key)).and_then(|item| item.count(within));
        given.unwrap_or(default)
    };
    let issuer = match table.and_then(|table| table.optional("issuer")) {
        Some(item) => Some(item.parsed(|text| {
            if is_issuer(text) {
                Ok(text.to_owned())
            } else {
                Err("an address such as https://data.glenmore.example is wanted: no path, no query")
            }
        })?),
        None => None,
    };
    Some(Token {
        issuer,
        lifetime: Duration::from_secs(count("minutes", 5, 1..=15) * 60),
        per_member_per_minute: u32::try_from(count("per_member_per_minute", 120, 1..=100_000)).unwrap_or(120),
        rotate: Duration::from_secs(count("rotate_days", 30, 1..=365) * 24 * 60 * 60),
    })
}

/// An issuer identifier (RFC 8414 section 2) without a path, so that its metadata is at one place.
fn is_issuer(text: &str) -> bool {
    let Some(authority) = text.strip_prefix("https://") else { return false };
    let legal =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    !authority.is_empty() && authority.len() <= 255 && authority.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::is_issuer;

    #[test]
    fn an_issuer_is_an_address_and_no_more() {
        for good in ["https://data.glenmore.example", "https://localhost:8443", "https://[::1]:8443"] {
            assert!(is_issuer(good), "{good}");
        }
        for bad in [
            "",
            "https://",
            "http://data.glenmore.example",
            "https://data.glenmore.example/",
            "https://data.glenmore.example/x",
            "https://data.glenmore.example?x",
            "https://Data.glenmore.example",
            "https://user@data.glenmore.example",
        ] {
            assert!(!is_issuer(bad), "{bad}");
        }
    }
}
