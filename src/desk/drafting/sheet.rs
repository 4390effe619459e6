//! The answers so far. What is not answered yet is `None`; [`Sheet::drawn`](Self::drawn) makes an agreement of it.

use std::sync::Arc;

use crate::model::{
    DataSubject, Fault, FieldPath, MemberId, OperationId, PurposeCode, Release, RoleId, Rows, Shape,
    SharingKind, SpecialCategory, SystemName, Transform,
};
use crate::policy::{self, Agreement, Dates, Dpia, Law, Organisation, Stage};

use super::super::ruleset::Offer;
use super::fields;
use super::ground::Ground;
use super::question::Question;
use super::steps::Step;
use super::words::wrong;

/// Made from a [`Ground`]; each answer makes the next one.
#[derive(Clone)]
pub struct Sheet<'g> {
    pub(super) ground: &'g Ground<'g>,
    pub(super) partner: Option<MemberId>,
    pub(super) dataset: Option<(Arc<Offer>, Vec<OperationId>)>,
    pub(super) kind: Option<SharingKind>,
    pub(super) stage: Option<(Stage, Dates)>,
    pub(super) purpose: Option<PurposeCode>,
    pub(super) statement: Option<String>,
    pub(super) systems: Option<Vec<(SystemName, Vec<RoleId>)>>,
    pub(super) fields: Option<Vec<(FieldPath, Transform)>>,
    pub(super) rows: Option<Rows>,
    pub(super) why: Option<String>,
    pub(super) about: Option<About>,
    pub(super) provider_law: Option<Law>,
    pub(super) consumer_law: Option<Law>,
    pub(super) opinions: Option<Vec<FieldPath>>,
    pub(super) assessment: Option<Dpia>,
    pub(super) registered: Option<super::people::Registered>,
    pub(super) reached: Option<policy::Contact>,
    pub(super) offices: Option<super::people::Offices>,
}

/// Whom the data is about, and what is said of them.
#[derive(Debug, Clone, Default)]
pub(super) struct About {
    pub(super) subjects: Vec<DataSubject>,
    pub(super) special: Vec<SpecialCategory>,
    pub(super) offence: bool,
}

impl<'g> Sheet<'g> {
    /// With what a template and a partner's file answer already.
    pub fn new(ground: &'g Ground<'g>) -> Self {
        let template = ground.template.as_ref();
        let dataset = template.and_then(|template| {
            let version = &template.dataset;
            let offer = ground.ruleset.offer(version.dataset.as_str(), &version.major.to_string())?;
            Some((Arc::clone(offer), template.operations.clone()))
        });
        Self {
            ground,
            partner: ground.partner.as_ref().map(|partner| partner.member.clone()),
            dataset,
            kind: None,
            stage: None,
            purpose: template.map(|template| template.purpose),
            statement: None,
            systems: None,
            fields: template.map(|template| template.release.fields.clone()),
            rows: template.map(|template| template.release.rows.clone()),
            why: None,
            about: None,
            provider_law: None,
            consumer_law: None,
            opinions: None,
            assessment: None,
            registered: None,
            reached: None,
            offices: None,
        }
    }

    /// What is asked at a step; nothing, where there is nothing left to ask.
    pub fn question(&self, step: Step) -> Option<Question> {
        step.question(self)
    }

    /// The sheet with an answer, or what it does not allow.
    pub fn answered(&self, step: Step, given: &str) -> Result<Self, Vec<Fault>> {
        let mut next = self.clone();
        step.take(&mut next, given.trim()).map_err(|fault| vec![fault])?;
        next.judged()?;
        Ok(next.settled())
    }

    /// The agreement as far as it is answered, judged; `None` where it cannot be drawn up yet.
    pub(super) fn judged(&self) -> Result<Option<Agreement>, Vec<Fault>> {
        let Some(drawn) = self.drawn() else { return Ok(None) };
        let judged = self.ground.judge(&drawn.file, &policy::written(&drawn));
        judged.map(Some).map_err(|faults| faults.0)
    }

    /// The file's name below the gateway's folder and its text, once everything was answered.
    pub fn text(&self) -> Result<(String, String), Vec<Fault>> {
        let left: Vec<&str> =
            Step::ALL.iter().filter_map(|step| self.question(*step)).map(|one| one.key).collect();
        if !left.is_empty() {
            return Err(vec![wrong(format!("not answered yet: {}", left.join(", ")))]);
        }
        let drawn = self.drawn().ok_or_else(|| vec![wrong("no id is free: name one with --id")])?;
        Ok((drawn.file.clone(), policy::written(&drawn)))
    }

    // --- what several steps ask ---

    pub(super) fn is_personal(&self) -> bool {
        self.kind_or_usual().is_personal()
    }

    pub(super) fn is_live(&self) -> bool {
        self.stage.is_some_and(|(stage, _)| stage == Stage::Live)
    }

    /// What is known of the partner.
    pub(super) fn their_organisation(&self) -> Option<Organisation> {
        self.ground.organisation(self.partner.as_ref()?)
    }

    /// Whether they have to be asked for what every agreement says of them.
    pub(super) fn asks_of_partner(&self) -> bool {
        self.partner.is_some() && self.their_organisation().is_none()
    }

    /// The rows of what may be asked, as the contract has them.
    pub(super) fn rows_offered(&self) -> Vec<Shape> {
        let of = self.dataset.as_ref().map(|(offer, operations)| fields::rows_of(offer, operations));
        of.unwrap_or_default()
    }

    /// What leaves, and everything else withheld.
    pub(super) fn release(&self) -> Option<Release> {
        let (offer, operations) = self.dataset.as_ref()?;
        let shapes = fields::rows_of(offer, operations);
        let chosen = match &self.fields {
            Some(fields) => fields.clone(),
            None => fields::stand_in(&shapes, self.is_personal()),
        };
        let withhold = fields::withheld(&shapes, &chosen);
        let rows = self.rows.clone().unwrap_or(Rows::Every);
        Some(Release { fields: chosen, withhold, rows })
    }

    /// Categories the contract marks what leaves with, with those somebody said besides.
    pub(super) fn about(&self) -> About {
        let marked = self.dataset.as_ref().zip(self.release()).map(|((offer, operations), release)| {
            fields::categories(&fields::rows_of(offer, operations), &release.fields)
        });
        let (mut special, mut offence) = marked.unwrap_or_default();
        let said = self.about.clone().unwrap_or_default();
        said.special.iter().for_each(|one| {
            if !special.contains(one) {
                special.push(*one);
            }
        });
        offence |= said.offence;
        let subjects = match (said.subjects.is_empty(), self.is_personal()) {
            (false, _) => said.subjects,
            (true, true) => vec![DataSubject::Children],
            (true, false) => vec![DataSubject::None],
        };
        About { subjects, special, offence }
    }

    /// Whether a live agreement on this wants an approved assessment (UK GDPR Art 35).
    pub(super) fn wants_assessment(&self) -> bool {
        let About { subjects, special, offence } = self.about();
        let risky = subjects.contains(&DataSubject::Children) || !special.is_empty() || offence;
        self.is_live() && self.is_personal() && risky
    }
}
