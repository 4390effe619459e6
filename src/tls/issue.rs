//! Makes certificates (RFC 5280): a member's CA, server and client certificates under it, and
//! client certificates for keys that stay with whoever made them (PKCS#10, RFC 2986).
//!
//! In memory only: files are the caller's. Keys made here are ECDSA P-256. There are no name
//! constraints: webpki refuses every chain under a URI constraint, and what keeps a CA to its member
//! is that only that member's entry lists it.

use std::fmt;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SubjectPublicKeyInfo,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;
use zeroize::Zeroizing;

use super::{Certificate, CertificateError, KeyKind, PemError, SpiffeId, TrustDomain, pem};

/// The longest a leaf may last, in days (what browsers allowed last for public ones).
pub const LEAF_DAYS_MAX: u32 = 397;
/// What a leaf lasts unless told otherwise, in days.
pub const LEAF_DAYS: u32 = 30;
/// What a CA lasts unless told otherwise, in years.
pub const CA_YEARS: u32 = 3;
/// The longest a CA may last, in years.
pub const CA_YEARS_MAX: u32 = 10;
/// Certificates begin this long before now, so that a peer with a slow clock accepts them.
const BACKDATED: SignedDuration = SignedDuration::from_mins(5);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Why a certificate could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueError {
    Pem(PemError),
    Certificate(CertificateError),
    /// The issuing certificate is not a CA's.
    NotCa,
    /// The CA's private key is not that of its certificate.
    KeyMismatch,
    /// The private key is of a kind that cannot sign here.
    Key,
    /// More days than [`LEAF_DAYS_MAX`] or years than [`CA_YEARS_MAX`], or none.
    TooLong,
    /// The certificate would outlast its CA, which ends then.
    OutlastsCa(Timestamp),
    /// A server certificate without a name, or with one that is not a DNS name.
    Name,
    /// The request is not PKCS#10.
    Request,
    /// The request is not signed by its own key: whoever sent it may not hold that key.
    Possession,
    /// The request's key is of a kind that is not accepted.
    WeakKey(KeyKind),
    /// The cryptographic library failed.
    Library,
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(error) => error.fmt(f),
            Self::Certificate(error) => error.fmt(f),
            Self::NotCa => f.write_str("the issuing certificate is not a CA's"),
            Self::KeyMismatch => f.write_str("the private key does not belong to the CA certificate"),
            Self::Key => f.write_str("the private key cannot be used: wanted PKCS#8, ECDSA, Ed25519 or RSA"),
            Self::TooLong => {
                write!(
                    f,
                    "a CA lasts 1 to {CA_YEARS_MAX} years, any other certificate 1 to {LEAF_DAYS_MAX} days"
                )
            }
            Self::OutlastsCa(end) => {
                write!(f, "it would outlast its CA, which ends at {end}: ask for fewer days or renew the CA")
            }
            Self::Name => f.write_str("a server certificate needs a DNS name or an IP address"),
            Self::Request => f.write_str("not a certificate signing request (PKCS#10)"),
            Self::Possession => f.write_str("the request is not signed by the key it asks a certificate for"),
            Self::WeakKey(kind) => write!(
                f,
                "the request's key is {kind}: wanted ECDSA P-256 or P-384, Ed25519, or RSA of at least {} bits",
                KeyKind::RSA_BITS_MIN
            ),
            Self::Library => f.write_str("the cryptographic library could not make the certificate"),
        }
    }
}

impl std::error::Error for IssueError {}

impl From<rcgen::Error> for IssueError {
    fn from(_: rcgen::Error) -> Self {
        Self::Library
    }
}

impl From<PemError> for IssueError {
    fn from(error: PemError) -> Self {
        Self::Pem(error)
    }
}

impl From<CertificateError> for IssueError {
    fn from(error: CertificateError) -> Self {
        Self::Certificate(error)
    }
}

/// From a little before `now`, for whole days.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    pub now: Timestamp,
    pub days: u32,
}

impl Lifetime {
    fn bounds(self, days_max: u32) -> Result<(Timestamp, Timestamp), IssueError> {
        if self.days == 0 || self.days > days_max {
            return Err(IssueError::TooLong);
        }
        let days = i32::try_from(self.days).map_err(|_| IssueError::TooLong)?;
        let span = DAY.checked_mul(days).ok_or(IssueError::TooLong)?;
        let from = self.now.checked_sub(BACKDATED).map_err(|_| IssueError::TooLong)?;
        let to = self.now.checked_add(span).map_err(|_| IssueError::TooLong)?;
        Ok((from, to))
    }
}

/// A new certificate and its new key, as PEM. Prints without the key.
pub struct Made {
    /// The certificate; for a leaf without its CA, which the other side lists as an anchor.
    pub certificate: String,
    /// PKCS#8.
    pub key: Zeroizing<String>,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Made(***)")
    }
}

/// A member's CA, with its private key in memory.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({})", self.certificate.digest)
    }
}

/// A private key in PKCS#8 (RFC 5958) as PEM, as OpenSSL and every library read it.
pub fn key_pem(pkcs8: &[u8]) -> Result<Zeroizing<String>, IssueError> {
    let key = KeyPair::try_from(&PrivatePkcs8KeyDer::from(pkcs8)).map_err(|_| IssueError::Key)?;
    Ok(Zeroizing::new(key.serialize_pem()))
}

impl Authority {
    /// Makes a new CA for a member. It carries the member's trust domain as its URI name (SPIFFE
    /// X.509-SVID section 3.2), so that commands need not be told whose CA it is; it may issue
    /// leaves and no further CAs.
    pub fn create(
        domain: &TrustDomain,
        organisation: &str,
        years: u32,
        now: Timestamp,
    ) -> Result<(Self, Made), IssueError> {
        let key = KeyPair::generate()?;
        let days = years.saturating_mul(365).saturating_add(years / 4);
        let (from, to) = Lifetime { now, days }.bounds(CA_YEARS_MAX * 365 + CA_YEARS_MAX / 4)?;
        let mut params = params(from, to, &format!("{organisation} CA"))?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.subject_alt_names = vec![uri(&domain.uri())?];
        let certificate = params.self_signed(&key)?;
        let made = Made { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) };
        let read = Certificate::from_der(certificate.der())?;
        Ok((Self { issuer: Issuer::new(params, key), certificate: read }, made))
    }

    /// From the PEM of a CA's certificate and key; a CA made elsewhere will do.
    pub fn open(certificate: &[u8], key: &[u8]) -> Result<Self, IssueError> {
        let chain = pem::chain(certificate)?;
        let der = chain.first().ok_or(PemError::Certificate)?;
        let read = Certificate::from_der(der)?;
        if !read.is_ca {
            return Err(IssueError::NotCa);
        }
        let key = KeyPair::try_from(&pem::private_key(key)?).map_err(|_| IssueError::Key)?;
        if crate::model::Digest::of(&key.subject_public_key_info()) != read.key_digest {
            return Err(IssueError::KeyMismatch);
        }
        Ok(Self { issuer: Issuer::from_ca_cert_der(der, key)?, certificate: read })
    }

    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Whose CA this is, if its certificate says so.
    pub fn domain(&self) -> Option<TrustDomain> {
        match self.certificate.uris.as_slice() {
            [uri] => TrustDomain::from_uri(uri),
            _ => None,
        }
    }

    /// A certificate for a gateway under its DNS names and addresses.
    pub fn server(&self, dns: &[String], ips: &[IpAddr], life: Lifetime) -> Result<Made, IssueError> {
        let first = dns.first().cloned().or_else(|| ips.first().map(ToString::to_string));
        let mut params = self.leaf(&first.ok_or(IssueError::Name)?, life)?;
        for name in dns {
            let legal = rustls::pki_types::DnsName::try_from(name.trim_start_matches("*.")).is_ok();
            let name = name.as_str().try_into().map_err(|_| IssueError::Name)?;
            params.subject_alt_names.push(SanType::DnsName(name));
            if !legal {
                return Err(IssueError::Name);
            }
        }
        params.subject_alt_names.extend(ips.iter().copied().map(SanType::IpAddress));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        Ok(Made { certificate: self.issue(&params, &key)?, key: Zeroizing::new(key.serialize_pem()) })
    }

    /// A certificate and key for a system.
    pub fn client(&self, id: &SpiffeId, life: Lifetime) -> Result<Made, IssueError> {
        let key = KeyPair::generate()?;
        let certificate = self.issue(&self.client_params(id, life)?, &key)?;
        Ok(Made { certificate, key: Zeroizing::new(key.serialize_pem()) })
    }

    /// A certificate for a system whose key stays where it is: from the PEM of a signing request.
    /// Of the request only the public key is taken; names and extensions it asks for are not.
    pub fn sign(&self, request: &[u8], id: &SpiffeId, life: Lifetime) -> Result<String, IssueError> {
        let der = pem::request(request)?;
        let (rest, parsed) = X509CertificationRequest::from_der(&der).map_err(|_| IssueError::Request)?;
        if !rest.is_empty() {
            return Err(IssueError::Request);
        }
        let asked = &parsed.certification_request_info.subject_pki;
        let kind = KeyKind::of(asked);
        if !kind.is_strong() {
            return Err(IssueError::WeakKey(kind));
        }
        parsed.verify_signature().map_err(|_| IssueError::Possession)?;
        let key = SubjectPublicKeyInfo::from_der(asked.raw).map_err(|_| IssueError::Request)?;
        self.issue(&self.client_params(id, life)?, &key)
    }

    fn client_params(&self, id: &SpiffeId, life: Lifetime) -> Result<CertificateParams, IssueError> {
        let mut params = self.leaf(&format!("{} of {}", id.system, id.domain.member()), life)?;
        params.subject_alt_names = vec![uri(&id.to_string())?];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Ok(params)
    }

    fn leaf(&self, name: &str, life: Lifetime) -> Result<CertificateParams, IssueError> {
        let (from, to) = life.bounds(LEAF_DAYS_MAX)?;
        if to > self.certificate.not_after {
            return Err(IssueError::OutlastsCa(self.certificate.not_after));
        }
        let mut params = params(from, to, name)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        Ok(params)
    }

    fn issue(&self, params: &CertificateParams, key: &impl PublicKeyData) -> Result<String, IssueError> {
        Ok(params.signed_by(key, &self.issuer)?.pem())
    }
}

fn params(from: Timestamp, to: Timestamp, name: &str) -> Result<CertificateParams, IssueError> {
    let time = |at: Timestamp| {
        ASN1Time::from_timestamp(at.as_second()).map(|at| at.to_datetime()).map_err(|_| IssueError::TooLong)
    };
    let mut params = CertificateParams::default();
    params.not_before = time(from)?;
    params.not_after = time(to)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(serial()?);
    Ok(params)
}

/// RFC 5280 section 4.1.2.2: positive, at most 20 octets, unique; here random, so that a renewal
/// for the same key is not hit by the revocation of what it replaces.
fn serial() -> Result<SerialNumber, IssueError> {
    let mut bytes = crate::crypto::random::<16>().ok_or(IssueError::Library)?;
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    Ok(SerialNumber::from_slice(&bytes))
}

fn uri(uri: &str) -> Result<SanType, IssueError> {
    Ok(SanType::URI(uri.try_into().map_err(|_| IssueError::Name)?))
}

/// The digest of a public key as [`Certificate::key_digest`] has it, from the PEM of its private
/// key; for asking whether two files belong together.
pub fn key_digest(key: &[u8]) -> Result<crate::model::Digest, IssueError> {
    let key = KeyPair::try_from(&pem::private_key(key)?).map_err(|_| IssueError::Key)?;
    Ok(crate::model::Digest::of(&key.subject_public_key_info()))
}

/// The DER of the first certificate in PEM that this module made.
pub fn der_of(certificate: &str) -> Result<Vec<u8>, IssueError> {
    let chain: Vec<CertificateDer<'static>> = pem::chain(certificate.as_bytes())?;
    Ok(chain.first().ok_or(PemError::Certificate)?.to_vec())
}

#[cfg(test)]
impl Authority {
    /// A certificate no honest CA makes: `change` is applied to those of a client, and the key may
    /// be any.
    pub fn forge(
        &self,
        id: &SpiffeId,
        key: &impl PublicKeyData,
        life: Lifetime,
        change: impl FnOnce(&mut CertificateParams),
    ) -> String {
        let mut params = self.client_params(id, life).unwrap();
        change(&mut params);
        self.issue(&params, key).unwrap()
    }

    /// A revocation list, current for seventy years.
    pub fn list(&self, number: u64, serials: &[&[u8]]) -> String {
        let revoked = |serial: &&[u8]| rcgen::RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: rcgen::date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = rcgen::CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2026, 1, 1),
            next_update: rcgen::date_time_ymd(2096, 1, 1),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}
