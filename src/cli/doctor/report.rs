//! What the doctor found: one line for each step, and one thing to do next.

use std::io::Write;

use serde_json::{Value, json};

use crate::cli::{Exit, say};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Good,
    /// It is wrong, and what is wrong is known.
    Bad,
    /// Something is wrong, and it could not be decided what.
    Unsure,
    /// Nothing to look at.
    Skipped,
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Bad => "bad",
            Self::Unsure => "unsure",
            Self::Skipped => "skipped",
        }
    }

    /// With the colours of a terminal: green, red, yellow, grey.
    fn shown(self, coloured: bool) -> String {
        let (code, word) = match self {
            Self::Good => ("32", "ok  "),
            Self::Bad => ("31", "BAD "),
            Self::Unsure => ("33", "?   "),
            Self::Skipped => ("90", "-   "),
        };
        if coloured { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word.to_owned() }
    }
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    mark: Mark,
    said: String,
}

/// All steps so far. The first thing to do that a step named stays: what comes after may follow from it.
#[derive(Debug, Default)]
pub(super) struct Report {
    steps: Vec<Step>,
    next: Option<String>,
}

/// A step failed, and those behind it cannot be taken. It is in the report.
#[derive(Debug)]
pub(super) struct Stopped;

impl Report {
    pub(super) fn good(&mut self, name: &'static str, said: impl Into<String>) {
        self.steps.push(Step { name, mark: Mark::Good, said: said.into() });
    }

    pub(super) fn skipped(&mut self, name: &'static str, said: impl Into<String>) {
        self.steps.push(Step { name, mark: Mark::Skipped, said: said.into() });
    }

    pub(super) fn bad(
        &mut self,
        name: &'static str,
        said: impl Into<String>,
        next: impl Into<String>,
    ) -> Stopped {
        self.wrong(name, Mark::Bad, said.into(), next.into())
    }

    pub(super) fn unsure(
        &mut self,
        name: &'static str,
        said: impl Into<String>,
        next: impl Into<String>,
    ) -> Stopped {
        self.wrong(name, Mark::Unsure, said.into(), next.into())
    }

    fn wrong(&mut self, name: &'static str, mark: Mark, said: String, next: String) -> Stopped {
        self.steps.push(Step { name, mark, said });
        self.next.get_or_insert(next);
        Stopped
    }

    fn worst(&self) -> Mark {
        let has = |mark: Mark| self.steps.iter().any(|step| step.mark == mark);
        match () {
            () if has(Mark::Bad) => Mark::Bad,
            () if has(Mark::Unsure) => Mark::Unsure,
            () => Mark::Good,
        }
    }

    pub(super) fn exit(&self) -> Exit {
        match self.worst() {
            Mark::Bad => Exit::No,
            Mark::Unsure => Exit::Undecided,
            Mark::Good | Mark::Skipped => Exit::Yes,
        }
    }

    pub(super) fn show(&self, out: &mut dyn Write, coloured: bool) {
        for step in &self.steps {
            say(out, format_args!("{} {:<19} {}", step.mark.shown(coloured), step.name, step.said));
        }
        match &self.next {
            Some(next) => say(out, format_args!("\nnext: {next}")),
            None => say(out, "\nnothing is wrong between here and there"),
        }
    }

    pub(super) fn json(&self, url: &str) -> Value {
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|step| json!({ "step": step.name, "result": step.mark.word(), "said": step.said }))
            .collect();
        json!({ "url": url, "result": self.worst().word(), "steps": steps, "next": self.next })
    }
}
