//! How an exchange ends, and the one table of refusals. `docs/refusals.md` agrees with it row by
//! row; `tests/refusals.rs` holds the two together and drives every row over a socket.

use std::fmt;

/// What `Tolbooth-Outcome` says, so that a proxy's own 404 is never read as "child not known".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    Answered,
    NoMatch,
    Refused,
    /// A refusal that could not be, or is not, recorded one by one: no receipt.
    Unrecorded,
    /// Whether a question would be answered was said, and why not; nothing was released.
    Explained,
    /// What the caller may ask was said.
    OwnView,
    /// A part of the log was given: its checkpoint, hashes, or the caller's own envelopes.
    LogRead,
}

impl Outcome {
    /// Those that stand on the record of an exchange.
    pub const RECORDED: [Self; 4] = [Self::Answered, Self::NoMatch, Self::Refused, Self::Explained];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NoMatch => "no_match",
            Self::Refused => "refused",
            Self::Unrecorded => "unrecorded",
            Self::Explained => "explained",
            Self::OwnView => "own_view",
            Self::LogRead => "log_read",
        }
    }

    /// Whether an exchange that ended so counts against the limits of its day: something was told of a record, or
    /// that there is none, or a change may have been made. What failed before that told nothing, and an explanation
    /// looks at no record.
    pub fn counts_for_the_day(self, code: Option<Code>) -> bool {
        match self {
            Self::Answered | Self::NoMatch => true,
            Self::Refused => matches!(code, Some(Code::TooManyMatches | Code::OutcomeUnknown)),
            Self::Unrecorded | Self::Explained | Self::OwnView | Self::LogRead => false,
        }
    }
}

/// Who can put a refusal right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fixer {
    /// Whoever wrote the calling program.
    Caller,
    /// Whoever runs the caller's systems and certificates.
    CallersHost,
    /// The officers of both parties, by an agreement.
    Officers,
    CallerOrOfficers,
    /// Whoever runs this gateway.
    Host,
    /// Whoever runs the system behind.
    Provider,
}

impl Fixer {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::CallersHost => "caller's host",
            Self::Officers => "officers",
            Self::CallerOrOfficers => "caller or officers",
            Self::Host => "host",
            Self::Provider => "provider",
        }
    }
}

macro_rules! codes {
    ($($variant:ident = $code:literal, $status:literal, $retry:literal, $fixer:ident, $sentence:literal;)+) => {
        /// Why a question is refused. Stable: programs match on the spelling.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($variant),+ }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            /// Whether the same question may succeed later with nothing changed by the caller.
            pub fn retry(self) -> bool {
                match self { $(Self::$variant => $retry),+ }
            }

            pub fn fixer(self) -> Fixer {
                match self { $(Self::$variant => Fixer::$fixer),+ }
            }

            /// One plain sentence for the caller.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence),+ }
            }
        }
    };
}

codes! {
    MalformedHttp = "malformed_http", 400, false, Caller,
        "The request is not well-formed HTTP, or could be read in two ways.";
    CertificateNotAccepted = "certificate_not_accepted", 403, false, CallersHost,
        "The client certificate does not name exactly one known system of the member that issued it.";
    CertificateRevoked = "certificate_revoked", 403, false, CallersHost,
        "The client certificate has been revoked.";
    RevocationUnknown = "revocation_unknown", 403, true, CallersHost,
        "Whether the client certificate is revoked is not known: its CA's revocation list has expired.";
    TokenNotAccepted = "token_not_accepted", 401, false, Caller,
        "The access token is not one this gateway accepts from this system.";
    SignatureNotAccepted = "signature_not_accepted", 403, false, Caller,
        "The signature is not one this gateway accepts from this system.";
    NotAgreed = "not_agreed", 403, false, Officers,
        "There is no agreement under which this system may ask this.";
    AgreementAmbiguous = "agreement_ambiguous", 400, false, Caller,
        "Several agreements fit: name one in Tolbooth-Agreement or state the purpose in Tolbooth-Purpose.";
    AgreementNotInForce = "agreement_not_in_force", 403, false, Officers,
        "The agreement is not in force.";
    GrantSpent = "grant_spent", 403, false, Officers,
        "The grant was for one answer, and has been used.";
    PurposeNotAllowed = "purpose_not_allowed", 403, false, CallerOrOfficers,
        "The agreement does not allow this purpose for this system.";
    RoleNotAllowed = "role_not_allowed", 403, false, CallerOrOfficers,
        "The agreement does not allow this role for this system, or one of several must be stated in Tolbooth-Role.";
    UserMissing = "user_missing", 403, false, CallerOrOfficers,
        "The agreement wants the user stated in Tolbooth-User.";
    ReasonMissing = "reason_missing", 403, false, CallerOrOfficers,
        "The agreement wants a reason code in Tolbooth-Reason, or a code and an explanation after it.";
    CaseMissing = "case_missing", 403, false, CallerOrOfficers,
        "The agreement wants the case stated in Tolbooth-Case.";
    TokenMissing = "token_missing", 401, false, Caller,
        "The agreement wants an access token that is bound to the client certificate.";
    TokenInsufficient = "token_insufficient", 403, false, Caller,
        "The access token does not cover what is asked.";
    SignatureMissing = "signature_missing", 403, false, Caller,
        "The agreement wants the message signed.";
    Guardrail = "guardrail", 403, false, CallerOrOfficers,
        "A rule of the organisation that holds the data forbids this.";
    OutsideHours = "hours", 403, true, CallerOrOfficers,
        "The agreement allows no questions at this hour.";
    TooLarge = "too_large", 413, false, Caller,
        "The question is larger than this gateway reads.";
    QuestionInvalid = "question_invalid", 422, false, Caller,
        "The question does not fit the contract.";
    Stopped = "stopped", 503, true, Host,
        "The host of this gateway has stopped answering this for now.";
    LimitReached = "limit_reached", 429, true, Caller,
        "A limit is reached for now.";
    CannotDecide = "cannot_decide", 503, true, Host,
        "The gateway could not decide, and so refuses.";
    SourceUnavailable = "source_unavailable", 502, true, Provider,
        "The system that holds the data could not be reached or failed.";
    SourceTimeout = "source_timeout", 504, true, Provider,
        "The system that holds the data did not answer in time.";
    SourceInvalid = "source_invalid", 502, false, Provider,
        "The system that holds the data answered something that does not fit the contract.";
    TooManyMatches = "too_many_matches", 403, false, Caller,
        "The answer has more records than the agreement allows in one: ask for less.";
    OutcomeUnknown = "outcome_unknown", 409, false, Provider,
        "Whether the change was made is not known: ask the provider before trying again.";
    CannotRecord = "cannot_record", 503, true, Host,
        "The gateway could not record the exchange, and so nothing leaves.";
}

/// Reads that are answered and counted in summaries beside refusals, and are none (design 5): a caller's own
/// view, a checkpoint or tile, a receipt again, a page of a member's own envelopes.
pub const OWN_VIEW_READ: &str = "own_view_read";
pub const LOG_READ: &str = "log_read";
pub const RECEIPT_READ: &str = "receipt_read";
pub const ENVELOPES_READ: &str = "envelopes_read";
pub const COUNTED_READS: [&str; 4] = [OWN_VIEW_READ, LOG_READ, RECEIPT_READ, ENVELOPES_READ];

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
