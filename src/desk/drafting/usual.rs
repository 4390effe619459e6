//! What an agreement of format 2 says beyond what was asked: of the contract, the template and the organisations,
//! or what is usual for the kind.

use std::sync::Arc;

use crate::model::{
    Cardinality, Classification, Corrections, Disposal, FieldPath, Frequency, Holds, LookupKey, Matching,
    Operation, Prohibition, ResponseForm, Risk, SarDisclosable, SharingKind, Transport, Trigger,
};
use crate::policy::{
    Accuracy, Aim, Asking, Description, FieldReason, Flow, Governance, Impact, Keeping, Particulars,
    Publication, Rights, Security, Template,
};

use super::assess;
use super::sheet::{About, Sheet};
use super::words::cut;

const SUMMARY_CHARS_MAX: usize = 400;
const NAME_CHARS_MAX: usize = 120;
/// A partner hears in a day, two before the ICO has to (UK GDPR Art 33(1)).
const BREACH_HOURS: u32 = 24;
/// Stands where nobody has said yet why; long enough for the loader, and never written.
const UNSAID: &str = "what stands here until somebody says what it is for";

impl Sheet<'_> {
    pub(super) fn particulars(
        &self,
        kind: SharingKind,
        about: &About,
        released: &[FieldPath],
    ) -> Particulars {
        let personal = kind.is_personal();
        Particulars {
            summary: self.summary(),
            kind,
            template: self.ground.template.as_ref().map(Template::reference),
            aim: self.aim(kind),
            description: self.description(about, released),
            flow: Flow {
                response: self.response(),
                trigger: Trigger::Request,
                frequency: Frequency::Realtime,
            },
            asking: Asking {
                keys: self.keys(),
                matching: Matching::Exact,
                user: self.user(),
                sample_review: None,
            },
            impact: self.impact(),
            publication: Publication { public: true, exemption: None },
            accuracy: Accuracy {
                freshness: "PT24H".to_owned(),
                known_limits: None,
                corrections: personal.then_some(Corrections::Notice),
            },
            keeping: self.keeping(kind),
            rights: self.rights(),
            security: security(personal),
            processors: Vec::new(),
            review_due: assess::review(self.stage_or_trial().1),
            governance: self.governance(kind),
        }
    }

    fn aim(&self, kind: SharingKind) -> Aim {
        let prohibited = match &self.ground.template {
            Some(template) => template.prohibited.clone(),
            None => prohibited(kind),
        };
        Aim {
            statement: self.statement.clone().unwrap_or_else(|| UNSAID.to_owned()),
            benefit: None,
            necessity: kind.is_personal().then(|| self.why_or_unsaid()),
            prohibited,
        }
    }

    fn why_or_unsaid(&self) -> String {
        self.why.clone().unwrap_or_else(|| UNSAID.to_owned())
    }

    fn description(&self, about: &About, released: &[FieldPath]) -> Description {
        let (why, under_part_3) = (self.why_or_unsaid(), self.is_of_part_3());
        let holds = |path| {
            let opinion = self.opinions.as_ref().is_some_and(|opinions| opinions.contains(path));
            under_part_3.then_some(if opinion { Holds::Opinion } else { Holds::Fact })
        };
        let reason = |path| FieldReason { why: why.clone(), holds: holds(path) };
        Description {
            system_of_record: self.system_of_record(),
            subjects: about.subjects.clone(),
            special: about.special.clone(),
            criminal_offence: about.offence,
            fields: released.iter().map(reason).collect(),
            small_number: None,
        }
    }

    fn governance(&self, kind: SharingKind) -> Governance {
        let on_termination = if self.keeping(kind).consumer.is_none() {
            "Nothing is kept, and so nothing is returned."
        } else {
            "What was received is kept no longer than is said here."
        };
        Governance { change_notice_days: 30, termination_days: 90, on_termination: on_termination.to_owned() }
    }

    fn asked(&self) -> Vec<Arc<Operation>> {
        let of = self.dataset.as_ref().map(|(offer, operations)| {
            operations.iter().filter_map(|id| offer.contract.operation(id)).cloned().collect()
        });
        of.unwrap_or_default()
    }

    fn summary(&self) -> String {
        let ours = self.ground.name(&self.ground.own.member);
        let theirs = self.partner.as_ref().map(|partner| self.ground.name(partner)).unwrap_or_default();
        let asked: Vec<String> = self.asked().iter().map(|operation| operation.summary.clone()).collect();
        cut(&format!("{theirs} may ask {ours}: {}", asked.join(" ")), SUMMARY_CHARS_MAX)
    }

    fn system_of_record(&self) -> String {
        self.dataset.as_ref().map(|(offer, _)| cut(&offer.contract.title, NAME_CHARS_MAX)).unwrap_or_default()
    }

    fn response(&self) -> ResponseForm {
        let list = self.asked().iter().any(|operation| operation.cardinality == Cardinality::List);
        if list { ResponseForm::List } else { ResponseForm::SingleRecord }
    }

    /// By what records are looked up, as the contract marks the question.
    fn keys(&self) -> Vec<LookupKey> {
        let mut keys = Vec::new();
        for operation in self.asked() {
            for (_, property) in operation.question.fields().iter().filter(|(_, property)| property.marks.key)
            {
                let kind = property.marks.subject.as_ref().map(|kind| kind.as_str());
                let known = kind.and_then(LookupKey::parse).or_else(|| LookupKey::parse(&property.name));
                keys.extend(known.filter(|key| !keys.contains(key)));
            }
        }
        if keys.is_empty() { vec![LookupKey::None] } else { keys }
    }

    fn impact(&self) -> Option<Impact> {
        let today = self.ground.today;
        self.wants_assessment().then(|| Impact {
            dpia: self
                .assessment
                .clone()
                .unwrap_or_else(|| assess::approved("unsaid", today, Risk::Low, today)),
            crwia: None,
        })
    }

    fn rights(&self) -> Option<Rights> {
        self.wants_law().then(|| Rights {
            sar_lead: self.ground.own.member.clone(),
            sar_disclosable: SarDisclosable::ConsultConsumer,
            complaints: self.ground.own.complaints().to_owned(),
            automated_decisions: None,
        })
    }

    fn keeping(&self, kind: SharingKind) -> Keeping {
        let (consumer, disposal) = match kind {
            SharingKind::OpenData => (Some("P10Y"), Disposal::Archived),
            SharingKind::NonPersonal => (Some("P1Y"), Disposal::Deleted),
            _ => (None, Disposal::Deleted),
        };
        let consumer = match &self.ground.template {
            Some(template) => template.consumer_keeps.clone(),
            None => consumer.map(str::to_owned),
        };
        Keeping { consumer, disposal }
    }
}

/// What is forbidden wherever nothing else is agreed.
fn prohibited(kind: SharingKind) -> Vec<Prohibition> {
    if !kind.is_personal() {
        return vec![Prohibition::Reidentification];
    }
    vec![Prohibition::OnwardSharing, Prohibition::Marketing, Prohibition::Profiling, Prohibition::AiTraining]
}

fn security(personal: bool) -> Security {
    Security {
        classification: if personal { Classification::OfficialSensitive } else { Classification::Official },
        transport: Transport::Mtls13,
        location: "UK".to_owned(),
        transfers: Vec::new(),
        breach_hours: BREACH_HOURS,
    }
}
