//! PKCS#12 files (RFC 7292): certificate, key and CA in one file under a password, for systems that
//! take nothing else (Windows, Java). AES-256 and HMAC-SHA-256 (PBES2), no older ciphers.

use std::fmt;

use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rustls::pki_types::PrivateKeyDer;

use super::{PemError, issue, pem};
use crate::model::Secret;

/// Rounds of PBKDF2: some tenths of a second for whoever opens the file, and much more for whoever
/// tries passwords.
const ROUNDS: u32 = 100_000;
/// Shorter passwords protect nothing.
pub const PASSWORD_CHARS_MIN: usize = 8;

/// Why a file could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pkcs12Error {
    Pem(PemError),
    /// The key is not PKCS#8.
    Key,
    /// The key does not belong to the certificate.
    KeyMismatch,
    /// The password is shorter than [`PASSWORD_CHARS_MIN`].
    Password,
    /// The library failed.
    Library,
}

impl fmt::Display for Pkcs12Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(error) => error.fmt(f),
            Self::Key => f.write_str(
                "the private key must be PKCS#8 (`BEGIN PRIVATE KEY`): `openssl pkcs8 -topk8 -nocrypt` converts it",
            ),
            Self::KeyMismatch => f.write_str("the private key does not belong to the certificate"),
            Self::Password => write!(f, "the password needs at least {PASSWORD_CHARS_MIN} characters"),
            Self::Library => f.write_str("the PKCS#12 file could not be made"),
        }
    }
}

impl std::error::Error for Pkcs12Error {}

impl From<PemError> for Pkcs12Error {
    fn from(error: PemError) -> Self {
        Self::Pem(error)
    }
}

/// The bytes of a PKCS#12 file with one entry called `name`: `chain` is PEM, leaf first; `ca`, if
/// given, is PEM that is appended to it.
pub fn export(
    name: &str,
    chain: &[u8],
    key: &[u8],
    ca: Option<&[u8]>,
    password: &Secret,
) -> Result<Vec<u8>, Pkcs12Error> {
    if password.reveal().chars().count() < PASSWORD_CHARS_MIN {
        return Err(Pkcs12Error::Password);
    }
    let mut ders = pem::chain(chain)?;
    let leaf = ders.first().ok_or(PemError::Certificate)?;
    let leaf = super::Certificate::from_der(leaf).map_err(|_| PemError::Certificate)?;
    if issue::key_digest(key).map_err(|_| Pkcs12Error::Key)? != leaf.key_digest {
        return Err(Pkcs12Error::KeyMismatch);
    }
    if let Some(ca) = ca {
        ders.extend(pem::chain(ca)?);
    }
    let PrivateKeyDer::Pkcs8(key) = pem::private_key(key)? else { return Err(Pkcs12Error::Key) };
    let key = PrivateKey::from_der(key.secret_pkcs8_der()).map_err(|_| Pkcs12Error::Key)?;
    let certificates: Result<Vec<_>, _> = ders.iter().map(|der| Certificate::from_der(der)).collect();
    let certificates = certificates.map_err(|_| Pkcs12Error::Library)?;
    let mut store = KeyStore::new();
    let entry = PrivateKeyChain::new(leaf.digest.0.to_vec(), key, certificates);
    store.add_entry(name, KeyStoreEntry::PrivateKeyChain(entry));
    store
        .writer(password.reveal())
        .encryption_iterations(ROUNDS)
        .mac_iterations(ROUNDS)
        .write()
        .map_err(|_| Pkcs12Error::Library)
}
