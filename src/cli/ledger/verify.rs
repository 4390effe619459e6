//! `tolbooth ledger verify`: offline, over files alone.

use std::io::{BufReader, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::pack;
use crate::cli::{Exit, complain, say};
use crate::journal::{AFTER_DAMAGE, JournalFault};
use crate::ledger::search::Progress;
use crate::ledger::verify::{
    Place, Report, Stretch, VerifyFault, extent, held, is_held, verify_export, verify_ledger, verify_receipt,
};
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
    // Before anything is wanted beside it.
    if let Some(path) = args.path.iter().chain(&args.against).find(|path| !path.exists()) {
        return Err(format!("{}: there is no such file or folder", path.display()).into());
    }
    if let Some(path) = args.path.as_ref().filter(|path| path.is_file() && pack::is_one(path)) {
        let key = args.key.as_ref().map(|_| key(args)).transpose()?;
        return pack::verify(path, key.as_ref(), args.json, out);
    }
    let key = key(args)?;
    let mut kept = Vec::new();
    for file in &args.against {
        let text = read_text(file)?;
        if !is_held(&text) {
            return Err(format!(
                "{}: neither a checkpoint nor a receipt: is it another file?",
                file.display()
            )
            .into());
        }
        kept.push(text);
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
            let extent = args.path.as_ref().map_or_else(Vec::new, |path| damage(path, &key, &fault));
            if args.json {
                let extent: Vec<String> = extent.iter().map(ToString::to_string).collect();
                say(out, json!({ "verified": false, "fault": fault.to_string(), "extent": extent }));
            } else {
                complain(&format!("NOT VERIFIED: {fault}"));
                extent.iter().for_each(|stretch| complain(&format!("    {stretch}")));
                if !extent.is_empty() {
                    complain(&format!("    {AFTER_DAMAGE}"));
                }
            }
            Ok(Exit::No)
        }
    }
}

/// How far the damage of a journal goes, where that is what was found.
fn damage(path: &Path, key: &VerifierKey, fault: &Fault) -> Vec<Stretch> {
    let is_damage = matches!(
        fault.downcast_ref::<VerifyFault>(),
        Some(
            VerifyFault::Journal(JournalFault::Damaged { .. } | JournalFault::Missing { .. })
                | VerifyFault::Record { place: Place::Journal { .. }, .. }
        )
    );
    if !is_damage {
        return Vec::new();
    }
    let journal = path.join("journal");
    let journal = if journal.is_dir() { &journal } else { path };
    // What cannot even be listed was told already.
    extent(journal, key).unwrap_or_default()
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
#[derive(Default)]
pub(in crate::cli) struct Verified {
    pub(in crate::cli) about: String,
    pub(in crate::cli) records: u64,
    pub(in crate::cli) proven: Vec<String>,
    pub(in crate::cli) not_proven: Vec<String>,
    checkpoint: Option<String>,
    envelope: Option<String>,
    /// The logs before it, of which backups were restored.
    earlier: Vec<String>,
}

impl VerifyWhat<'_> {
    /// Verifies under the log's key, held against what others kept.
    pub(in crate::cli) fn verify(&self, key: &VerifierKey, kept: &[&str]) -> Result<Verified, Fault> {
        let mut progress = Counter::new();
        if let Self::Log(path) = self
            && path.is_dir()
        {
            return verify_ledger(path, key, kept, &mut |told| progress.tell(told))
                .map(with_earlier)
                .map_err(Fault::from);
        }
        let mut against = Vec::new();
        for text in kept {
            against.push(held(text, key)?);
        }
        let report = match self {
            Self::Receipt { text, body } => {
                let report = verify_receipt(text, key, *body, &against)?;
                let about = format!("record {} of a log of {}", report.index, report.size);
                let (proven, not_proven) = (report.proven, report.not_proven);
                let envelope = Some(report.envelope);
                return Ok(Verified {
                    about,
                    records: 1,
                    proven,
                    not_proven,
                    checkpoint: None,
                    envelope,
                    earlier: Vec::new(),
                });
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

/// A log, and what its first record says of the one before it, which follows.
fn with_earlier(reports: Vec<Report>) -> Verified {
    let mut reports = reports.into_iter().map(whole);
    let mut all = reports.next().unwrap_or_default();
    for earlier in reports {
        let of = |lines: Vec<String>| lines.into_iter().map(|line| format!("of the earlier log: {line}"));
        all.earlier.push(earlier.about);
        all.proven.extend(of(earlier.proven));
        all.not_proven.extend(of(earlier.not_proven));
    }
    all
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
        earlier: Vec::new(),
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
                    "earlier": self.earlier,
                }),
            );
            return;
        }
        say(out, format_args!("VERIFIED: {}", self.about));
        self.earlier.iter().for_each(|log| say(out, format_args!("  after the earlier log {log}")));
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
pub(super) struct Counter {
    shows: bool,
}

impl Counter {
    pub(super) fn new() -> Self {
        Self { shows: std::io::stderr().is_terminal() }
    }

    pub(super) fn tell(&mut self, told: Progress) {
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
        Some(given) => read_key(given),
        None => match &args.path {
            Some(path) if path.is_dir() => journal_key(path),
            _ => Err("--key is wanted: the log's public key, which the provider hands out as data/keys/ledger.vkey".into()),
        },
    }
}

/// A key as it is given: a file, or the key itself.
pub(super) fn read_key(given: &str) -> Result<VerifierKey, Fault> {
    if Path::new(given).is_file() {
        return Ok(VerifierKey::parse(&read_text(Path::new(given))?)?);
    }
    VerifierKey::parse(given)
        .map_err(|fault| format!("--key {given}: neither a file that is there nor a key: {fault}").into())
}

/// The key beside a ledger's folder, or in a backup's. Trusting it is trusting whoever keeps the folder: an auditor
/// brings their own.
pub(in crate::cli) fn journal_key(ledger: &Path) -> Result<VerifierKey, Fault> {
    let within = ledger.join("ledger.vkey");
    if within.is_file() {
        return Ok(VerifierKey::parse(&read_text(&within)?)?);
    }
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

pub(super) fn read_text(path: &Path) -> Result<String, Fault> {
    Ok(std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    Ok(std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?)
}
