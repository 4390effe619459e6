//! A template's file: the keys of an agreement that say how far it goes, and none of those that say between
//! whom, under which law, or what the parties owe each other.

use crate::config::strict::{self, Item, Table};
use crate::model::{Digest, Faults, RoleId, UserIdentity, suggestion};
use crate::policy::agreement::Stage;
use crate::policy::template::Template;

use super::read::{given, name, word, words};
use super::{
    TITLE_CHARS_MAX, assurance, code_of, data, dataset, distinct, duties, hours, line_of, small, terms, text,
};

const FORMAT: u64 = 1;

/// Reads a template. `file` is the name faults carry.
pub fn load_template(file: &str, bytes: &[u8]) -> Result<Template, Faults> {
    let text = text::plain(file, bytes)?;
    strict::read(file, text, |root| {
        let format = root.required("format").and_then(|item| item.count(FORMAT..=FORMAT));
        template(root, file, Digest::of(bytes)).filter(|_| format.is_some())
    })
}

fn template(root: &Table<'_>, file: &str, digest: Digest) -> Option<Template> {
    let head = root.table("template").and_then(|table| head(&table));
    let aim = root.table("purpose").map(|table| (code_of(&table), words(&table, "prohibited")));
    let dataset = root.table("dataset").and_then(|table| dataset(&table));
    let access = root.table("access").map(|table| {
        let (assurance, user, reason) = (assurance(&table), word(&table, "user"), word(&table, "reason"));
        let case = table.required("case_ref").and_then(|item| item.boolean());
        let roles =
            table.required("roles").and_then(|item| distinct(&item.list()?, |item| item.parsed(RoleId::new)));
        (assurance, user, reason, case, roles, hours::hours(&table))
    });
    let release = root.table("data").and_then(|table| data::read(&table, data::Form::Format1));
    let user = access.as_ref().and_then(|(_, user, ..)| *user).map(|user| user != UserIdentity::SystemOnly);
    let limits = root.table("limits").and_then(|table| terms::limits(&table, user));
    let keeping = root.table("retention").map(|table| duties::kept(&table));
    let dates = match root.optional("dates") {
        Some(item) => item.table().map(|table| {
            (given(&table, "from", |item| item.date()), given(&table, "until", |item| item.date()))
        }),
        None => Some((Some(None), Some(None))),
    };
    let (named, version, title, stage) = head?;
    let (purpose, prohibited) = aim?;
    let (dataset, operations) = dataset?;
    let (assurance, user, reason, case_required, roles, hours) = access?;
    let (consumer_keeps, audit_years) = keeping?;
    let (from, until) = dates?;
    Some(Template {
        name: named,
        version,
        title,
        stage,
        purpose: purpose?,
        prohibited: prohibited?,
        dataset,
        operations,
        assurance: assurance?,
        user: user?,
        reason: reason?,
        case_required: case_required?,
        roles: roles?,
        hours: hours?,
        release: release?.0,
        limits: limits?,
        from: from?,
        until: until?,
        consumer_keeps: consumer_keeps?,
        audit_years: audit_years?,
        digest,
        file: file.to_owned(),
    })
}

fn head(table: &Table<'_>) -> Option<(String, u32, String, Stage)> {
    let named = table.required("name").and_then(|item| authoritys(&item));
    let version = table.required("version").and_then(|item| small(&item));
    let title = table.required("title").and_then(|item| line_of(&item, TITLE_CHARS_MAX));
    let stage = table.required("stage").and_then(|item| item.word(&Stage::ALL, Stage::as_str));
    Some((named?, version?, title?, stage?))
}

/// `authority/name`.
fn authoritys(item: &Item<'_>) -> Option<String> {
    let text = name(item)?;
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if text.split_once('/').is_some_and(|(authority, rest)| is_word(authority) && is_word(rest)) {
        return Some(text);
    }
    item.fault_with_help(
        format!("`{text}` is not an authority and its name for the template"),
        suggestion(&text, ["digital-office/child-protection-check"]),
    );
    None
}
