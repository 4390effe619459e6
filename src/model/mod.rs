//! The words of the house: what the rooms say to one another.
//!
//! Pure values, no I/O, no clock. A word that two rooms need sinks to here; what two rooms do
//! together the road or the desk does. Every maker checks (parse, don't validate), so that a value
//! that exists is a legal one.

mod assurance;
mod canonical;
mod contract;
mod digest;
mod disclosure;
mod exchange;
mod fault;
mod hours;
mod identifier;
mod ids;
mod law;
mod life;
mod mapping;
mod message_key;
mod officer;
mod outcome;
mod path;
mod recovery;
mod release;
mod secret;
mod shape;
mod sharing;
mod status;
mod vocabulary;

pub mod limits;

pub use assurance::Assurance;
pub use canonical::canonical;
pub use contract::{Cardinality, Contract, Effect, Operation};
pub use digest::Digest;
pub use disclosure::{Ruling, Urgency};
pub use exchange::{ExchangeId, Origin, Stated, Subject, SubjectKind};
pub use fault::{Fault, Faults, suggestion};
pub use hours::{DAYS, HourSpan, Hours, HoursFault};
pub use identifier::NORMALISER;
pub use ids::{
    AgreementId, AgreementRef, DatasetId, DatasetVersion, IdError, MemberClass, MemberId, OperationId,
    RoleId, SystemId, SystemName,
};
pub use law::{Article9, Basis, Confidentiality, PurposeCode, Regime, Schedule1, Schedule8, SpecialCategory};
pub use life::{ActDone, Action, Halt, Life, LifeEvent, StopScope};
pub use mapping::Mapping;
pub use message_key::MessageKey;
pub use officer::{AuthorityKey, OfficerKey};
pub use outcome::{
    COUNTED_READS, Code, ENVELOPES_READ, Fixer, LOG_READ, OWN_VIEW_READ, Outcome, RECEIPT_READ,
};
pub use path::{FieldPath, PathError, STEPS_MAX, Step, is_property_name};
pub use recovery::RecoveryKey;
pub use release::{Band, Check, Literal, Release, Rows, Test, Transform};
pub use secret::Secret;
pub use shape::{Format, Marks, ObjectShape, Property, Scalar, ScalarKind, Shape};
pub use sharing::{
    Classification, Controllership, Corrections, DataSubject, Disposal, DpiaStatus, FoiRegime, Frequency,
    Holds, LookupKey, Matching, Prohibition, ReasonWanted, ResponseForm, Risk, SarDisclosable, Scheme,
    SharingKind, Transport, Trigger, UserIdentity,
};
pub use status::AgreementStatus;
pub use vocabulary::Vocabulary;
