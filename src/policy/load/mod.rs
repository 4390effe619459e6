//! From the bytes of a file to an [`Agreement`], or everything wrong with it at once, in the order
//! of the Scottish Information Sharing Agreement (design 4).
//!
//! Not here: whether members, contract and source exist (the desk asks with [`super::lint`] and
//! `minimise/`), and whether it is signed ([`super::standing`]).

mod coherence;
mod data;
mod duties;
mod format_2;
mod grant;
mod hours;
mod law;
mod organisation;
mod parties;
mod party;
mod read;
mod rows;
mod sections;
mod template;
mod terms;
mod text;

pub use organisation::load_organisation;
pub use rows::load_rows;
pub use template::load_template;

use std::sync::Arc;

use crate::config::strict::{self, Item, Table};
use crate::model::{
    AgreementId, AgreementRef, Assurance, DatasetId, DatasetVersion, Digest, Faults, Hours, OperationId,
    PurposeCode, ReasonWanted,
};

use super::agreement::{Agreement, Stage};

/// The newest format this version reads.
const FORMAT_NEWEST: u64 = 2;
const TITLE_CHARS_MAX: usize = 80;

/// Reads an agreement. `file` is the name faults carry.
pub fn load(file: &str, bytes: &[u8]) -> Result<Agreement, Faults> {
    let text = text::plain(file, bytes)?;
    strict::read(file, text, |root| match format(root)? {
        1 if root.has("grant") => grant::read(root, file, Digest::of(bytes)),
        1 => format_1(root, file, Digest::of(bytes)),
        2 => format_2::read(root, file, Digest::of(bytes)),
        _ => None,
    })
}

/// The format, if this version reads it. A file of another format is not looked into: every fault
/// found there would be this version's ignorance.
fn format(root: &Table<'_>) -> Option<u64> {
    let Some(item) = root.optional("format") else {
        root.leave_rest();
        root.fault_with_help(
            "`format` is missing",
            format!("begin the file with `format = {FORMAT_NEWEST}`"),
        );
        return None;
    };
    let given = item.integer();
    let format = given.and_then(|given| u64::try_from(given).ok()).filter(|format| *format > 0);
    match format {
        Some(known @ 1..=FORMAT_NEWEST) => return Some(known),
        Some(newer) => item.fault_with_help(
            format!("format {newer} was written for a newer Tolbooth; this one reads up to {FORMAT_NEWEST}"),
            Some("update Tolbooth".to_owned()),
        ),
        None if given.is_some() => {
            item.fault_with_help(
                "there is no such format",
                Some(format!("write `format = {FORMAT_NEWEST}`")),
            );
        }
        None => {}
    }
    root.leave_rest();
    None
}

/// Every section is read before anything is missed, so that all faults come at once.
fn format_1(root: &Table<'_>, file: &str, digest: Digest) -> Option<Agreement> {
    let head = root.table("agreement").and_then(|table| head(&table));
    let purpose = root.table("purpose").and_then(|table| code_of(&table));
    let parties = parties::read(root, purpose, parties::Wanted::Format1);
    let dataset = root.table("dataset").and_then(|table| dataset(&table));
    let access = root.table("access").and_then(|table| access(&table));
    let release = root.table("data").and_then(|table| data::read(&table, data::Form::Format1));
    let user = access.as_ref().map(|access| access.user_required);
    let limits = root.table("limits").and_then(|table| terms::limits(&table, user));
    let stage = head.as_ref().map(|head| head.stage);
    let dates = root.table("dates").and_then(|table| terms::dates(&table, stage));
    let law = law::read(
        root,
        law::Wanted {
            parties: parties.as_deref(),
            of_every_party: law::is_wanted(stage, true),
            conditions: false,
        },
    );
    let audit_years = terms::audit_years(root, purpose);
    let seal = terms::seal(root);
    let head = head?;
    let (dataset, operations) = dataset?;
    let access = access?;
    Some(Agreement {
        reference: head.reference,
        title: head.title,
        stage: head.stage,
        parties: parties?,
        purpose: purpose?,
        dataset,
        operations,
        assurance: access.assurance,
        user_required: access.user_required,
        reason: ReasonWanted::None,
        case_required: false,
        hours: access.hours,
        release: Arc::new(release?.0),
        limits: limits?,
        dates: dates?,
        law: law?,
        audit_years: audit_years?,
        particulars: None,
        grant: None,
        seal: seal?,
        digest,
        file: file.to_owned(),
    })
}

struct Head {
    reference: AgreementRef,
    title: String,
    stage: Stage,
}

fn head(table: &Table<'_>) -> Option<Head> {
    let id = table.required("id").and_then(|item| item.parsed(AgreementId::new));
    let version = table.required("version").and_then(|item| small(&item));
    let title = table.required("title").and_then(|item| line_of(&item, TITLE_CHARS_MAX));
    let stage = table.required("stage").and_then(|item| item.word(&Stage::ALL, Stage::as_str));
    Some(Head { reference: AgreementRef { id: id?, version: version? }, title: title?, stage: stage? })
}

fn code_of(table: &Table<'_>) -> Option<PurposeCode> {
    table.required("code")?.word(PurposeCode::ALL, PurposeCode::as_str)
}

fn dataset(table: &Table<'_>) -> Option<(DatasetVersion, Vec<OperationId>)> {
    let id = table.required("id").and_then(|item| item.parsed(DatasetId::new));
    let major = table.required("major").and_then(|item| small(&item));
    let operations =
        table.required("operations").and_then(|item| names(&item, |item| item.parsed(OperationId::new)));
    Some((DatasetVersion { dataset: id?, major: major? }, operations?))
}

fn assurance(table: &Table<'_>) -> Option<Assurance> {
    table.required("assurance").and_then(|item| item.word(&Assurance::ALL, Assurance::as_str))
}

/// What format 1 says of how is asked.
struct Access {
    assurance: Assurance,
    user_required: bool,
    hours: Hours,
}

fn access(table: &Table<'_>) -> Option<Access> {
    let assurance = assurance(table);
    let hours = hours::hours(table);
    let user = table
        .required("user")
        .and_then(|item| item.word(&[false, true], |required| if required { "required" } else { "none" }));
    Some(Access { assurance: assurance?, user_required: user?, hours: hours? })
}

/// A version or major number.
fn small(item: &Item<'_>) -> Option<u32> {
    item.count(1..=u64::from(u32::MAX)).and_then(|count| u32::try_from(count).ok())
}

/// A text that is compared with data and shown on pages: nothing in it changes how what stands around it is read.
fn plain_of<'i>(item: &'i Item<'_>) -> Option<&'i str> {
    let text = item.text()?;
    let deceives = text.chars().any(char::is_control) || text::reorders(text);
    if deceives {
        item.fault("has a control character, or one that changes the order of text");
    }
    (!deceives).then_some(text)
}

/// A text a person reads, on one line: neither empty nor longer than `chars_max` characters.
fn line_of(item: &Item<'_>, chars_max: usize) -> Option<String> {
    let text = item.text()?;
    let chars = text.chars().count();
    if text.trim().is_empty() {
        item.fault("may not be empty");
    } else if chars > chars_max {
        item.fault(format!("{chars} characters, at most {chars_max}"));
    } else if text.chars().any(char::is_control) {
        item.fault("wants one line without control characters");
    } else if text::reorders(text) {
        item.fault_with_help(
            "has a character that changes the order of text, written as an escape",
            Some("take it out: who reads the page would read something else than the file says".to_owned()),
        );
    } else {
        return Some(text.to_owned());
    }
    None
}

/// A list of at least one, without repetition.
fn names<T: PartialEq + std::fmt::Display>(
    item: &Item<'_>,
    read: impl Fn(&Item<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let items = item.list()?;
    if items.is_empty() {
        item.fault("wants at least one");
        return None;
    }
    distinct(&items, read)
}

/// Each item read; a repetition is a fault where it stands.
fn distinct<T: PartialEq + std::fmt::Display>(
    items: &[Item<'_>],
    read: impl Fn(&Item<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        let Some(value) = read(item) else { continue };
        if out.contains(&value) {
            item.fault(format!("`{value}` is listed twice"));
        } else {
            out.push(value);
        }
    }
    (out.len() == items.len()).then_some(out)
}

#[cfg(test)]
mod tests;
