//! Verifies client chains against the anchors of all members at once (RFC 5280 section 6), and
//! keeps which anchor each chain ended in: a member's systems may only speak under that member's
//! own anchors, which `directory/` decides.
//!
//! A chain is verified once. The proof of it is remembered by the digest of all that was
//! presented and stands only within the validity of every certificate in its path, so that it says
//! what verifying again would say. Only proven chains are remembered, at most [`PROVEN_MAX`].

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError as Rejected, DigitallySignedStruct, DistinguishedName, Error, OtherError,
    SignatureScheme,
};
use webpki::{EndEntityCert, KeyUsage, aws_lc_rs as algorithms};

use super::path::{Link, ProvenPath, Validity};
use super::{Anchor, AnchorId, Certificate};
use crate::crypto::{Sha256, sha256};

/// Certificates beyond this in one chain are refused before any is looked at: what is done for
/// somebody unknown is bounded.
const CHAIN_MAX: usize = 5;
/// Chains remembered; beyond it the memory starts afresh.
const PROVEN_MAX: usize = 4096;

/// ECDSA P-256 and P-384, Ed25519, RSA of at least 2048 bits; nothing with SHA-1.
static ALGORITHMS: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        algorithms::ECDSA_P256_SHA256,
        algorithms::ECDSA_P256_SHA384,
        algorithms::ECDSA_P384_SHA256,
        algorithms::ECDSA_P384_SHA384,
        algorithms::ED25519,
        algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        algorithms::RSA_PKCS1_2048_8192_SHA256,
        algorithms::RSA_PKCS1_2048_8192_SHA384,
        algorithms::RSA_PKCS1_2048_8192_SHA512,
    ],
    mapping: &[
        (SignatureScheme::ECDSA_NISTP256_SHA256, &[algorithms::ECDSA_P256_SHA256]),
        (SignatureScheme::ECDSA_NISTP384_SHA384, &[algorithms::ECDSA_P384_SHA384]),
        (SignatureScheme::ED25519, &[algorithms::ED25519]),
        (SignatureScheme::RSA_PSS_SHA256, &[algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA384, &[algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA512, &[algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
    ],
};

/// As above, and for TLS 1.2 clients whose RSA keys sit in modules without PSS, PKCS#1 signatures in the
/// handshake (TLS 1.3 takes none, RFC 8446 section 4.2.3).
static ALGORITHMS_WITH_PKCS1: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: ALGORITHMS.all,
    mapping: &[
        (
            SignatureScheme::ECDSA_NISTP256_SHA256,
            &[algorithms::ECDSA_P256_SHA256, algorithms::ECDSA_P384_SHA256],
        ),
        (
            SignatureScheme::ECDSA_NISTP384_SHA384,
            &[algorithms::ECDSA_P384_SHA384, algorithms::ECDSA_P256_SHA384],
        ),
        (SignatureScheme::ED25519, &[algorithms::ED25519]),
        (SignatureScheme::RSA_PSS_SHA256, &[algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA384, &[algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA512, &[algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
        (SignatureScheme::RSA_PKCS1_SHA256, &[algorithms::RSA_PKCS1_2048_8192_SHA256]),
        (SignatureScheme::RSA_PKCS1_SHA384, &[algorithms::RSA_PKCS1_2048_8192_SHA384]),
        (SignatureScheme::RSA_PKCS1_SHA512, &[algorithms::RSA_PKCS1_2048_8192_SHA512]),
    ],
};

pub(super) struct ClientVerifier {
    /// Side by side with `known`: webpki wants a slice of these alone.
    anchors: Vec<TrustAnchor<'static>>,
    known: Vec<Known>,
    proven: RwLock<HashMap<Sha256, ProvenPath>>,
    tls12: bool,
}

struct Known {
    id: AnchorId,
    within: Validity,
    /// CAs that may lie between the anchor and a leaf.
    between_max: usize,
}

impl Known {
    fn of(anchor: &Anchor) -> Self {
        let certificate = anchor.certificate();
        let limit = certificate.path_len.and_then(|limit| usize::try_from(limit).ok());
        Self { id: anchor.id(), within: Validity::of(certificate), between_max: limit.unwrap_or(CHAIN_MAX) }
    }
}

impl std::fmt::Debug for ClientVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientVerifier({} anchors)", self.anchors.len())
    }
}

impl ClientVerifier {
    pub(super) fn new(anchors: &[Anchor], tls12: bool) -> Self {
        Self {
            anchors: anchors.iter().map(|anchor| anchor.trust.clone()).collect(),
            known: anchors.iter().map(Known::of).collect(),
            proven: RwLock::default(),
            tls12,
        }
    }

    /// How a chain (leaf first) is proven: remembered from its handshake, else verified again.
    pub(super) fn path(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<ProvenPath, Error> {
        let (leaf, intermediates) = chain.split_first().ok_or(Error::NoCertificatesPresented)?;
        if chain.len() > CHAIN_MAX {
            return Err(Rejected::UnknownIssuer.into());
        }
        let parts: Vec<&[u8]> = chain.iter().map(AsRef::as_ref).collect();
        let name = sha256(&parts);
        let remembered = self.proven.read().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        if let Some(proven) = remembered.filter(|proven| proven.within().holds(now)) {
            return Ok(proven);
        }
        let proven = self.verify(leaf, intermediates, now)?;
        let mut memory = self.proven.write().unwrap_or_else(PoisonError::into_inner);
        if memory.len() >= PROVEN_MAX {
            memory.clear();
        }
        memory.insert(name, proven.clone());
        Ok(proven)
    }

    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ProvenPath, Error> {
        let end = EndEntityCert::try_from(leaf).map_err(rejected)?;
        // webpki takes name and key of an anchor and forgets its validity and path length; here they
        // hold, so that neither an old CA key nor a CA below a CA speaks for a member.
        let anchor_permits = |path: &webpki::VerifiedPath<'_>| match self.known(path) {
            Some(known) if !known.within.holds(now) => {
                Err(webpki::Error::CertExpired { time: now, not_after: now })
            }
            Some(known) if path.intermediate_certificates().count() > known.between_max => {
                Err(webpki::Error::PathLenConstraintViolated)
            }
            Some(_) => Ok(()),
            None => Err(webpki::Error::UnknownIssuer),
        };
        let path = end
            .verify_for_usage(
                ALGORITHMS.all,
                &self.anchors,
                intermediates,
                now,
                KeyUsage::client_auth(),
                None,
                Some(&anchor_permits),
            )
            .map_err(rejected)?;
        let known = self.known(&path).ok_or(Rejected::UnknownIssuer)?;
        let certificate = read(leaf)?;
        // webpki lets a leaf without extended key usage pass (RFC 5280 section 4.2.1.12); here one
        // that does not say it is for this is not for this.
        if !certificate.client_auth {
            return Err(Rejected::InvalidPurpose.into());
        }
        // Nor does it look at key usage (section 4.2.1.3): whoever proves itself by a signature must be
        // one that may sign.
        if !certificate.digital_signature {
            return Err(Rejected::InvalidPurpose.into());
        }
        let mut within = known.within.and(Validity::of(&certificate));
        let mut links = vec![Link::of(&certificate)];
        for between in path.intermediate_certificates() {
            let between = read(&between.der())?;
            within = within.and(Validity::of(&between));
            links.push(Link::of(&between));
        }
        Ok(ProvenPath::new(known.id, links, within))
    }

    fn known(&self, path: &webpki::VerifiedPath<'_>) -> Option<&Known> {
        // The path borrows its anchor from our slice, so its place there is its name.
        let place = self.anchors.iter().position(|anchor| std::ptr::eq(anchor, path.anchor()))?;
        self.known.get(place)
    }
}

fn read(der: &[u8]) -> Result<Certificate, Error> {
    Certificate::from_der(der).map_err(|_| Rejected::BadEncoding.into())
}

/// webpki's reasons as rustls's, which choose the alert and how we count it.
fn rejected(error: webpki::Error) -> Error {
    use webpki::Error as Why;
    let why = match error {
        Why::BadDer | Why::BadDerTime | Why::TrailingData(_) => Rejected::BadEncoding,
        Why::CertExpired { .. } | Why::InvalidCertValidity => Rejected::Expired,
        Why::CertNotValidYet { .. } => Rejected::NotValidYet,
        // A CA of that name that did not sign this is as unknown as no CA.
        Why::UnknownIssuer | Why::InvalidSignatureForPublicKey => Rejected::UnknownIssuer,
        Why::RequiredEkuNotFoundContext(_) => Rejected::InvalidPurpose,
        other => Rejected::Other(OtherError(Arc::new(other))),
    };
    why.into()
}

impl ClientCertVerifier for ClientVerifier {
    /// None: a list would tell everybody who the members are, and costs bytes in each handshake.
    /// RFC 8446 section 4.2.4: without one the client sends what it has.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).cloned().collect();
        self.path(&chain, now)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Asked only where the listener offers TLS 1.2 (`server.rs`).
        rustls::crypto::verify_tls12_signature(message, cert, dss, &ALGORITHMS_WITH_PKCS1)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &ALGORITHMS)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = if self.tls12 { &ALGORITHMS_WITH_PKCS1 } else { &ALGORITHMS };
        algorithms.supported_schemes()
    }
}
