//! What officers and the host did, in this process: as the journal said when it was opened, and what was recorded
//! since. Recorded first, and known only then.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::ledger::{Act, Ledger, Record, Stopped, Unrecorded};
use crate::model::{Life, LifeEvent};
use crate::policy::CountedAct;

/// The one place where what is durable of acts and stops is looked up.
pub struct Lived {
    ledger: Ledger,
    life: ArcSwap<Life>,
    /// One is recorded at a time.
    alone: Mutex<()>,
    /// The files are right and say something that could not be put on the record.
    unrecorded: AtomicBool,
}

impl Lived {
    pub fn new(ledger: Ledger, life: Life) -> Self {
        Self {
            ledger,
            life: ArcSwap::from_pointee(life),
            alone: Mutex::default(),
            unrecorded: AtomicBool::new(false),
        }
    }

    /// As it is now; asked at every exchange.
    pub fn now(&self) -> Arc<Life> {
        self.life.load_full()
    }

    /// Whether what the files say is kept back because it could not be put on the record. It may be a revocation or
    /// a suspension: until it is recorded, nothing leaves under what was in force before.
    pub fn is_unrecorded(&self) -> bool {
        self.unrecorded.load(Ordering::Relaxed)
    }

    pub fn note_unrecorded(&self, unrecorded: bool) {
        if self.unrecorded.swap(unrecorded, Ordering::Relaxed) != unrecorded {
            tracing::warn!(unrecorded, "nothing leaves while what the files say now is not on the record");
        }
    }

    /// Puts acts on the record that are not there yet, before anything is decided by them.
    pub fn act(&self, acts: &[CountedAct]) -> Result<(), Unrecorded> {
        for act in acts.iter().filter(|act| !self.now().knows(&act.done)) {
            let CountedAct { done, agreement_digest, officer, reason } = act.clone();
            let (event, record) =
                (LifeEvent::Act(done.clone()), Act { done, agreement_digest, officer, reason });
            self.record(Record::Act(Box::new(record)), event)?;
        }
        Ok(())
    }

    /// Stops or starts. In force with the next exchange once this returns.
    pub fn stop(&self, stopped: Stopped) -> Result<(), Unrecorded> {
        let event = LifeEvent::from(stopped.event.clone());
        self.record(Record::Stop(Box::new(stopped)), event)
    }

    fn record(&self, record: Record, event: LifeEvent) -> Result<(), Unrecorded> {
        // The swap is one step: a holder that panicked left it whole.
        let _alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        self.ledger.append_blocking(record)?;
        // If we crash here it is on the record, and the next start knows it from there.
        let mut life = Life::clone(&self.life.load());
        life.note(event);
        self.life.store(Arc::new(life));
        Ok(())
    }
}
