//! `tolbooth policy`: what agreements and guardrails say, asked question by question before anybody signs.

mod explain;

use std::io::Write;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::config;
use crate::desk::policy_tests::{Clause, Coverage, End, Outcome, PolicyTests};
use crate::model::{AgreementRef, Faults};

use super::check::{counted, fault_json, load_ruleset};
use super::{ConfigArgs, Exit, complain, say};

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Ask the questions of policies/tests/ and compare what comes with what is expected
    ///
    /// Each test names a question and what the system behind would say to it, and expects either the whole
    /// released document under one agreement, no match, or one refusal. It is judged by the parts of the
    /// gateway that judge partners' questions, as though the agreements were sealed and signed; nothing is
    /// asked over the network, and nothing is recorded. `tolbooth check` runs the same tests. How to write
    /// one is in docs/policy-tests.md. Ends with 0 if all is as expected, 1 if not.
    Test(TestArgs),
    /// Say whether a question would be permitted, and if not what would have to change and who can change it
    ///
    /// For officers and hosts, of any partner's question, from the files as they are: nobody is asked and nothing
    /// is recorded. Names the agreement, the clause with its line, what would have to be otherwise and who can
    /// make it so. Takes no identifier of anybody: which record it would be about does not matter here. A partner
    /// asks the same of a running gateway with POST /explain; of a past exchange `tolbooth explain` tells.
    /// Ends with 0 if it would be permitted, 1 if not.
    Explain(Box<explain::ExplainArgs>),
}

#[derive(Debug, Args)]
pub struct TestArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also say which clauses no test has made both true and false, by agreement and line
    #[arg(long)]
    coverage: bool,
    /// End with 1 unless every clause was made both true and false
    #[arg(long)]
    full: bool,
}

/// Runs one of the commands.
pub fn run(command: &PolicyCommand, out: &mut dyn Write, clock: &Clock) -> Exit {
    let args = match command {
        PolicyCommand::Test(args) => args,
        PolicyCommand::Explain(args) => return explain::run(args, out, clock),
    };
    match tested(args, clock) {
        Ok(tested) if args.config.json => tested.say_json(args, out),
        Ok(tested) => tested.say(args, out),
        Err(faults) => {
            if args.config.json {
                let faults: Vec<Value> = faults.0.iter().map(fault_json).collect();
                say(out, json!({ "ok": false, "faults": faults }));
            } else {
                complain(&faults);
            }
            Exit::No
        }
    }
}

/// What was tested, and what that covers.
struct Tested {
    tests: PolicyTests,
    coverage: Option<Coverage>,
}

fn tested(args: &TestArgs, clock: &Clock) -> Result<Tested, Faults> {
    let gateway = config::load(&args.config.config)?;
    let ruleset = load_ruleset(&gateway)?;
    let tests = PolicyTests::run(&gateway, &ruleset, clock.zone().clone())?;
    let coverage = (args.coverage || args.full).then(|| Coverage::of(&ruleset, &tests));
    Ok(Tested { tests, coverage })
}

impl Tested {
    fn exit(&self, args: &TestArgs) -> Exit {
        let full = !args.full || self.coverage.as_ref().is_some_and(Coverage::is_full);
        if full && self.tests.faults().is_empty() { Exit::Yes } else { Exit::No }
    }

    fn say(&self, args: &TestArgs, out: &mut dyn Write) -> Exit {
        let outcomes = &self.tests.outcomes;
        for outcome in outcomes {
            let word = if outcome.otherwise.is_none() { "as expected" } else { "OTHERWISE" };
            say(out, format_args!("{word}: {}", outcome.test.name));
        }
        let faults = self.tests.faults();
        if !faults.is_empty() {
            complain(&faults);
        }
        say(out, format_args!("{}, {} otherwise", counted(outcomes.len(), "policy test"), faults.0.len()));
        if let Some(coverage) = &self.coverage {
            say_coverage(coverage, out);
        }
        self.exit(args)
    }

    fn say_json(&self, args: &TestArgs, out: &mut dyn Write) -> Exit {
        let tests: Vec<Value> = self.tests.outcomes.iter().map(outcome_json).collect();
        let coverage = self.coverage.as_ref().map(|coverage| {
            let clauses: Vec<Value> = coverage.clauses.iter().map(clause_json).collect();
            json!({ "full": coverage.is_full(), "clauses": clauses })
        });
        let ok = self.exit(args) == Exit::Yes;
        say(out, json!({ "ok": ok, "tests": tests, "coverage": coverage }));
        self.exit(args)
    }
}

fn say_coverage(coverage: &Coverage, out: &mut dyn Write) {
    let mut agreements: Vec<Option<&AgreementRef>> = Vec::new();
    for clause in &coverage.clauses {
        if !agreements.contains(&clause.agreement.as_ref()) {
            agreements.push(clause.agreement.as_ref());
        }
    }
    for agreement in agreements {
        let of: Vec<&Clause> =
            coverage.clauses.iter().filter(|clause| clause.agreement.as_ref() == agreement).collect();
        let covered = of.iter().filter(|clause| clause.is_covered()).count();
        let name = agreement.map_or_else(|| "guardrails".to_owned(), ToString::to_string);
        say(out, format_args!("\n{name}: {covered} of {} covered", counted(of.len(), "clause")));
        for clause in of.into_iter().filter(|clause| !clause.is_covered()) {
            let Clause { file, line, key, says, .. } = clause;
            say(out, format_args!("  {file}:{line}: {key}: {says}: {}", lacks(clause)));
        }
    }
}

/// What no test has shown of a clause.
fn lacks(clause: &Clause) -> String {
    let met = match clause.key {
        "data.release" => "never left",
        "data.withhold" => "never there to be kept back",
        "guardrail" => "never forbade",
        _ => "never true",
    };
    let unmet = if clause.key == "guardrail" { "never let pass" } else { "never false" };
    let lacks = [(!clause.met).then_some(met), (clause.unmet == Some(false)).then_some(unmet)];
    lacks.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn clause_json(clause: &Clause) -> Value {
    json!({
        "agreement": clause.agreement.as_ref().map(ToString::to_string), "file": clause.file, "line": clause.line,
        "key": clause.key, "says": clause.says, "met": clause.met, "unmet": clause.unmet,
        "covered": clause.is_covered(),
    })
}

fn outcome_json(outcome: &Outcome) -> Value {
    let (test, judged) = (&outcome.test, &outcome.judged);
    let (ended, code) = match &judged.end {
        End::Answer(_) => ("answered", None),
        End::NoMatch => ("no_match", None),
        End::Refused(denied) => ("refused", Some(denied.code.as_str())),
    };
    json!({
        "file": test.file, "line": test.line, "name": test.name, "ended": ended, "code": code,
        "agreement": judged.agreement.as_ref().map(|agreement| agreement.reference.to_string()),
        "as_expected": outcome.otherwise.is_none(), "otherwise": outcome.otherwise,
    })
}
