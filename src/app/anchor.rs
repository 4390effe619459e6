//! The anchor: a file outside the data folder that holds the newest checkpoint, so that an older copy of the data
//! folder, put back by mistake or on purpose, is not taken for the present one. Written every few seconds and at
//! the end; compared before anything is written at a start.
//!
//! It binds whoever can write the data folder and not the anchor. Whoever can write both is bound by what partners
//! hold, and by nothing here.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::config::Gateway;
use crate::ledger::previous::Previous;
use crate::ledger::{Alarm, LedgerError, Record, journal_directory};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::{Note, VerifierKey};
use crate::model::Fault;
use crate::observe::{Condition, Light};
use crate::stop::Stop;

use super::keys::{is_begun, write_durably};
use super::{App, watch};

/// What a crash leaves out of the anchor is at most so much; often enough to matter, seldom enough for any disk.
const WRITE_EVERY: Duration = Duration::from_secs(5);

/// A note of a checkpoint is a few hundred bytes; what is longer is something else.
const ANCHOR_BYTES_MAX: usize = 16 * 1024;

/// What the anchor said at a start.
pub(super) struct Anchor {
    path: PathBuf,
    /// The note as it lies there, and the checkpoint in it, not believed yet. `None` where there is no file.
    found: Option<(String, Checkpoint)>,
}

impl Anchor {
    /// Reads the anchor, if one is configured. One that cannot be read stops a start: it may say that this is an
    /// older copy.
    pub(super) fn read(gateway: &Gateway) -> Result<Option<Self>, Fault> {
        let Some(path) = gateway.outside.anchor.clone() else { return Ok(None) };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            let help = "mount or make the folder it lies in, or name another in [ledger] of tolbooth.toml";
            return Err(fault(&path, "the folder of the anchor is not there").with_help(help));
        }
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Some(Self { path, found: None }));
            }
            Err(error) => return Err(fault(&path, format!("the anchor cannot be read: {error}"))),
        };
        let read = Note::parse(&text).ok().filter(|_| text.len() <= ANCHOR_BYTES_MAX);
        let Some(checkpoint) = read.and_then(|note| Checkpoint::parse(note.text()).ok()) else {
            return Err(fault(&path, "the anchor is not a checkpoint").with_help(
                "if this is another file, name the anchor elsewhere; if it is damaged, verify the log against what partners hold, then take it away",
            ));
        };
        Ok(Some(Self { path, found: Some((text, checkpoint)) }))
    }

    /// Before any key is touched: a data folder without a log is not the one this anchor was kept for, unless a
    /// restore left word of it.
    pub(super) fn expects(&self, ledger: &Path) -> Result<(), Fault> {
        let Some((_, checkpoint)) = &self.found else { return Ok(()) };
        let begun = is_begun(&journal_directory(ledger))
            .map_err(|error| fault(ledger, format!("listing the journal: {error}")))?;
        if begun || self.previous(ledger)?.is_some() {
            return Ok(());
        }
        let Checkpoint { origin, size, .. } = checkpoint;
        let message =
            format!("the anchor is of the log {origin} with {size} records, and there is no journal");
        Err(fault(&self.path, message).with_help(self.how_to_restore()))
    }

    /// What the journal of this key is to be held against.
    pub(super) fn held(&self, key: &VerifierKey, ledger: &Path) -> Result<Option<Checkpoint>, Fault> {
        let Some((note, checkpoint)) = &self.found else { return Ok(None) };
        if checkpoint.origin == key.name() {
            return self.believed(note, key).map(Some);
        }
        let Some(previous) = self.previous(ledger)?.filter(|previous| previous.log == checkpoint.origin)
        else {
            let message =
                format!("the anchor is of the log {}, and the journal of {}", checkpoint.origin, key.name());
            return Err(fault(&self.path, message).with_help(self.how_to_restore()));
        };
        let unknown = || fault(&self.path, format!("the key of the log {} is not one", previous.log));
        let old = VerifierKey::parse(&previous.key).map_err(|_| unknown())?;
        let anchored = self.believed(note, &old)?;
        if previous.size() < anchored.size {
            let message = format!(
                "the anchor holds proof of {} records of {}, and the restore was told of {}",
                anchored.size,
                previous.log,
                previous.size()
            );
            return Err(fault(&self.path, message).with_help(self.how_to_restore()));
        }
        Ok(None)
    }

    fn believed(&self, note: &str, key: &VerifierKey) -> Result<Checkpoint, Fault> {
        Checkpoint::open(note, key).map_err(|error| fault(&self.path, format!("the anchor: {error}")))
    }

    /// What the log that is there, or is to begin, says of the one before it.
    fn previous(&self, ledger: &Path) -> Result<Option<Previous>, Fault> {
        Previous::of_ledger(ledger).map_err(|error| fault(ledger, error.to_string()))
    }

    /// Why a journal that does not fit the anchor does not open, with what to do.
    pub(super) fn explain(&self, error: LedgerError) -> Result<Fault, LedgerError> {
        match error {
            LedgerError::Behind { .. } | LedgerError::Forked { .. } => {
                Ok(fault(&self.path, error.to_string()).with_help(self.how_to_restore()))
            }
            other => Err(other),
        }
    }

    fn how_to_restore(&self) -> String {
        format!(
            "put the newest data folder back; if there is none, move the ledger away and begin a new log from a \
             backup: tolbooth ledger restore --from BACKUP --into DATA --known {}",
            self.path.display()
        )
    }
}

fn fault(path: &Path, message: impl Into<String>) -> Fault {
    Fault::new(path.display().to_string(), None, message)
}

/// Puts an anchor that was not there on the record, and writes the first of this run.
pub(super) fn begin(app: &App, anchor: &Anchor) {
    if anchor.found.is_none() && app.opened.records > 0 {
        let path = anchor.path.display();
        tracing::warn!(%path, "there was no anchor to compare with: a new one is written");
        raise(app, "anchor_missing", format!("there was none at {path}"));
    }
    write(app, &anchor.path, &mut Kept::default());
}

/// What was written last, and whether that went well.
#[derive(Default)]
struct Kept {
    note: String,
    failed: bool,
}

/// Keeps the anchor up to date until told to stop; the last is [`write_last`].
pub(super) async fn watch(app: Arc<App>, mut stop: Stop) {
    let Some(path) = app.gateway.outside.anchor.clone() else { return };
    let mut kept = Kept::default();
    let mut tick = tokio::time::interval(WRITE_EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.asked() => return,
        }
        let (beside, path) = (Arc::clone(&app), path.clone());
        let written = tokio::task::spawn_blocking(move || {
            write(&beside, &path, &mut kept);
            kept
        });
        // A panic there is logged, and the next write comes in its time.
        kept = written.await.unwrap_or_default();
    }
}

/// The last checkpoint of all: what was recorded at the end is in it.
pub(super) fn write_last(app: &App) {
    if let Some(path) = &app.gateway.outside.anchor {
        write(app, path, &mut Kept::default());
    }
}

fn write(app: &App, path: &Path, kept: &mut Kept) {
    let note = app.ledger.checkpoint();
    if note == kept.note {
        return;
    }
    match write_durably(path, note.as_bytes(), 0o644) {
        Ok(()) => {
            app.health.set(Condition::Anchor, Light::Green);
            *kept = Kept { note, failed: false };
        }
        Err(error) => {
            let why = format!("{}: {error}", path.display());
            app.health.set(Condition::Anchor, Light::Amber(format!("the anchor cannot be written: {why}")));
            if !kept.failed {
                tracing::error!(why, "the anchor cannot be written");
                raise(app, "anchor_failed", why);
            }
            kept.failed = true;
        }
    }
}

fn raise(app: &App, cause: &'static str, detail: String) {
    app.metrics.alarm(cause, "");
    watch::record(
        app,
        Record::Alarm(Alarm { cause, dataset: None, detail: Some(detail), dropped: Vec::new() }),
    );
}
