//! Why a token, or a set of keys, is not accepted. Closed words, so that nothing of a token is repeated.

use std::fmt;

/// Why a token is not accepted, as the caller may be told: it is their own token, and which check failed
/// helps nobody to make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenFault {
    /// Another scheme than `Bearer` (RFC 6750 section 2.1), or nothing behind it.
    Scheme,
    TooLarge,
    /// Not three parts in base64url in the one spelling (RFC 7515 section 7.1).
    Form,
    /// An opaque one with letters no token has (RFC 6750 section 2.1).
    Letters,
    /// The header is not one strict JSON object.
    Header,
    /// `typ` is not that of an access token (RFC 9068 section 4).
    Type,
    /// A header that would choose how the token is checked, or that is not known here.
    HeaderNotAllowed,
    /// Not an algorithm, or not one of this key.
    Algorithm,
    /// `kid` is missing or names no key of the issuer.
    Key,
    Signature,
    /// The claims are not one strict JSON object.
    Claims,
    /// This claim is missing or not of its type.
    Claim(&'static str),
    Issuer,
    Audience,
    NotYetValid,
    Expired,
    /// Valid for longer than its issuer may say.
    Lifetime,
    /// No `cnf` with a certificate's thumbprint and nothing else (RFC 8705 section 3.1).
    Unbound,
    OtherCertificate,
    OtherClient,
    /// Its issuer does not speak for the member whose system presents it.
    NotHeard,
    /// Its issuer says that it is not active (RFC 7662 section 2.2).
    Inactive,
    /// The issuer's keys cannot be had at the moment.
    NoKeys,
    /// The issuer could not be asked about it.
    Silent,
}

impl TokenFault {
    /// Whether the token may be good: what is missing is on this side.
    pub fn is_undecided(self) -> bool {
        matches!(self, Self::NoKeys | Self::Silent)
    }

    /// A word for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheme => "scheme",
            Self::TooLarge => "too_large",
            Self::Form => "form",
            Self::Letters => "letters",
            Self::Header => "header",
            Self::Type => "type",
            Self::HeaderNotAllowed => "header_not_allowed",
            Self::Algorithm => "algorithm",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Claim(_) => "claim",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::Lifetime => "lifetime",
            Self::Unbound => "unbound",
            Self::OtherCertificate => "other_certificate",
            Self::OtherClient => "other_client",
            Self::NotHeard => "not_heard",
            Self::Inactive => "inactive",
            Self::NoKeys => "no_keys",
            Self::Silent => "silent",
        }
    }
}

/// A sentence without quotes and backslashes: it also stands in a challenge (RFC 6750 section 3).
impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "The scheme of the authorization is not Bearer, or there is no token.",
            Self::TooLarge => "The token is too large.",
            Self::Form => "The token is not three parts in base64url without padding.",
            Self::Letters => "The token has letters that no token has.",
            Self::Header => "The header of the token is not one JSON object that reads in one way.",
            Self::Type => "The type of the token is not at+jwt.",
            Self::HeaderNotAllowed => "The token has a header other than typ, alg and kid.",
            Self::Algorithm => "The algorithm of the token is not one its key is used with.",
            Self::Key => "The token names no key of its issuer.",
            Self::Signature => "The signature of the token does not verify.",
            Self::Claims => "The claims of the token are not one JSON object that reads in one way.",
            Self::Claim(name) => return write!(f, "The claim {name} is missing or not of its type."),
            Self::Issuer => "The issuer of the token is not one this gateway knows.",
            Self::Audience => "The token is for another audience.",
            Self::NotYetValid => "The token is not valid yet.",
            Self::Expired => "The token has expired.",
            Self::Lifetime => "The token is valid for longer than its issuer may say.",
            Self::Unbound => "The token is not bound to a client certificate.",
            Self::OtherCertificate => "The token is bound to another certificate.",
            Self::OtherClient => "The token is of another system.",
            Self::NotHeard => "The issuer of the token does not speak for this member.",
            Self::Inactive => "The token is not active.",
            Self::NoKeys => "The keys of the issuer are not known at the moment.",
            Self::Silent => "The issuer of the token could not be asked.",
        })
    }
}

impl std::error::Error for TokenFault {}

/// Why a JWK set is not taken (RFC 7517).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwksFault {
    /// Not one strict JSON object with a list `keys`.
    NotAKeySet,
    TooManyKeys,
    /// Two usable keys under one `kid`: which one is meant?
    KeyIdTwice,
    /// It holds a private or a secret key: who published that has lost it.
    NotPublic,
    /// There is no key in it that may verify tokens of this issuer.
    NoUsableKey,
}

impl fmt::Display for JwksFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAKeySet => "not a JSON Web Key set",
            Self::TooManyKeys => "more keys than an issuer has",
            Self::KeyIdTwice => "two keys with one `kid`",
            Self::NotPublic => "a private or secret key among public ones",
            Self::NoUsableKey => "no key with a `kid` and an algorithm that is allowed",
        })
    }
}

impl std::error::Error for JwksFault {}
