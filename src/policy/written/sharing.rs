//! Section 1 of the template: parties, scope, purpose and law.

use crate::policy::agreement::{Agreement, Law, Party, Power, Stage};
use crate::policy::particulars::{Aim, Attestation, Contact, Office, PartyParticulars, PrivacyNotice};

use super::lines::{Lines, inline, quoted};

pub(super) fn write(lines: &mut Lines, agreement: &Agreement) {
    lines.heading("1 Parties, scope and purpose");
    lines.table("[agreement]");
    lines.text_of("id", &agreement.reference.id);
    lines.key("version", agreement.reference.version);
    lines.text_of("title", &agreement.title);
    let particulars = agreement.particulars.as_deref();
    lines.text_if("summary", particulars.map(|said| &said.summary));
    if agreement.stage == Stage::Trial {
        lines.remark("A trial lasts at most 90 days, and answers only from a source marked synthetic.");
    }
    lines.text_of("stage", agreement.stage.as_str());
    lines.text_if("kind", particulars.map(|said| said.kind));
    lines.text_if("template", particulars.and_then(|said| said.template.as_ref()));
    agreement.parties.iter().for_each(|one| party(lines, one));
    lines.table("[purpose]");
    lines.text_of("code", agreement.purpose);
    if let Some(said) = particulars {
        aim(lines, &said.aim);
    }
    agreement.law.iter().for_each(|one| law(lines, one));
}

fn party(lines: &mut Lines, party: &Party) {
    lines.table("[[party]]");
    lines.text_of("member", &party.member);
    lines.text_of("side", party.side.as_str());
    if let Some(said) = &party.particulars {
        particulars(lines, said);
    }
    for system in &party.systems {
        lines.table("[[party.system]]");
        lines.text_of("id", &system.id);
        if !system.roles.is_empty() {
            lines.texts("roles", &system.roles);
        }
        lines.texts("purposes", &system.purposes);
    }
}

fn particulars(lines: &mut Lines, said: &PartyParticulars) {
    lines.text_of("controller", said.controller);
    lines.text_of("code", &said.code);
    lines.text_if("ico_registration", said.ico_registration.as_ref());
    lines.text_of("foi", said.foi);
    lines.key("dpo", office(&said.dpo));
    lines.key("asset_owner", office(&said.asset_owner));
    if let Some(guardian) = &said.caldicott_guardian {
        lines.key("caldicott_guardian", office(guardian));
    }
    lines.key("contact", contact(&said.contact));
    if let Some(other) = &said.out_of_hours {
        lines.key("out_of_hours", contact(other));
    }
    lines.text_of("breach_contact", &said.breach_contact);
    match &said.privacy_notice {
        Some(PrivacyNotice::At(page)) => lines.key("privacy_notice", inline(&[("page", quoted(page))])),
        Some(PrivacyNotice::Exempt { exemption, why }) => {
            lines.key("privacy_notice", inline(&[("exemption", quoted(exemption)), ("why", quoted(why))]))
        }
        None => {}
    }
    if !said.assurance.is_empty() {
        let items: Vec<String> = said.assurance.iter().map(attestation).collect();
        lines.list("assurance", &items);
    }
}

fn office(office: &Office) -> String {
    inline(&[("office", quoted(&office.office)), ("email", quoted(&office.email))])
}

fn contact(contact: &Contact) -> String {
    let Contact { name, telephone, email } = contact;
    inline(&[("name", quoted(name)), ("telephone", quoted(telephone)), ("email", quoted(email))])
}

fn attestation(one: &Attestation) -> String {
    inline(&[("scheme", quoted(one.scheme.as_str())), ("until", one.until.to_string())])
}

fn aim(lines: &mut Lines, aim: &Aim) {
    lines.text_of("statement", &aim.statement);
    lines.text_if("benefit", aim.benefit.as_ref());
    lines.text_if("necessity", aim.necessity.as_ref());
    lines.texts("prohibited", &aim.prohibited);
}

fn law(lines: &mut Lines, law: &Law) {
    lines.table(&format!("[law.{}]", law.member));
    lines.text_of("regime", law.regime);
    lines.text_if("basis", law.basis);
    if !law.powers.is_empty() {
        let powers: Vec<String> = law.powers.iter().map(power).collect();
        lines.list("power", &powers);
    }
    let conditions = &law.conditions;
    lines.text_if("art9", conditions.article9);
    if !conditions.schedule1.is_empty() {
        lines.texts("sch1", &conditions.schedule1);
    }
    lines.text_if("art10_sch1", conditions.offences);
    lines.text_if("sch8", conditions.schedule8);
    lines.text_if("confidentiality", conditions.confidentiality);
    lines.text_if("policy_document", conditions.policy_document.as_ref());
    lines.text_if("competent_by", conditions.competent_by.as_ref());
}

fn power(power: &Power) -> String {
    let Power { statute, section, reading } = power;
    inline(&[("statute", quoted(statute)), ("section", quoted(section)), ("reading", quoted(reading))])
}
