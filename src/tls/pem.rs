//! PEM files (RFC 7468): certificates, one private key, one signing request.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer};

/// What was wanted in a PEM file and not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PemError {
    Certificate,
    PrivateKey,
    Request,
    /// A private key where only certificates belong.
    UnexpectedKey,
}

impl fmt::Display for PemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => {
                "no certificate was found: wanted PEM that begins `-----BEGIN CERTIFICATE-----`"
            }
            Self::PrivateKey => {
                "no private key was found: wanted PEM of the kind `PRIVATE KEY`, without a password"
            }
            Self::Request => {
                "no signing request was found: wanted PEM that begins `-----BEGIN CERTIFICATE REQUEST-----`"
            }
            Self::UnexpectedKey => {
                "a private key lies in a file of certificates: it belongs in a file of its own"
            }
        })
    }
}

impl std::error::Error for PemError {}

/// The DER of every certificate in a PEM file, in its order; at least one. A file that also holds a
/// private key is refused, because files of certificates are handed around.
pub fn certificates(pem: &[u8]) -> Result<Vec<Vec<u8>>, PemError> {
    no_key(pem)?;
    let ders = chain(pem)?;
    Ok(ders.into_iter().map(|der| der.to_vec()).collect())
}

/// Certificates as a PEM file, with 64 characters in a line (RFC 7468 section 2).
pub(super) fn written(ders: &[CertificateDer<'_>]) -> String {
    let mut pem = String::new();
    for der in ders {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        let text = STANDARD.encode(der);
        let mut rest = text.as_str();
        while let Some((line, after)) =
            rest.split_at_checked(64.min(rest.len())).filter(|(line, _)| !line.is_empty())
        {
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

/// That no private key lies in a file that is handed around.
pub(super) fn no_key(pem: &[u8]) -> Result<(), PemError> {
    if PrivateKeyDer::from_pem_slice(pem).is_ok() { Err(PemError::UnexpectedKey) } else { Ok(()) }
}

pub(super) fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let ders: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    ders.ok().filter(|ders| !ders.is_empty()).ok_or(PemError::Certificate)
}

pub(super) fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, PemError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| PemError::PrivateKey)
}

pub(super) fn request(pem: &[u8]) -> Result<CertificateSigningRequestDer<'static>, PemError> {
    CertificateSigningRequestDer::from_pem_slice(pem).map_err(|_| PemError::Request)
}
