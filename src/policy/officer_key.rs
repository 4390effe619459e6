//! The file an officer's private key lies in, on the officer's own machine: text, under a passphrase.
//!
//! ```text
//! tolbooth officer key v1
//! public: m.macleod.glenmore+1a2b3c4d+...
//! scrypt: 17 8 1
//! salt: <64 hex digits>
//! aes-256-gcm: <base64 of the sealed seed>
//! ```
//!
//! Everything above the last line is shown to the cipher: no letter of it can be another. Whoever tries
//! passphrases learns nothing but that the file does not open. Trial keys are written plain, and count for
//! trials alone.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::crypto::{Effort, HardSalt, SigningKey, open_hard, seal_hard};
use crate::merkle::note::VerifierKey;
use crate::merkle::signer::SignerKey;
use crate::model::limits::PASSPHRASE_CHARS_MIN;
use crate::model::{Digest, Secret};

const TITLE: &str = "tolbooth officer key v1";
const SEALED: &str = "aes-256-gcm: ";
/// Five lines; more is another file.
const FILE_BYTES_MAX: usize = 4096;

/// Why an officer's key cannot be written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfficerKeyFault {
    /// Another passphrase, or a letter of the file is another: nobody is told which.
    DoesNotOpen,
    ShortPassphrase,
    NoRandomness,
}

impl fmt::Display for OfficerKeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DoesNotOpen => f.write_str(
                "does not open: the passphrase is another, or the file is damaged or no officer's key as `tolbooth \
                 agreement key` made it",
            ),
            Self::ShortPassphrase => write!(
                f,
                "the passphrase is too short: at least {PASSPHRASE_CHARS_MIN} characters are wanted, such as four \
                 words"
            ),
            Self::NoRandomness => f.write_str("the operating system gave no random bytes"),
        }
    }
}

impl std::error::Error for OfficerKeyFault {}

/// Whether this is the text of a key under a passphrase, or means to be.
pub fn is_locked_key(text: &str) -> bool {
    text.starts_with(TITLE)
}

/// The text of the key's file, under a passphrase.
pub fn lock_key(signer: &SignerKey, passphrase: &Secret) -> Result<String, OfficerKeyFault> {
    if passphrase.reveal().chars().count() < PASSPHRASE_CHARS_MIN {
        return Err(OfficerKeyFault::ShortPassphrase);
    }
    let shown = |salt: &HardSalt| {
        let Effort { log_n, r, p } = Effort::USUAL;
        let salt = Digest(*salt).hex();
        format!("{TITLE}\npublic: {}\nscrypt: {log_n} {r} {p}\nsalt: {salt}\n", signer.verifier())
    };
    let sealed = seal_hard(passphrase.reveal(), |salt| shown(salt).into_bytes(), signer.key().seed());
    let (salt, sealed) = sealed.ok_or(OfficerKeyFault::NoRandomness)?;
    Ok(format!("{}{SEALED}{}\n", shown(&salt), STANDARD.encode(sealed)))
}

/// Reads the text of a key's file.
pub fn unlock_key(text: &str, passphrase: &Secret) -> Result<SignerKey, OfficerKeyFault> {
    opened(text, passphrase).ok_or(OfficerKeyFault::DoesNotOpen)
}

fn opened(text: &str, passphrase: &Secret) -> Option<SignerKey> {
    if text.len() > FILE_BYTES_MAX {
        return None;
    }
    let (shown, sealed) = text.split_once(SEALED)?;
    let mut lines = shown.strip_prefix(TITLE)?.strip_prefix('\n')?.lines();
    let public = VerifierKey::parse(lines.next()?.strip_prefix("public: ")?).ok()?;
    let effort = effort(lines.next()?.strip_prefix("scrypt: ")?)?;
    let salt = Digest::from_hex(lines.next()?.strip_prefix("salt: ")?)?.0;
    let sealed = STANDARD.decode(sealed.strip_suffix('\n')?).ok()?;
    let seed = open_hard(passphrase.reveal(), (effort, &salt), shown.as_bytes(), &sealed)?;
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(seed.as_slice().try_into().ok()?);
    let signer = SignerKey::new(public.name(), SigningKey::from_seed(&seed).ok()?).ok()?;
    (*signer.verifier() == public).then_some(signer)
}

fn effort(words: &str) -> Option<Effort> {
    let mut words = words.split(' ');
    let effort = Effort {
        log_n: words.next()?.parse().ok()?,
        r: words.next()?.parse().ok()?,
        p: words.next()?.parse().ok()?,
    };
    words.next().is_none().then_some(effort)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_key_opens_with_its_passphrase_alone_and_says_no_more_than_that_it_does_not() {
        let key = SignerKey::new("m.macleod.glenmore", SigningKey::generate().unwrap()).unwrap();
        let right = secret("four words of mine");
        let text = lock_key(&key, &right).unwrap();
        assert!(is_locked_key(&text) && !text.contains(&STANDARD.encode(key.key().seed())));
        assert_eq!(unlock_key(&text, &right).unwrap().key().seed(), key.key().seed());
        let refused = |text: &str, passphrase: &Secret| unlock_key(text, passphrase).unwrap_err();
        assert_eq!(refused(&text, &secret("four words of yours")), OfficerKeyFault::DoesNotOpen);
        for (from, to) in
            [("salt: ", "salt: 0"), ("scrypt: 17", "scrypt: 16"), ("glenmore", "glenmare"), ("\n", "\n\n")]
        {
            let damaged = text.replacen(from, to, 1);
            assert_ne!(damaged, text);
            assert_eq!(refused(&damaged, &right), OfficerKeyFault::DoesNotOpen, "{from:?}");
        }
        for cut in [0, 20, text.len() / 2, text.len() - 1] {
            assert_eq!(refused(text.get(..cut).unwrap(), &right), OfficerKeyFault::DoesNotOpen, "{cut}");
        }
        assert_eq!(lock_key(&key, &secret("short")).unwrap_err(), OfficerKeyFault::ShortPassphrase);
    }
}
