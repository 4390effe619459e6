//! Agreements as rows of registers that law or good practice wants: the public register of the Digital Economy Act,
//! and a controller's record of processing (UK GDPR Art 30). Made from agreements that are sealed and signed.
//!
//! Not here: which of them are due for review or never used ([`super::health`]).

mod art30;
mod dea;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::visible;
use crate::policy::{Agreement, Entry, Reason, Stage};

pub use art30::art30;
pub use dea::dea;

/// Columns and rows, and what was kept out of them: why, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    pub columns: &'static [&'static str],
    pub rows: Vec<Vec<String>>,
    pub kept_out: BTreeMap<String, usize>,
}

impl Sheet {
    pub(in crate::desk::paper) fn new(columns: &'static [&'static str]) -> Self {
        Self { columns, rows: Vec::new(), kept_out: BTreeMap::new() }
    }

    pub(in crate::desk::paper) fn add(&mut self, row: &[String]) {
        self.rows.push(row.iter().map(|cell| visible(cell)).collect());
    }

    fn keep_out(&mut self, why: impl Into<String>) {
        *self.kept_out.entry(why.into()).or_default() += 1;
    }
}

/// Of each agreement the newest version that is sealed and signed; the reason where it is in no register.
/// What has ended stays: a register says what was shared too.
pub(in crate::desk::paper) fn newest(entries: &[Arc<Entry>]) -> Vec<Result<&Agreement, &'static str>> {
    let mut by_id: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries.iter().map(Arc::as_ref) {
        by_id.entry(entry.agreement.reference.id.as_str()).or_default().push(entry);
    }
    by_id
        .into_values()
        .map(|versions| {
            let held = versions.iter().filter(|entry| entry.standing.was_agreed());
            let newest = held.max_by_key(|entry| entry.agreement.reference.version);
            match newest.map(|entry| entry.agreement.as_ref()) {
                None if versions.iter().any(is_not_answered) => {
                    Err("of answers in a form that is not given yet")
                }
                None => Err("not sealed and signed"),
                Some(agreement) if agreement.stage == Stage::Trial => Err("trials, which are about nobody"),
                Some(agreement) => Ok(agreement),
            }
        })
        .collect()
}

/// Whether its form is all that keeps it out of force.
fn is_not_answered(entry: &&Entry) -> bool {
    let reasons = entry.standing.reasons(entry.agreement.dates.from);
    !reasons.is_empty() && reasons.iter().all(|reason| matches!(reason, Reason::FormNotAnswered(_)))
}
