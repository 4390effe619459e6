//! Names of things. Each kind is its own type, so that a member can never be passed for a dataset.

use std::fmt;
use std::sync::Arc;

/// The longest id: names become file names, path segments, Cedar ids and certificate names.
pub const ID_CHARS_MAX: usize = 63;

/// First path segments of the partner listener that mean something else, and so cannot be datasets.
pub const RESERVED_DATASETS: [&str; 12] = [
    "receipts",
    "envelopes",
    "checkpoint",
    "tile",
    "explain",
    "catalogue",
    "health",
    "metrics",
    "token",
    "jwks",
    "to",
    "well-known",
];

/// Why a name is not an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdError {
    pub kind: &'static str,
    pub given: String,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a {}: a small letter, then small letters, digits, `-` or `_`, at most {ID_CHARS_MAX}",
            self.given, self.kind
        )
    }
}

impl std::error::Error for IdError {}

fn is_id(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= ID_CHARS_MAX
        && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses a name; see [`IdError`] for what is legal.
            pub fn new(text: &str) -> Result<Self, IdError> {
                if is_id(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError { kind: $kind, given: text.chars().take(80).collect() })
                }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

id!(/// An organisation of the federation, such as `glenmore`.
    MemberId, "member id");
id!(/// A client inside a member, such as `ed-trak`.
    SystemName, "system name");
id!(/// What a provider offers, such as `child-protection`. A reserved first segment is refused by
    /// the contract loader.
    DatasetId, "dataset id");
id!(/// One operation of a contract, such as `check`.
    OperationId, "operation id");
id!(/// A data-sharing agreement, such as `glenmore-nhs-lomond-child-protection`.
    AgreementId, "agreement id");
id!(/// A role a system may assert for its user, such as `ed_clinician`.
    RoleId, "role");

impl DatasetId {
    pub fn is_reserved(&self) -> bool {
        RESERVED_DATASETS.contains(&self.as_str())
    }
}

/// A system of a member: the SPIFFE id `spiffe://<member>.<federation>/<system>` without its
/// federation, of which there is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemId {
    pub member: MemberId,
    pub system: SystemName,
}

impl fmt::Display for SystemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.member, self.system)
    }
}

/// A dataset under one major version of its contract: `child-protection/v1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasetVersion {
    pub dataset: DatasetId,
    pub major: u32,
}

impl fmt::Display for DatasetVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/v{}", self.dataset, self.major)
    }
}

/// One version of one agreement: `glenmore-nhs-lomond-child-protection@3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgreementRef {
    pub id: AgreementId,
    pub version: u32,
}

impl fmt::Display for AgreementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id, self.version)
    }
}

/// What kind of organisation a member is; guardrails speak of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemberClass {
    Council,
    Health,
    Police,
    Fire,
    Voluntary,
    Office,
}

impl MemberClass {
    pub const ALL: [Self; 6] =
        [Self::Council, Self::Health, Self::Police, Self::Fire, Self::Voluntary, Self::Office];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Council => "council",
            Self::Health => "health",
            Self::Police => "police",
            Self::Fire => "fire",
            Self::Voluntary => "voluntary",
            Self::Office => "office",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_small_letters_digits_dash_and_underscore() {
        for good in ["a", "nhs-lomond", "ed_clinician", "x1"] {
            assert!(MemberId::new(good).is_ok(), "{good}");
        }
        let long = "a".repeat(ID_CHARS_MAX + 1);
        for bad in ["", "-a", "1a", "A", "a b", "a/b", "a.b", "é", "..", &long] {
            assert!(MemberId::new(bad).is_err(), "{bad}");
        }
    }
}
