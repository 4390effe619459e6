//! Counting what was answered today where agreements limit that: at a start on a thread of its own, which is waited for
//! a moment and no longer, so that a gateway answers others however busy its day was; and with a reload before what it
//! brings comes into force. Until an agreement is counted nothing is answered under it.

use std::io;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use crate::clock::Clock;
use crate::desk::{Ruleset, count_today};
use crate::ledger::Ledger;
use crate::policy::Entry;
use crate::stop::Stop;

use super::App;

/// How long a start waits for the count: some hundred thousand records of today.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Counts for a ruleset that is not in force yet. What is under way as it comes into force, under a version that had
/// no such limit, is not counted with the new one's.
pub(super) fn count(app: &App, ruleset: &Ruleset) {
    count_in(&app.ledger, ruleset, &app.clock, &mut || true);
}

/// Counts for the ruleset a start began with, if any of its agreements wants that.
pub(super) fn begin(app: &App, stop: &Stop) -> io::Result<()> {
    let ruleset = app.ruleset.load_full();
    let waits = |entry: &Arc<Entry>| entry.daily.as_ref().is_some_and(|daily| !daily.is_counted());
    if !ruleset.register.all().iter().any(waits) {
        return Ok(());
    }
    let (ledger, clock, stop) = (app.ledger.clone(), app.clock.clone(), stop.clone());
    let (done, counted) = mpsc::channel::<()>();
    // A stop waits for the thread: it holds the ledger.
    let count = move || {
        count_in(&ledger, &ruleset, &clock, &mut || !stop.is_asked());
        // The directory is given back before the stop is let go.
        drop(ledger);
        drop(stop);
        drop(done);
    };
    std::thread::Builder::new().name("days".to_owned()).spawn(count)?;
    if counted.recv_timeout(WAIT_MAX) == Err(mpsc::RecvTimeoutError::Timeout) {
        tracing::warn!(
            "today's answers are still being counted: until then agreements that limit them are refused"
        );
    }
    Ok(())
}

fn count_in(ledger: &Ledger, ruleset: &Ruleset, clock: &Clock, proceed: &mut dyn FnMut() -> bool) {
    match count_today(&ledger.archive(), &ruleset.register, &clock.london(), proceed) {
        Ok(counted) if counted.agreements > 0 => {
            let (agreements, records) = (counted.agreements, counted.records);
            tracing::info!(agreements, records, "what was answered today is counted");
        }
        Ok(_) => {}
        Err(fault) => tracing::error!(
            %fault,
            "what was answered today cannot be counted: nothing is answered under agreements with a limit of the day"
        ),
    }
}
