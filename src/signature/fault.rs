//! Why a signature is not accepted. Told to whoever signed: names of components and parameters, never
//! a value.

use std::fmt;

/// Names that callers chose are cut to this, in what they are told and in the record.
const NAME_CHARS_MAX: usize = 64;

/// What is wrong with one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentFault {
    pub name: String,
    pub why: &'static str,
}

impl fmt::Display for ComponentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", cut(&self.name), self.why)
    }
}

impl std::error::Error for ComponentFault {}

/// Why a signed question is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureFault {
    /// `Signature-Input` or `Signature` is there and the other is not, or their labels differ.
    Unpaired,
    /// A field that is not in the strict form of its structured field (RFC 9651 section 4.1).
    Malformed(&'static str),
    /// A field longer than any honest one.
    TooLong(&'static str),
    /// More than one signature.
    Several,
    /// The tag is not ours.
    Tag,
    /// An algorithm is named and it is not Ed25519.
    Algorithm,
    /// A parameter is missing or of the wrong kind.
    Parameter(&'static str),
    UnknownParameter(String),
    /// A nonce of another length or spelling.
    Nonce,
    Component(ComponentFault),
    /// Two identifiers for the same component.
    CoveredTwice(String),
    /// A component that must be covered is not.
    Uncovered(String),
    /// A field that is covered is there twice: it could be read in two ways.
    TwoLines(String),
    /// `keyid` names no key of this system.
    Key,
    /// The key is not valid today.
    KeyNotNow,
    /// `expires` is before `created`, or too long after it.
    Window,
    Expired,
    /// `created` lies in the future.
    Future,
    /// Signed before this gateway could remember what it has seen. After so many seconds it can.
    BeforeStart {
        wait_seconds: u64,
    },
    /// The signature is not that of these bytes.
    Wrong,
    /// `Content-Digest` cannot be read, or holds no digest of a kind that is read here.
    Digest,
    /// The body is not the one the digest is of.
    Body,
    /// The nonce was used before.
    Replayed,
    /// So many nonces are remembered that no more can be.
    Full,
}

impl fmt::Display for SignatureFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = match self {
            Self::Malformed(field) => return write!(f, "{field} is not in its strict form"),
            Self::TooLong(field) => return write!(f, "{field} is too long"),
            Self::Parameter(name) => {
                return write!(f, "the parameter `{name}` is missing or of the wrong kind");
            }
            Self::UnknownParameter(name) => return write!(f, "the parameter `{}` is not known", cut(name)),
            Self::Component(fault) => return fault.fmt(f),
            Self::CoveredTwice(name) => return write!(f, "`{}` is covered twice", cut(name)),
            Self::Uncovered(name) => return write!(f, "`{}` is not covered", cut(name)),
            Self::TwoLines(name) => return write!(f, "`{}` is there more than once", cut(name)),
            Self::BeforeStart { wait_seconds } => {
                return write!(
                    f,
                    "it was made before this gateway could remember it: sign anew in {wait_seconds} s"
                );
            }
            Self::Unpaired => "Signature-Input and Signature do not go together",
            Self::Several => "there is more than one signature",
            Self::Tag => "its tag is not `tolbooth/v1`",
            Self::Algorithm => "its algorithm is not `ed25519`",
            Self::Nonce => "its nonce is not 16 to 64 letters, digits, `-`, `_`, `.`, `+`, `/` or `=`",
            Self::Key => "its keyid names no key of this system",
            Self::KeyNotNow => "its key is not valid now",
            Self::Window => "it expires before it was made, or more than 60 s after",
            Self::Expired => "it has expired",
            Self::Future => "it was made in the future: look at the clock",
            Self::Wrong => "it is not that of this question",
            Self::Digest => "Content-Digest is no digest by sha-256 or sha-512",
            Self::Body => "Content-Digest is not that of the body",
            Self::Replayed => "its nonce was used before",
            Self::Full => "too many signed questions came within a minute",
        };
        f.write_str(plain)
    }
}

impl std::error::Error for SignatureFault {}

impl From<ComponentFault> for SignatureFault {
    fn from(fault: ComponentFault) -> Self {
        Self::Component(fault)
    }
}

fn cut(name: &str) -> String {
    name.chars().take(NAME_CHARS_MAX).collect()
}
