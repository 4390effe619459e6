//! What a verified token says, and whether that fits whoever presents it. Kept in caches: so times,
//! audience and binding are compared on every use.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::crypto::{Sha256, same};
use crate::model::{AgreementId, Digest, PurposeCode, SystemId};

use super::SKEW_SECONDS;
use super::fault::TokenFault;

/// The claims of a token whose signature was verified. Says nothing yet of who presents it: see
/// [`Claims::fit`]. Prints neither user nor token.
pub struct Claims {
    /// The system it was given to.
    pub client: SystemId,
    /// The federation that system is in, where the issuer names one.
    pub federation: Option<String>,
    pub audiences: Vec<String>,
    /// `cnf.x5t#S256` (RFC 8705 section 3.1).
    pub certificate: Sha256,
    /// Seconds since 1970, as are those below.
    pub issued: i64,
    pub not_before: Option<i64>,
    pub expires: i64,
    /// What it may be used for; `None` where the issuer does not limit that.
    pub scope: Option<Scope>,
    /// The user, as the issuer proved it.
    pub user: Option<String>,
    /// The role, in our words, as the issuer proved it.
    pub role: Option<String>,
    /// The issuer, where only members that list it hear it: all but this gateway's own.
    pub speaks: Option<Arc<str>>,
    pub says: Says,
}

/// What an issuer is there to say: a header says none of that in its place, also where it is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Says {
    pub user: bool,
    pub role: bool,
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claims(of {}, ***)", self.client)
    }
}

/// The agreements and purposes a token is for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    pub agreements: BTreeSet<AgreementId>,
    pub purposes: BTreeSet<PurposeCode>,
}

impl Scope {
    pub fn covers(&self, agreement: &AgreementId, purpose: PurposeCode) -> bool {
        self.agreements.contains(agreement) && self.purposes.contains(&purpose)
    }
}

/// Who presents a token, as TLS and the directory have proven it, and when.
#[derive(Debug, Clone, Copy)]
pub struct Presenter<'a> {
    pub system: &'a SystemId,
    pub federation: &'a str,
    /// Of the DER of the client's certificate.
    pub certificate: &'a Digest,
    /// The issuers its member lists.
    pub hears: &'a [String],
    pub now: Timestamp,
}

impl Claims {
    /// Whether the token is for `audience`, now, and for whoever presents it. Asked on every use.
    pub fn fit(&self, audience: &str, presenter: &Presenter<'_>) -> Result<(), TokenFault> {
        let now = presenter.now.as_second();
        // As no member's CA speaks for another: an issuer speaks for those that list it.
        if self
            .speaks
            .as_ref()
            .is_some_and(|issuer| !presenter.hears.iter().any(|listed| **listed == **issuer))
        {
            return Err(TokenFault::NotHeard);
        }
        if !self.audiences.iter().any(|named| named == audience) {
            return Err(TokenFault::Audience);
        }
        // RFC 7519 section 4.1.4: on or after `exp` it is not accepted, but for the skew.
        if now >= self.expires.saturating_add(SKEW_SECONDS) {
            return Err(TokenFault::Expired);
        }
        let begins = self.not_before.unwrap_or(self.issued).max(self.issued);
        if now < begins.saturating_sub(SKEW_SECONDS) {
            return Err(TokenFault::NotYetValid);
        }
        // RFC 8705 section 3: proof of possession is the handshake; a stolen token fails here.
        if !same(&self.certificate, &presenter.certificate.0) {
            return Err(TokenFault::OtherCertificate);
        }
        let elsewhere = self.federation.as_ref().is_some_and(|named| named != presenter.federation);
        if elsewhere || self.client != *presenter.system {
            return Err(TokenFault::OtherClient);
        }
        Ok(())
    }
}
