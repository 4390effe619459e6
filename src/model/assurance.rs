//! How far it is proven who asks (design 3 "Assurance").

use super::outcome::Code;

/// How a caller proves who it is: what an agreement wants, and what a question has shown. Each step
/// stands on the one before it, so that more than is wanted is always enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assurance {
    /// A client certificate, proven by the TLS handshake.
    Certificate,
    /// Also an access token (RFC 9068) that is bound to that certificate (RFC 8705 section 3).
    Token,
    /// Also a signature over the message (RFC 9421), which covers the token.
    Signed,
}

impl Assurance {
    pub const ALL: [Self; 3] = [Self::Certificate, Self::Token, Self::Signed];
    pub const WORDS: [(&'static str, &'static str); 3] = [
        ("certificate", "by its client certificate"),
        ("token", "also by an access token bound to it"),
        ("signed", "also by a signature over the message"),
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Token => "token",
            Self::Signed => "signed",
        }
    }

    /// What is proven with a verified signature on top: it stands on a token, and proves no more without.
    pub fn with_signature(self) -> Self {
        match self {
            Self::Certificate => Self::Certificate,
            Self::Token | Self::Signed => Self::Signed,
        }
    }

    /// What somebody who has proven `self` lacks first of what is `wanted`.
    pub fn lacks(self, wanted: Self) -> Option<Code> {
        match (self, wanted) {
            _ if self >= wanted => None,
            (Self::Certificate, _) => Some(Code::TokenMissing),
            (Self::Token | Self::Signed, _) => Some(Code::SignatureMissing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_stands_on_the_one_before() {
        use Assurance::{Certificate, Signed, Token};
        let lacks = |proven: Assurance| Assurance::ALL.map(|wanted| proven.lacks(wanted));
        assert_eq!(lacks(Certificate), [None, Some(Code::TokenMissing), Some(Code::TokenMissing)]);
        assert_eq!(lacks(Token), [None, None, Some(Code::SignatureMissing)]);
        assert_eq!(lacks(Signed), [None; 3]);
        assert_eq!(Certificate.with_signature(), Certificate, "a signature proves no token");
        assert_eq!(Token.with_signature(), Signed);
    }
}
