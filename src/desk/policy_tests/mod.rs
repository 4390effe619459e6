//! Policy tests (design 4): what officers agreed, asked question by question before anybody signs, by the very
//! parts of the road; and which clauses no test has made both true and false.
//!
//! Not here: whether an agreement is sealed and signed, and what the system behind really says.

mod coverage;
mod judge;
mod read;

use std::path::Path;

use jiff::tz::TimeZone;

use crate::config::Gateway;
use crate::model::{Code, Fault, Faults};

use super::files::RulesetFiles;
use super::ruleset::Ruleset;

pub use super::clauses::Clause;
pub use coverage::Coverage;
pub use judge::{Bench, End, Judged, Unpermitted};
pub use read::{Asks, Expects, PolicyTest, Supposing, dataset_version, system_id};

/// Where they lie, below the policies.
const FOLDER: &str = "tests";

/// A test and how its question ended.
pub struct Outcome {
    pub test: PolicyTest,
    pub judged: Judged,
    /// What is otherwise than expected, as a sentence; `None` where all is as it should be.
    pub otherwise: Option<String>,
}

/// Every policy test of a gateway, judged.
pub struct PolicyTests {
    pub outcomes: Vec<Outcome>,
}

impl PolicyTests {
    /// Reads and judges all there are. No folder is no tests.
    ///
    /// # Errors
    /// A file that cannot be read as policy tests: all faults at once.
    pub fn run(gateway: &Gateway, ruleset: &Ruleset, zone: TimeZone) -> Result<Self, Faults> {
        let tests = read_all(gateway, &gateway.policies.join(FOLDER))?;
        let bench = Bench::new(ruleset, &gateway.member, zone)?;
        let outcomes = tests.into_iter().map(|test| {
            let judged = bench.judge(&test.asks);
            let otherwise = otherwise(&test.expects, &judged);
            Outcome { test, judged, otherwise }
        });
        Ok(Self { outcomes: outcomes.collect() })
    }

    /// What did not end as expected, each with its file and line.
    pub fn faults(&self) -> Faults {
        let failed = self.outcomes.iter().filter_map(|outcome| {
            let (test, why) = (&outcome.test, outcome.otherwise.as_ref()?);
            let message = format!("policy test `{}`: {why}", test.name);
            Some(Fault::new(&test.file, Some(test.line), message).with_help(
                "either the agreement does not say what was meant, or the test does not: officers know which",
            ))
        });
        Faults(failed.collect())
    }
}

fn read_all(gateway: &Gateway, folder: &Path) -> Result<Vec<PolicyTest>, Faults> {
    let mut faults = Faults::default();
    let mut tests = Vec::new();
    for file in RulesetFiles::beside(gateway, folder, "toml", &mut faults) {
        let read = super::ruleset::utf8(&file).and_then(|text| {
            if text.len() > read::FILE_BYTES_MAX {
                let message = format!("{} bytes, at most {}", text.len(), read::FILE_BYTES_MAX);
                return Err(Fault::new(&file.name, None, message).with_help("split it in two").into());
            }
            read::read(&file.name, text)
        });
        match read {
            Ok(more) => tests.extend(more),
            Err(more) => faults.extend(more),
        }
    }
    faults.into_result().map(|()| tests)
}

/// How a question ended otherwise than expected.
fn otherwise(expects: &Expects, judged: &Judged) -> Option<String> {
    let ended = |judged: &Judged| {
        let under = judge::named(judged.agreement.as_ref());
        let under = under.map(|agreement| format!(" under `{agreement}`")).unwrap_or_default();
        match &judged.end {
            End::Answer(answer) => format!("it was answered{under} with `{answer}`"),
            End::NoMatch => format!("it found no match{under}"),
            End::Refused(denied) => {
                let more = denied.truth.as_ref().map(|truth| format!(" ({truth})")).unwrap_or_default();
                format!("it was refused{under} as `{}`{more}", denied.code)
            }
        }
    };
    let wanted = match (expects, &judged.end) {
        (Expects::Answer { under, answer }, End::Answer(given)) => {
            let same = judge::named(judged.agreement.as_ref()) == Some(under) && answer == given;
            (!same).then(|| format!("an answer under `{under}` with `{answer}` was expected"))
        }
        (Expects::NoMatch { under }, End::NoMatch) => {
            let same = judge::named(judged.agreement.as_ref()) == Some(under);
            (!same).then(|| format!("no match under `{under}` was expected"))
        }
        (Expects::Refused { code, guardrail }, End::Refused(denied)) => {
            let by = guardrail.is_none() || *guardrail == denied.truth;
            (denied.code != *code || !by).then(|| refusal(*code, guardrail.as_deref()))
        }
        (Expects::Answer { under, answer }, _) => {
            Some(format!("an answer under `{under}` with `{answer}` was expected"))
        }
        (Expects::NoMatch { under }, _) => Some(format!("no match under `{under}` was expected")),
        (Expects::Refused { code, guardrail }, _) => Some(refusal(*code, guardrail.as_deref())),
    };
    wanted.map(|wanted| format!("{wanted}, and {}", ended(judged)))
}

fn refusal(code: Code, guardrail: Option<&str>) -> String {
    let by = guardrail.map(|name| format!(" by `{name}`")).unwrap_or_default();
    format!("a refusal as `{code}`{by} was expected")
}
