//! The public register of information sharing agreements under the Digital Economy Act 2017: its 18 columns. Only
//! what may be read by the public; what may not is counted by its exemption.

use std::sync::Arc;

use super::super::saying::Names;
use super::super::words::{field_words, listed, period};
use super::{Sheet, newest};
use crate::policy::{Agreement, Entry, Particulars, Party, Power, Side};

const COLUMNS: [&str; 18] = [
    "id",
    "name",
    "purpose",
    "benefits",
    "legal-power",
    "disclosed-information",
    "controllers",
    "controller-names",
    "method",
    "processors",
    "processor-names",
    "retention",
    "start",
    "end",
    "review",
    "contact",
    "areas",
    "area-names",
];

/// Codes of the Office for National Statistics that are areas: Scottish councils and health boards.
const AREAS: [&str; 2] = ["S12", "S08"];

/// The register, one row for each agreement.
pub fn dea(entries: &[Arc<Entry>], names: Names<'_>) -> Sheet {
    let mut sheet = Sheet::new(&COLUMNS);
    for judged in newest(entries) {
        match judged.and_then(public) {
            Ok((agreement, particulars)) => sheet.add(&row(agreement, particulars, names)),
            Err(why) => sheet.keep_out(why),
        }
    }
    sheet
}

/// Format 1 does not say that the public may read of it, and so they may not.
fn public(agreement: &Agreement) -> Result<(&Agreement, &Particulars), &str> {
    let particulars =
        agreement.particulars.as_deref().ok_or("it is not said whether the public may read of it")?;
    match (particulars.publication.public, &particulars.publication.exemption) {
        (true, _) => Ok((agreement, particulars)),
        (false, Some(exemption)) => Err(exemption),
        (false, None) => Err("no exemption is named"),
    }
}

fn row(agreement: &Agreement, particulars: &Particulars, names: Names<'_>) -> Vec<String> {
    let controls =
        |party: &&Party| party.particulars.as_ref().is_some_and(|said| said.controller.is_controller());
    let (controllers, controller_names) = coded(agreement.parties.iter().filter(controls), names);
    let processes = |party: &&Party| party.side == Side::Processor;
    let (processors, mut processor_names) = coded(agreement.parties.iter().filter(processes), names);
    processor_names.extend(particulars.processors.iter().map(|one| one.name.clone()));
    let is_area = |party: &&Party| {
        let code = party.particulars.as_ref().map(|said| said.code.as_str());
        code.is_some_and(|code| AREAS.iter().any(|area| code.starts_with(area)))
    };
    let (areas, area_names) = coded(agreement.parties.iter().filter(is_area), names);
    let powers = agreement.law.iter().flat_map(|law| &law.powers);
    let powers = powers.map(|Power { statute, section, .. }| format!("{statute} s.{section}"));
    let many = |all: Vec<String>| all.join("; ");
    vec![
        agreement.reference.id.to_string(),
        agreement.title.clone(),
        particulars.aim.statement.clone(),
        particulars.aim.benefit.clone().unwrap_or_default(),
        many(powers.collect()),
        many(agreement.release.fields.iter().map(|(field, _)| field_words(field)).collect()),
        many(controllers),
        many(controller_names),
        method(particulars),
        many(processors),
        many(processor_names),
        retention(particulars),
        agreement.dates.from.to_string(),
        agreement.dates.until.map_or_else(String::new, |until| until.to_string()),
        particulars.review_due.to_string(),
        contact(agreement),
        many(areas),
        many(area_names),
    ]
}

/// The official codes of some parties, and their names.
fn coded<'p>(parties: impl Iterator<Item = &'p Party>, names: Names<'_>) -> (Vec<String>, Vec<String>) {
    parties
        .map(|party| {
            let code = party.particulars.as_ref().map_or_else(String::new, |said| said.code.clone());
            (code, names(&party.member))
        })
        .unzip()
}

fn method(particulars: &Particulars) -> String {
    let flow = &particulars.flow;
    let transport = particulars.security.transport.words();
    format!(
        "{} on {}, {}, over {transport}",
        flow.response.words(),
        flow.trigger.words(),
        flow.frequency.words()
    )
}

fn retention(particulars: &Particulars) -> String {
    let keeping = &particulars.keeping;
    let kept = keeping.consumer.as_deref().map_or_else(|| "not stored".to_owned(), period);
    listed([kept, keeping.disposal.words().to_owned()], "then")
}

/// Who answers for the provider.
fn contact(agreement: &Agreement) -> String {
    let provider = agreement.parties.iter().find(|party| party.side == Side::Provider);
    let particulars = provider.and_then(|party| party.particulars.as_ref());
    particulars.map_or_else(String::new, |said| format!("{}, {}", said.dpo.office, said.dpo.email))
}
