//! An agreement as loaded: every value checked, nothing derived but the digest of its bytes.

use std::sync::Arc;

use jiff::civil::Date;

use crate::model::{
    AgreementRef, Assurance, Basis, DatasetVersion, Digest, MemberId, OperationId, PurposeCode, Regime,
    Release, RoleId, SystemId, SystemName,
};

/// A data-sharing agreement. Made by [`load`](super::load) alone; whether it is in force is a
/// question for [`standing`](super::standing).
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    pub reference: AgreementRef,
    pub title: String,
    pub stage: Stage,
    /// Exactly one provider and at least one consumer, in the order of the file.
    pub parties: Vec<Party>,
    pub purpose: PurposeCode,
    pub dataset: DatasetVersion,
    pub operations: Vec<OperationId>,
    /// How a caller must prove who it is; more is always enough.
    pub assurance: Assurance,
    /// The caller must state the user (`access.user = "required"`).
    pub user_required: bool,
    /// Agreements of one ruleset that release alike share it.
    pub release: Arc<Release>,
    pub limits: Limits,
    pub dates: Dates,
    /// By party, in the order of the file; a live agreement has one for each.
    pub law: Vec<Law>,
    /// How many years sealed parts of its exchanges are kept.
    pub audit_years: u8,
    /// The view it was sealed over, if it was.
    pub seal: Option<Digest>,
    /// Of the exact bytes: what signatures are over.
    pub digest: Digest,
    /// The file as the host named it.
    pub file: String,
}

impl Agreement {
    /// The member whose data it is. Loading makes sure that there is one.
    pub fn provider(&self) -> Option<&MemberId> {
        self.parties.iter().find(|party| party.side == Side::Provider).map(|party| &party.member)
    }

    pub fn consumers(&self) -> impl Iterator<Item = &Party> {
        self.parties.iter().filter(|party| party.side == Side::Consumer)
    }

    /// What this agreement says of a system, if it lists it.
    pub fn system(&self, id: &SystemId) -> Option<&ConsumerSystem> {
        self.consumers()
            .find(|party| party.member == id.member)?
            .systems
            .iter()
            .find(|system| system.id == id.system)
    }

    /// Who must sign: in format 1 every party is a controller.
    pub fn controllers(&self) -> impl Iterator<Item = &MemberId> {
        self.parties.iter().map(|party| &party.member)
    }
}

/// How far an agreement has come. A trial needs no law, and answers only from a synthetic source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    Trial,
    Live,
}

impl Stage {
    pub const ALL: [Self; 2] = [Self::Trial, Self::Live];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Live => "live",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    pub member: MemberId,
    pub side: Side,
    /// A consumer's, at least one; a provider has none.
    pub systems: Vec<ConsumerSystem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    Provider,
    Consumer,
}

impl Side {
    pub const ALL: [Self; 2] = [Self::Provider, Self::Consumer];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Consumer => "consumer",
        }
    }
}

/// A system of a consumer, and what it may assert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerSystem {
    pub id: SystemName,
    /// Empty: the system asks without a role.
    pub roles: Vec<RoleId>,
    /// At least one, each the agreement's.
    pub purposes: Vec<PurposeCode>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Questions in any 60 seconds, over all systems of all consumers; at least 1.
    pub per_minute: u32,
}

/// Days in London.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    /// The first day in force.
    pub from: Date,
    /// The last day in force; a trial always has one.
    pub until: Option<Date>,
}

/// The law one party relies on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Law {
    pub member: MemberId,
    pub regime: Regime,
    /// Absent only under `non_personal`.
    pub basis: Option<Basis>,
    pub powers: Vec<Power>,
    /// Where it stands in the file, from 1, for faults found later.
    pub line: usize,
}

/// A power in statute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Power {
    pub statute: String,
    pub section: String,
    /// One line: how the party reads it.
    pub reading: String,
}
