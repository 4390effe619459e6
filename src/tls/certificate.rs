//! An X.509 certificate (RFC 5280) read for what we ask of it. Reading proves nothing: see
//! `verifier.rs` for who signed it.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use crate::model::Digest;

const OID_P256: &str = "1.2.840.10045.3.1.7";
const OID_P384: &str = "1.3.132.0.34";
const OID_ED25519: &str = "1.3.101.112";

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Of the DER.
    pub digest: Digest,
    /// Of the DER of the subject's public key: the same for a renewal with the same key.
    pub key_digest: Digest,
    /// As RFC 4514 writes names, more or less; for people.
    pub subject: String,
    pub issuer: String,
    /// The two names as they are encoded: how a certificate or revocation list names its issuer.
    pub subject_name: Name,
    pub issuer_name: Name,
    pub serial: Serial,
    /// Subject alternative names (section 4.2.1.6).
    pub uris: Vec<String>,
    pub dns: Vec<String>,
    pub ips: Vec<IpAddr>,
    /// Basic constraints say it may issue (section 4.2.1.9).
    pub is_ca: bool,
    /// How many CAs may follow below it, if that is limited.
    pub path_len: Option<u32>,
    /// Extended key usage names TLS client authentication (section 4.2.1.12).
    pub client_auth: bool,
    pub server_auth: bool,
    /// Key usage says it may sign what it sends (section 4.2.1.3): false also where there is none.
    pub digital_signature: bool,
    /// Key usage does not keep it from signing revocation lists.
    pub crl_sign: bool,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub key: KeyKind,
}

/// Why bytes are not a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateError {
    /// Not the DER of one X.509 certificate.
    Encoding,
    /// The same extension twice, or a subject alternative name that cannot be read.
    Extensions,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoding => "not an X.509 certificate",
            Self::Extensions => "a certificate with extensions that cannot be read",
        })
    }
}

impl std::error::Error for CertificateError {}

impl Certificate {
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (rest, parsed) =
            x509_parser::parse_x509_certificate(der).map_err(|_| CertificateError::Encoding)?;
        if !rest.is_empty() {
            return Err(CertificateError::Encoding);
        }
        let names = Names::of(&parsed)?;
        let extension = |_| CertificateError::Extensions;
        let usage = parsed.extended_key_usage().map_err(extension)?;
        let key_usage = parsed.key_usage().map_err(extension)?;
        let basic = parsed.basic_constraints().map_err(extension)?;
        let time = |at: x509_parser::time::ASN1Time| {
            Timestamp::from_second(at.timestamp()).map_err(|_| CertificateError::Encoding)
        };
        Ok(Self {
            digest: Digest::of(der),
            key_digest: Digest::of(parsed.public_key().raw),
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            subject_name: Name::of(parsed.subject()),
            issuer_name: Name::of(parsed.issuer()),
            serial: Serial::from_bytes(parsed.raw_serial()),
            uris: names.uris,
            dns: names.dns,
            ips: names.ips,
            is_ca: basic.as_ref().is_some_and(|basic| basic.value.ca),
            path_len: basic.and_then(|basic| basic.value.path_len_constraint),
            client_auth: usage.as_ref().is_some_and(|usage| usage.value.client_auth),
            server_auth: usage.as_ref().is_some_and(|usage| usage.value.server_auth),
            digital_signature: key_usage.as_ref().is_some_and(|usage| usage.value.digital_signature()),
            crl_sign: key_usage.as_ref().is_none_or(|usage| usage.value.crl_sign()),
            not_before: time(parsed.validity().not_before)?,
            not_after: time(parsed.validity().not_after)?,
            key: KeyKind::of(parsed.public_key()),
        })
    }

    /// Whole days until the last instant of validity; below zero once it is past.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        const DAY: i64 = 86_400;
        (self.not_after.as_second() - now.as_second()).div_euclid(DAY)
    }

    pub fn is_expired(&self, now: Timestamp) -> bool {
        now > self.not_after
    }
}

#[derive(Default)]
struct Names {
    uris: Vec<String>,
    dns: Vec<String>,
    ips: Vec<IpAddr>,
}

impl Names {
    fn of(parsed: &X509Certificate<'_>) -> Result<Self, CertificateError> {
        let mut names = Self::default();
        let Some(extension) = parsed.subject_alternative_name().map_err(|_| CertificateError::Extensions)?
        else {
            return Ok(names);
        };
        for name in &extension.value.general_names {
            match name {
                GeneralName::URI(uri) => names.uris.push((*uri).to_owned()),
                GeneralName::DNSName(dns) => names.dns.push((*dns).to_owned()),
                GeneralName::IPAddress(octets) => {
                    names.ips.push(ip_address(octets).ok_or(CertificateError::Extensions)?);
                }
                // A name that cannot be read could be a second identity.
                GeneralName::Invalid(..) => return Err(CertificateError::Extensions),
                _ => {}
            }
        }
        Ok(names)
    }
}

fn ip_address(octets: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}

/// A distinguished name as it is encoded. Two encodings of one name are two names, as in every chain: a CA
/// writes its name in one way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name(Box<[u8]>);

impl Name {
    pub(super) fn of(name: &X509Name<'_>) -> Self {
        Self(name.as_raw().into())
    }
}

/// A certificate's serial number, in small hex digits without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Serial(String);

impl Serial {
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(hex.trim_start_matches('0').to_owned())
    }

    /// Parses hex digits of either case, with or without colons, as `openssl x509 -serial` and
    /// browsers show them.
    pub fn parse(text: &str) -> Option<Self> {
        let hex: String = text.chars().filter(|c| *c != ':').collect::<String>().to_ascii_lowercase();
        // Section 4.1.2.2: at most 20 octets.
        let legal = !hex.is_empty() && hex.len() <= 42 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        legal.then(|| Self(hex.trim_start_matches('0').to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kind of a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    P256,
    P384,
    Ed25519,
    /// With the bits of its modulus.
    Rsa(usize),
    Other,
}

impl KeyKind {
    /// The smallest RSA modulus that is accepted anywhere, in bits.
    pub const RSA_BITS_MIN: usize = 2048;

    pub(super) fn of(key: &SubjectPublicKeyInfo<'_>) -> Self {
        match key.parsed() {
            Ok(PublicKey::RSA(rsa)) => Self::Rsa(rsa.key_size()),
            Ok(PublicKey::EC(_)) => {
                let curve = key.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
                match curve.map(|oid| oid.to_id_string()).as_deref() {
                    Some(OID_P256) => Self::P256,
                    Some(OID_P384) => Self::P384,
                    _ => Self::Other,
                }
            }
            _ if key.algorithm.algorithm.to_id_string() == OID_ED25519 => Self::Ed25519,
            _ => Self::Other,
        }
    }

    /// Whether a client or server key of this kind is accepted.
    pub fn is_strong(self) -> bool {
        match self {
            Self::P256 | Self::P384 | Self::Ed25519 => true,
            Self::Rsa(bits) => bits >= Self::RSA_BITS_MIN,
            Self::Other => false,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::P256 => f.write_str("ECDSA P-256"),
            Self::P384 => f.write_str("ECDSA P-384"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::Other => f.write_str("another kind of key"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_is_the_same_however_it_is_written() {
        let serial = Serial::from_bytes(&[0x00, 0xAB, 0x01]);
        for text in ["00:AB:01", "ab01", "AB01", "00ab01"] {
            assert_eq!(Serial::parse(text), Some(serial.clone()), "{text}");
        }
        for bad in ["", ":", "xyz", "ab 01", &"a".repeat(43)] {
            assert_eq!(Serial::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn bytes_that_are_no_certificate_are_refused() {
        assert_eq!(Certificate::from_der(b""), Err(CertificateError::Encoding));
        assert_eq!(Certificate::from_der(b"0\x03\x02\x01\x01"), Err(CertificateError::Encoding));
    }
}
