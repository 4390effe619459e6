//! Section 2 and Appendix 2 of the template: what the data is, which of it leaves, and how.

use crate::model::{DatasetVersion, OperationId, Release, Rows};
use crate::policy::{Description, FieldReason, SmallNumber};

use super::super::saying::{Sayings, Value};
use super::super::words::{condition, field_words, transformed};

pub(super) fn dataset(dataset: &DatasetVersion, operations: &[OperationId], out: &mut Sayings<'_>) {
    let DatasetVersion { dataset, major } = dataset;
    out.text("dataset.id", "Dataset", dataset.as_str());
    out.count("dataset.major", "Version of its contract", u64::from(*major), major.to_string());
    let operations = operations.iter().map(|operation| (operation.as_str(), operation.as_str()));
    out.set("dataset.operations", "What may be asked of it", operations);
}

pub(super) fn released(release: &Release, description: Option<&Description>, out: &mut Sayings<'_>) {
    let Release { fields, withhold, rows } = release;
    let mut reasons = description.iter().flat_map(|description| &description.fields);
    for (field, transform) in fields {
        let words = field_words(field);
        let key = format!("data.release.{field}");
        out.add_at(key, "data.release", &words, Value::Transform(transform.clone()), transformed(transform));
        if let Some(FieldReason { why, holds }) = reasons.next() {
            let label = format!("Why {words} is needed");
            let key = format!("data.release.{field}/why");
            out.add_at(key, "data.release", &label, Value::Text(why.clone()), why.clone());
            out.only_promised();
            if let Some(holds) = holds {
                let key = format!("data.release.{field}/holds");
                let label = format!("{words} is fact or opinion");
                let code = Value::Code(holds.as_str());
                out.add_at(key, "data.release", &label, code, holds.words().to_owned());
                out.only_promised();
            }
        }
    }
    let never = withhold.iter().map(|field| (field.to_string(), field_words(field)));
    out.set("data.withhold", "Never leaves", never);
    let path = if *rows == Rows::Every { "data.all_rows" } else { "data.rows" };
    let shown = condition(rows);
    out.add_at("data.rows".to_owned(), path, "Only for", Value::Rows(rows.clone()), shown);
}

/// What format 2 adds; the reasons stand beside their fields.
pub(super) fn described(description: &Description, out: &mut Sayings<'_>) {
    let Description { system_of_record, subjects, special, criminal_offence, fields: _, small_number } =
        description;
    out.text("dataset.system_of_record", "Where the data is kept", system_of_record);
    let subjects = subjects.iter().map(|one| (one.as_str(), one.words()));
    out.set("data.subjects", "Whom it is about", subjects);
    let special = special.iter().map(|one| (one.as_str(), one.words()));
    out.set("data.special_categories", "Special categories", special);
    out.flag("data.criminal_offence", "Criminal offences", *criminal_offence, ("shared", "not shared"));
    if let Some(SmallNumber { below, round_to, secondary }) = small_number {
        let shown = format!("those below {below}");
        out.count("data.small_number.below", "Counts that are not told", u64::from(*below), shown);
        let shown = format!("the nearest {round_to}");
        out.count("data.small_number.round_to", "Counts are rounded to", u64::from(*round_to), shown);
        let label = "Cells from which a hidden one could be worked out";
        out.flag("data.small_number.secondary", label, *secondary, ("hidden too", "not hidden"));
    }
}
