//! Certificate revocation lists (RFC 5280 section 5), read and verified once, when they are loaded: what is
//! kept is a set of serial numbers, so that a handshake or an exchange costs one look-up however long a list
//! is. Whole lists of one CA only: what a delta or an indirect list leaves open would be a guess.
//!
//! webpki reads each list strictly and refuses what it does not understand; x509-parser gives the dates and
//! the signed bytes. When a list is too old is asked of the clock by whoever uses it.

use std::collections::HashSet;
use std::fmt;

use jiff::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::{Anchor, AnchorId, Certificate, Name, PemError, Serial, pem};

/// Certificates revoked by one list: ten times what the largest public CA of a country's health service
/// lists, and some 40 MB of memory.
pub const CRL_ENTRIES_MAX: usize = 500_000;
/// Bytes of one file of lists: [`CRL_ENTRIES_MAX`] entries as long as they usually are, with reasons.
pub const CRL_BYTES_MAX: usize = 32 * 1024 * 1024;
/// CAs below an anchor that may sign lists, in one file: no chain here is longer than five.
const BETWEEN_MAX: usize = 4;

/// RSA PKCS#1 and PSS with SHA-256, -384 or -512; ECDSA with SHA-256 or -384; Ed25519. Nothing with SHA-1.
const SIGNATURES: [&str; 7] = [
    "1.2.840.113549.1.1.11",
    "1.2.840.113549.1.1.12",
    "1.2.840.113549.1.1.13",
    "1.2.840.113549.1.1.10",
    "1.2.840.10045.4.3.2",
    "1.2.840.10045.4.3.3",
    "1.3.101.112",
];

/// A verified list. Whether it is still current is for the clock to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl {
    issuer: Name,
    issuer_shown: String,
    /// Counts up with each list of a CA (section 5.2.3).
    number: Vec<u8>,
    next_update: Timestamp,
    serials: HashSet<Serial>,
    anchor: AnchorId,
}

/// Why a list is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrlError {
    /// Neither PEM nor DER of a revocation list.
    Encoding,
    /// A private key lies in the file.
    UnexpectedKey,
    /// The file is longer than [`CRL_BYTES_MAX`].
    TooLong,
    /// More certificates than [`CRL_ENTRIES_MAX`].
    TooMany,
    /// It holds only what changed since another list.
    Delta,
    /// It speaks for other CAs than the one that signed it.
    Indirect,
    /// It lists some reasons only, or names its distribution point in a way that cannot be compared.
    Partial,
    /// It has no number or no date of the next list, or is of version 1.
    Bare,
    /// An extension that must be understood is not.
    Extension,
    /// Signed with SHA-1 or another method that is not accepted.
    Method,
    /// No CA of the member, nor one below it in the file, has the name of its issuer.
    UnknownIssuer,
    /// The CA's certificate does not let it sign lists.
    NotItsOffice,
    /// The signature does not verify.
    Signature,
    /// A certificate in the file is not that of a CA below one of the member's.
    Between,
}

impl fmt::Display for CrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoding => "not a certificate revocation list, in PEM or DER",
            Self::UnexpectedKey => "a private key lies in a file of revocation lists",
            Self::TooLong => "a file of revocation lists is at most 32 MiB",
            Self::TooMany => "a revocation list has at most 500000 entries",
            Self::Delta => "a delta list: the whole list is wanted",
            Self::Indirect => "an indirect list, which speaks for several CAs: each CA's own is wanted",
            Self::Partial => "a list of some reasons or distribution points alone: the whole list is wanted",
            Self::Bare => "a list without a number or without the date of the next one",
            Self::Extension => "a list with a critical extension that is not known here",
            Self::Method => "signed by a method that is not accepted: RSA, ECDSA or Ed25519 with SHA-2 is",
            Self::UnknownIssuer => {
                "its issuer is none of the member's CAs: put a sub-CA's certificate in the same PEM file"
            }
            Self::NotItsOffice => "the key usage of its issuer's certificate does not allow signing lists",
            Self::Signature => "its signature is not its issuer's",
            Self::Between => "a certificate in the file is not that of a CA below one of the member's",
        })
    }
}

impl std::error::Error for CrlError {}

impl From<PemError> for CrlError {
    fn from(error: PemError) -> Self {
        match error {
            PemError::UnexpectedKey => Self::UnexpectedKey,
            _ => Self::Encoding,
        }
    }
}

impl From<webpki::Error> for CrlError {
    fn from(error: webpki::Error) -> Self {
        use webpki::Error as Why;
        match error {
            Why::UnsupportedDeltaCrl => Self::Delta,
            Why::UnsupportedIndirectCrl => Self::Indirect,
            Why::UnsupportedRevocationReasonsPartitioning | Why::UnsupportedCrlIssuingDistributionPoint => {
                Self::Partial
            }
            Why::UnsupportedCriticalExtension => Self::Extension,
            Why::UnsupportedCrlVersion => Self::Bare,
            _ => Self::Encoding,
        }
    }
}

impl Crl {
    /// The name of the CA that issued it, and the certificates it speaks of.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// The issuer's name for people.
    pub fn issuer_shown(&self) -> &str {
        &self.issuer_shown
    }

    pub fn revokes(&self, serial: &Serial) -> bool {
        self.serials.contains(serial)
    }

    /// How many certificates it revokes.
    pub fn entries(&self) -> usize {
        self.serials.len()
    }

    /// When the next list is due; from then on what it does not list may be revoked all the same.
    pub fn next_update(&self) -> Timestamp {
        self.next_update
    }

    /// The member's anchor whose word it rests on.
    pub fn anchor(&self) -> AnchorId {
        self.anchor
    }

    /// Whether `other` is a later list of the same CA: an old one put back would bring back what was revoked.
    pub fn is_before(&self, other: &Self) -> bool {
        let key = |number: &[u8]| (number.len(), number.to_vec());
        self.issuer == other.issuer && key(&self.number) < key(&other.number)
    }
}

/// A CA that may speak: an anchor, or one below it.
struct Signer {
    certificate: Certificate,
    der: Vec<u8>,
    anchor: AnchorId,
}

impl Signer {
    /// Runs `check` with the CA's public key.
    fn with_key(&self, check: impl FnOnce(&SubjectPublicKeyInfo<'_>) -> bool) -> bool {
        x509_parser::parse_x509_certificate(&self.der).is_ok_and(|(_, ca)| check(ca.public_key()))
    }
}

/// The verified lists in a file: one in DER, or any number in PEM beside the certificates of the sub-CAs that
/// signed them. `anchors` are those of the member the file is for.
pub fn revocation_lists(file: &[u8], anchors: &[&Anchor]) -> Result<Vec<Crl>, CrlError> {
    if file.len() > CRL_BYTES_MAX {
        return Err(CrlError::TooLong);
    }
    // A DER list begins with the tag of a SEQUENCE, which no PEM text does.
    let (ders, between) =
        if file.first() == Some(&0x30) { (vec![file.to_vec()], Vec::new()) } else { in_pem(file)? };
    let signers = signers(anchors, between)?;
    ders.iter().map(|der| verified(der, &signers)).collect()
}

type Ders = Vec<Vec<u8>>;

fn in_pem(file: &[u8]) -> Result<(Ders, Ders), CrlError> {
    pem::no_key(file)?;
    let lists: Result<Ders, _> =
        CertificateRevocationListDer::pem_slice_iter(file).map(|der| der.map(|der| der.to_vec())).collect();
    let between: Result<Ders, _> =
        CertificateDer::pem_slice_iter(file).map(|der| der.map(|der| der.to_vec())).collect();
    let (lists, between) =
        lists.ok().zip(between.ok()).filter(|(lists, _)| !lists.is_empty()).ok_or(CrlError::Encoding)?;
    Ok((lists, between))
}

/// The anchors, and the CAs in the file that are below them.
fn signers(anchors: &[&Anchor], between: Ders) -> Result<Vec<Signer>, CrlError> {
    let of_anchor = |anchor: &&Anchor| Signer {
        certificate: anchor.certificate().clone(),
        der: anchor.der.to_vec(),
        anchor: anchor.id(),
    };
    let mut signers: Vec<Signer> = anchors.iter().map(of_anchor).collect();
    if between.len() > BETWEEN_MAX {
        return Err(CrlError::Between);
    }
    let mut waiting = between;
    // As often as there are any: they may lie in any order.
    for _ in 0..waiting.len() {
        let mut left = Vec::new();
        for der in waiting {
            match below(&der, &signers) {
                Some(signer) => signers.push(signer),
                None => left.push(der),
            }
        }
        waiting = left;
    }
    if waiting.is_empty() { Ok(signers) } else { Err(CrlError::Between) }
}

/// The CA of `der`, if one of `signers` made it one.
fn below(der: &[u8], signers: &[Signer]) -> Option<Signer> {
    let certificate = Certificate::from_der(der).ok()?;
    let (_, parsed) = x509_parser::parse_x509_certificate(der).ok()?;
    if !certificate.is_ca || !certificate.key.is_strong() || !is_accepted(&parsed.signature_algorithm) {
        return None;
    }
    let by = signers.iter().find(|signer| {
        signer.certificate.subject_name == certificate.issuer_name
            && signer.with_key(|key| parsed.verify_signature(Some(key)).is_ok())
    })?;
    Some(Signer { anchor: by.anchor, certificate, der: der.to_vec() })
}

fn is_accepted(method: &x509_parser::x509::AlgorithmIdentifier<'_>) -> bool {
    SIGNATURES.contains(&method.algorithm.to_id_string().as_str())
}

fn verified(der: &[u8], signers: &[Signer]) -> Result<Crl, CrlError> {
    let (rest, parsed) = CertificateRevocationList::from_der(der).map_err(|_| CrlError::Encoding)?;
    if !rest.is_empty() {
        return Err(CrlError::Encoding);
    }
    let next_update = parsed.next_update().ok_or(CrlError::Bare)?;
    let strict = webpki::BorrowedCertRevocationList::from_der(der)?;
    if !is_accepted(&parsed.signature_algorithm) {
        return Err(CrlError::Method);
    }
    let issuer = Name::of(parsed.issuer());
    let named = || signers.iter().filter(|signer| signer.certificate.subject_name == issuer);
    if named().next().is_none() {
        return Err(CrlError::UnknownIssuer);
    }
    // Section 6.3.3 (f).
    if !named().any(|signer| signer.certificate.crl_sign) {
        return Err(CrlError::NotItsOffice);
    }
    let signed_by = |signer: &&Signer| signer.with_key(|key| parsed.verify_signature(key).is_ok());
    let signer =
        named().filter(|signer| signer.certificate.crl_sign).find(signed_by).ok_or(CrlError::Signature)?;
    Ok(Crl {
        issuer_shown: parsed.issuer().to_string(),
        issuer,
        number: parsed.crl_number().ok_or(CrlError::Bare)?.to_bytes_be(),
        next_update: Timestamp::from_second(next_update.timestamp()).map_err(|_| CrlError::Encoding)?,
        serials: serials(&strict)?,
        anchor: signer.anchor,
    })
}

fn serials(list: &webpki::BorrowedCertRevocationList<'_>) -> Result<HashSet<Serial>, CrlError> {
    let mut serials = HashSet::new();
    for entry in list {
        if serials.len() >= CRL_ENTRIES_MAX {
            return Err(CrlError::TooMany);
        }
        serials.insert(Serial::from_bytes(entry?.serial_number));
    }
    Ok(serials)
}

#[cfg(test)]
mod tests;
