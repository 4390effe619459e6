//! What the demo prints: for a person, or as JSON lines.

use std::io::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::Stage;
use super::asking::{Asking, Said};

/// Prints the walk and counts what was not as it says.
pub(super) struct Told {
    json: bool,
    steps: u32,
    failed: u32,
}

impl Told {
    pub(super) fn new(json: bool) -> Self {
        Self { json, steps: 0, failed: 0 }
    }

    pub(super) fn failed(&self) -> u32 {
        self.failed
    }

    /// One line for a person.
    pub(super) fn line(&self, line: impl std::fmt::Display) {
        if !self.json {
            let _written = writeln!(std::io::stdout(), "{line}");
        }
    }

    fn record(&self, value: &Value) {
        if self.json {
            let _written = writeln!(std::io::stdout(), "{value}");
        }
    }

    pub(super) fn opening(&self, stage: &Stage) {
        self.line("Tolbooth: everything below happens on this machine, over real TLS, with people who do not exist.");
        self.line(format_args!(
            "Glenmore Council's gateway listens on {}; its records system, a plain web API, on {}.",
            stage.gateway, stage.records.address
        ));
        self.line(
            "NHS Lomond and Police Caledonia hold certificates and have signed trial agreements with it.",
        );
    }

    /// A step's heading.
    pub(super) fn step(&mut self, title: &str) {
        self.steps += 1;
        self.line(format_args!("\n{}. {title}", self.steps));
    }

    /// A question and its answer, and how to ask by hand.
    pub(super) fn exchange(&self, stage: &Stage, asking: &Asking<'_>, said: &Said) {
        let headers: String =
            asking.headers.iter().map(|(name, value)| format!("  {name}: {value}")).collect();
        self.line(format_args!("   question  POST {}{headers}  {}", asking.path, asking.body));
        self.line(format_args!("   answer    {} {}", said.status, said.outcome));
        let shown = serde_json::to_string_pretty(&said.json()).unwrap_or_default();
        shown.lines().for_each(|line| self.line(format_args!("             {line}")));
        let receipt = said.receipt.as_ref().map_or(0, String::len);
        self.line(format_args!("   receipt   {receipt} characters, for exchange {}", said.exchange));
        self.line(format_args!("   by hand   {}", asking.curl(&stage.trial.ca, stage.gateway)));
    }

    /// Whether the step was as it says.
    pub(super) fn judge(&mut self, step: &'static str, expected: &str, held: Result<(), String>) {
        let ok = held.is_ok();
        let why = held.err();
        self.record(&json!({ "step": self.steps, "name": step, "expected": expected, "ok": ok, "why": why }));
        match why {
            None => self.line(format_args!("   as it should be: {expected}")),
            Some(why) => {
                self.failed += 1;
                self.line(format_args!("   NOT AS IT SHOULD BE: {expected}; but {why}"));
            }
        }
    }

    pub(super) fn closing(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        self.record(&json!({ "steps": self.steps, "failed": self.failed, "seconds": seconds }));
        self.line(format_args!(
            "\n{} steps in {seconds:.1} seconds; {} not as they should be.",
            self.steps, self.failed
        ));
    }

    pub(super) fn staying_up(&self, stage: &Stage) {
        self.line(format_args!(
            "\nEverything stays up for you to try: the curl commands above, http://{}/ready and /metrics. Ctrl-C ends it all.",
            stage.local
        ));
    }
}
