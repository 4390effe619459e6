//! Agreements as rows of registers that law or good practice wants: the public register of the Digital Economy Act,
//! and a controller's record of processing (UK GDPR Art 30). Made from agreements that are sealed and signed.
//!
//! Not here: which of them are due for review or never used, and ODRL.

mod art30;
mod dea;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::visible;
use crate::policy::{Agreement, Entry, Stage};

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
    fn new(columns: &'static [&'static str]) -> Self {
        Self { columns, rows: Vec::new(), kept_out: BTreeMap::new() }
    }

    fn add(&mut self, row: &[String]) {
        self.rows.push(row.iter().map(|cell| visible(cell)).collect());
    }

    fn keep_out(&mut self, why: impl Into<String>) {
        *self.kept_out.entry(why.into()).or_default() += 1;
    }
}

/// Of each agreement the newest version that is sealed and signed; the reason where it is in no register.
/// What has ended stays: a register says what was shared too.
fn newest(entries: &[Arc<Entry>]) -> Vec<Result<&Agreement, &'static str>> {
    let mut by_id: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries.iter().map(Arc::as_ref) {
        by_id.entry(entry.agreement.reference.id.as_str()).or_default().push(entry);
    }
    by_id
        .into_values()
        .map(|versions| {
            let held = versions.into_iter().filter(|entry| entry.standing.holds());
            let newest = held.max_by_key(|entry| entry.agreement.reference.version);
            match newest.map(|entry| entry.agreement.as_ref()) {
                None => Err("not sealed and signed"),
                Some(agreement) if agreement.stage == Stage::Trial => Err("trials, which are about nobody"),
                Some(agreement) => Ok(agreement),
            }
        })
        .collect()
}
