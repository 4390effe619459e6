//! SPIFFE ids (SPIFFE-ID specification, section 2): `spiffe://<member>.<federation>/<system>`.
//!
//! Only one spelling is read. Percent-encoding, capitals, a trailing slash, a port, a query or a
//! deeper path would be second names for the same system, and are no ids here.

use std::fmt;
use std::sync::Arc;

use crate::model::{MemberId, SystemId, SystemName};

const SCHEME: &str = "spiffe://";
/// The label a sandbox's federation begins with, which is no member's id.
const SANDBOX: &str = "sandbox";
/// A label of a DNS name (RFC 1035 section 2.3.4).
const LABEL_MAX: usize = 63;
/// What leaves room for a member's label and its dot in a name of 253.
const FEDERATION_MAX: usize = 253 - LABEL_MAX - 1;

/// Whether `name` can be a federation: a DNS-like name in small letters, such as
/// `caledonia.example`.
pub fn is_federation(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= LABEL_MAX
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.len() <= FEDERATION_MAX && name.split('.').all(label)
}

/// What a federation is called in its sandboxes. Its systems' ids end in another name than those of the
/// federation itself, so that neither is ever the other.
pub fn sandbox_of(federation: &str) -> String {
    format!("{SANDBOX}.{federation}")
}

/// A member's trust domain, `<member>.<federation>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TrustDomain {
    member: MemberId,
    federation: Arc<str>,
}

/// The text is not `<member>.<federation>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustDomainError;

impl fmt::Display for TrustDomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a trust domain: wanted `<member>.<federation>` in small letters, such as `glenmore.caledonia.example`",
        )
    }
}

impl std::error::Error for TrustDomainError {}

impl TrustDomain {
    pub fn new(member: MemberId, federation: &str) -> Result<Self, TrustDomainError> {
        if is_federation(federation) {
            Ok(Self { member, federation: federation.into() })
        } else {
            Err(TrustDomainError)
        }
    }

    /// Parses `<member>.<federation>`.
    pub fn parse(text: &str) -> Result<Self, TrustDomainError> {
        let (member, federation) = text.split_once('.').ok_or(TrustDomainError)?;
        Self::new(MemberId::new(member).map_err(|_| TrustDomainError)?, federation)
    }

    /// Parses `spiffe://<member>.<federation>`: the id of the domain itself, which a CA made by
    /// [`super::issue`] carries.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::parse(uri.strip_prefix(SCHEME)?).ok()
    }

    /// Of the CA of a sandbox, whose URI name is the sandbox's federation.
    pub fn of_sandbox(federation: &str) -> Result<Self, TrustDomainError> {
        Self::new(MemberId::new(SANDBOX).map_err(|_| TrustDomainError)?, federation)
    }

    /// Whether this is the name of a sandbox's CA.
    pub fn is_sandbox(&self) -> bool {
        self.member.as_str() == SANDBOX
    }

    /// A member's domain in this sandbox.
    pub fn member_in_sandbox(&self, member: MemberId) -> Result<Self, TrustDomainError> {
        Self::new(member, &sandbox_of(&self.federation))
    }

    pub fn uri(&self) -> String {
        format!("{SCHEME}{self}")
    }

    pub fn member(&self) -> &MemberId {
        &self.member
    }

    pub fn federation(&self) -> &str {
        &self.federation
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.member, self.federation)
    }
}

/// The id of a system.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SpiffeId {
    pub domain: TrustDomain,
    pub system: SystemName,
}

impl SpiffeId {
    /// Parses the one spelling this type writes.
    pub fn parse(uri: &str) -> Option<Self> {
        let (domain, path) = uri.strip_prefix(SCHEME)?.split_once('/')?;
        Some(Self { domain: TrustDomain::parse(domain).ok()?, system: SystemName::new(path).ok()? })
    }

    pub fn system_id(&self) -> SystemId {
        SystemId { member: self.domain.member.clone(), system: self.system.clone() }
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.domain, self.system)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let good = "spiffe://nhs-lomond.caledonia.example/ed-trak";
        assert_eq!(SpiffeId::parse(good).unwrap().to_string(), good);
        for bad in [
            "spiffe://nhs-lomond.caledonia.example/ed-trak/",
            "spiffe://nhs-lomond.caledonia.example/ed-trak/x",
            "spiffe://nhs-lomond.caledonia.example/ed%2Dtrak",
            "spiffe://nhs-lomond.caledonia.example/Ed-trak",
            "spiffe://NHS-lomond.caledonia.example/ed-trak",
            "SPIFFE://nhs-lomond.caledonia.example/ed-trak",
            "spiffe://nhs-lomond.caledonia.example//ed-trak",
            "spiffe://nhs-lomond.caledonia.example",
            "spiffe://nhs-lomond.caledonia.example/",
            "spiffe://nhs-lomond.caledonia.example/ed-trak?x=1",
            "spiffe://nhs-lomond.caledonia.example/ed-trak#x",
            "spiffe://nhs-lomond.caledonia.example:443/ed-trak",
            "spiffe://user@nhs-lomond.caledonia.example/ed-trak",
            "spiffe://nhs-lomond.caledonia.example./ed-trak",
            "spiffe://nhs-lomond/ed-trak",
            "https://nhs-lomond.caledonia.example/ed-trak",
            " spiffe://nhs-lomond.caledonia.example/ed-trak",
        ] {
            assert_eq!(SpiffeId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_federation_is_a_dns_name_in_small_letters() {
        assert!(is_federation("caledonia.example"));
        assert!(is_federation("local"));
        let long = ["abcdefghi"; 30].join(".");
        for bad in ["", ".", "a.", ".a", "a..b", "A.b", "a_b", "-a.b", "a-.b", "a b", "é.b", &long] {
            assert!(!is_federation(bad), "{bad}");
        }
    }
}
