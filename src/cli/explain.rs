//! `tolbooth explain`: why a past exchange ended as it did.

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};

use super::ledger::{Asked, Refused, Told};
use super::plain::say_plain;
use super::{Exit, complain, say};
use crate::admin::ExplainQuestion;

type Fault = Box<dyn std::error::Error>;

#[derive(Debug, Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    asked: Asked,
    /// The exchange, by the id in its answer
    #[arg(long, value_name = "ID")]
    exchange: String,
    /// Why you look: it goes on the record, with who you are
    #[arg(long)]
    purpose: String,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

pub fn run(args: &ExplainArgs, out: &mut dyn Write) -> Exit {
    explain(args, out).unwrap_or_else(|fault| {
        complain(&fault);
        if fault.is::<Refused>() { Exit::No } else { Exit::Undecided }
    })
}

fn explain(args: &ExplainArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    let question = ExplainQuestion { purpose: args.purpose.clone(), exchange: args.exchange.clone() };
    let (told, mut explained, mut is_done) = (Told::new(), None, false);
    args.asked.ask("/explain", &question, &mut |line| {
        let line = told.line(line)?;
        explained = line.get("explained").cloned().or(explained.take());
        is_done |= line.get("done").is_some();
        Ok(())
    })?;
    told.clear();
    match explained {
        _ if !is_done => Err("the answer broke off".into()),
        None => {
            if args.json {
                say(out, json!({ "found": 0 }));
            } else {
                complain(&"no exchange of this id is on the record");
            }
            Ok(Exit::No)
        }
        Some(explained) if args.json => {
            say(out, explained);
            Ok(Exit::Yes)
        }
        Some(explained) => {
            show(&explained, out);
            Ok(Exit::Yes)
        }
    }
}

fn show(explained: &Value, out: &mut dyn Write) {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
    for (name, value) in explained.get("facts").and_then(Value::as_object).into_iter().flatten() {
        let name = name.replace('_', " ");
        say_plain(out, format_args!("{name:<17} {}", value.as_str().unwrap_or_default()));
    }
    say(out, "\nWhat decided, by the files in force then:");
    for found in list(explained, "decided") {
        let word = match text(found, "verdict").as_str() {
            "proven" => "held",
            "wrong" => "did not hold",
            _ => "not known",
        };
        say_plain(out, format_args!("  {word}: {}: {}", text(found, "what"), text(found, "says")));
    }
    if let Some(remedy) = explained.get("remedy").filter(|remedy| !remedy.is_null()) {
        show_remedy(remedy, out);
    }
    for clause in list(explained, "clauses") {
        let number = |key| clause.get(key).and_then(Value::as_u64).unwrap_or(0);
        let (file, from, to) = (text(clause, "file"), number("from"), number("to"));
        say(out, format_args!("\n{file}, lines {from} to {to}:\n"));
        text(clause, "text").lines().for_each(|line| say(out, format_args!("    {line}")));
    }
    say(out, "\nthis look is on the record");
}

/// What it stands on, what would have to change, and who can change it.
pub(super) fn show_remedy(remedy: &Value, out: &mut dyn Write) {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
    say(out, "");
    for clause in list(remedy, "stands_on") {
        let line = clause.get("line").and_then(Value::as_u64).unwrap_or(0);
        let (file, key, says) = (text(clause, "file"), text(clause, "key"), text(clause, "says"));
        say(out, format_args!("It stands on {file}:{line}: {key}: {says}"));
    }
    say(out, format_args!("It would be answered if {}.", text(remedy, "change")));
    say(out, format_args!("Who can change that: {}.", text(remedy, "fixer")));
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}
