//! What the demo prints: for a person, or as JSON lines.

use std::cell::RefCell;
use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::Stage;
use super::asking::{Asking, Said};
use crate::cli::say;

/// What a terminal shows without breaking lines by itself.
const WIDTH: usize = 100;
/// The room a label has.
const LABEL: usize = 11;

/// Prints the walk and counts what was not as it says.
pub(super) struct Told<'o> {
    out: RefCell<&'o mut dyn Write>,
    json: bool,
    steps: u32,
    failed: u32,
}

impl<'o> Told<'o> {
    pub(super) fn new(json: bool, out: &'o mut dyn Write) -> Self {
        Self { out: RefCell::new(out), json, steps: 0, failed: 0 }
    }

    pub(super) fn failed(&self) -> u32 {
        self.failed
    }

    /// One line for a person.
    pub(super) fn line(&self, line: impl std::fmt::Display) {
        if !self.json {
            say(&mut **self.out.borrow_mut(), line);
        }
    }

    fn record(&self, value: &Value) {
        if self.json {
            say(&mut **self.out.borrow_mut(), value);
        }
    }

    /// What it is about, after a label; broken between words so that no line is wider than a terminal.
    pub(super) fn about(&self, label: &str, text: &str) {
        let mut head = format!("   {label:<LABEL$}");
        for line in wrapped(text, WIDTH - LABEL - 3) {
            self.line(format_args!("{head}{line}"));
            head = " ".repeat(LABEL + 3);
        }
    }

    /// A command on lines of its own, to be copied.
    pub(super) fn by_hand(&self, command: &str) {
        self.line(format_args!("   by hand\n\n{command}\n"));
    }

    pub(super) fn opening(&self, stage: &Stage, now: &str, stays: bool) {
        let text = format!(
            "Tolbooth: everything below happens on this machine, over real TLS, with people who do not exist. \
             Glenmore Council's gateway listens on {}. Behind it are a records system, which is a plain web \
             API on {}, and a CSV file of licences. NHS Lomond and Police Caledonia hold certificates of \
             their own and have signed trial agreements with the council. In London it is {now}.",
            stage.gateway, stage.records.address
        );
        wrapped(&text, WIDTH).iter().for_each(|line| self.line(line));
        if stays {
            self.line("\nTo do any of it by hand when the walk is over, in another terminal:\n");
            self.line(format_args!("cd {}", stage.root.display()));
            let program = std::env::current_exe().unwrap_or_default();
            if let Some(folder) = program.parent() {
                self.line(format_args!("PATH=\"$PATH:{}\"", folder.display()));
            }
        }
    }

    /// A step's heading.
    pub(super) fn step(&mut self, title: &str) {
        self.steps += 1;
        self.line(format_args!("\n{}. {title}\n", self.steps));
    }

    /// A question and its answer, and how to ask by hand.
    pub(super) fn exchange(&self, stage: &Stage, asking: &Asking<'_>, said: &Said) {
        self.about("question", &format!("POST {}", asking.path));
        asking.headers.iter().for_each(|(name, value)| self.about("", &format!("{name}: {value}")));
        self.about("", &asking.body);
        self.about("answer", &format!("{} {}", said.status, said.outcome));
        let shown = serde_json::to_string_pretty(&said.json()).unwrap_or_default();
        shown.lines().for_each(|line| self.line(format_args!("   {:LABEL$}{line}", "")));
        let receipt = said.receipt.as_ref().map_or(0, String::len);
        self.about("receipt", &format!("{receipt} characters, of exchange {}", said.exchange));
        self.by_hand(&asking.curl(stage));
    }

    /// Whether the step was as it says.
    pub(super) fn judge(&mut self, step: &'static str, expected: &str, held: Result<(), String>) {
        let ok = held.is_ok();
        let why = held.err();
        self.record(&json!({ "step": self.steps, "name": step, "expected": expected, "ok": ok, "why": why }));
        match why {
            None => self.about("so", &format!("{expected}: as it should be")),
            Some(why) => {
                self.failed += 1;
                self.about("so", &format!("NOT AS IT SHOULD BE: {expected}; but {why}"));
            }
        }
    }

    pub(super) fn closing(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        self.record(&json!({ "steps": self.steps, "failed": self.failed, "seconds": seconds }));
        let failed = match self.failed {
            0 => "all as they should be".to_owned(),
            failed => format!("{failed} NOT as they should be"),
        };
        self.line(format_args!("\n{} steps in {seconds:.1} seconds, {failed}.", self.steps));
    }

    pub(super) fn staying_up(&self, stage: &Stage) {
        self.line(format_args!(
            "\nEverything stays up for you to try, in {}.\nHow the gateway is: http://{1}/ready and http://{1}/metrics. Ctrl-C ends it.",
            stage.root.display(),
            stage.local
        ));
    }
}

/// Broken between words; a word that is longer stays whole.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_break_between_words_and_lose_none() {
        let text = "a question and its answer https://localhost:12345/a/long/address end";
        let lines = wrapped(text, 16);
        assert_eq!(lines.join(" "), text);
        assert!(lines.iter().all(|line| line.len() <= 16 || !line.contains(' ')), "{lines:?}");
    }
}
