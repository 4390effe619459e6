//! `tolbooth ledger restore`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::Refused;
use super::verify::{Counter, read_key, read_text};
use crate::cli::{Exit, say};
use crate::ledger::restore::{Restore, RestoreFault, restore};

type Fault = Box<dyn std::error::Error>;

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup's folder
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The data folder of a gateway that does not run (`data` in tolbooth.toml), without a log in it
    #[arg(long, value_name = "DATA")]
    into: PathBuf,
    /// What others hold of the old log: a checkpoint or a receipt from a partner, the anchor, a published
    /// checkpoint. The largest goes on the record, so that what was lost is admitted
    #[arg(long, value_name = "FILE")]
    known: Vec<PathBuf>,
    /// The old log's public key, as you had it before [default: the backup's own]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &RestoreArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    let key = args.key.as_deref().map(read_key).transpose()?;
    let mut known = Vec::new();
    for file in &args.known {
        known.push(read_text(file)?);
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let ledger = args.into.join("ledger");
    let mut progress = Counter::new();
    let restored = restore(&args.from, &ledger, key.as_ref(), &known, &mut |told| progress.tell(told));
    let restored = match restored {
        Ok(restored) => restored,
        Err(RestoreFault::Io { path, error }) => return Err(format!("{}: {error}", path.display()).into()),
        Err(fault) => return Err(Refused::because(fault.to_string()).into()),
    };
    if args.json {
        say(
            out,
            json!({
                "log": restored.log, "records": restored.records, "known": restored.known,
                "folder": restored.folder, "open_intents": restored.open_intents,
                "wrapped_subject_keys": restored.wrapped_keys,
            }),
        );
    } else {
        show(&restored, out);
    }
    Ok(Exit::Yes)
}

fn show(restored: &Restore, out: &mut dyn Write) {
    let Restore { log, records, known, folder, open_intents, wrapped_keys } = restored;
    say(out, format_args!("{records} records of {log} lie in {}, to be read", folder.display()));
    match known {
        Some(known) => say(
            out,
            format_args!(
                "others hold proof of {known} records: {} are lost, and the new log says so",
                known - records
            ),
        ),
        None => say(
            out,
            "nothing was given by which others know of more: ask partners for their newest receipts (--known)",
        ),
    }
    if *open_intents > 0 {
        say(
            out,
            format_args!("{open_intents} changes were under way: ask the system behind what came of them"),
        );
    }
    if *wrapped_keys > 0 {
        say(
            out,
            format_args!(
                "{wrapped_keys} subject keys are wrapped: recover them before the start (tolbooth ledger recover-subject-keys)"
            ),
        );
    }
    say(out, "the next start begins a new log, whose first record names this one: tolbooth serve");
}
