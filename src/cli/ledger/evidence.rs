//! `tolbooth ledger evidence`.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::{Value, json};

use super::{Asked, Told};
use crate::admin::EvidenceQuestion;
use crate::cli::{Exit, complain, say};

type Fault = Box<dyn std::error::Error>;

#[derive(Debug, Args)]
pub struct EvidenceArgs {
    #[command(flatten)]
    asked: Asked,
    /// The exchange, by the id in its answer
    #[arg(long, value_name = "ID")]
    exchange: String,
    /// Why: it goes on the record, with who you are
    #[arg(long)]
    purpose: String,
    /// The file to write, such as case-17.pack; it must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// With the sealed part (true outcome, user, reason, subject references) and the caller's certificates:
    /// for those entitled to see them
    #[arg(long)]
    sealed: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &EvidenceArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&args.out);
    let file = file.map_err(|error| format!("{}: {error}", args.out.display()))?;
    let done = fetch(args, file);
    if !matches!(&done, Ok(done) if done.get("found") == Some(&json!(1))) {
        std::fs::remove_file(&args.out)?;
    }
    let done = done?;
    if done.get("found") != Some(&json!(1)) {
        if args.json {
            say(out, json!({ "found": 0 }));
        } else {
            complain(&"no exchange of this id is on the record");
        }
        return Ok(Exit::No);
    }
    tell(args, &done, out);
    Ok(Exit::Yes)
}

/// Writes the pack as it comes. Gives what the gateway said at its end.
fn fetch(args: &EvidenceArgs, file: File) -> Result<Value, Fault> {
    let question = EvidenceQuestion {
        purpose: args.purpose.clone(),
        exchange: args.exchange.clone(),
        sealed: args.sealed,
    };
    let (mut writer, told, mut done) = (BufWriter::new(file), Told::new(), None);
    args.asked.ask("/evidence", &question, &mut |line| {
        let line = told.line(line)?;
        if let Some(bytes) = line.get("bytes").and_then(Value::as_str) {
            writer.write_all(&STANDARD.decode(bytes)?)?;
        }
        done = line.get("done").cloned().or(done.take());
        Ok(())
    })?;
    told.clear();
    let file = writer.into_inner()?;
    file.sync_all()?;
    done.ok_or_else(|| "the pack broke off".into())
}

fn tell(args: &EvidenceArgs, done: &Value, out: &mut dyn Write) {
    let missing = done.get("missing").and_then(Value::as_array).map_or(0, Vec::len);
    if args.json {
        say(out, json!({ "file": args.out, "pack": done }));
        return;
    }
    let files = done.get("files").and_then(Value::as_u64).unwrap_or(0);
    say(
        out,
        format_args!("the record, its proofs and {files} files of evidence are in {}", shown(&args.out)),
    );
    if missing > 0 {
        say(
            out,
            format_args!("{missing} files that the records name are gone from evidence/, or changed there"),
        );
    }
    say(out, "this look is on the record; anybody can check the pack, without a network:");
    say(out, format_args!("    tolbooth ledger verify {} --key LOG.vkey", shown(&args.out)));
    let log = done.get("log").and_then(Value::as_str).unwrap_or_default();
    say(out, format_args!("LOG.vkey is the public key of {log}"));
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
