//! The private half of a recovery key: a file on somebody's own machine, under a passphrase. It is made by
//! `tolbooth ledger recovery-key make`, and used once, when subject keys are lost.
//!
//! The gateway needs none of this: it wraps to the public half ([`wrapped`](super::wrapped)).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::labelled;
use crate::crypto::{OpeningKey, SealedUnder, open_under, seal_under};
use crate::model::limits::PASSPHRASE_CHARS_MIN;
use crate::model::{Digest, RecoveryKey, Secret};

const TITLE: &str = "tolbooth recovery key v1";
const NAMES: [&str; 4] = ["public", "pbkdf2-hmac-sha256", "salt", "aes-256-gcm"];

/// A recovery key's private half, unlocked. Prints as stars.
#[derive(Debug)]
pub struct RecoverySecret(OpeningKey);

/// Why a recovery key cannot be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryFault {
    /// Not the file that was made: a letter of it is another, or it is another file.
    Damaged,
    WrongPassphrase,
    ShortPassphrase,
    NoRandomness,
}

impl fmt::Display for RecoveryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str(
                "not a recovery key as `tolbooth ledger recovery-key make` wrote it: it is damaged, or another \
                 file. Whoever keeps it has the other copy",
            ),
            Self::WrongPassphrase => f.write_str("the passphrase is not the one this recovery key was made with"),
            Self::ShortPassphrase => write!(
                f,
                "the passphrase is too short: at least {PASSPHRASE_CHARS_MIN} characters are wanted, such as four \
                 words"
            ),
            Self::NoRandomness => f.write_str("the operating system gave no random bytes"),
        }
    }
}

impl std::error::Error for RecoveryFault {}

impl RecoverySecret {
    pub fn generate() -> Result<Self, RecoveryFault> {
        OpeningKey::generate().map(Self).ok_or(RecoveryFault::NoRandomness)
    }

    pub fn public(&self) -> RecoveryKey {
        RecoveryKey(self.0.public())
    }

    pub(super) fn key(&self) -> &OpeningKey {
        &self.0
    }

    /// The text of its file, under a passphrase.
    pub fn lock(&self, passphrase: &Secret) -> Result<Zeroizing<String>, RecoveryFault> {
        let passphrase = passphrase.reveal();
        if passphrase.chars().count() < PASSPHRASE_CHARS_MIN {
            return Err(RecoveryFault::ShortPassphrase);
        }
        let public = self.public().to_string();
        let sealed = seal_under(passphrase, &sealed_with(&public), self.0.scalar())
            .ok_or(RecoveryFault::NoRandomness)?;
        let (iterations, salt) = (sealed.iterations.to_string(), Digest(sealed.salt).hex());
        let values = [&public, &iterations, &salt, &STANDARD.encode(&sealed.ciphertext)];
        let lines: Vec<(&str, &str)> = NAMES.into_iter().zip(values.map(String::as_str)).collect();
        Ok(labelled::write(TITLE, &lines))
    }

    /// Reads the text of its file.
    pub fn unlock(text: &str, passphrase: &Secret) -> Result<Self, RecoveryFault> {
        let (public, sealed) = locked(text).ok_or(RecoveryFault::Damaged)?;
        let opened = open_under(passphrase.reveal(), &sealed_with(&public.to_string()), &sealed);
        let opened = opened.ok_or(RecoveryFault::WrongPassphrase)?;
        let scalar = <&[u8; 32]>::try_from(opened.as_slice()).map_err(|_| RecoveryFault::Damaged)?;
        let key = OpeningKey::from_scalar(scalar).ok_or(RecoveryFault::Damaged)?;
        if RecoveryKey(key.public()) == public { Ok(Self(key)) } else { Err(RecoveryFault::Damaged) }
    }
}

/// What a file says before it is unlocked.
fn locked(text: &str) -> Option<(RecoveryKey, SealedUnder)> {
    let [public, iterations, salt, ciphertext] = labelled::read(TITLE, NAMES, text)?;
    let ciphertext = STANDARD.decode(ciphertext).ok()?;
    let sealed =
        SealedUnder { iterations: iterations.parse().ok()?, salt: Digest::from_hex(salt)?.0, ciphertext };
    Some((RecoveryKey::parse(public)?, sealed))
}

fn sealed_with(public: &str) -> Vec<u8> {
    format!("{TITLE}\n{public}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_recovery_key_opens_with_its_passphrase_alone_and_prints_stars() {
        let key = RecoverySecret::generate().unwrap();
        let text = key.lock(&secret("four words of mine")).unwrap();
        let again = RecoverySecret::unlock(&text, &secret("four words of mine")).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(again.key().scalar(), key.key().scalar());
        let fault = |text: &str, passphrase| RecoverySecret::unlock(text, &secret(passphrase)).unwrap_err();
        assert_eq!(fault(&text, "four words of yours"), RecoveryFault::WrongPassphrase);
        assert_eq!(
            fault(&text.replacen("salt: ", "salt: 0", 1), "four words of mine"),
            RecoveryFault::Damaged
        );
        assert_eq!(fault("", "four words of mine"), RecoveryFault::Damaged);
        assert_eq!(key.lock(&secret("short")).unwrap_err(), RecoveryFault::ShortPassphrase);
        assert!(!format!("{key:?}").contains(&Digest(*key.key().scalar()).hex()));
        assert!(!text.contains(&STANDARD.encode(key.key().scalar())));
    }
}
