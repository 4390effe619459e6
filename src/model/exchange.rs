//! What identifies an exchange, and where a fact about it comes from.

use std::fmt;

/// One question and its answer or refusal: a UUID of version 7 (RFC 9562), so that ids sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId([u8; 16]);

impl ExchangeId {
    /// Made from the milliseconds since 1970 and ten random bytes (RFC 9562 section 5.7).
    pub fn new(unix_ms: u64, random: [u8; 10]) -> Self {
        let mut id = [0; 16];
        let (time, rest) = id.split_at_mut(6);
        let ms = unix_ms.to_be_bytes();
        time.copy_from_slice(ms.split_at(2).1);
        rest.copy_from_slice(&random);
        id[6] = (id[6] & 0x0f) | 0x70;
        id[8] = (id[8] & 0x3f) | 0x80;
        Self(id)
    }

    /// When it began, as far as its gateway's clock was right: milliseconds since 1970.
    pub fn unix_ms(&self) -> i64 {
        let [a, b, c, d, e, f, ..] = self.0;
        i64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Parses the 36 characters [`Display`](fmt::Display) writes.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let dashes = [8, 13, 18, 23];
        if bytes.len() != 36 || dashes.iter().any(|&at| bytes.get(at) != Some(&b'-')) {
            return None;
        }
        let hex: Vec<u8> = bytes.iter().copied().filter(|b| *b != b'-').collect();
        if hex.len() != 32 || hex.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        let mut id = [0; 16];
        for (to, pair) in id.iter_mut().zip(hex.chunks_exact(2)) {
            if !pair.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            *to = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(id))
    }
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            for nibble in [byte >> 4, byte & 15] {
                if let (Some(to), Some(digit)) = (text.get_mut(at), HEX.get(usize::from(nibble))) {
                    *to = *digit;
                }
                at += 1;
            }
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Where a fact about a question comes from. Reports say "as stated by" for what is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Certificate, token or signature.
    Proven,
    /// A header.
    Claimed,
    /// Fixed by the agreement.
    Agreement,
}

impl Origin {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Claimed => "claimed",
            Self::Agreement => "agreement",
        }
    }
}

/// A fact and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated<T> {
    pub value: T,
    pub origin: Origin,
}

/// What kind of identifier a subject is known by (`domain.md` V13), such as `chi`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectKind(std::sync::Arc<str>);

impl SubjectKind {
    /// The closed list; the normaliser of each is in `identifier.rs`.
    pub const ALL: [&'static str; 10] = [
        "chi",
        "nhs_number",
        "uprn",
        "scn",
        "licence_no",
        "badge_no",
        "vrm",
        "council_tax_ref",
        "name_dob",
        "local_id",
    ];

    pub fn new(text: &str) -> Option<Self> {
        Self::ALL.contains(&text).then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A person or thing an exchange is about. Its identifier never reaches a log or an envelope: the
/// ledger turns it into a keyed reference at once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    pub kind: SubjectKind,
    pub identifier: String,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({}, ***)", self.kind.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_id_is_a_uuid_of_version_7() {
        let id = ExchangeId::new(0x0192_3456_789a, [0xff; 10]);
        assert_eq!(id.to_string(), "01923456-789a-7fff-bfff-ffffffffffff");
        assert_eq!(ExchangeId::parse(&id.to_string()), Some(id));
        for bad in ["", "01923456-789a-7fff-bfff-fffffffffff", "01923456-789A-7fff-bfff-ffffffffffff"] {
            assert_eq!(ExchangeId::parse(bad), None);
        }
    }

    #[test]
    fn a_subject_never_prints_its_identifier() {
        let kind = SubjectKind::new("chi").unwrap();
        let subject = Subject { kind, identifier: "0101019999".into() };
        assert!(!format!("{subject:?}").contains("0101019999"));
    }
}
