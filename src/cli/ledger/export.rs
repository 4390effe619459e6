//! `tolbooth ledger export`.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::Asked;
use crate::admin::ExportQuestion;
use crate::cli::{Exit, say};

type Fault = Box<dyn std::error::Error>;

#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    asked: Asked,
    /// Why: it goes on the record, with who you are
    #[arg(long)]
    purpose: String,
    /// The file to write; it must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// With sealed parts: for your own organisation's eyes
    #[arg(long, conflicts_with = "party")]
    sealed: bool,
    /// A partner's copy: the envelopes it is party to, and hashes of all else
    #[arg(long, value_name = "MEMBER")]
    party: Option<String>,
    /// An earlier log, of which a backup was restored, by its name
    #[arg(long, value_name = "LOG")]
    log: Option<String>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ExportArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    let question = ExportQuestion {
        purpose: args.purpose.clone(),
        sealed: args.sealed,
        party: args.party.clone(),
        log: args.log.clone(),
    };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&args.out);
    let file = file.map_err(|error| format!("{}: {error}", args.out.display()))?;
    let mut writer = BufWriter::new(file);
    let mut lines: u64 = 0;
    let mut last_is_checkpoint = false;
    let written = args.asked.ask("/export", &question, &mut |line| {
        if line.starts_with(b"{\"refused\":") {
            let told: serde_json::Value = serde_json::from_slice(line)?;
            let why = told.get("refused").and_then(serde_json::Value::as_str).unwrap_or_default();
            return Err(why.into());
        }
        lines += 1;
        last_is_checkpoint = line.starts_with(b"{\"checkpoint\":");
        writer.write_all(line)?;
        writer.write_all(b"\n")?;
        Ok(())
    });
    let whole = written.and_then(|()| writer.flush().map_err(Fault::from));
    if let Err(fault) = whole {
        std::fs::remove_file(&args.out)?;
        return Err(fault);
    }
    if !last_is_checkpoint {
        std::fs::remove_file(&args.out)?;
        return Err("the export broke off".into());
    }
    let records = lines.saturating_sub(2);
    if args.json {
        say(out, json!({ "file": args.out, "records": records }));
    } else {
        say(
            out,
            format_args!(
                "{records} records in {}: tolbooth ledger verify {0} --key LOG.vkey",
                args.out.display()
            ),
        );
    }
    Ok(Exit::Yes)
}
