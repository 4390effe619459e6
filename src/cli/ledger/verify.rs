//! `tolbooth ledger verify`: offline, over files alone.

use std::io::{BufReader, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::pack;
use crate::cli::{Exit, complain, say};
use crate::journal::JournalFault;
use crate::ledger::search::Progress;
use crate::ledger::verify::{Report, VerifyFault, held, verify_export, verify_journal, verify_receipt};
use crate::merkle::note::VerifierKey;

type Fault = Box<dyn std::error::Error>;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["path", "receipt"]))]
pub struct VerifyArgs {
    /// A ledger's folder (data/ledger), or a file that `export` or `evidence` wrote
    path: Option<PathBuf>,
    /// A receipt: the header's value, or the answer's head as `curl -D FILE` wrote it
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// The body that came with the receipt: is it the one that was recorded?
    #[arg(long, value_name = "FILE", requires = "receipt")]
    body: Option<PathBuf>,
    /// The log's public key: a file, or the key itself [default: ../keys/ledger.vkey beside a folder]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Hold the log against what you kept: a checkpoint or a receipt from before or after
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// What is verified.
pub(in crate::cli) enum VerifyWhat<'a> {
    Log(&'a Path),
    Receipt { text: &'a str, body: Option<&'a [u8]> },
}

pub(super) fn run(args: &VerifyArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    if let Some(path) = args.path.as_ref().filter(|path| path.is_file() && pack::is_one(path)) {
        let key = args.key.as_ref().map(|_| key(args)).transpose()?;
        return pack::verify(path, key.as_ref(), args.json, out);
    }
    let key = key(args)?;
    let mut kept = Vec::new();
    for file in &args.against {
        kept.push(read_text(file)?);
    }
    let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
    let verified = match (&args.path, &args.receipt) {
        (_, Some(receipt)) => {
            let text = read_text(receipt)?;
            let body = args.body.as_ref().map(|body| read_bytes(body)).transpose()?;
            VerifyWhat::Receipt { text: &text, body: body.as_deref() }.verify(&key, &kept)
        }
        (Some(path), None) => VerifyWhat::Log(path).verify(&key, &kept),
        (None, None) => return Err("a folder, an export or --receipt is wanted".into()),
    };
    match verified {
        Ok(verified) => {
            verified.show(args.json, out);
            Ok(Exit::Yes)
        }
        Err(fault) if !is_verdict(&fault) => Err(fault),
        Err(fault) => {
            if args.json {
                say(out, json!({ "verified": false, "fault": fault.to_string() }));
            } else {
                complain(&format!("NOT VERIFIED: {fault}"));
            }
            Ok(Exit::No)
        }
    }
}

/// Whether it was found that something does not verify, and not only that it could not be read.
fn is_verdict(fault: &Fault) -> bool {
    match fault.downcast_ref::<VerifyFault>() {
        // Bytes that are not text are no export.
        Some(VerifyFault::File(error)) => error.kind() == std::io::ErrorKind::InvalidData,
        Some(VerifyFault::Journal(JournalFault::Io { .. }) | VerifyFault::HeadMissing) | None => false,
        Some(_) => true,
    }
}

/// What verification found.
pub(in crate::cli) struct Verified {
    pub(in crate::cli) about: String,
    pub(in crate::cli) records: u64,
    pub(in crate::cli) proven: Vec<String>,
    pub(in crate::cli) not_proven: Vec<String>,
    checkpoint: Option<String>,
    envelope: Option<String>,
}

impl VerifyWhat<'_> {
    /// Verifies under the log's key, held against what others kept.
    pub(in crate::cli) fn verify(&self, key: &VerifierKey, kept: &[&str]) -> Result<Verified, Fault> {
        let mut against = Vec::new();
        for text in kept {
            against.push(held(text, key)?);
        }
        let mut progress = Counter::new();
        let report = match self {
            Self::Receipt { text, body } => {
                let report = verify_receipt(text, key, *body, &against)?;
                let about = format!("record {} of a log of {}", report.index, report.size);
                let (proven, not_proven) = (report.proven, report.not_proven);
                let envelope = Some(report.envelope);
                return Ok(Verified { about, records: 1, proven, not_proven, checkpoint: None, envelope });
            }
            Self::Log(path) if path.is_dir() => {
                // The folder as configured, or the journal within.
                let journal = path.join("journal");
                let journal = if journal.is_dir() { &journal } else { *path };
                verify_journal(journal, key, &against, &mut |told| progress.tell(told))?
            }
            Self::Log(path) => {
                let file =
                    std::fs::File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
                verify_export(&mut BufReader::new(file), key, &against, &mut |told| progress.tell(told))?
            }
        };
        Ok(whole(report))
    }
}

fn whole(report: Report) -> Verified {
    let mut about =
        format!("{}: {} records under {} checkpoints", report.log, report.records, report.checkpoints);
    if report.erased > 0 {
        about.push_str(&format!(", {} sealed parts erased", report.erased));
    }
    if report.unfinished {
        about.push_str("; an unacknowledged batch follows, which a start will drop");
    }
    let (proven, not_proven) = (report.proven, report.not_proven);
    Verified {
        about,
        records: report.records,
        proven,
        not_proven,
        checkpoint: Some(report.checkpoint),
        envelope: None,
    }
}

impl Verified {
    fn show(&self, as_json: bool, out: &mut dyn Write) {
        if as_json {
            say(
                out,
                json!({
                    "verified": true, "about": self.about, "records": self.records, "proven": self.proven,
                    "not_proven": self.not_proven, "checkpoint": self.checkpoint, "envelope": self.envelope,
                }),
            );
            return;
        }
        say(out, format_args!("VERIFIED: {}", self.about));
        self.proven.iter().for_each(|line| say(out, format_args!("  proven: {line}")));
        self.not_proven.iter().for_each(|line| say(out, format_args!("  not proven: {line}")));
        if let Some(envelope) = &self.envelope {
            say(out, format_args!("  the record: {envelope}"));
        }
        if let Some(checkpoint) = &self.checkpoint {
            say(
                out,
                format_args!(
                    "\nKeep this checkpoint, and hold the log against it next time (--against):\n\n{checkpoint}"
                ),
            );
        }
    }
}

/// Progress for a person who waits.
struct Counter {
    shows: bool,
}

impl Counter {
    fn new() -> Self {
        Self { shows: std::io::stderr().is_terminal() }
    }

    fn tell(&mut self, told: Progress) {
        if self.shows {
            let end = if told.segments == told.segments_all { "\r\x1b[K" } else { "" };
            let line = format!(
                "\r{} records, segment {} of {}\x1b[K{end}",
                told.records, told.segments, told.segments_all
            );
            let _shown = write!(std::io::stderr(), "{line}");
        }
    }
}

fn key(args: &VerifyArgs) -> Result<VerifierKey, Fault> {
    match &args.key {
        Some(given) => {
            let text = if Path::new(given).is_file() { read_text(Path::new(given))? } else { given.clone() };
            Ok(VerifierKey::parse(&text)?)
        }
        None => match &args.path {
            Some(path) if path.is_dir() => journal_key(path),
            _ => Err("--key is wanted: the log's public key, which the provider hands out as data/keys/ledger.vkey".into()),
        },
    }
}

/// The key beside a ledger's folder. Trusting it is trusting whoever keeps the folder: an auditor
/// brings their own.
pub(in crate::cli) fn journal_key(ledger: &Path) -> Result<VerifierKey, Fault> {
    let beside = match ledger.parent() {
        Some(data) if !data.as_os_str().is_empty() => data.join("keys/ledger.vkey"),
        _ => ledger.join("../keys/ledger.vkey"),
    };
    let text = read_text(&beside).map_err(|error| {
        format!(
            "{error}\n    give the ledger's folder, such as data/ledger, or the log's public key with --key"
        )
    })?;
    Ok(VerifierKey::parse(&text)?)
}

fn read_text(path: &Path) -> Result<String, Fault> {
    Ok(std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    Ok(std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?)
}
