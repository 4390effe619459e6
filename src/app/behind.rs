//! What a start leaves for later, so that the gateway answers at once after years: reading the older
//! segments of the journal, on a thread of its own. And what it does not: closing intents.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::desk::Published;
use crate::ledger::{Ledger, LedgerError, OpenIntent};
use crate::observe::{Condition, Health, Light};
use crate::stop::Stop;

use super::App;

/// How often is asked whether the present log was read.
const READ_FIRST_WAIT: Duration = Duration::from_millis(200);

/// Closes intents that a crash left open, each on the record: nobody knows whether the change was made.
pub(super) fn close_intents(ledger: &Ledger, intents: &[OpenIntent]) -> Result<(), LedgerError> {
    for intent in intents {
        let Some(closing) = intent.closing() else {
            tracing::error!(index = intent.index, "an open intent cannot be read, and stays open");
            continue;
        };
        ledger.append_blocking(closing).map_err(LedgerError::Unrecorded)?;
        // If we crash here the rest is closed by the next start; this one has its exchange now.
        tracing::warn!(
            index = intent.index,
            "whether a change was made is not known: its intent was closed as outcome_unknown"
        );
    }
    Ok(())
}

/// Reads the segments the start did not, if there are any. Damage there ends recording: from then on
/// nothing leaves until somebody has looked.
pub(super) fn read_the_rest(app: &App, stop: &Stop) -> io::Result<()> {
    if app.opened.unread_segments == 0 {
        destroy_the_rest(&app.ledger);
        tell_missing_keys(&app.ledger);
        return Ok(());
    }
    let rest =
        Rest { ledger: app.ledger.clone(), health: Arc::clone(&app.health), before: app.opened.records };
    let stop = stop.clone();
    // A stop waits for the thread: it holds the ledger.
    std::thread::Builder::new().name("journal".to_owned()).spawn(move || rest.read(stop)).map(drop)
}

/// Reads the logs before this one, if there are any, so that what is in them can be proved to whoever asks.
pub(super) fn read_earlier(app: &App, published: Arc<Published>, stop: &Stop) -> io::Result<()> {
    if !app.ledger.has_earlier().unwrap_or(true) {
        return Ok(());
    }
    let stop = stop.clone();
    let ledger = app.ledger.clone();
    let read = move || {
        let mut proceed = || !stop.is_asked();
        let read = loop {
            match ledger.read_earlier(&mut proceed) {
                // The present log is being read, by another thread.
                Ok(false) if proceed() => std::thread::sleep(READ_FIRST_WAIT),
                read => break read,
            }
        };
        match read.and_then(|_| published.read_earlier(&mut proceed)) {
            Ok(()) => {
                destroy_the_rest(&ledger);
                tell_missing_keys(&ledger);
            }
            Err(fault) => tracing::error!(%fault, "an earlier log cannot be read: looks say so"),
        }
        // The ledger is given back before the stop is let go.
        drop((published, ledger));
        drop(stop);
    };
    std::thread::Builder::new().name("earlier".to_owned()).spawn(read).map(drop)
}

/// A key that a record calls destroyed and that is there was left by a crash, or put back.
fn destroy_the_rest(ledger: &Ledger) {
    if let Err(fault) = ledger.finish_destroying() {
        tracing::error!(%fault, "a subject key that is destroyed on the record is still there; the next start tries again");
    }
}

/// Whoever runs the gateway hears of it before the first person asks.
fn tell_missing_keys(ledger: &Ledger) {
    for key in ledger.missing_subject_keys().keys {
        tracing::error!(
            key,
            "a subject key is missing: what it names cannot be searched by person until `tolbooth ledger \
             recover-subject-keys` has put it back"
        );
    }
}

struct Rest {
    ledger: Ledger,
    health: Arc<Health>,
    /// Records before this start: intents after them are under way.
    before: u64,
}

impl Rest {
    fn read(self, stop: Stop) {
        match self.ledger.read_whole(&mut || !stop.is_asked()) {
            Ok(Some(intents)) => self.is_sound(intents),
            Ok(None) => {}
            Err(fault) => {
                tracing::error!(%fault, "the journal is damaged: recording ends, and nothing leaves any more");
                self.ledger.stop_for(fault.to_string());
                self.health.set(Condition::Ledger, Light::Red(fault.to_string()));
            }
        }
        // The directory is given back before the stop is let go.
        drop(self.ledger);
        drop(stop);
    }

    fn is_sound(&self, mut intents: Vec<OpenIntent>) {
        tracing::info!(records = self.before, "the whole journal was read, and is sound");
        destroy_the_rest(&self.ledger);
        tell_missing_keys(&self.ledger);
        intents.retain(|intent| intent.index < self.before);
        if let Err(fault) = close_intents(&self.ledger, &intents) {
            tracing::error!(%fault, "an open intent was not closed; the next start tries again");
        }
    }
}
