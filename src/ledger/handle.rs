//! The handle through which everybody records, and how a log is opened.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::chain::Chain;
use super::durable::{keep, keep_all};
use super::entry::{Record, Ruleset};
use super::erase::Erasures;
use super::fault::{LedgerError, Unrecorded};
use super::intent::OpenIntent;
use super::object::{Object, digest, text};
use super::opened::Opened;
use super::opening::{erasures_in, finish, read, read_segment, restored, unread};
use super::previous::Restored;
use super::queue::{Item, Shared, State, Waiting, wait};
use super::read::Archive;
use super::receipt::Receipt;
use super::subject::{MissingKeys, SubjectKeys, SubjectRef};
use super::writer::Writer;
use crate::clock::Clock;
use crate::crypto::SigningKey;
use crate::journal::{Disk, Journal, Medium, PackMedium, Shelf};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::VerifierKey;
use crate::model::{AgreementRef, Digest, RecoveryKey, Subject};

pub(super) const JOURNAL: &str = "journal";
pub(super) const EVIDENCE: &str = "evidence";
pub(super) const SUBJECT_KEYS: &str = "subject-keys";

/// What a ledger is opened with.
#[derive(Debug)]
pub struct LedgerConfig {
    /// Holds the journal, the evidence and the subject keys.
    pub directory: PathBuf,
    /// The one name of the log, such as `glenmore.caledonia.example/ledger`; also its key's name.
    pub origin: String,
    pub key: SigningKey,
    /// See [`SEGMENT_BYTES_DEFAULT`](crate::journal::SEGMENT_BYTES_DEFAULT).
    pub segment_bytes: u64,
    /// How many records may wait; more are refused as [`Unrecorded::Busy`].
    pub waiting_max: usize,
    /// Whom subject keys are wrapped to as they are made.
    pub recovery_keys: Vec<RecoveryKey>,
}

/// Everything durable at one moment, under the checkpoint signed over it.
pub struct Present {
    pub archive: Archive,
    pub size: u64,
    /// The signed note.
    pub checkpoint: String,
}

/// The ledger. Copies share one writer, which ends with the last of them.
#[derive(Clone)]
pub struct Ledger(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    pub(super) subjects: Arc<SubjectKeys>,
    /// Held while sealed parts are made blank, and while the whole journal is read.
    pub(super) erasing: Mutex<()>,
    pub(super) erased: Mutex<Erasures>,
    pub(super) shelf: Arc<dyn Shelf>,
    directory: PathBuf,
    /// Where sealed segments are packed, by one at a time; given back with the directory.
    pub(super) packing: Mutex<Option<Box<dyn PackMedium>>>,
    evidence: PathBuf,
    verifier: VerifierKey,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Ledger {
    /// Opens or begins the log in a directory, and holds it alone.
    pub fn open(config: LedgerConfig, clock: Clock) -> Result<(Self, Opened), LedgerError> {
        let disk = Disk::open(&config.directory.join(JOURNAL))?;
        Self::open_on(disk, config, clock)
    }

    /// As [`open`](Self::open), with the journal on another medium.
    pub fn open_on<M: Medium>(
        medium: M,
        config: LedgerConfig,
        clock: Clock,
    ) -> Result<(Self, Opened), LedgerError> {
        Self::open_held(medium, config, clock, None)
    }

    /// As [`open_on`](Self::open_on), unless the journal is not the one that a checkpoint kept outside was signed
    /// over: nothing is written to it then.
    pub fn open_held<M: Medium>(
        medium: M,
        config: LedgerConfig,
        clock: Clock,
        held: Option<&Checkpoint>,
    ) -> Result<(Self, Opened), LedgerError> {
        let LedgerConfig { directory, origin, key, segment_bytes, waiting_max, recovery_keys } = config;
        let verifier = VerifierKey::new(&origin, key.public()).map_err(|_| LedgerError::Origin)?;
        let subjects = Arc::new(SubjectKeys::open(&directory.join(SUBJECT_KEYS), recovery_keys)?);
        subjects.ensure(clock.now().to_zoned(jiff::tz::TimeZone::UTC).year())?;
        let packing = Mutex::new(medium.packing());
        let (journal, recovered) = Journal::open(medium, segment_bytes)?;
        let shelf = journal.shelf();

        let unread = unread(&*shelf, &recovered.segments, held)?;
        let chain = read(&verifier, &*shelf, recovered.segments.get(unread..).unwrap_or_default(), held)?;
        let mut opened = Opened {
            records: chain.edge().size(),
            dropped: recovered.dropped,
            unread_segments: unread,
            intents: chain.open_intents().cloned().collect(),
            in_force: chain.in_force().collect(),
            life: chain.life().clone(),
            used: chain.used().cloned().collect(),
            ruleset: chain.rules().ruleset,
            in_use: chain.rules().in_use.clone(),
            refused: chain.rules().refused.clone(),
            last_ms: (chain.edge().size() > 0).then(|| chain.time_ms()),
        };
        subjects.are_named(chain.subject_keys().map(str::to_owned), unread == 0);
        subjects.are_destroyed(chain.destroyed().map(str::to_owned));
        let erased = if unread == 0 { erasures_in(&chain) } else { Erasures::default() };
        let has_earlier = chain.previous().is_some();
        let (edge, mut time_ms) = (chain.edge().clone(), chain.time_ms());
        let note = chain.last().map(|(_, note)| note.clone());
        drop(chain);
        let restored = if note.is_none() { restored(&directory)? } else { None };
        if let Some(Restored { previous, time_ms: last_ms }) = &restored {
            time_ms = *last_ms;
            opened.in_force.extend(previous.in_force());
            let broken = |what| LedgerError::File { what, error: std::io::ErrorKind::InvalidData.into() };
            previous.life().map_err(broken)?.into_iter().for_each(|event| opened.life.note(event));
        }
        if unread == 0 && restored.is_none() && !has_earlier {
            subjects.are_named_before([]);
        }
        // From the first moment on: a clock set back while the gateway was off brings nothing back.
        clock.not_before(time_ms);

        let keys = (key, verifier.clone());
        let mut writer = Writer::new(journal, keys, clock.clone(), Arc::clone(&subjects), (edge, time_ms));
        let note = match note {
            Some(note) => note,
            None => writer.begin(restored.as_ref().map(|restored| &restored.previous))?,
        };
        let shared = Arc::new(Shared::new(waiting_max, writer.durable(note), clock));
        let writer = start(writer, Arc::clone(&shared))?;
        let evidence = directory.join(EVIDENCE);
        let writer = Mutex::new(Some(writer));
        let (erasing, erased) = (Mutex::default(), Mutex::new(erased));
        let inner = Inner {
            shared,
            subjects,
            erasing,
            erased,
            shelf,
            directory,
            packing,
            evidence,
            verifier,
            writer,
        };
        Ok((Self(Arc::new(inner)), opened))
    }

    /// Records, and answers when the record is durable. Without a receipt nothing may leave. A caller
    /// that goes away meanwhile does not undo the record.
    pub async fn append(&self, record: Record) -> Result<Receipt, Unrecorded> {
        self.0.shared.push(record).await.unwrap_or(Err(Unrecorded::Stopped))
    }

    /// For an [`Outbox`](super::Outbox): all at once.
    pub(super) fn append_all(&self, items: &mut Vec<Item>) {
        self.0.shared.push_all(items);
    }

    /// As [`append`](Self::append), for a thread that may block.
    pub fn append_blocking(&self, record: Record) -> Result<Receipt, Unrecorded> {
        wait(self.0.shared.push(record))
    }

    /// Records many, in order, without waiting for each: for whoever has many to record and nothing to
    /// release. More than may wait are refused as [`Unrecorded::Busy`].
    pub fn append_many(&self, records: Vec<Record>) -> Waiting {
        let (mut items, waiting) = Waiting::of(records);
        self.0.shared.push_all(&mut items);
        waiting
    }

    /// Keeps bytes as `evidence/<sha256>`; durable when this returns. Blocks.
    pub fn keep_evidence(&self, bytes: &[u8]) -> Result<Digest, LedgerError> {
        let failed = |error| LedgerError::File { what: "keeping evidence", error };
        keep(&self.0.evidence, bytes).map_err(failed)
    }

    /// The bytes kept as `evidence/<sha256>`, if they still are what they were. Blocks.
    pub fn evidence(&self, digest: &Digest) -> Result<Vec<u8>, LedgerError> {
        let failed = |error| LedgerError::File { what: "reading evidence", error };
        let bytes = match std::fs::read(self.0.evidence.join(digest.hex())) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.earlier_evidence(digest, error)
            }
            read => read,
        };
        let bytes = bytes.map_err(failed)?;
        if Digest::of(&bytes) == *digest {
            Ok(bytes)
        } else {
            Err(failed(std::io::ErrorKind::InvalidData.into()))
        }
    }

    /// As [`keep_evidence`](Self::keep_evidence), for many files at once. Gives the digests in order.
    pub fn keep_all_evidence(&self, files: &[&[u8]]) -> Result<Vec<Digest>, LedgerError> {
        let failed = |error| LedgerError::File { what: "keeping evidence", error };
        keep_all(&self.0.evidence, files).map_err(failed)
    }

    /// Records that a ruleset comes into force. `files` names each of its files with the digest of its
    /// bytes, all of them kept as evidence before this is called; the list itself is kept here. `before` is the
    /// ruleset it replaces. Blocks.
    pub fn ruleset(
        &self,
        (ruleset, before): (Digest, Option<Digest>),
        files: &[(String, Digest)],
        agreements: Vec<(AgreementRef, Digest)>,
    ) -> Result<Receipt, LedgerError> {
        let mut manifest = Vec::new();
        let mut object = Object::begin(&mut manifest);
        object.digest("ruleset", &ruleset);
        object.list("files", files, |out, (name, bytes)| {
            out.push(b'[');
            text(out, name);
            out.push(b',');
            digest(out, bytes);
            out.push(b']');
        });
        object.end();
        let manifest = self.keep_evidence(&manifest)?;
        let record = Ruleset { digest: ruleset, before, manifest, files: files.len() as u64, agreements };
        self.append_blocking(Record::Ruleset(record)).map_err(LedgerError::Unrecorded)
    }

    pub fn state(&self) -> State {
        self.0.shared.state()
    }

    /// How long the oldest record without an answer has waited.
    pub fn waiting_for(&self) -> Duration {
        self.0.shared.waiting_for()
    }

    /// Ends recording for good: for whoever finds damage behind the road.
    pub fn stop(&self) {
        self.0.shared.stop();
    }

    /// As [`stop`](Self::stop), saying why.
    pub fn stop_for(&self, fault: String) {
        self.0.shared.set_fault(Some(fault));
        self.stop();
    }

    /// Why recording ended, or why the next segment is not there yet.
    pub fn fault(&self) -> Option<String> {
        self.0.shared.fault()
    }

    /// The last signed checkpoint.
    pub fn checkpoint(&self) -> String {
        self.0.shared.durable().checkpoint
    }

    /// How many records are durable.
    pub fn size(&self) -> u64 {
        self.0.shared.durable().size
    }

    /// The time of the last durable record, in milliseconds since 1970.
    pub fn time_ms(&self) -> i64 {
        self.0.shared.durable().time_ms
    }

    /// The key that others verify this log with.
    pub fn verifier(&self) -> &VerifierKey {
        &self.0.verifier
    }

    /// Everything durable now, to read.
    pub fn archive(&self) -> Archive {
        Archive::upto(Arc::clone(&self.0.shelf), self.0.shared.durable().end)
    }

    /// Everything durable now, to read, and the checkpoint over just that.
    pub fn present(&self) -> Present {
        let durable = self.0.shared.durable();
        let archive = Archive::upto(Arc::clone(&self.0.shelf), durable.end);
        Present { archive, size: durable.size, checkpoint: durable.checkpoint }
    }

    /// Reads all that is durable from the first record on, as a start does with the last segment alone, and
    /// gives the intents it finds open; those of exchanges under way are among them. Blocks for long:
    /// `proceed` is asked before each segment, and nothing is found out if it says no.
    pub fn read_whole(
        &self,
        proceed: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Vec<OpenIntent>>, LedgerError> {
        // A blank whose erasure was recorded behind `end` would look like damage.
        let _unerased = self.unerased();
        let end = self.0.shared.durable().end;
        let mut chain = Chain::new(&self.0.verifier, false);
        for segment in 1..=end.segment {
            if !proceed() {
                return Ok(None);
            }
            let upto = (segment == end.segment).then_some(end.offset);
            read_segment(&mut chain, &*self.0.shelf, segment, false, upto)?;
        }
        finish(&chain, end.segment)?;
        self.0.subjects.are_named(chain.subject_keys().map(str::to_owned), true);
        self.0.subjects.are_destroyed(chain.destroyed().map(str::to_owned));
        if chain.previous().is_none() {
            self.0.subjects.are_named_before([]);
        }
        self.set_erased(erasures_in(&chain));
        Ok(Some(chain.open_intents().cloned().collect()))
    }

    /// Where it all lies.
    pub(super) fn directory(&self) -> &Path {
        &self.0.directory
    }

    /// The ids of the keys behind references, oldest first.
    pub fn subject_key_ids(&self) -> Vec<String> {
        self.0.subjects.ids()
    }

    /// What a search for a subject looks for: its references under every year's key.
    pub fn references(&self, subject: &Subject) -> Vec<SubjectRef> {
        self.0.subjects.of_all_years(subject)
    }

    /// Subject keys that are named and not here: without them a search for a subject does not see all.
    pub fn missing_subject_keys(&self) -> MissingKeys {
        self.0.subjects.missing()
    }

    /// Takes nothing more, writes what waits, and gives the directory back. Blocks.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Inner {
    fn close(&self) {
        self.shared.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // A writer that panicked has refused everything already (`Ends`).
            let _ = writer.join();
        }
        // Behind whatever is being packed or blanked.
        drop(self.packing.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// Where a directory's journal lies, for offline readers.
pub fn journal_directory(directory: &Path) -> PathBuf {
    directory.join(JOURNAL)
}

/// Refuses everything if the writer ends by a fault of its own, so that nobody waits for ever.
struct Ends(Arc<Shared>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn start<M: Medium>(writer: Writer<M>, shared: Arc<Shared>) -> Result<JoinHandle<()>, LedgerError> {
    std::thread::Builder::new()
        .name("ledger".into())
        .spawn(move || {
            let ends = Ends(shared);
            writer.run(&ends.0);
        })
        .map_err(|error| LedgerError::File { what: "starting the ledger's thread", error })
}
