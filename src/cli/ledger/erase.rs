//! `tolbooth ledger erase`: sealed parts past their term, or of one exchange by order.

use std::io::Write;

use clap::Args;
use serde_json::Value;

use super::{Asked, Told};
use crate::admin::EraseQuestion;
use crate::cli::{Exit, say};

type Fault = Box<dyn std::error::Error>;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["due", "exchange"]))]
pub struct EraseArgs {
    #[command(flatten)]
    asked: Asked,
    /// Why: it goes on the record, with who you are
    #[arg(long, visible_alias = "reason", value_name = "TEXT")]
    purpose: String,
    /// Everything that has been kept as long as was agreed
    #[arg(long)]
    due: bool,
    /// Only count what is due
    #[arg(long, requires = "due")]
    dry_run: bool,
    /// One exchange, by its id, whatever its term: by order of a court, a regulator or the controller
    #[arg(long, value_name = "ID")]
    exchange: Option<String>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &EraseArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    let question = EraseQuestion {
        purpose: args.purpose.clone(),
        due: args.due,
        dry_run: args.dry_run,
        exchange: args.exchange.clone(),
    };
    let told = Told::new();
    let mut done = None;
    args.asked.ask("/erase", &question, &mut |line| {
        done = told.line(line)?.get("done").cloned();
        Ok(())
    })?;
    let done = done.ok_or("the answer broke off: ask again, and what was begun is finished")?;
    if args.json {
        say(out, &done);
    } else if args.due {
        tell(&done, out);
    } else {
        tell_exchange(number(&done, "erased"), out);
    }
    let held = list(&done, "held").next().is_some();
    Ok(if held { Exit::No } else { Exit::Yes })
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn tell(done: &Value, out: &mut dyn Write) {
    let would = done.get("dry_run").and_then(Value::as_bool).unwrap_or(false);
    let finished = number(done, "finished");
    if finished > 0 {
        say(
            out,
            format_args!("{finished} sealed parts were left by a run that was cut off, and are erased now"),
        );
    }
    let mut any = false;
    for class in list(done, "due") {
        any = true;
        let done = if would { "are due: nothing was erased" } else { "are erased, on the record" };
        say(
            out,
            format_args!(
                "{} sealed parts are past their term of {} years and {done}",
                number(class, "count"),
                number(class, "years")
            ),
        );
    }
    if !any {
        say(out, "nothing is past its term; this look is on the record");
    }
    for held in list(done, "held") {
        say(
            out,
            format_args!(
                "{} records are kept whatever their age: their agreement's signed text cannot be read ({}). Put the \
                 file back into data/ledger/evidence from a backup",
                number(held, "count"),
                held.get("agreement_digest").and_then(Value::as_str).unwrap_or_default()
            ),
        );
    }
}

fn tell_exchange(erased: u64, out: &mut dyn Write) {
    say(
        out,
        match erased {
            0 => "it was erased already; this look is on the record".to_owned(),
            1 => "1 sealed part is erased, on the record; the envelope and its proof stay".to_owned(),
            _ => format!(
                "{erased} sealed parts are erased, on the record; the envelopes and their proofs stay"
            ),
        },
    );
}
