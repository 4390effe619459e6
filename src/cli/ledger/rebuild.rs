//! `tolbooth ledger rebuild`.

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};

use super::{Asked, Told};
use crate::cli::{Exit, say};

type Fault = Box<dyn std::error::Error>;

#[derive(Debug, Args)]
pub struct RebuildArgs {
    #[command(flatten)]
    asked: Asked,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &RebuildArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    let told = Told::new();
    let mut done = None;
    args.asked.ask("/rebuild", &json!({}), &mut |line| {
        let line = told.line(line)?;
        done = line.get("done").cloned().or(done.take());
        Ok(())
    })?;
    told.clear();
    let done: Value = done.ok_or("the answer broke off; the gateway folds the rest by itself")?;
    if args.json {
        say(out, json!({ "rebuilt": done }));
    } else {
        let number = |key| done.get(key).and_then(Value::as_u64).unwrap_or(0);
        let (records, segments) = (number("records"), number("segments"));
        say(out, format_args!("{records} records of {segments} full segments were folded anew"));
        say(out, "what the last segment holds is kept in memory while somebody searches");
    }
    Ok(Exit::Yes)
}
