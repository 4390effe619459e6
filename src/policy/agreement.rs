//! An agreement as loaded: every value checked, nothing derived but the digest of its bytes.

use std::sync::Arc;

use jiff::civil::Date;

use crate::model::{
    AgreementRef, Article9, Assurance, Basis, Confidentiality, DatasetVersion, Digest, Hours, MemberId,
    OperationId, PurposeCode, ReasonWanted, Regime, Release, ResponseForm, RoleId, Schedule1, Schedule8,
    SystemId, SystemName,
};

use super::grant::Grant;
use super::particulars::{Particulars, PartyParticulars};

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
    /// What the caller must state of why it asks (`access.reason`).
    pub reason: ReasonWanted,
    /// The caller must state the case (`access.case_ref`).
    pub case_required: bool,
    /// When may be asked, in London (`access.hours`).
    pub hours: Hours,
    /// Agreements of one ruleset that release alike share it.
    pub release: Arc<Release>,
    pub limits: Limits,
    pub dates: Dates,
    /// By party, in the order of the file; a live agreement has one for each.
    pub law: Vec<Law>,
    /// How many years sealed parts of its exchanges are kept.
    pub audit_years: u8,
    /// What format 2 says beyond format 1; a file of format 1 has none.
    pub particulars: Option<Box<Particulars>>,
    /// What makes it leave for one disclosure; a standing agreement has none.
    pub grant: Option<Box<Grant>>,
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

    /// Who must sign: whoever gives or receives, and any other party that is a controller. In format 1
    /// every party is one.
    pub fn controllers(&self) -> impl Iterator<Item = &MemberId> {
        self.parties.iter().filter(|party| party.signs()).map(|party| &party.member)
    }

    /// The form of its answers, if this version gives none so. Format 1 knows no such form.
    pub fn not_answered(&self) -> Option<ResponseForm> {
        let form = self.particulars.as_ref().map(|particulars| particulars.flow.response);
        form.filter(|form| !form.is_answered())
    }

    /// The controllers whose Caldicott Guardian signs too, each with the office it names (format 2).
    pub fn guardians(&self) -> impl Iterator<Item = (&MemberId, &str)> {
        let signing = self.parties.iter().filter(|party| party.signs());
        signing.filter_map(|party| {
            let guardian = party.particulars.as_ref()?.caldicott_guardian.as_ref()?;
            Some((&party.member, guardian.office.as_str()))
        })
    }

    /// Whether anybody is in the data. Format 1 does not say, and so is taken to be about people.
    pub fn is_personal(&self) -> bool {
        self.particulars.as_ref().is_none_or(|particulars| particulars.kind.is_personal())
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
    pub const WORDS: [(&'static str, &'static str); 2] =
        [("trial", "at most 90 days, from synthetic sources alone"), ("live", "about real people")];

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
    /// Of format 2.
    pub particulars: Option<Box<PartyParticulars>>,
    /// Where it stands in the file, from 1, for faults found later.
    pub line: usize,
}

impl Party {
    fn signs(&self) -> bool {
        match self.side {
            Side::Provider | Side::Consumer => true,
            Side::Processor | Side::Observer => {
                self.particulars.as_ref().is_none_or(|particulars| particulars.controller.is_controller())
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    Provider,
    Consumer,
    /// Works on the data for another party, and asks nothing by itself (format 2).
    Processor,
    /// Is told of the agreement, and neither gives nor receives (format 2).
    Observer,
}

impl Side {
    /// Of format 1.
    pub const SIMPLE: [Self; 2] = [Self::Provider, Self::Consumer];
    pub const ALL: [Self; 4] = [Self::Provider, Self::Consumer, Self::Processor, Self::Observer];
    pub const WORDS: [(&'static str, &'static str); 4] = [
        ("provider", "whose data it is"),
        ("consumer", "who asks"),
        ("processor", "works on the data for another party"),
        ("observer", "is told of the agreement alone"),
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Consumer => "consumer",
            Self::Processor => "processor",
            Self::Observer => "observer",
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

/// Each at least 1; over all systems of all consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Questions in any 60 seconds.
    pub per_minute: u32,
    /// Questions answered on a day in London.
    pub per_day: Option<u32>,
    /// Likewise of one user, as stated; where it is set the user must be.
    pub per_user_per_day: Option<u32>,
    /// Records in one answer.
    pub rows_per_answer: Option<u32>,
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
    pub conditions: Conditions,
    /// Where it stands in the file, from 1, for faults found later.
    pub line: usize,
}

/// What stands beside a basis, where the data is of the kinds that want it; in format 1 nothing does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    pub article9: Option<Article9>,
    pub schedule1: Vec<Schedule1>,
    /// For criminal offences (UK GDPR Art 10).
    pub offences: Option<Schedule1>,
    /// For sensitive processing under Part 3.
    pub schedule8: Option<Schedule8>,
    pub confidentiality: Option<Confidentiality>,
    /// The appropriate policy document, by its reference.
    pub policy_document: Option<String>,
    /// The statute that gives a party functions of law enforcement, if it is not known for them (s.30(1)(b)).
    pub competent_by: Option<String>,
}

/// A power in statute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Power {
    pub statute: String,
    pub section: String,
    /// One line: how the party reads it.
    pub reading: String,
}
