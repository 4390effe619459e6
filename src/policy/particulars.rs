//! What an agreement of format 2 says beyond format 1: the whole field list of the Scottish Information Sharing
//! Agreement, in its order, as `docs/fields.md` lists it. Most of it is what the parties promise one another;
//! what the gateway itself holds is in [`Agreement`](super::Agreement) beside it.

use jiff::civil::Date;

use crate::model::{
    Classification, Controllership, Corrections, DataSubject, Disposal, DpiaStatus, FoiRegime, Frequency,
    Holds, LookupKey, Matching, MemberId, Prohibition, ResponseForm, Risk, SarDisclosable, Scheme,
    SharingKind, SpecialCategory, Transport, Trigger, UserIdentity,
};

/// Optional parts are absent only where the list lets them be: see [`super::load`].
#[derive(Debug, Clone, PartialEq)]
pub struct Particulars {
    pub summary: String,
    pub kind: SharingKind,
    /// The template it was made from: reference and version.
    pub template: Option<String>,
    pub aim: Aim,
    pub description: Description,
    pub flow: Flow,
    pub asking: Asking,
    pub impact: Option<Impact>,
    pub publication: Publication,
    pub accuracy: Accuracy,
    pub keeping: Keeping,
    pub rights: Option<Rights>,
    pub security: Security,
    pub processors: Vec<Processor>,
    pub review_due: Date,
    pub governance: Governance,
}

/// Why the data is shared, and what it may not be used for.
#[derive(Debug, Clone, PartialEq)]
pub struct Aim {
    pub statement: String,
    pub benefit: Option<String>,
    /// Why less data, or none, will not do.
    pub necessity: Option<String>,
    pub prohibited: Vec<Prohibition>,
}

/// What the data is (section 2 of the template).
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    pub system_of_record: String,
    pub subjects: Vec<DataSubject>,
    pub special: Vec<SpecialCategory>,
    pub criminal_offence: bool,
    /// For each released field, in the order of the release.
    pub fields: Vec<FieldReason>,
    pub small_number: Option<SmallNumber>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldReason {
    pub why: String,
    pub holds: Option<Holds>,
}

/// Below which a count is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmallNumber {
    pub below: u32,
    pub round_to: u32,
    pub secondary: bool,
}

/// How data flows (section 3.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    pub response: ResponseForm,
    pub trigger: Trigger,
    pub frequency: Frequency,
}

/// How the consumer asks (section 3.2), beside what the gateway holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Asking {
    pub keys: Vec<LookupKey>,
    pub matching: Matching,
    pub user: UserIdentity,
    pub sample_review: Option<SampleReview>,
}

/// How many accesses a supervisor of the consumer confirms afterwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleReview {
    /// Above 0, at most 1.
    pub fraction: f64,
    pub days: u32,
}

/// Impact assessments (section 4).
#[derive(Debug, Clone, PartialEq)]
pub struct Impact {
    pub dpia: Dpia,
    /// Child Rights and Wellbeing Impact Assessment, by its reference.
    pub crwia: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Dpia {
    pub status: DpiaStatus,
    /// Where none is needed.
    pub why: Option<String>,
    pub reference: Option<String>,
    pub date: Option<Date>,
    pub residual_risk: Option<Risk>,
    pub next_review: Option<Date>,
}

/// Whether the public may read that the agreement exists (section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    pub public: bool,
    /// Why not, where it may not.
    pub exemption: Option<String>,
}

/// Section 6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accuracy {
    /// ISO 8601.
    pub freshness: String,
    pub known_limits: Option<String>,
    pub corrections: Option<Corrections>,
}

/// How long the consumer keeps what it received (section 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// ISO 8601; `None`: not stored.
    pub consumer: Option<String>,
    pub disposal: Disposal,
}

/// The rights of those the data is about (section 8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// Who answers somebody who asks for their own data.
    pub sar_lead: MemberId,
    pub sar_disclosable: SarDisclosable,
    pub complaints: String,
    /// `None`: nothing is decided by machine alone.
    pub automated_decisions: Option<String>,
}

/// Sections 9 and 10.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Security {
    pub classification: Classification,
    pub transport: Transport,
    pub location: String,
    pub transfers: Vec<Transfer>,
    /// Within how many hours a party tells the others of a breach.
    pub breach_hours: u32,
}

/// Out of the country named in `location`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    pub country: String,
    pub mechanism: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processor {
    pub name: String,
    pub service: String,
    pub contract: String,
}

/// How the agreement itself is changed and ended (section 11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Governance {
    pub change_notice_days: u32,
    pub termination_days: u32,
    pub on_termination: String,
}

/// What is said of a party (section 1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyParticulars {
    pub controller: Controllership,
    pub code: String,
    pub ico_registration: Option<String>,
    pub foi: FoiRegime,
    pub dpo: Office,
    pub asset_owner: Office,
    pub caldicott_guardian: Option<Office>,
    pub contact: Contact,
    pub out_of_hours: Option<Contact>,
    pub breach_contact: String,
    pub privacy_notice: Option<PrivacyNotice>,
    pub assurance: Vec<Attestation>,
}

/// An office and how to write to whoever holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    pub office: String,
    pub email: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    pub name: String,
    pub telephone: String,
    pub email: String,
}

/// How people are told, or why they need not be (UK GDPR Art 14(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivacyNotice {
    At(String),
    Exempt { exemption: String, why: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attestation {
    pub scheme: Scheme,
    pub until: Date,
}
