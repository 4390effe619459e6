//! The public half of a recovery key, as one line of `tolbooth.toml`:
//! `tolbooth-recovery+<id in hex>+<base64 of the 32 bytes>`. The id is over the key, so that a letter
//! mistyped is found before anything is wrapped to nobody.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::crypto::{SealingKey, sha256};

const PREFIX: &str = "tolbooth-recovery";

/// Whom subject keys are wrapped to; the private half lies with a person, and never on a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryKey(pub SealingKey);

impl RecoveryKey {
    /// Eight hex digits: enough to tell at most four keys apart in file names and in words.
    pub fn id(&self) -> String {
        let [a, b, c, d, ..] = sha256(&[PREFIX.as_bytes(), b"\n", &self.0.0]);
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }

    /// `None` if it is not such a line, or its id is not that of its key.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, encoded) = text.trim().strip_prefix(PREFIX)?.strip_prefix('+')?.split_once('+')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let key = Self(SealingKey(bytes.try_into().ok()?));
        (key.id() == id).then_some(key)
    }
}

impl fmt::Display for RecoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}+{}+{}", self.id(), STANDARD.encode(self.0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_it_was_written_and_not_with_a_letter_changed() {
        let key = RecoveryKey(SealingKey([7; 32]));
        let line = key.to_string();
        assert_eq!(RecoveryKey::parse(&format!("{line}\n")), Some(key));
        assert_eq!(RecoveryKey::parse(&line.replace("BwcH", "BwdH")), None);
        assert_eq!(RecoveryKey::parse(line.trim_end_matches('=')), None);
        assert_eq!(RecoveryKey::parse("tolbooth-recovery"), None);
    }
}
