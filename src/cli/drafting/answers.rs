//! A file of answers, format 1: the key of each question with its answer, as a text or a list of texts. All that is
//! wrong in it is told at once, as far as one answer does not hang on another.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::strict::{self, Item};
use crate::desk::drafting::{Question, Step};
use crate::model::{Fault, Faults};

use super::super::files;
use super::asking::{Again, Answering};

/// Read whole before the first question.
pub(super) struct AnswerFile {
    name: String,
    /// The answers that were not asked for yet, with their lines.
    left: BTreeMap<&'static str, (String, usize)>,
    /// Where the answer at hand stands.
    line: Option<usize>,
    faults: Faults,
}

impl AnswerFile {
    pub(super) fn read(file: &Path) -> Result<Self, Faults> {
        let name = files::shown(file);
        let bytes = files::read(file, "file of answers")?;
        let text = String::from_utf8(bytes).map_err(|_| Fault::new(&name, None, "is not UTF-8"))?;
        let left = strict::read(&name, &text, |root| {
            strict::format_1(root);
            let mut answers = BTreeMap::new();
            for step in Step::ALL {
                let Some(item) = root.optional(step.key()) else { continue };
                let line = item.line();
                if let Some(text) = answer(&item) {
                    answers.insert(step.key(), (text, line));
                }
            }
            Some(answers)
        })?;
        Ok(Self { name, left, line: None, faults: Faults::default() })
    }

    /// Once every question was asked: what nobody asked for, and what was wrong.
    pub(super) fn done(mut self) -> Result<(), Faults> {
        // After a fault it is not known what else would have been asked.
        if self.faults.is_empty() {
            for (key, (_, line)) in &self.left {
                let message = format!("`{key}` is not asked with these answers");
                self.faults.push(
                    Fault::new(&self.name, Some(*line), message).with_help(
                        "take it out: an answer that counts for nothing would be believed to count",
                    ),
                );
            }
        }
        self.faults.into_result()
    }
}

/// A text, or a list of texts.
fn answer(item: &Item<'_>) -> Option<String> {
    if item.is_text() {
        return item.text().map(str::to_owned);
    }
    let parts = item.list()?;
    let parts: Option<Vec<&str>> = parts.iter().map(Item::text).collect();
    parts.map(|parts| parts.join(", "))
}

/// What every later question hangs on.
fn is_foundation(question: &Question) -> bool {
    let foundations = [Step::Partner, Step::Dataset, Step::Kind, Step::Stage];
    foundations.iter().any(|step| step.key() == question.key)
}

impl Answering for AnswerFile {
    fn answer(&mut self, question: &Question, _number: usize) -> Result<Option<String>, Faults> {
        let (given, line) = self.left.remove(question.key).unzip();
        self.line = line;
        let given = given.filter(|given| !given.trim().is_empty()).map(|given| question.named(&given));
        if let Some(given) = given.or_else(|| question.default.clone()) {
            return Ok(Some(given));
        }
        let fault = Fault::new(&self.name, None, format!("`{}` is missing: {}", question.key, question.asks));
        self.faults.push(fault.with_help(question.help));
        if is_foundation(question) { Err(std::mem::take(&mut self.faults)) } else { Ok(None) }
    }

    fn refuse(&mut self, question: &Question, _number: usize, faults: Vec<Fault>) -> Result<Again, Faults> {
        let line = self.line;
        let told = faults.into_iter().map(|fault| {
            let message = format!("`{}`: {}", question.key, fault.message);
            Fault { file: self.name.clone(), line, message, help: fault.help }
        });
        self.faults.0.extend(told);
        if is_foundation(question) { Err(std::mem::take(&mut self.faults)) } else { Ok(Again::GoOn) }
    }

    fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }
}
