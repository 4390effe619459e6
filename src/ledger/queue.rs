//! The bounded queue between everybody and the one writer. The writer takes all that waits at once, so
//! that what arrives during a sync makes the next batch.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::sync::oneshot;

use super::entry::Record;
use super::fault::Unrecorded;
use super::receipt::Receipt;
use crate::clock::Clock;
use crate::journal::Position;

/// Whether the ledger records, for readiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    Healthy = 0,
    /// Recording, but the next segment could not be made yet.
    LowSpace = 1,
    /// Refusing for want of space; recovers by itself.
    DiskFull = 2,
    /// Ended by a failed write or by damage; only a restart helps.
    Stopped = 3,
}

pub(super) type Answer = Result<Receipt, Unrecorded>;

/// A record on its way, and who waits for it.
pub(super) struct Item {
    pub record: Record,
    pub answer: oneshot::Sender<Answer>,
}

/// Waits for an answer by parking this thread. (The channel's own way panics on a runtime's thread.)
pub(super) fn wait<T>(answer: oneshot::Receiver<Result<T, Unrecorded>>) -> Result<T, Unrecorded> {
    let mut answer = std::pin::pin!(answer);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match answer.as_mut().poll(&mut context) {
            Poll::Ready(answer) => return answer.unwrap_or(Err(Unrecorded::Stopped)),
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Records on their way, waited for together.
pub struct Waiting(Vec<oneshot::Receiver<Answer>>);

impl Waiting {
    pub(super) fn of(records: Vec<Record>) -> (Vec<Item>, Self) {
        let on_its_way = |record| {
            let (answer, receipt) = oneshot::channel();
            (Item { record, answer }, receipt)
        };
        let (items, receipts) = records.into_iter().map(on_its_way).unzip();
        (items, Self(receipts))
    }

    /// Until all are durable, or the first that is not. Blocks.
    pub fn wait(self) -> Result<(), Unrecorded> {
        self.0.into_iter().try_for_each(|receipt| wait(receipt).map(drop))
    }
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Whoever waits for the open segment to be sealed.
pub(super) type Sealing = oneshot::Sender<Result<(), Unrecorded>>;

/// What is durable, for readers.
#[derive(Debug, Clone)]
pub(super) struct Durable {
    /// Behind the last batch.
    pub end: Position,
    pub size: u64,
    /// The last checkpoint's note.
    pub checkpoint: String,
    /// The last record's time.
    pub time_ms: i64,
}

/// What the writer and the handles share.
pub(super) struct Shared {
    waiting: Mutex<Queue>,
    arrived: Condvar,
    waiting_max: usize,
    state: AtomicU8,
    durable: Mutex<Durable>,
    /// Why the writer ended, or the next segment is not there yet.
    fault: Mutex<Option<String>>,
    clock: Clock,
}

#[derive(Default)]
struct Queue {
    items: Vec<Item>,
    /// Whoever waits for the open segment to be sealed.
    sealing: Vec<Sealing>,
    closed: bool,
    /// Whether the writer sleeps: only then is it woken.
    asleep: bool,
    /// When the first of `items` came, on the monotonic clock.
    since: Option<Duration>,
    /// When the first of what the writer took came, until it asks for more.
    taken_since: Option<Duration>,
}

impl Queue {
    fn hand_over(&mut self, into: &mut Vec<Item>) {
        self.asleep = false;
        self.taken_since = self.since.take();
        std::mem::swap(&mut self.items, into);
    }
}

impl Shared {
    pub(super) fn new(waiting_max: usize, durable: Durable, clock: Clock) -> Self {
        Self {
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            waiting_max,
            state: AtomicU8::new(State::Healthy as u8),
            durable: Mutex::new(durable),
            fault: Mutex::default(),
            clock,
        }
    }

    /// A panic elsewhere leaves no half-made state here: each change is one step.
    fn waiting(&self) -> MutexGuard<'_, Queue> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, record: Record) -> oneshot::Receiver<Answer> {
        let (answer, receipt) = oneshot::channel();
        self.push_all(&mut vec![Item { record, answer }]);
        receipt
    }

    /// Takes all of `items`, or answers at once those there is no place for.
    pub(super) fn push_all(&self, items: &mut Vec<Item>) {
        let mut waiting = self.waiting();
        let places = self.waiting_max.saturating_sub(waiting.items.len());
        let (taken, why) = if waiting.closed { (0, Unrecorded::Stopped) } else { (places, Unrecorded::Busy) };
        if taken > 0 && waiting.items.is_empty() {
            waiting.since = Some(self.clock.monotonic());
        }
        waiting.items.extend(items.drain(..taken.min(items.len())));
        let wake = taken > 0 && std::mem::take(&mut waiting.asleep);
        drop(waiting);
        if wake {
            self.arrived.notify_one();
        }
        for Item { answer, .. } in items.drain(..) {
            // Whoever waited may have gone.
            let _ = answer.send(Err(why));
        }
    }

    /// Asks that the open segment be sealed, behind all that waits.
    pub(super) fn push_sealing(&self) -> oneshot::Receiver<Result<(), Unrecorded>> {
        let (answer, sealed) = oneshot::channel();
        let mut waiting = self.waiting();
        // Dropped where nothing more is taken: whoever waits is told that it has stopped.
        let open = !waiting.closed;
        waiting.sealing.extend(open.then_some(answer));
        waiting.asleep = false;
        drop(waiting);
        self.arrived.notify_one();
        sealed
    }

    pub(super) fn take_sealing(&self) -> Vec<Sealing> {
        std::mem::take(&mut self.waiting().sealing)
    }

    /// Swaps all that waits into `into`, which is empty; sleeps at most `patience` if nothing does.
    /// `false` when closed and drained.
    pub(super) fn take(&self, into: &mut Vec<Item>, patience: Option<Duration>) -> bool {
        let mut waiting = self.waiting();
        waiting.taken_since = None;
        while waiting.items.is_empty() && waiting.sealing.is_empty() {
            if waiting.closed {
                return false;
            }
            waiting.asleep = true;
            waiting = match patience {
                None => self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let woken = self.arrived.wait_timeout(waiting, patience);
                    let (mut waiting, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() {
                        waiting.hand_over(into);
                        return true;
                    }
                    waiting
                }
            };
        }
        waiting.hand_over(into);
        true
    }

    /// How long the oldest record without an answer has waited, or the writer has been away: a disk that
    /// hangs shows here, not in the state.
    pub(super) fn waiting_for(&self) -> Duration {
        let oldest = {
            let waiting = self.waiting();
            waiting.taken_since.or(waiting.since)
        };
        oldest.map_or(Duration::ZERO, |since| self.clock.monotonic().saturating_sub(since))
    }

    /// Nothing more is taken; what waits is still written.
    pub(super) fn close(&self) {
        self.waiting().closed = true;
        self.arrived.notify_one();
    }

    /// Nothing more is taken, and what waits is refused.
    pub(super) fn stop(&self) {
        self.set_state(State::Stopped);
        let items = {
            let mut waiting = self.waiting();
            waiting.closed = true;
            waiting.since = None;
            waiting.sealing.clear();
            std::mem::take(&mut waiting.items)
        };
        self.arrived.notify_one();
        for item in items {
            // Whoever waited may have gone.
            let _ = item.answer.send(Err(Unrecorded::Stopped));
        }
    }

    pub(super) fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            0 => State::Healthy,
            1 => State::LowSpace,
            2 => State::DiskFull,
            _ => State::Stopped,
        }
    }

    /// Stopped is final.
    pub(super) fn set_state(&self, state: State) {
        if self.state() != State::Stopped {
            self.state.store(state as u8, Ordering::Release);
        }
    }

    pub(super) fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_fault(&self, fault: Option<String>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    pub(super) fn durable(&self) -> Durable {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_durable(&self, durable: Durable) {
        // With the record and not a while later: whoever is told of it is judged by no earlier time.
        self.clock.not_before(durable.time_ms);
        *self.durable.lock().unwrap_or_else(PoisonError::into_inner) = durable;
    }
}
