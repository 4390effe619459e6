//! `tolbooth ledger backup`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{Asked, Told};
use crate::admin::BackupQuestion;
use crate::cli::{Exit, say};

type Fault = Box<dyn std::error::Error>;

#[derive(Debug, Args)]
pub struct BackupArgs {
    #[command(flatten)]
    asked: Asked,
    /// Why: it goes on the record, with who you are
    #[arg(long)]
    purpose: String,
    /// The folder to make it in, or the one of an older backup of the same log: then only what is new is
    /// copied. It must be one the gateway may write to, and on another disk to be of use
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &BackupArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    let folder = std::path::absolute(&args.out)?;
    let question = BackupQuestion { purpose: args.purpose.clone(), out: folder.clone() };
    let mut done = None;
    let told = Told::new();
    args.asked.ask("/backup", &question, &mut |line| {
        let line = told.line(line)?;
        done = line.get("done").cloned().or_else(|| done.take());
        Ok(())
    })?;
    told.clear();
    let done = done.ok_or("the answer broke off: look with `tolbooth ledger verify` what is there")?;
    if args.json {
        let mut done = done;
        if let Some(object) = done.as_object_mut() {
            object.insert("folder".to_owned(), json!(folder));
        }
        say(out, done);
    } else {
        show(&done, &folder, out);
    }
    Ok(Exit::Yes)
}

fn show(done: &Value, folder: &std::path::Path, out: &mut dyn Write) {
    let number = |key| done.get(key).and_then(Value::as_u64).unwrap_or(0);
    let kind = if done.get("incremental").is_some_and(|is| is == true) { "brought up to now" } else { "new" };
    say(out, format_args!("{} records in {} ({kind})", number("records"), folder.display()));
    say(out, format_args!("{} files were copied, {} bytes", number("new_files"), number("new_bytes")));
    match number("wrapped_subject_keys") {
        0 => say(
            out,
            "warning: no subject key is in it, since none is wrapped to a recovery key: without those kept elsewhere nobody will be found by identifier",
        ),
        count => say(out, format_args!("{count} subject keys are in it, wrapped to the recovery keys")),
    }
    for name in done.get("rotten_evidence").and_then(Value::as_array).into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        say(out, format_args!("warning: evidence/{name} is not the bytes of its name, and was left out"));
    }
    say(out, "not in it: keys, configuration, policies and certificates (docs/runbook.md says what to keep)");
    say(out, format_args!("verified; again: tolbooth ledger verify {}", folder.display()));
}
