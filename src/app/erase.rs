//! What is past its term goes by itself, once a day, and what a crash left half erased is finished.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;

use crate::config::Erase;
use crate::desk::{Asker, RetentionFault};
use crate::ledger::EraseFault;
use crate::observe::{Condition, Light};
use crate::stop::Stop;

use super::App;

/// When nobody asks anything, in London; a day on which the clock goes forward has this hour too.
const HOUR: i8 = 3;
/// A wall clock this far from the record's last time is looked at by a person before anything is erased by it:
/// no gateway is off for so long unnoticed.
const SILENCE_DAYS_MAX: i64 = 31;

/// Looks once a minute whether today's run is still to come, until told to stop.
pub(super) async fn watch_terms(app: Arc<App>, mut stop: Stop) {
    let mut tick = tokio::time::interval(Duration::from_secs(60));
    let mut last_run: Option<Date> = None;
    let silent_days = app.opened.silent_for(&app.clock).as_hours() / 24;
    let is_believed = silent_days <= SILENCE_DAYS_MAX;
    if !is_believed {
        tracing::warn!(
            silent_days,
            "the wall clock is far from the last record: nothing is erased by itself until the next start; if the \
             clock is right, `tolbooth ledger erase --due` does it"
        );
    }
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.asked() => return,
        }
        let now = app.clock.london();
        let is_time = is_believed && now.hour() >= HOUR && last_run != Some(now.date());
        let (beside, stopping) = (Arc::clone(&app), stop.clone());
        let work = move || if is_time { run(&beside, &stopping) } else { finish(&beside) };
        // Another minute, where it could not begin.
        if tokio::task::spawn_blocking(work).await.unwrap_or(false) {
            last_run = Some(now.date());
        }
    }
}

/// Whether today's run is done.
fn run(app: &App, stop: &Stop) -> bool {
    // Nothing that is gone comes back: a clock that was stepped erases nothing.
    let is_steady = app.health.light(&Condition::Clock) == Some(Light::Green);
    if app.gateway.keeping.erase == Erase::ByHand || !is_steady {
        finish(app);
        return false;
    }
    let asker = Asker { by: "the gateway".to_owned(), purpose: "past the term agreed".to_owned() };
    match app.retention.run(app.clock.now(), Some(&asker), &mut || !stop.is_asked()) {
        Ok(done) => {
            if done.count() + done.finished > 0 {
                tracing::info!(
                    erased = done.count(),
                    finished = done.finished,
                    "sealed parts past their term were erased"
                );
            }
            for key in &done.destroyed {
                tracing::info!(key, "a subject key of which nothing was left is destroyed");
            }
            for (agreement_digest, records) in &done.held {
                tracing::warn!(
                    agreement_digest,
                    records,
                    "records are kept whatever their age: their agreement's signed text cannot be read from evidence"
                );
            }
            true
        }
        Err(RetentionFault::Erase(EraseFault::NotReadYet | EraseFault::Busy) | RetentionFault::Broken) => {
            false
        }
        Err(fault) => {
            tracing::error!(%fault, "what is past its term could not be erased; it is tried again tomorrow");
            true
        }
    }
}

fn finish(app: &App) -> bool {
    match app.retention.finish() {
        Ok(0) | Err(RetentionFault::Erase(EraseFault::NotReadYet | EraseFault::Busy)) => {}
        Ok(finished) => tracing::warn!(finished, "an erasure that was cut off is finished"),
        Err(fault) => tracing::error!(%fault, "an erasure that was cut off could not be finished"),
    }
    false
}
