//! `[data]`: which fields leave and how, which never do, over which rows.

use std::collections::BTreeMap;

use crate::config::strict::{Item, Table};
use crate::model::{Band, FieldPath, Release, Transform, suggestion};
use crate::policy::particulars::FieldReason;

use super::read::{given, text};
use super::{distinct, line_of, rows};

/// Labels and codes are short; longer is prose in the wrong place.
const LABEL_CHARS_MAX: usize = 80;
/// More characters than any identifier that is shown by its end.
const KEEP_MAX: u64 = 32;
/// Nobody is older.
const AGE_MAX: u64 = 150;

/// How a format writes what is released.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// A field, or a field with its transform.
    Format1,
    /// A table for each field, with why it is needed.
    Format2,
}

/// The release, and of format 2 the reasons, in the order of its fields.
pub(super) fn read(table: &Table<'_>, form: Form) -> Option<(Release, Vec<FieldReason>)> {
    let fields = table.required("release").and_then(|item| fields(&item, form));
    let withheld = table.optional("withhold");
    let withhold = match &withheld {
        Some(item) => item.list().and_then(|items| distinct(&items, path)),
        None => Some(Vec::new()),
    };
    let rows = rows::read(table);
    let ((fields, reasons), withhold) = (fields?, withhold?);
    let mut apart = true;
    for (field, _) in &fields {
        if let Some(above) = withhold.iter().find(|above| field.is_within(above)) {
            let message = if above == field {
                format!("`{field}` is both released and withheld")
            } else {
                format!("`{field}` is released, but withheld with `{above}`")
            };
            match &withheld {
                Some(item) => item.fault(message),
                None => table.fault(message),
            }
            apart = false;
        }
    }
    let rows = rows?;
    apart.then_some((Release { fields, withhold, rows }, reasons))
}

fn path(item: &Item<'_>) -> Option<FieldPath> {
    item.parsed(FieldPath::parse)
}

type Fields = Vec<(FieldPath, Transform)>;

fn fields(item: &Item<'_>, form: Form) -> Option<(Fields, Vec<FieldReason>)> {
    let items = item.list()?;
    if items.is_empty() {
        item.fault("releases nothing: wants at least one field");
        return None;
    }
    let wanted = items.len();
    let mut out = Vec::with_capacity(wanted);
    let mut reasons = Vec::new();
    for item in items {
        if item.is_text() && form == Form::Format1 {
            out.extend(named(&item, &out).map(|path| (path, Transform::None)));
        } else if let Some(table) = item.table() {
            let reason = (form == Form::Format2).then(|| reason(&table));
            let field = transformed(&table, &out, form);
            match reason {
                None => out.extend(field),
                Some(reason) => {
                    if let Some((field, reason)) = field.zip(reason) {
                        out.push(field);
                        reasons.push(reason);
                    }
                }
            }
        }
    }
    (out.len() == wanted).then_some((out, reasons))
}

fn reason(table: &Table<'_>) -> Option<FieldReason> {
    let why = table.required("why").and_then(|item| text(&item));
    let holds = given(table, "holds", super::read::code);
    Some(FieldReason { why: why?, holds: holds? })
}

/// The field an item names, unless it is among those `before` it.
fn named(item: &Item<'_>, before: &[(FieldPath, Transform)]) -> Option<FieldPath> {
    let path = path(item)?;
    if before.iter().any(|(known, _)| *known == path) {
        item.fault(format!("`{path}` is released twice"));
        return None;
    }
    Some(path)
}

fn transformed(
    table: &Table<'_>,
    before: &[(FieldPath, Transform)],
    form: Form,
) -> Option<(FieldPath, Transform)> {
    let path = table.required("field").and_then(|item| named(&item, before));
    // A table with a reason needs no transform; one of format 1 is there for nothing else.
    let plain = form == Form::Format2 && !table.has("transform");
    let transform = if plain { Some(Transform::None) } else { transform(table) };
    Some((path?, transform?))
}

fn transform(table: &Table<'_>) -> Option<Transform> {
    let item = table.required("transform")?;
    let name = item.text()?;
    Some(match name {
        "none" => Transform::None,
        "year_of_birth" => Transform::YearOfBirth,
        "age_band" => Transform::AgeBand { bands: bands(table)? },
        "initials" => Transform::Initials,
        "mask_keep_last" => {
            let kept = table.required("characters")?.count(1..=KEEP_MAX)?;
            Transform::MaskKeepLast { characters: usize::try_from(kept).ok()? }
        }
        "postcode_district" => Transform::PostcodeDistrict,
        "exists_yes_no" => Transform::ExistsYesNo,
        "code_map" => Transform::CodeMap { table: code_map(table.required("table")?)? },
        "pseudonym" => Transform::Pseudonym,
        "round" => Transform::Round { to: step(&table.required("to")?)? },
        _ => {
            // What belongs to a transform nobody knows cannot be judged.
            table.leave_rest();
            item.fault_with_help(format!("`{name}` is not a transform"), suggestion(name, Transform::NAMES));
            return None;
        }
    })
}

/// From zero upwards, so that every age falls in one band.
fn bands(table: &Table<'_>) -> Option<Vec<Band>> {
    let item = table.required("bands")?;
    let items = item.list()?;
    if items.is_empty() {
        item.fault("wants at least one band");
        return None;
    }
    let wanted = items.len();
    let bands: Vec<Band> =
        items.into_iter().filter_map(|item| item.table().and_then(|table| band(&table))).collect();
    if bands.len() < wanted {
        return None;
    }
    let from_zero = bands.first().is_some_and(|band| band.from == 0);
    let rising = bands.iter().zip(bands.iter().skip(1)).all(|(a, b)| a.from < b.from);
    if !(from_zero && rising) {
        item.fault("bands begin at 0 and rise");
        return None;
    }
    Some(bands)
}

fn band(table: &Table<'_>) -> Option<Band> {
    let from = table.required("from").and_then(|item| item.count(0..=AGE_MAX));
    let label = table.required("label").and_then(|item| line_of(&item, LABEL_CHARS_MAX));
    Some(Band { from: u32::try_from(from?).ok()?, label: label? })
}

fn code_map(item: Item<'_>) -> Option<BTreeMap<String, String>> {
    let table = item.table()?;
    if table.is_empty() {
        table.fault("wants at least one code");
        return None;
    }
    let entries = table.entries();
    let wanted = entries.len();
    let map: BTreeMap<String, String> = entries
        .into_iter()
        .filter_map(|(code, item)| line_of(&item, LABEL_CHARS_MAX).map(|to| (code, to)))
        .collect();
    (map.len() == wanted).then_some(map)
}

fn step(item: &Item<'_>) -> Option<f64> {
    let to = item.number()?;
    if to > 0.0 {
        Some(to)
    } else {
        item.fault("wants a number above zero");
        None
    }
}
