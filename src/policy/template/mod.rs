//! Templates: how far agreements that name one may go at most. A directory authority writes and signs it; the
//! parties fill in who they are, under which law and on which days, and may make everything else tighter.
//!
//! Here: a template as loaded, and which of the files count. Whether an agreement is nowhere looser is judged in
//! `tighter.rs`, of fields and rows in `release.rs`.

mod release;
mod tighter;

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::merkle::note::{Note, VerifierKey};
use crate::model::{
    Assurance, AuthorityKey, DatasetVersion, Digest, Fault, Faults, Hours, OperationId, Prohibition,
    PurposeCode, ReasonWanted, Release, RoleId, UserIdentity, suggestion,
};

use super::agreement::{Agreement, Limits, Stage};

/// The first line of the signed text: what kind of thing is signed.
const KIND: &str = "tolbooth/template/v1";

/// The most an agreement under it may say. Made by [`load_template`](super::load_template) alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Whose it is, as `members.toml` names them, and what they call it: `digital-office/one-check`.
    pub name: String,
    pub version: u32,
    pub title: String,
    pub stage: Stage,
    pub purpose: PurposeCode,
    pub prohibited: Vec<Prohibition>,
    pub dataset: DatasetVersion,
    pub operations: Vec<OperationId>,
    pub assurance: Assurance,
    pub user: UserIdentity,
    pub reason: ReasonWanted,
    pub case_required: bool,
    /// Empty: systems ask without a role.
    pub roles: Vec<RoleId>,
    pub hours: Hours,
    pub release: Release,
    pub limits: Limits,
    pub from: Option<Date>,
    pub until: Option<Date>,
    /// How long the consumer keeps what it is told; `None`: not at all.
    pub consumer_keeps: Option<String>,
    pub audit_years: u8,
    pub digest: Digest,
    pub file: String,
}

impl Template {
    /// `name@version`, as agreements name it.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// The authority whose signature it wants.
    pub fn authority(&self) -> &str {
        self.name.split_once('/').map_or("", |(authority, _)| authority)
    }

    /// The text its authority signs, with its last newline.
    pub fn signature_text(&self) -> String {
        format!("{KIND}\n{}\n{}\n{}\n", self.name, self.version, self.digest)
    }

    /// Whether the authority signed these bytes; if not, why.
    fn verified(&self, note: Option<&str>, keys: &[AuthorityKey]) -> Result<(), String> {
        let note = note.ok_or_else(|| format!("is not signed by {}", self.authority()))?;
        let note =
            Note::parse(note).map_err(|error| format!("its signature file cannot be read: {error}"))?;
        if note.text() != self.signature_text() {
            return Err("was changed after it was signed".to_owned());
        }
        let of_authority: Vec<_> = keys.iter().filter(|key| key.authority == self.authority()).collect();
        if of_authority.is_empty() {
            return Err(format!(
                "is of `{}`, which members.toml lists as no [[authority]]",
                self.authority()
            ));
        }
        let mut signed = of_authority.into_iter().filter(|key| is_signed_by(&note, key)).peekable();
        if signed.peek().is_none() {
            return Err(format!("is not signed by {}", self.authority()));
        }
        // As officers' keys: one that was made for a trial counts for trials alone.
        if self.stage == Stage::Live && signed.all(|key| key.trial) {
            return Err("is signed by a trial key only, which counts only for trials".to_owned());
        }
        Ok(())
    }
}

fn is_signed_by(note: &Note, key: &AuthorityKey) -> bool {
    VerifierKey::new(&key.name, key.public).is_ok_and(|verifier| note.is_signed_by(&verifier))
}

/// The templates of a ruleset, each by its reference; with those that do not count, and why.
#[derive(Debug, Default)]
pub struct Templates(BTreeMap<String, Result<Template, String>>);

impl Templates {
    /// Takes what was read, each with the text of its signature file. Two files of one name and version are a
    /// fault; one that is not signed is none, until an agreement names it.
    pub fn new(read: Vec<(Template, Option<&str>)>, keys: &[AuthorityKey]) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mut all = BTreeMap::new();
        for (template, note) in read {
            let (reference, file) = (template.reference(), template.file.clone());
            let known = template.verified(note, keys).map(|()| template);
            if all.insert(reference.clone(), known).is_some() {
                faults.push(Fault::new(file, None, format!("`{reference}` is in another file too")));
            }
        }
        faults.into_result().map(|()| Self(all))
    }

    /// The template of that reference, if it counts; why it does not, if it was read.
    pub fn get(&self, reference: &str) -> Option<Result<&Template, &str>> {
        self.0.get(reference).map(|known| known.as_ref().map_err(String::as_str))
    }

    /// The references of those that count.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, known)| known.is_ok()).map(|(reference, _)| reference.as_str())
    }

    /// Why a template that was read does not count, if it does not.
    pub fn why_not(&self, reference: &str) -> Option<&str> {
        self.0.get(reference)?.as_ref().err().map(String::as_str)
    }

    /// The newest version of each template that counts, by its name.
    pub fn newest(&self) -> BTreeMap<String, u32> {
        let mut newest = BTreeMap::new();
        for template in self.0.values().filter_map(|read| read.as_ref().ok()) {
            let known = newest.entry(template.name.clone()).or_insert(template.version);
            *known = template.version.max(*known);
        }
        newest
    }

    /// What is wrong with an agreement under the template it names; nothing for one that names none.
    pub fn judge(&self, agreement: &Agreement) -> Faults {
        let mut faults = Faults::default();
        let named = agreement.particulars.as_ref().and_then(|particulars| particulars.template.as_ref());
        let Some(named) = named else { return faults };
        match self.0.get(named) {
            Some(Ok(template)) => faults.extend(tighter::against(agreement, template)),
            Some(Err(why)) => {
                let message = format!("its template `{named}` {why}");
                faults.push(
                    Fault::new(&agreement.file, None, message).with_help("ask the authority for it anew"),
                );
            }
            None => {
                let help = suggestion(named, self.0.keys().map(String::as_str));
                let message = format!("its template `{named}` is not in policies/templates");
                faults.push(Fault { help, ..Fault::new(&agreement.file, None, message) });
            }
        }
        faults
    }
}
