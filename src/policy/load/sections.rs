//! The sections of format 2 that say why and how data is shared: sections 1 to 3 and 5 of the template. Those on
//! what the parties owe afterwards are in `duties.rs`.

use crate::config::strict::{Item, Table};
use crate::model::{ResponseForm, SharingKind, UserIdentity};
use crate::policy::particulars::{
    Aim, Asking, Description, FieldReason, Flow, Processor, Publication, SampleReview, SmallNumber,
};

use super::line_of;
use super::read::{code, given, name, not_held, not_yet, number, statement, text, wanted, word, words};

const SUMMARY_CHARS_MAX: usize = 400;
/// A fraction is of accesses; a year is longer than anybody remembers one.
const REVIEW_DAYS_MAX: u64 = 365;
/// Statisticians suppress below five or ten.
const SMALL_NUMBER_MAX: u64 = 100;

/// What `[agreement]` says beyond format 1.
pub(super) struct Head {
    pub(super) summary: String,
    pub(super) kind: SharingKind,
    pub(super) template: Option<String>,
}

pub(super) fn head(table: &Table<'_>, kind: Option<SharingKind>) -> Option<Head> {
    let summary = table.required("summary").and_then(|item| line_of(&item, SUMMARY_CHARS_MAX));
    let template = given(table, "template", versioned);
    Some(Head { summary: summary?, kind: kind?, template: template? })
}

/// `place/name@2`.
fn versioned(item: &Item<'_>) -> Option<String> {
    let text = name(item)?;
    let version = text.rsplit_once('@').filter(|(reference, _)| !reference.is_empty());
    // Compared as spelt: `@02` and `@+2` are no versions.
    let spelt = |version: &str| {
        version.parse::<u32>().is_ok_and(|number| number > 0 && number.to_string() == version)
    };
    if version.is_some_and(|(_, version)| spelt(version)) {
        return Some(text);
    }
    item.fault("not a template and its version, such as digital-office/child-protection-check@2");
    None
}

pub(super) fn aim(table: &Table<'_>, people: Option<&str>) -> Option<Aim> {
    let what = table.required("statement").and_then(|item| statement(&item));
    let benefit = given(table, "benefit", text);
    let necessity = wanted(table, "necessity", people, statement);
    let prohibited = words(table, "prohibited");
    Some(Aim { statement: what?, benefit: benefit?, necessity: necessity?, prohibited: prohibited? })
}

/// `[data]` beyond what is released; `fields` were read with the release.
pub(super) fn description(
    table: &Table<'_>,
    system_of_record: Option<String>,
    fields: Option<Vec<FieldReason>>,
    response: Option<ResponseForm>,
) -> Option<Description> {
    let subjects = words(table, "subjects");
    let special = words(table, "special_categories");
    let criminal_offence = table.required("criminal_offence").and_then(|item| item.boolean());
    let counts = (response == Some(ResponseForm::Aggregate))
        .then_some("counts of few people say who they are; name the threshold below which none is told");
    let small_number = match table.optional("small_number") {
        Some(item) => item.table().and_then(|table| small_number(&table)).map(Some),
        None => wanted(table, "small_number", counts, |_| None),
    };
    Some(Description {
        system_of_record: system_of_record?,
        subjects: subjects?,
        special: special?,
        criminal_offence: criminal_offence?,
        fields: fields?,
        small_number: small_number?,
    })
}

fn small_number(table: &Table<'_>) -> Option<SmallNumber> {
    let below = number(table, "below", 2..=SMALL_NUMBER_MAX);
    let round_to = number(table, "round_to", 1..=SMALL_NUMBER_MAX);
    let secondary = table.required("secondary").and_then(|item| item.boolean());
    Some(SmallNumber { below: below?, round_to: round_to?, secondary: secondary? })
}

pub(super) fn flow(table: &Table<'_>) -> Option<Flow> {
    let response = word(table, "response");
    let trigger = word(table, "trigger");
    let frequency = word(table, "frequency");
    // Nobody is told of single questions yet, and the file has to say so aloud.
    let notify = table.required("notify_owner").and_then(|item| match item.text()? {
        "never" => Some(()),
        "always" | "on_emergency" | "daily_digest" => {
            not_held(&item);
            None
        }
        _ => item.word(&[()], |()| "never"),
    });
    notify?;
    Some(Flow { response: response?, trigger: trigger?, frequency: frequency? })
}

/// `[access]` beyond what the gateway holds; its other keys are read beside format 1's.
pub(super) fn asking(table: &Table<'_>, user: Option<UserIdentity>) -> Option<Asking> {
    let keys = words(table, "keys");
    let matching = word(table, "match");
    let sample_review = match table.optional("sample_review") {
        Some(item) => item.table().and_then(|table| sample_review(&table)).map(Some),
        None => Some(None),
    };
    Some(Asking { keys: keys?, matching: matching?, user: user?, sample_review: sample_review? })
}

fn sample_review(table: &Table<'_>) -> Option<SampleReview> {
    let fraction = table.required("fraction").and_then(|item| {
        let fraction = item.number()?;
        let fits = fraction > 0.0 && fraction <= 1.0;
        if !fits {
            item.fault("a fraction of the accesses, above 0 and at most 1");
        }
        fits.then_some(fraction)
    });
    let days = number(table, "days", 1..=REVIEW_DAYS_MAX);
    Some(SampleReview { fraction: fraction?, days: days? })
}

/// `[emergency]`: whether the agreement has such a clause has to be said. With one it waits for a gateway
/// that holds it; `reachable` is whether every party names somebody out of hours.
pub(super) fn emergency(table: &Table<'_>, reachable: Option<bool>) -> Option<()> {
    let later = ["conditions", "second_person", "extra_fields", "per_day", "notify_minutes", "review_hours"];
    let held = not_yet(table, &later);
    let item = table.required("allowed")?;
    if !item.boolean()? {
        return held;
    }
    if reachable == Some(false) {
        item.fault_with_help(
            "an emergency needs somebody to call at any hour",
            Some(
                "give every party `out_of_hours = { name = \"..\", telephone = \"..\", email = \"..\" }`"
                    .to_owned(),
            ),
        );
    }
    not_held(&item);
    None
}

pub(super) fn publication(table: &Table<'_>) -> Option<Publication> {
    let public = table.required("public").and_then(|item| item.boolean());
    let withheld =
        (public == Some(false)).then_some("an agreement the public may not read names the exemption");
    let exemption = wanted(table, "exemption", withheld, name);
    let (public, exemption) = (public?, exemption?);
    if public && exemption.is_some() {
        table.fault("an agreement that is public needs no `exemption`");
        return None;
    }
    Some(Publication { public, exemption })
}

pub(super) fn processors(root: &Table<'_>) -> Option<Vec<Processor>> {
    let read = |table: &Table<'_>| {
        let who = table.required("name").and_then(|item| name(&item));
        let service = table.required("service").and_then(|item| text(&item));
        let contract = table.required("contract").and_then(|item| name(&item));
        Some(Processor { name: who?, service: service?, contract: contract? })
    };
    let read: Vec<_> = root.tables("processor").iter().map(read).collect();
    read.into_iter().collect()
}

/// The kind, read before everything that hangs on it.
pub(super) fn kind(agreement: &Table<'_>) -> Option<SharingKind> {
    code(&agreement.required("kind")?)
}
