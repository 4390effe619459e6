//! A controller's record of processing (UK GDPR Art 30(1)), as far as agreements tell it: one row for each agreement
//! about people to which the controller is a party, whether the public may read of it or not.

use std::sync::Arc;

use super::super::saying::Names;
use super::super::words::{counted, field_words, period};
use super::{Sheet, newest};
use crate::model::MemberId;
use crate::policy::{Agreement, Entry, Particulars, Party};

/// By the letters of Article 30(1).
const COLUMNS: [&str; 13] = [
    "agreement",
    "version",
    "a-controller",
    "a-joint-controllers",
    "a-data-protection-officer",
    "b-purposes",
    "c-data-subjects",
    "c-personal-data",
    "c-special-categories",
    "d-recipients",
    "e-transfers",
    "f-erasure",
    "g-security",
];

/// What the file does not say is said to be so, and never left to look complete.
const SILENT: &str = "the agreement does not say";

/// The record of one controller.
pub fn art30(controller: &MemberId, entries: &[Arc<Entry>], names: Names<'_>) -> Sheet {
    let mut sheet = Sheet::new(&COLUMNS);
    for judged in newest(entries) {
        let told =
            judged.and_then(|agreement| controlled(agreement, controller).map(|party| (agreement, party)));
        match told {
            Ok((agreement, party)) => sheet.add(&row(agreement, party, names)),
            Err(why) => sheet.keep_out(why),
        }
    }
    sheet
}

fn controlled<'a>(agreement: &'a Agreement, controller: &MemberId) -> Result<&'a Party, &'static str> {
    let party = agreement.parties.iter().find(|party| party.member == *controller);
    let party = party.ok_or("of others")?;
    // Format 1 says nothing of it; whoever signs it is taken to be one.
    let controls = party.particulars.as_ref().is_none_or(|said| said.controller.is_controller());
    match (agreement.is_personal(), controls) {
        (false, _) => Err("about nobody"),
        (true, false) => Err("it is no controller there"),
        (true, true) => Ok(party),
    }
}

fn row(agreement: &Agreement, party: &Party, names: Names<'_>) -> Vec<String> {
    let particulars = agreement.particulars.as_deref();
    let said = |what: &dyn Fn(&Particulars) -> String| particulars.map_or_else(|| SILENT.to_owned(), what);
    let consumers = agreement.consumers().map(|party| names(&party.member)).collect::<Vec<_>>().join("; ");
    let fields = agreement.release.fields.iter().map(|(field, _)| field_words(field));
    let dpo = party.particulars.as_ref().map(|said| format!("{}, {}", said.dpo.office, said.dpo.email));
    vec![
        agreement.reference.id.to_string(),
        agreement.reference.version.to_string(),
        names(&party.member),
        joint(agreement, party, names),
        dpo.unwrap_or_else(|| SILENT.to_owned()),
        said(&|said| said.aim.statement.clone()),
        said(&|said| joined(said.description.subjects.iter().map(|one| one.words()))),
        fields.collect::<Vec<_>>().join("; "),
        said(&special),
        consumers,
        said(&transfers),
        erasure(agreement),
        said(&|said| {
            format!("{}; {}", said.security.classification.words(), said.security.transport.words())
        }),
    ]
}

fn joined<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let words: Vec<&str> = words.collect();
    if words.is_empty() { "none".to_owned() } else { words.join("; ") }
}

fn joint(agreement: &Agreement, party: &Party, names: Names<'_>) -> String {
    let is_joint = |party: &&Party| {
        let controller = party.particulars.as_ref().map(|said| said.controller);
        controller == Some(crate::model::Controllership::Joint)
    };
    let others = agreement.parties.iter().filter(is_joint).filter(|other| other.member != party.member);
    others.map(|other| names(&other.member)).collect::<Vec<_>>().join("; ")
}

fn special(particulars: &Particulars) -> String {
    let description = &particulars.description;
    let offences = description.criminal_offence.then_some("criminal offences");
    joined(description.special.iter().map(|one| one.words()).chain(offences))
}

fn transfers(particulars: &Particulars) -> String {
    let to = particulars.security.transfers.iter();
    let to: Vec<String> = to.map(|one| format!("{}: {}", one.country, one.mechanism)).collect();
    joined(to.iter().map(String::as_str))
}

fn erasure(agreement: &Agreement) -> String {
    let record = counted(u32::from(agreement.audit_years), "year");
    let Some(particulars) = &agreement.particulars else {
        return format!("{SILENT}; the record after {record}");
    };
    let keeping = &particulars.keeping;
    let kept = keeping.consumer.as_deref().map_or_else(|| "not stored".to_owned(), period);
    format!("{kept}, then {}; the record after {record}", keeping.disposal.words())
}
