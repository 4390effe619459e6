//! Verifies offline, trusting nobody who runs anything: a journal, an export, a receipt; each on its
//! own and against checkpoints and receipts that others held. Needs files and the log's public key.

mod earlier;
mod export;
mod extent;
pub mod pack;
mod receipt;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use self::receipt::{Head, RECEIPT};
use super::chain::{Broken, Chain};
use super::previous::Previous;
use super::ranges::Ranges;
use super::receipt::{Presented, ReceiptFault};
use super::search::Progress;
use super::walk::{WalkFault, walk_segment};
use crate::journal::{Ending, JournalFault, SegmentFiles, Shelf, closed_ending, ending};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::VerifierKey;

pub use self::earlier::verify_ledger;
pub use self::export::verify_export;
pub use self::extent::{Stretch, extent};
pub use self::receipt::{ReceiptReport, verify_receipt};

/// Of a journal that somebody writes to faster than this reads, the last is believed.
const READINGS_MAX: u32 = 8;

const FORKED: Broken = "a checkpoint or receipt held by others was signed over other records than these";

/// Why something does not verify.
#[derive(Debug)]
pub enum VerifyFault {
    /// The frames do not read.
    Journal(JournalFault),
    /// A record breaks the log's rules. `place` is where it is in the file.
    Record { place: Place, index: u64, what: &'static str },
    /// Others hold proof of more records than there are.
    Cut { records: u64, held: u64 },
    /// A receipt or held checkpoint is not one of this log's.
    Receipt(ReceiptFault),
    /// Two checkpoints of one size and key with different roots: the log was rewritten.
    Forked { size: u64 },
    /// A body can only be checked with the answer's head, as `curl -D` writes it.
    HeadMissing,
    /// The head, or the body, is not the answer this receipt was given for.
    OtherAnswer,
    /// What is wrong is in a log before the one that goes on.
    Earlier { log: String, fault: Box<VerifyFault> },
    /// A backup lacks a file, or one of it is rotten.
    Backup(String),
    /// The export could not be read.
    File(std::io::Error),
}

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Journal {
        segment: u32,
        offset: u64,
    },
    /// From 1.
    Line(u64),
    /// What is meant is the end of it all.
    End,
}

impl fmt::Display for VerifyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(fault) => fault.fmt(f),
            Self::Record { place, index, what } => match place {
                Place::Journal { segment, offset } => {
                    write!(f, "record {index}, in segment {segment} at byte {offset}: {what}")
                }
                Place::Line(line) => write!(f, "record {index}, in line {line}: {what}"),
                Place::End => write!(f, "after record {}: {what}", index.saturating_sub(1)),
            },
            Self::Cut { records, held } => {
                write!(
                    f,
                    "there are {records} records, but others hold proof of {held}: the rest was cut off"
                )
            }
            Self::Receipt(fault) => fault.fmt(f),
            Self::Forked { size } => {
                write!(f, "two checkpoints over {size} records differ: the log was rewritten")
            }
            Self::HeadMissing => {
                f.write_str("to check a body give the answer's head too, as `curl -D` writes it")
            }
            Self::OtherAnswer => f.write_str("this receipt was not given for this answer"),
            Self::Earlier { log, fault } => write!(f, "the earlier log {log}: {fault}"),
            Self::Backup(what) => f.write_str(what),
            Self::File(error) => write!(f, "reading the export: {error}"),
        }
    }
}

impl std::error::Error for VerifyFault {}

impl VerifyFault {
    /// What is wrong with the end of a log of so many records.
    pub(super) fn at_end(records: u64, what: &'static str) -> Self {
        Self::Record { place: Place::End, index: records, what }
    }
}

/// What a verification found, and what it could and could not prove, in sentences for a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub log: String,
    pub records: u64,
    pub checkpoints: u64,
    /// The last one: what an auditor should keep, and hold against the log next time.
    pub checkpoint: String,
    /// Sealed parts erased by an erasure record.
    pub erased: u64,
    /// Whether an unacknowledged batch follows, which a start will drop.
    pub unfinished: bool,
    pub proven: Vec<String>,
    pub not_proven: Vec<String>,
    /// The log before this one, of which a backup was restored.
    pub previous: Option<Previous>,
    /// What erasures name of logs before this one, by the names of those.
    pub erased_before: BTreeMap<String, Ranges>,
}

/// Reads a checkpoint's note or a receipt (its header, or a head as `curl -D` wrote it) that somebody
/// held, and believes it if this key signed it.
pub fn held(text: &str, key: &VerifierKey) -> Result<Checkpoint, VerifyFault> {
    held_note(text, key).map(|(checkpoint, _)| checkpoint)
}

/// Whether a text can be something that was held at all, whoever signed it: another file is no sign of a changed log.
pub fn is_held(text: &str) -> bool {
    let head = Head::read(text);
    let receipt = head.as_ref().and_then(|head| head.get(RECEIPT)).unwrap_or(text);
    text.contains("\n\n\u{2014} ") || Presented::parse(receipt).is_ok()
}

/// As [`held`], with the signed note itself.
pub fn held_note(text: &str, key: &VerifierKey) -> Result<(Checkpoint, String), VerifyFault> {
    if text.contains("\n\n\u{2014} ") {
        let opened = Checkpoint::open(text, key);
        let unbelieved = |error| VerifyFault::Receipt(ReceiptFault::Checkpoint(error));
        return opened.map(|checkpoint| (checkpoint, text.to_owned())).map_err(unbelieved);
    }
    let head = Head::read(text);
    let receipt = head.as_ref().and_then(|head| head.get(RECEIPT)).unwrap_or(text);
    let presented = Presented::parse(receipt).map_err(VerifyFault::Receipt)?;
    let note = presented.note().to_owned();
    let checked = presented.check(key).map_err(VerifyFault::Receipt)?;
    Ok((checked.checkpoint, note))
}

/// Verifies a journal's directory from the first record to the last checkpoint.
pub fn verify_journal(
    journal: &Path,
    key: &VerifierKey,
    held: &[Checkpoint],
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, VerifyFault> {
    verify_chain(journal, key, held, None, progress)
}

/// As [`verify_journal`]; of a log that grows no more `erased_later` is what erasures of the logs after it name.
fn verify_chain(
    journal: &Path,
    key: &VerifierKey,
    held: &[Checkpoint],
    erased_later: Option<&Ranges>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, VerifyFault> {
    let against = Against::new(held)?;
    let ending = if erased_later.is_some() { closed_ending } else { ending };
    believed(|| {
        let (mut chain, unfinished) = follow_to(ending, journal, key, held, progress)?;
        erased_later.into_iter().for_each(|named| chain.erased_later(named));
        report(&chain, key, &against, Contents { sealed: true, whole: true }, unfinished)
    })
}

/// Reads again what seems damaged: a gateway may write, pack or erase in the journal while it is read, so that a
/// part of a frame is seen of before and a part of after. Damage is what two readings in a row find alike.
fn believed<T>(mut read: impl FnMut() -> Result<T, VerifyFault>) -> Result<T, VerifyFault> {
    let mut before: Option<String> = None;
    for _ in 1..READINGS_MAX {
        let fault = match read() {
            Err(fault @ (VerifyFault::Journal(_) | VerifyFault::Record { .. })) => fault,
            told => return told,
        };
        let told = fault.to_string();
        if before.replace(told.clone()) == Some(told) {
            return Err(fault);
        }
    }
    read()
}

/// Reads a journal from the first record to its end by the chain's rules, and holds it against what others held
/// of it. Whether an unacknowledged batch follows. The end is not judged yet.
pub(super) fn follow<'k>(
    journal: &Path,
    key: &'k VerifierKey,
    held: &[Checkpoint],
    progress: &mut dyn FnMut(Progress),
) -> Result<(Chain<'k>, bool), VerifyFault> {
    follow_to(ending, journal, key, held, progress)
}

fn follow_to<'k>(
    ending: fn(&dyn Shelf) -> Result<Ending, JournalFault>,
    journal: &Path,
    key: &'k VerifierKey,
    held: &[Checkpoint],
    progress: &mut dyn FnMut(Progress),
) -> Result<(Chain<'k>, bool), VerifyFault> {
    let shelf = SegmentFiles::new(journal);
    let end = ending(&shelf).map_err(VerifyFault::Journal)?;
    let mut against = Against::new(held)?;
    let mut chain = Chain::new(key, true);
    let segments_all = end.segments.len();
    for (place, segment) in end.segments.iter().enumerate() {
        let upto = (*segment == end.at.segment).then_some(end.at.offset);
        walk_segment(&mut chain, &shelf, *segment, false, upto, &mut |chain| {
            if chain.edge().size().is_multiple_of(4096) {
                progress(Progress { records: chain.edge().size(), segments: place, segments_all });
            }
            against.compare(chain)
        })
        .map_err(|fault| match fault {
            WalkFault::Journal(fault) => VerifyFault::Journal(fault),
            WalkFault::Record { at, index, what } => {
                let place = Place::Journal { segment: at.segment, offset: at.offset };
                VerifyFault::Record { place, index, what }
            }
        })?;
    }
    progress(Progress { records: chain.edge().size(), segments: segments_all, segments_all });
    Ok((chain, !end.torn.is_empty()))
}

/// What a copy holds of the records.
#[derive(Clone, Copy)]
struct Contents {
    sealed: bool,
    whole: bool,
}

/// What others held, compared as the tree grows to each size.
struct Against {
    /// By size, ascending.
    held: Vec<Checkpoint>,
    next: usize,
}

impl Against {
    fn new(held: &[Checkpoint]) -> Result<Self, VerifyFault> {
        let mut held = held.to_vec();
        held.sort_by_key(|checkpoint| checkpoint.size);
        for pair in held.windows(2) {
            if let [one, other] = pair
                && one.size == other.size
                && one.root != other.root
            {
                return Err(VerifyFault::Forked { size: one.size });
            }
        }
        Ok(Self { held, next: 0 })
    }

    fn compare(&mut self, chain: &Chain<'_>) -> Result<(), Broken> {
        while let Some(held) = self.held.get(self.next).filter(|held| held.size <= chain.edge().size()) {
            if held.size == chain.edge().size() && held.root != chain.edge().root() {
                return Err(FORKED);
            }
            self.next += 1;
        }
        Ok(())
    }
}

fn report(
    chain: &Chain<'_>,
    key: &VerifierKey,
    against: &Against,
    contents: Contents,
    unfinished: bool,
) -> Result<Report, VerifyFault> {
    let records = chain.edge().size();
    let last_held = against.held.last().map_or(0, |checkpoint| checkpoint.size);
    if last_held > records {
        return Err(VerifyFault::Cut { records, held: last_held });
    }
    let at_end = |what| VerifyFault::at_end(records, what);
    chain.finish().map_err(at_end)?;
    let (_, checkpoint) = chain.last().ok_or_else(|| at_end("there is no checkpoint"))?;
    Ok(Report {
        log: key.name().to_owned(),
        records,
        checkpoints: chain.checkpoints(),
        checkpoint: checkpoint.clone(),
        erased: chain.erased(),
        unfinished,
        proven: proven(records, last_held, contents),
        not_proven: not_proven(records, last_held, contents),
        previous: chain.previous().cloned(),
        erased_before: chain.erased_before().clone(),
    })
}

fn proven(records: u64, held: u64, contents: Contents) -> Vec<String> {
    let mut out =
        vec![format!("the {records} records are those the last checkpoint was signed over, in order")];
    if contents.sealed {
        out.push("every sealed part is the one its envelope names, or was erased by a record".into());
    }
    if held > 0 {
        out.push(format!(
            "nothing of the first {held} records was changed, removed or put in since others held a checkpoint or receipt over them"
        ));
    }
    out
}

fn not_proven(records: u64, held: u64, contents: Contents) -> Vec<String> {
    let mut out = Vec::new();
    if held < records {
        let which =
            if held == 0 { "any record".to_owned() } else { format!("the records after the first {held}") };
        out.push(format!(
            "that the host did not rewrite {which} and sign again: nothing held over them was given"
        ));
    }
    out.push(format!(
        "that no records after {records} were cut off together with their checkpoint: only a later checkpoint or receipt can show that"
    ));
    if !contents.whole {
        out.push(
            "anything about records of which only the hash is here, but that they are in the log".into(),
        );
    } else if !contents.sealed {
        out.push("anything about sealed parts that were left out".into());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_believed_when_it_is_read_twice_alike() {
        let at = |index| VerifyFault::Record { place: Place::End, index, what: "a test" };
        let read = |told: &[Option<u64>]| {
            let mut told = told.iter();
            let mut readings = 0;
            let ended = believed(|| {
                readings += 1;
                told.next().unwrap().map_or(Ok(()), |index| Err(at(index)))
            });
            (ended.is_ok(), readings)
        };
        assert_eq!(read(&[None]), (true, 1));
        assert_eq!(read(&[Some(1), None]), (true, 2), "somebody was writing");
        assert_eq!(read(&[Some(1), Some(2), None]), (true, 3));
        assert_eq!(read(&[Some(1), Some(2), Some(2)]), (false, 3), "it is damaged");
        let moving: Vec<Option<u64>> = (1..9).map(Some).collect();
        assert_eq!(read(&moving), (false, 8));
        // What is no matter of bytes is no matter of another reading.
        let mut readings = 0;
        let cut = believed(|| -> Result<(), _> {
            readings += 1;
            Err(VerifyFault::Cut { records: 1, held: 2 })
        });
        assert!(cut.is_err() && readings == 1);
    }
}
