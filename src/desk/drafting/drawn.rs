//! The agreement drawn up from the answers. What was not asked is taken from the organisations, the contract and
//! the template, or is what is usual for the kind; what is not answered yet has a stand-in no loader objects to.

use std::sync::Arc;

use crate::model::limits::{AUDIT_YEARS_CHILDREN, AUDIT_YEARS_DEFAULT};
use crate::model::{
    AgreementRef, Assurance, DataSubject, Digest, FieldPath, Hours, MemberId, PurposeCode, ReasonWanted,
    RoleId, SharingKind, SystemName, UserIdentity,
};
use crate::policy::{Agreement, ConsumerSystem, Dates, Law, Limits, Party, Side, Stage};

use super::law::{controller_of, stand_in};
use super::sheet::{About, Sheet};
use super::words::cut;
use super::{assess, fields};

/// Questions a minute that a team of people asks; more is a machine, and somebody writes it down.
const PER_MINUTE: u32 = 30;
const TITLE_CHARS_MAX: usize = 80;

impl Sheet<'_> {
    /// `None` while it is not known with whom and of what.
    pub(super) fn drawn(&self) -> Option<Agreement> {
        let partner = self.partner.as_ref()?;
        let (offer, operations) = self.dataset.as_ref()?;
        let version = offer.contract.version.clone();
        let id = self.ground.id(partner, version.dataset.as_str())?;
        let kind = self.kind_or_usual();
        let (stage, dates) = self.stage_or_trial();
        let release = self.release()?;
        let released: Vec<FieldPath> = release.fields.iter().map(|(path, _)| path.clone()).collect();
        let about = self.about();
        let template = self.ground.template.as_ref();
        let named = self.ground.name(partner);
        let user = self.user();
        Some(Agreement {
            file: format!("policies/agreements/{id}.toml"),
            reference: AgreementRef { id, version: 1 },
            title: cut(&format!("{} for {named}", offer.contract.title), TITLE_CHARS_MAX),
            stage,
            parties: self.parties(partner, kind),
            purpose: self.purpose_or_any(),
            dataset: version,
            operations: operations.clone(),
            assurance: template.map_or(Assurance::Certificate, |template| template.assurance),
            user_required: user != UserIdentity::SystemOnly,
            reason: match template {
                Some(template) => template.reason,
                None if user == UserIdentity::SystemOnly => ReasonWanted::None,
                None => ReasonWanted::Code,
            },
            case_required: template.is_some_and(|template| template.case_required),
            limits: template.map_or(
                Limits {
                    per_minute: PER_MINUTE,
                    per_day: None,
                    per_user_per_day: None,
                    rows_per_answer: None,
                },
                |template| template.limits,
            ),
            hours: template.map_or(Hours::Always, |template| template.hours.clone()),
            dates,
            law: self.laws(),
            audit_years: self.audit_years(&about),
            particulars: Some(Box::new(self.particulars(kind, &about, &released))),
            release: Arc::new(release),
            grant: None,
            seal: None,
            digest: Digest::of(b""),
        })
    }

    /// By the marks of the contract, until it is said.
    pub(super) fn kind_or_usual(&self) -> SharingKind {
        self.kind.unwrap_or_else(|| {
            let people = self
                .dataset
                .as_ref()
                .is_none_or(|(offer, operations)| fields::has_people(&fields::rows_of(offer, operations)));
            if people { SharingKind::ControllerToController } else { SharingKind::NonPersonal }
        })
    }

    pub(super) fn stage_or_trial(&self) -> (Stage, Dates) {
        let template = self.ground.template.as_ref();
        let (first, last) = self.days();
        let usual = || assess::stage("trial", first, last);
        let stage = template.map(|template| template.stage);
        self.stage.or_else(|| usual().ok()).unwrap_or_else(|| {
            let dates = Dates { from: first, until: last };
            (stage.unwrap_or(Stage::Trial), dates)
        })
    }

    /// The first and the last day that may be, by the template.
    pub(super) fn days(&self) -> (jiff::civil::Date, Option<jiff::civil::Date>) {
        let template = self.ground.template.as_ref();
        let from = template.and_then(|template| template.from);
        (
            from.map_or(self.ground.today, |from| from.max(self.ground.today)),
            template.and_then(|template| template.until),
        )
    }

    fn purpose_or_any(&self) -> PurposeCode {
        self.purpose.unwrap_or(PurposeCode::ServiceDelivery)
    }

    fn parties(&self, partner: &MemberId, kind: SharingKind) -> Vec<Party> {
        let purposes = vec![self.purpose_or_any()];
        let systems = self.systems.clone().unwrap_or_else(|| {
            let of_template = self.ground.template.as_ref().map(|template| template.roles.clone());
            let roles = of_template.unwrap_or_else(|| RoleId::new("unsaid").into_iter().collect());
            SystemName::new("unsaid").into_iter().map(|name| (name, roles.clone())).collect()
        });
        let own = &self.ground.own;
        let party = |member: &MemberId, side: Side, systems: Vec<ConsumerSystem>, said| Party {
            member: member.clone(),
            side,
            systems,
            particulars: Some(Box::new(said)),
            line: 0,
        };
        let systems = systems
            .into_iter()
            .map(|(id, roles)| ConsumerSystem { id, roles, purposes: purposes.clone() })
            .collect();
        let theirs = self.partner_as(partner).as_party(controller_of(kind, false));
        vec![
            party(&own.member, Side::Provider, Vec::new(), own.as_party(controller_of(kind, true))),
            party(partner, Side::Consumer, systems, theirs),
        ]
    }

    /// Of a live agreement about people: what was answered, what the parties said before, or what stands for it.
    pub(super) fn laws(&self) -> Vec<Law> {
        let (true, Some(partner)) = (self.wants_law(), self.partner.as_ref()) else { return Vec::new() };
        let about = self.about();
        let own = &self.ground.own.member;
        let provider = self.provider_law.clone().unwrap_or_else(|| stand_in(own, &about));
        let consumer = self.consumer_law.clone().unwrap_or_else(|| stand_in(partner, &about));
        vec![provider, consumer]
    }

    /// How far it is said who asks: where there are roles, people do.
    pub(super) fn user(&self) -> UserIdentity {
        let people =
            self.systems.as_ref().is_none_or(|systems| systems.iter().any(|(_, roles)| !roles.is_empty()));
        match &self.ground.template {
            Some(template) => template.user,
            None if people => UserIdentity::UserPseudonym,
            None => UserIdentity::SystemOnly,
        }
    }

    fn audit_years(&self, about: &About) -> u8 {
        let children =
            about.subjects.contains(&DataSubject::Children) || self.purpose_or_any().is_of_children();
        let usual = if children { AUDIT_YEARS_CHILDREN } else { AUDIT_YEARS_DEFAULT };
        self.ground.template.as_ref().map_or(usual, |template| usual.min(template.audit_years))
    }
}
