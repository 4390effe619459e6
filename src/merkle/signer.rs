//! Named private keys in the encoding C2SP signed-note tools share:
//! `PRIVATE+KEY+name+<key id in hex>+base64(0x01 | seed)`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::note::{NoteError, VerifierKey, sign_line};
use crate::crypto::SigningKey;

/// The algorithm byte of Ed25519.
const ED25519: u8 = 0x01;
const PREFIX: &str = "PRIVATE+KEY+";

/// A private key and the name its signatures carry. Prints as stars.
#[derive(Debug)]
pub struct SignerKey {
    verifier: VerifierKey,
    key: SigningKey,
}

impl SignerKey {
    pub fn new(name: &str, key: SigningKey) -> Result<Self, NoteError> {
        Ok(Self { verifier: VerifierKey::new(name, key.public())?, key })
    }

    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let rest = text.trim().strip_prefix(PREFIX).ok_or(NoteError::VerifierKey)?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::VerifierKey);
        };
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| NoteError::VerifierKey)?);
        let Some((&ED25519, seed)) = bytes.split_first() else { return Err(NoteError::VerifierKey) };
        let seed: Zeroizing<[u8; 32]> = Zeroizing::new(seed.try_into().map_err(|_| NoteError::VerifierKey)?);
        let made = Self::new(name, SigningKey::from_seed(&seed).map_err(|_| NoteError::VerifierKey)?)?;
        if made.verifier.id_hex() == id { Ok(made) } else { Err(NoteError::VerifierKey) }
    }

    /// The whole private key as text: for a file only its owner can read, and nothing else.
    pub fn reveal(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new([&[ED25519], self.key.seed().as_slice()].concat());
        let encoded = Zeroizing::new(STANDARD.encode(&*bytes));
        Zeroizing::new(format!("{PREFIX}{}+{}+{}\n", self.verifier.name(), self.verifier.id_hex(), *encoded))
    }

    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The signature line for a text that ends in a newline.
    pub fn sign_line(&self, text: &str) -> String {
        sign_line(self.verifier.name(), &self.key, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signer_key_reads_what_it_writes_and_prints_stars() {
        let key = SignerKey::new("a.officer", SigningKey::from_seed(&[9; 32]).unwrap()).unwrap();
        let text = key.reveal();
        let again = SignerKey::parse(&text).unwrap();
        assert_eq!(again.verifier(), key.verifier());
        assert!(SignerKey::parse(&text.replace("a.officer", "b.officer")).is_err());
        assert!(!format!("{key:?}").contains("CQkJ"));
    }
}
