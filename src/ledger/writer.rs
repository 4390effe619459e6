//! The one writer. It turns what waits into one batch, one write, one sync and one signature, and only
//! then hands out receipts.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::oneshot;

use super::chain::EdgeFrame;
use super::encode::{self, Head, Origin};
use super::entry::{Nonce, Record};
use super::fault::{LedgerError, Unrecorded};
use super::previous::Previous;
use super::queue::{Answer, Durable, Item, Shared, State};
use super::receipt::Receipt;
use super::subject::{SubjectKeys, SubjectRef};
use super::walk::{CHECKPOINT, EDGE, ENVELOPE, SEALED};
use crate::clock::Clock;
use crate::crypto::{SigningKey, random, sha256};
use crate::journal::{AppendFault, Draft, Journal, Medium};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::VerifierKey;
use crate::merkle::{Batch, Hash, RightEdge, leaf_hash};
use crate::model::Digest;

/// Bounds the wait of the first in a batch, and the memory of one.
const BATCH_RECORDS_MAX: usize = 512;
/// What a checkpoint and a segment's edge may take of a batch besides its records.
const BATCH_SLACK_BYTES: usize = 8 * 1024;
/// How often making the next segment is tried while it fails.
const RETRY: Duration = Duration::from_secs(1);

/// What the writer works with.
pub(super) struct Writer<M: Medium> {
    journal: Journal<M>,
    key: SigningKey,
    verifier: VerifierKey,
    clock: Clock,
    subjects: Arc<SubjectKeys>,
    edge: RightEdge,
    /// The largest time given to a record so far.
    time_ms: i64,
    /// The time of the first record of this batch.
    first_ms: i64,
    salts: Salts,
    /// When making the next segment last failed, on the monotonic clock.
    failed_at: Option<Duration>,
    draft: Draft,
    sealed: Vec<u8>,
    leaves: Vec<Hash>,
    pending: Vec<Pending>,
}

/// A record in the batch that is being put together.
struct Pending {
    answer: oneshot::Sender<Answer>,
    nonce: Nonce,
    /// Its envelope's place in the draft.
    place: usize,
}

impl<M: Medium> Writer<M> {
    pub(super) fn new(
        journal: Journal<M>,
        (key, verifier): (SigningKey, VerifierKey),
        clock: Clock,
        subjects: Arc<SubjectKeys>,
        (edge, time_ms): (RightEdge, i64),
    ) -> Self {
        Self {
            journal,
            key,
            verifier,
            clock,
            subjects,
            edge,
            time_ms,
            first_ms: time_ms,
            salts: Salts::default(),
            failed_at: None,
            draft: Draft::default(),
            sealed: Vec::new(),
            leaves: Vec::new(),
            pending: Vec::new(),
        }
    }

    /// Writes the first record of a new log, and gives its checkpoint.
    pub(super) fn begin(&mut self, previous: Option<&Previous>) -> Result<String, LedgerError> {
        let key = self.verifier.to_string();
        self.draft_record(None, &[], |out, head, sealed| {
            encode::origin_envelope(out, head, &Origin { key: &key, previous }, sealed);
        })
        .map_err(LedgerError::Unrecorded)?;
        let (note, batch) = self.sign();
        self.append().map_err(|fault| match fault {
            AppendFault::Broken(error) => LedgerError::File { what: "writing the first record", error },
            AppendFault::Full => LedgerError::Unrecorded(Unrecorded::DiskFull),
            AppendFault::TooLarge => LedgerError::Unrecorded(Unrecorded::TooLarge),
        })?;
        self.edge = batch.after().clone();
        self.forget();
        Ok(note)
    }

    /// What readers may read up to, with the checkpoint over it.
    pub(super) fn durable(&self, checkpoint: String) -> Durable {
        Durable { end: self.journal.end(), size: self.edge.size(), checkpoint, time_ms: self.time_ms }
    }

    /// Until the queue is closed, or a write fails.
    pub(super) fn run(mut self, shared: &Shared) {
        let mut items = Vec::new();
        self.prepare(shared);
        loop {
            // Without a next segment the writer looks for space even when nobody asks.
            let patience = if self.journal.has_spare() { None } else { Some(RETRY) };
            if !shared.take(&mut items, patience) {
                return;
            }
            for item in items.drain(..) {
                self.add(item, shared);
            }
            self.commit(shared);
            let sealing = shared.take_sealing();
            if !sealing.is_empty() {
                let sealed = self.seal_segment(shared);
                for answer in sealing {
                    // Whoever waited may have gone.
                    let _ = answer.send(sealed);
                }
            }
            self.prepare(shared);
            if shared.state() == State::Stopped {
                return;
            }
        }
    }

    fn add(&mut self, item: Item, shared: &Shared) {
        let Item { record, answer } = item;
        if shared.state() == State::Stopped {
            let _ = answer.send(Err(Unrecorded::Stopped));
            return;
        }
        let before = self.draft.count();
        let mut drafted = self.add_record(&record);
        if drafted.is_ok() && self.is_too_long() && before > 0 {
            // It begins the next batch.
            self.undo(before);
            self.commit(shared);
            drafted = if shared.state() == State::Stopped {
                Err(Unrecorded::Stopped)
            } else {
                self.add_record(&record)
            };
        }
        if drafted.is_ok() && self.is_too_long() {
            self.undo(0);
            drafted = Err(Unrecorded::TooLarge);
        }
        match drafted {
            Ok((nonce, place)) => self.pending.push(Pending { answer, nonce, place }),
            // Whoever waited may have gone: that is no matter here or below.
            Err(why) => drop(answer.send(Err(why))),
        }
        if self.pending.len() >= BATCH_RECORDS_MAX {
            self.commit(shared);
        }
    }

    fn is_too_long(&self) -> bool {
        self.draft.len() + BATCH_SLACK_BYTES > self.journal.batch_bytes_max()
    }

    fn undo(&mut self, frames: usize) {
        self.draft.truncate(frames);
        self.leaves.pop();
    }

    fn add_record(&mut self, record: &Record) -> Result<(Nonce, usize), Unrecorded> {
        let place = self.draft.count();
        let subjects = self.references(record)?;
        self.draft_record(Some(record), &subjects, |out, head, sealed| {
            encode::envelope(out, head, record, sealed);
        })?;
        let nonce = match record {
            Record::Exchange(exchange) | Record::Lost { exchange, .. } => exchange.nonce,
            Record::Intent(intent) => intent.nonce,
            _ => Nonce([0; 32]),
        };
        Ok((nonce, place))
    }

    fn references(&mut self, record: &Record) -> Result<Vec<SubjectRef>, Unrecorded> {
        if let Record::Lost { subjects, .. } = record {
            return Ok(subjects.clone());
        }
        if record.subjects().is_empty() {
            return Ok(Vec::new());
        }
        let year = self.now().to_zoned(TimeZone::UTC).year();
        self.subjects.ensure(year).map_err(|_| Unrecorded::NoKey)?;
        self.subjects.of_year(year, record.subjects()).ok_or(Unrecorded::NoKey)
    }

    /// The time given to the next record: never before one given already, and never before the wall
    /// clock (design 5).
    fn now(&mut self) -> Timestamp {
        self.time_ms = self.time_ms.max(self.clock.now().as_millisecond());
        Timestamp::from_millisecond(self.time_ms).unwrap_or(Timestamp::MAX)
    }

    fn draft_record(
        &mut self,
        record: Option<&Record>,
        subjects: &[SubjectRef],
        envelope: impl FnOnce(&mut Vec<u8>, &Head<'_>, &Digest),
    ) -> Result<(), Unrecorded> {
        let index = self.edge.size() + self.leaves.len() as u64;
        let time = self.now();
        if self.leaves.is_empty() {
            self.first_ms = time.as_millisecond();
        }
        let salt = self.salts.next().ok_or(Unrecorded::NoKey)?;
        self.sealed.clear();
        self.sealed.extend_from_slice(&salt);
        match record {
            Some(record) => encode::sealed(&mut self.sealed, record, subjects),
            None => self.sealed.extend_from_slice(b"{}"),
        }
        let sealed = Digest(sha256(&[&self.sealed]));
        let head = Head { log: self.verifier.name(), index, time };
        let place = self.draft.count();
        self.draft.frame(ENVELOPE, index, |out| envelope(out, &head, &sealed));
        self.draft.frame(SEALED, index, |out| out.extend_from_slice(&self.sealed));
        self.leaves.push(leaf_hash(self.draft.body(place).unwrap_or_default()));
        Ok(())
    }

    /// Ends the draft with the checkpoint over it.
    fn sign(&mut self) -> (String, Batch) {
        let batch = Batch::new(&self.edge, &self.leaves);
        let after = batch.after();
        let origin = self.verifier.name().to_owned();
        let note = Checkpoint { origin, size: after.size(), root: after.root() }.sign(&self.key);
        self.draft.frame(CHECKPOINT, after.size(), |out| out.extend_from_slice(note.as_bytes()));
        (note, batch)
    }

    fn commit(&mut self, shared: &Shared) {
        if self.pending.is_empty() {
            self.forget();
        } else {
            self.write(shared);
        }
    }

    /// Seals the open segment: a batch of no records begins the next one.
    fn seal_segment(&mut self, shared: &Shared) -> Result<(), Unrecorded> {
        if !self.prepare(shared) {
            let stopped = shared.state() == State::Stopped;
            return Err(if stopped { Unrecorded::Stopped } else { Unrecorded::DiskFull });
        }
        self.journal.seal_segment();
        // No record begins the segment, and none behind here is earlier than the last.
        self.first_ms = self.time_ms;
        self.write(shared);
        // The next segment was ready: only a failed write or sync is left, and that is final.
        if shared.state() == State::Stopped { Err(Unrecorded::Stopped) } else { Ok(()) }
    }

    /// Signs, writes and syncs what is drafted, and answers whoever waits for it.
    fn write(&mut self, shared: &Shared) {
        let (note, batch) = self.sign();
        let mut appended = self.append();
        if matches!(appended, Err(AppendFault::Full)) && self.prepare(shared) {
            appended = self.append();
        }
        match appended {
            // From here on the records are durable, whatever happens to their receipts.
            Ok(()) => self.acknowledge(shared, &note, &batch),
            Err(AppendFault::Full) => self.refuse(shared, State::DiskFull, Unrecorded::DiskFull),
            Err(AppendFault::TooLarge) => {
                self.pending.drain(..).for_each(|p| drop(p.answer.send(Err(Unrecorded::TooLarge))));
            }
            // What is on the disk is not known now. A restart finds out; this process never does.
            Err(fault @ AppendFault::Broken(_)) => {
                shared.set_fault(Some(fault.to_string()));
                self.refuse(shared, State::Stopped, Unrecorded::Stopped);
                shared.stop();
            }
        }
        self.forget();
    }

    fn append(&mut self) -> Result<(), AppendFault> {
        self.journal.append(&mut self.draft, |head| {
            let frame = EdgeFrame::new(&self.edge, self.first_ms);
            let body = serde_json::to_vec(&frame).unwrap_or_default();
            head.frame(EDGE, self.edge.size(), |out| out.extend_from_slice(&body));
        })
    }

    fn acknowledge(&mut self, shared: &Shared, note: &str, batch: &Batch) {
        let first = self.edge.size();
        self.edge = batch.after().clone();
        shared.set_durable(self.durable(note.to_owned()));
        if shared.state() == State::DiskFull {
            shared.set_state(State::LowSpace);
        }
        // The last frame of all is the checkpoint's.
        let checkpoint = self.draft.bytes_of(self.draft.count().saturating_sub(1), 1);
        for (index, Pending { answer, nonce, place }) in (first..).zip(self.pending.drain(..)) {
            let envelope = self.draft.body(place);
            // Envelope and sealed part.
            let bytes = self.draft.bytes_of(place, 2) + checkpoint;
            let receipt = envelope
                .zip(batch.prove(index))
                .map(|(envelope, proof)| Receipt::new(&nonce, envelope, index, (&proof, note), bytes));
            let _ = answer.send(receipt.ok_or(Unrecorded::Stopped));
        }
    }

    fn refuse(&mut self, shared: &Shared, state: State, why: Unrecorded) {
        shared.set_state(state);
        for pending in self.pending.drain(..) {
            let _ = pending.answer.send(Err(why));
        }
    }

    fn forget(&mut self) {
        self.draft.clear();
        self.leaves.clear();
    }

    /// Makes the next segment ready while the present one still has room, at most once a second when
    /// that fails. Whether it is ready.
    fn prepare(&mut self, shared: &Shared) -> bool {
        if shared.state() == State::Stopped {
            return false;
        }
        let now = self.clock.monotonic();
        let wait = self.failed_at.is_some_and(|at| now.saturating_sub(at) < RETRY);
        if !self.journal.has_spare() && !wait {
            let prepared = self.journal.prepare();
            self.failed_at = prepared.is_err().then_some(now);
            shared.set_fault(prepared.err().map(|error| error.to_string()));
        }
        let ready = self.journal.has_spare();
        match (ready, shared.state()) {
            (true, _) => shared.set_state(State::Healthy),
            (false, State::Healthy) => shared.set_state(State::LowSpace),
            (false, _) => {}
        }
        ready
    }
}

/// Random salts, drawn many at once: one call to the generator is dearer than 32 bytes of it.
struct Salts {
    drawn: [u8; 2048],
    left: usize,
}

impl Default for Salts {
    fn default() -> Self {
        Self { drawn: [0; 2048], left: 0 }
    }
}

impl Salts {
    fn next(&mut self) -> Option<[u8; 32]> {
        if self.left == 0 {
            self.drawn = random()?;
            self.left = self.drawn.len() / 32;
        }
        self.left -= 1;
        let salt = self.drawn.chunks_exact_mut(32).nth(self.left)?;
        let out = <[u8; 32]>::try_from(&*salt).ok()?;
        // Used once, and not left in memory.
        salt.fill(0);
        Some(out)
    }
}
