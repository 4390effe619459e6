//! What is known before anybody is asked: what this gateway offers, who the members are, what the organisations
//! say of themselves, and the template; and the judge of what is drawn up.

use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;

use crate::config::Gateway;
use crate::minimise::{self, Projection};
use crate::model::{AgreementId, Fault, Faults, MemberClass, MemberId, Operation, PurposeCode};
use crate::policy::{
    self, Agreement, Law, Organisation, Template, Templates, against_members, against_operation,
    organisation_file, unwise,
};

use super::super::ruleset::{Offer, Ruleset, class_of};
use super::super::templates;

/// Everything an agreement is drawn up from.
pub struct Ground<'r> {
    pub(super) ruleset: &'r Ruleset,
    pub(super) own: Organisation,
    /// What a partner handed over.
    pub(super) partner: Option<Organisation>,
    pub(super) template: Option<Template>,
    pub(super) today: Date,
    /// The id somebody wants; else one is made.
    id: Option<AgreementId>,
    templates: Templates,
}

impl<'r> Ground<'r> {
    /// `own` is the bytes of `policies/organisation.toml`, if it is there.
    pub fn new(
        gateway: &Gateway,
        ruleset: &'r Ruleset,
        own: Option<&[u8]>,
        today: Date,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let file = organisation_file(&gateway.policies);
        let file = file.strip_prefix(&gateway.home).unwrap_or(&file).display().to_string();
        let own = match own {
            Some(bytes) => of_member(&file, bytes, &gateway.member).map_err(|more| faults.extend(more)).ok(),
            None => of_ring(ruleset, &gateway.member).or_else(|| {
                faults.push(Fault::new(&file, None, "is not there").with_help(
                    "it says once what every agreement says of you; docs/agreement-file.md has one to copy",
                ));
                None
            }),
        };
        if ruleset.offers().next().is_none() {
            faults.push(
                Fault::new("policies/datasets", None, "no dataset is offered here")
                    .with_help("write its contract and where it comes from first: docs/source-mapping.md"),
            );
        }
        let templates = templates::read(&ruleset.files, &ruleset.directory, &mut faults);
        faults.into_result()?;
        let own = own.ok_or_else(Faults::default)?;
        Ok(Self { ruleset, own, partner: None, template: None, today, id: None, templates })
    }

    /// With what a partner handed over.
    pub fn with_partner(mut self, file: &str, bytes: &[u8]) -> Result<Self, Faults> {
        let partner = policy::load_organisation(file, bytes)?;
        let fault =
            |message: String, help: &str| Faults::from(Fault::new(file, None, message).with_help(help));
        let member = &partner.member;
        if *member == self.own.member {
            return Err(fault(format!("`{member}` is this gateway's own member"), "a partner is another"));
        }
        if self.ruleset.directory.member(member).is_none() {
            return Err(fault(format!("`{member}` is not a member"), "list it in members.toml first"));
        }
        self.partner = Some(partner);
        Ok(self)
    }

    /// Under a template, by its reference or its file.
    pub fn with_template(mut self, named: &str) -> Result<Self, Faults> {
        let reference = match std::fs::read(Path::new(named)) {
            Ok(bytes) if !named.contains('@') => policy::load_template(named, &bytes)?.reference(),
            _ => named.to_owned(),
        };
        let fault = |message: String| Fault::new(named, None, message);
        let template = match self.templates.get(&reference) {
            Some(Ok(template)) => template.clone(),
            Some(Err(why)) => return Err(fault(format!("`{reference}` {why}")).into()),
            None => {
                let help = crate::model::suggestion(&reference, self.templates.references())
                    .unwrap_or_else(|| "put it, with its .sig, into policies/templates".to_owned());
                return Err(fault(format!("`{reference}` is not in policies/templates"))
                    .with_help(help)
                    .into());
            }
        };
        let version = &template.dataset;
        if self.ruleset.offer(version.dataset.as_str(), &version.major.to_string()).is_none() {
            return Err(fault(format!("it is for `{version}`, which is not offered here")).into());
        }
        self.template = Some(template);
        Ok(self)
    }

    /// Under this id, which no agreement has yet.
    pub fn with_id(self, id: AgreementId) -> Result<Self, Faults> {
        if self.is_taken(&id) {
            return Err(Fault::new(id.as_str(), None, "there is an agreement of this id already")
                .with_help(
                    "its next version is written from its own file; a new agreement has an id of its own",
                )
                .into());
        }
        Ok(Self { id: Some(id), ..self })
    }

    pub(super) fn class(&self, member: &MemberId) -> Option<MemberClass> {
        class_of(&self.ruleset.directory, member)
    }

    /// The name of a member as people know it.
    pub(super) fn name(&self, member: &MemberId) -> String {
        let known = self.ruleset.directory.member(member);
        known.map_or_else(|| member.to_string(), |known| known.name.clone())
    }

    /// What is known of a partner: what they handed over, or what the newest agreement with them says.
    pub(super) fn organisation(&self, member: &MemberId) -> Option<Organisation> {
        let handed = self.partner.as_ref().filter(|partner| partner.member == *member);
        handed.cloned().or_else(|| of_ring(self.ruleset, member))
    }

    /// What a member relied on for a purpose before: by its own word, or in the newest agreement for it.
    pub(super) fn law(
        &self,
        organisation: Option<&Organisation>,
        member: &MemberId,
        purpose: PurposeCode,
    ) -> Option<Law> {
        let said = organisation.and_then(|organisation| organisation.law(purpose)).cloned();
        let before = || {
            let of = newest(self.ruleset, |agreement| {
                agreement.purpose == purpose && agreement.law.iter().any(|law| law.member == *member)
            })?;
            of.law.iter().find(|law| law.member == *member).cloned()
        };
        said.or_else(before)
    }

    /// An id nobody has yet: whose, for whom, and what of.
    pub(super) fn id(&self, partner: &MemberId, dataset: &str) -> Option<AgreementId> {
        if let Some(id) = &self.id {
            return Some(id.clone());
        }
        let whole = format!("{}-{partner}-{dataset}", self.own.member);
        let short = format!("{partner}-{dataset}");
        let base =
            [whole, short, dataset.to_owned()].into_iter().find_map(|text| AgreementId::new(&text).ok())?;
        let numbered = (2..=99).filter_map(|number| AgreementId::new(&format!("{base}-{number}")).ok());
        std::iter::once(base.clone()).chain(numbered).find(|id| !self.is_taken(id))
    }

    fn is_taken(&self, id: &AgreementId) -> bool {
        let file = format!("{id}.toml");
        let named = |name: &str| Path::new(name).file_name().is_some_and(|found| *found == *file);
        let all = self.ruleset.register.all();
        all.iter().any(|entry| entry.agreement.reference.id == *id || named(&entry.agreement.file))
    }

    /// Everything wrong with a text as an agreement of this gateway, as a ruleset with it would find.
    pub fn judge(&self, file: &str, text: &str) -> Result<Agreement, Faults> {
        let agreement = policy::load(file, text.as_bytes())?;
        let mut faults = against_members(&agreement, |member| self.class(member));
        faults.extend(self.templates.judge(&agreement));
        if let Some(offer) = self.offer(&agreement) {
            for operation in operations(offer, &agreement) {
                let mapping = offer.source.mapping(&operation.id).cloned().unwrap_or_default();
                let made = minimise::view(operation, &agreement.release)
                    .and_then(|_| Projection::compile(operation, &agreement.release, &mapping));
                let wrong = made.err().unwrap_or_default().into_iter();
                faults.0.extend(wrong.map(|wrong| Fault::new(file, None, wrong)));
                faults.extend(against_operation(&agreement, operation));
            }
        }
        faults.into_result().map(|()| agreement)
    }

    /// What is lawful and unwise about it, and which others answer the same question.
    pub fn warnings(&self, agreement: &Agreement) -> Vec<Fault> {
        let mut warnings: Vec<Fault> = self
            .offer(agreement)
            .map(|offer| operations(offer, agreement).flat_map(|one| unwise(agreement, one)).collect())
            .unwrap_or_default();
        warnings.dedup();
        warnings.extend(self.ruleset.register.all().iter().map(|entry| &entry.agreement).filter_map(
            |other| {
                let message = format!("{} is about the same questions of the same partner", other.reference);
                is_alike(agreement, other).then(|| {
                    Fault::new(&agreement.file, None, message).with_help(
                        "where both are in force, whoever asks has to say which: Tolbooth-Agreement",
                    )
                })
            },
        ));
        warnings
    }

    fn offer(&self, agreement: &Agreement) -> Option<&Arc<Offer>> {
        let version = &agreement.dataset;
        self.ruleset.offer(version.dataset.as_str(), &version.major.to_string())
    }
}

fn operations<'a>(offer: &'a Offer, agreement: &'a Agreement) -> impl Iterator<Item = &'a Arc<Operation>> {
    agreement.operations.iter().filter_map(|id| offer.contract.operation(id))
}

/// Whether one question could fall under both.
fn is_alike(one: &Agreement, other: &Agreement) -> bool {
    let systems = |agreement: &Agreement| -> Vec<_> {
        let of = agreement
            .consumers()
            .flat_map(|party| party.systems.iter().map(|system| (party.member.clone(), system.id.clone())));
        of.collect()
    };
    let known = systems(other);
    one.dataset == other.dataset
        && one.purpose == other.purpose
        && one.operations.iter().any(|operation| other.operations.contains(operation))
        && systems(one).iter().any(|system| known.contains(system))
}

fn of_member(file: &str, bytes: &[u8], member: &MemberId) -> Result<Organisation, Faults> {
    let own = policy::load_organisation(file, bytes)?;
    if own.member == *member {
        return Ok(own);
    }
    let message = format!("it is of `{}`, and this is the gateway of `{member}`", own.member);
    Err(Fault::new(file, None, message).with_help("a partner's file is named with --partner").into())
}

/// The newest agreement of a kind; one about people before others, since it says more.
fn newest(ruleset: &Ruleset, is: impl Fn(&Agreement) -> bool) -> Option<&Agreement> {
    let all = ruleset.register.all().iter().map(|entry| &*entry.agreement);
    let said = all.filter(|agreement| agreement.particulars.is_some() && is(agreement));
    said.max_by_key(|agreement| (agreement.is_personal(), agreement.dates.from, agreement.reference.version))
}

/// What the newest agreement says of a party.
fn of_ring(ruleset: &Ruleset, member: &MemberId) -> Option<Organisation> {
    let is = |agreement: &Agreement| agreement.parties.iter().any(|party| party.member == *member);
    let agreement = newest(ruleset, is)?;
    let party = agreement.parties.iter().find(|party| party.member == *member)?;
    let said = party.particulars.as_deref()?.clone();
    let law = agreement.law.iter().find(|law| law.member == *member).cloned();
    Some(Organisation::of_party(member.clone(), said, law.map(|law| (agreement.purpose, law))))
}

/// What is wrong with `policies/organisation.toml`, where there is one.
pub fn faults_of_organisation(gateway: &Gateway) -> Faults {
    let file = organisation_file(&gateway.policies);
    let name = file.strip_prefix(&gateway.home).unwrap_or(&file).display().to_string();
    match std::fs::read(&file) {
        Ok(bytes) => of_member(&name, &bytes, &gateway.member).err().unwrap_or_default(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Faults::default(),
        Err(error) => Fault::new(name, None, format!("cannot be read: {error}")).into(),
    }
}
