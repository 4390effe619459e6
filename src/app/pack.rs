//! Packing the journal's sealed segments, behind the road: one at a time, on a thread of low priority.

use std::sync::Arc;
use std::time::Duration;

use crate::ledger::LedgerError;
use crate::stop::Stop;

use super::App;
use super::thread::on_a_thread;

/// A segment is filled in seconds at most, and being packed late costs only disk.
const TICK: Duration = Duration::from_secs(5);
/// After a failure, such as a full disk, which others report: not as often.
const TICK_AFTER_FAULT: Duration = Duration::from_secs(60);
/// A low priority (nice(1)): whoever answers a question goes first. Not the least, since a stop waits for it.
const NICENESS: i32 = 10;

/// Packs segments once they are folded: folding reads them whole, and an unpacked one is quicker to read.
pub(super) async fn watch_pack(app: Arc<App>, mut stop: Stop) {
    let mut tick = tokio::time::interval(TICK);
    // What is before this is packed.
    let mut packed_before = 0;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.asked() => return,
        }
        let before = u32::try_from(app.fold.folded_before()).unwrap_or(u32::MAX);
        if before <= packed_before {
            continue;
        }
        match packed(&app, before, stop.clone()).await {
            Ok(segments) => {
                tracing::debug!(segments, "sealed segments of the journal are packed");
                packed_before = before;
            }
            Err(fault) => {
                tracing::warn!(%fault, "a segment was not packed: it takes more disk, and reads as before");
                tick.reset_after(TICK_AFTER_FAULT);
            }
        }
    }
}

/// A thread that has given up its priority never gets it back.
async fn packed(app: &Arc<App>, before: u32, stop: Stop) -> Result<u64, LedgerError> {
    let app = Arc::clone(app);
    let work = move || {
        // Refused at worst: then it packs like everybody else.
        let _ = rustix::process::nice(NICENESS);
        let packed = app.ledger.pack(before, &mut || !stop.is_asked());
        // The directory is given back before the stop is let go.
        drop(app);
        drop(stop);
        packed
    };
    let failed = |error| LedgerError::File { what: "packing the journal", error };
    on_a_thread("pack", work).await.unwrap_or_else(|error| Err(failed(error)))
}
