//! The keys systems sign their questions with.

use jiff::civil::Date;

use super::SystemName;
use crate::crypto::PublicKey;

/// A system's public message key, as the directory lists it under its member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageKey {
    pub system: SystemName,
    /// What `keyid` says: unique among the keys of its member.
    pub id: String,
    pub public: PublicKey,
    /// The first day it counts, in London.
    pub not_before: Option<Date>,
    /// The last.
    pub not_after: Option<Date>,
}

const KEYID_CHARS_MAX: usize = 64;

impl MessageKey {
    /// Checks a keyid: it stands in a header, in quotes.
    pub fn keyid(text: &str) -> Result<String, String> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/#".contains(&byte);
        if (1..=KEYID_CHARS_MAX).contains(&text.len()) && text.bytes().all(legal) {
            return Ok(text.to_owned());
        }
        Err(format!("wanted 1 to {KEYID_CHARS_MAX} letters, digits, `-`, `_`, `.`, `:`, `/` or `#`"))
    }

    pub fn counts_on(&self, day: Date) -> bool {
        self.not_before.is_none_or(|first| first <= day) && self.not_after.is_none_or(|last| day <= last)
    }
}
