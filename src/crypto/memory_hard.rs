//! Sealing under a passphrase so that each guess costs memory as well as time: scrypt (RFC 7914) to a key of
//! AES-256-GCM (NIST SP 800-38D). For keys that lie on people's own machines (decision 0032).
//!
//! Not here: asking for a passphrase, the file the sealed bytes lie in, and PBKDF2 ([`super::passphrase`]).

use aws_lc_rs::aead::Aad;
use zeroize::Zeroizing;

use super::passphrase::cipher;
use super::random;

pub type HardSalt = [u8; 32];

/// What one guess costs: 128 * r * 2^log_n bytes of memory, and time in proportion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    pub log_n: u8,
    pub r: u32,
    pub p: u32,
}

impl Effort {
    /// What OWASP asks of scrypt (Password Storage Cheat Sheet, 2023): 128 MiB, and a third of a second of one
    /// core, each time an officer signs.
    pub const USUAL: Self = Self { log_n: 17, r: 8, p: 1 };
    /// Less than 32 MiB was made by something else than this program, and guards nothing.
    const LOG_N_MIN: u8 = 15;
    /// 1 GiB: more would keep a machine busy for minutes or run it out of memory, whoever wrote the file.
    const LOG_N_MAX: u8 = 20;

    fn key(self, passphrase: &str, salt: &HardSalt) -> Option<Zeroizing<[u8; 32]>> {
        let bounded = (Self::LOG_N_MIN..=Self::LOG_N_MAX).contains(&self.log_n);
        if !bounded || self.r != Self::USUAL.r || self.p != Self::USUAL.p {
            return None;
        }
        let parameters = scrypt::Params::new(self.log_n, self.r, self.p).ok()?;
        let mut key = Zeroizing::new([0; 32]);
        scrypt::scrypt(passphrase.as_bytes(), salt, &parameters, &mut *key).ok()?;
        Some(key)
    }
}

/// Seals `secret` under a salt of its own; `with`, given the salt, is not sealed, but must be shown again to
/// open. Gives what was sealed with its tag of 16 bytes. `None` only without randomness.
pub fn seal_hard(
    passphrase: &str,
    with: impl FnOnce(&HardSalt) -> Vec<u8>,
    secret: &[u8],
) -> Option<(HardSalt, Vec<u8>)> {
    let salt: HardSalt = random()?;
    let key = Effort::USUAL.key(passphrase, &salt)?;
    let (key, nonce) = cipher(&key)?;
    let mut sealed = secret.to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(with(&salt)), &mut sealed).ok()?;
    Some((salt, sealed))
}

/// What was sealed. `None` under another passphrase, if anything was changed, or at an effort nobody should make.
pub fn open_hard(
    passphrase: &str,
    (effort, salt): (Effort, &HardSalt),
    with: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (key, nonce) = cipher(&*effort.key(passphrase, salt)?)?;
    let mut bytes = Zeroizing::new(sealed.to_vec());
    let length = key.open_in_place(nonce, Aad::from(with), &mut bytes).ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_passphrase_and_what_was_shown_open_what_was_sealed() {
        let (salt, sealed) = seal_hard("correct horse", |_| b"with".to_vec(), b"secret").unwrap();
        let open = |passphrase, effort, with: &[u8]| open_hard(passphrase, (effort, &salt), with, &sealed);
        assert_eq!(open("correct horse", Effort::USUAL, b"with").unwrap().as_slice(), b"secret");
        assert!(open("correct hearse", Effort::USUAL, b"with").is_none());
        assert!(open("correct horse", Effort::USUAL, b"without").is_none());
        // Neither nothing nor all of the machine's memory is spent on a file somebody wrote.
        for effort in [
            Effort { log_n: 1, ..Effort::USUAL },
            Effort { log_n: 21, ..Effort::USUAL },
            Effort { log_n: 63, ..Effort::USUAL },
            Effort { r: 1 << 20, ..Effort::USUAL },
            Effort { p: 1 << 20, ..Effort::USUAL },
        ] {
            assert!(effort.key("correct horse", &salt).is_none(), "{effort:?}");
        }
    }

    /// RFC 7914 section 12, the third vector.
    #[test]
    fn the_derivation_is_that_of_the_rfc() {
        let parameters = scrypt::Params::new(14, 8, 1).unwrap();
        let mut key = [0; 64];
        scrypt::scrypt(b"pleaseletmein", b"SodiumChloride", &parameters, &mut key).unwrap();
        let shown: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(
            shown.starts_with("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"),
            "{shown}"
        );
    }
}
