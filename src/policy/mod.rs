//! Agreements and guardrails: reading them, whether they are in force, which one a question falls
//! under, and what Cedar says. Design 3 "Decide" and 4. The one door to Cedar.
//!
//! Everything here is pure and synchronous: bytes, keys, dates and time are handed in. What an
//! agreement releases is only read here; `minimise/` compiles it against the contract.

mod act;
mod agreement;
mod attach;
mod choose;
mod daily;
mod decide;
mod facts;
mod fields;
mod grant;
mod guardrail;
mod lint;
mod load;
mod memo;
mod officer_key;
mod organisation;
mod particulars;
mod permit;
mod rate;
mod register;
mod request;
mod seal;
mod sign;
mod standing;
mod template;
mod uses;
mod written;

pub use act::{ACT_REASON_CHARS_MAX, Act, ActFault, CountedAct, SignedAct, is_reason};
pub use agreement::{Agreement, Conditions, ConsumerSystem, Dates, Law, Limits, Party, Power, Side, Stage};
pub use attach::{AttachError, Brought, attach};
pub use choose::{Chosen, Claims, choose, meant};
pub use daily::{AskedBy, Daily, DayUse, Over, Recount};
pub use decide::{Decider, Verdict};
pub use facts::{Facts, SAFE_ADDRESS, Scope};
pub use fields::{
    Field, Formats, Held, Kind, NOT_YET, Need, fields, page as fields_page, schema as fields_schema,
};
pub use grant::{Commitment, Grant, Request, RequestDecision, SubjectMac, against_grant, subject_key_file};
pub use lint::{against_members, against_operation, habits, unwise};
pub use load::{load, load_organisation, load_rows, load_template};
pub use memo::Memo;
pub use officer_key::{OfficerKeyFault, is_locked_key, lock_key, unlock_key};
pub use organisation::{Organisation, organisation_file};
pub use particulars::{
    Accuracy, Aim, Asking, Attestation, Contact, Description, Dpia, FieldReason, Flow, Governance, Impact,
    Keeping, Office, Particulars, PartyParticulars, PrivacyNotice, Processor, Publication, Rights,
    SampleReview, Security, SmallNumber, Transfer,
};
pub use rate::Limiter;
pub use register::{Entry, Register};
pub use seal::{SealError, seal};
pub use sign::{
    KeyRing, KeyRingError, SignError, add_signature, sign_template, signature_file, signature_text,
};
pub use standing::{Grounds, Reason, Signer, Standing, standing};
pub use template::{Template, Templates};
pub use uses::{Unusable, Use, Uses};
pub use written::written;

#[cfg(test)]
mod tests;
