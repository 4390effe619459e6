//! How far folding has come and which runs there are: one value, changed in the batch that changes them.

use super::runs::RunId;
use super::term::IndexKey;
use super::{Batch, Store, StoreError, piece};

/// So many runs of one level are merged into one of the next: a search looks into at most seven of each level,
/// and a record is written once for each level, of which ten million records need four.
pub(super) const MERGED_RUNS: usize = 8;

/// The postings of records in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub id: RunId,
    pub first: u64,
    /// Behind its last record.
    pub end: u64,
}

/// What is in the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Catalogue {
    /// The first segment that is not in.
    pub segment: u64,
    /// No record behind is earlier, in milliseconds since 1970.
    pub time_ms: i64,
    /// Oldest first; each begins where the one before ends, and is of no higher level.
    pub runs: Vec<Run>,
    /// Runs whose pieces are still to be deleted.
    pub doomed: Vec<RunId>,
}

impl Catalogue {
    /// `None` where nothing is folded.
    pub(super) fn read(store: &Store, key: &IndexKey, space: u8) -> Result<Option<Self>, StoreError> {
        let Some(value) = store.get(space, b"")? else { return Ok(None) };
        let mut body = piece::open(key, space, b"", &value)?;
        let time_ms = i64::from_be_bytes(piece::take_array(&mut body)?);
        let mut catalogue = Self { segment: piece::take(&mut body)?, time_ms, ..Self::default() };
        for _ in 0..piece::take(&mut body)? {
            let id = RunId::from_bytes(piece::take_array(&mut body)?);
            let (first, end) = (piece::take(&mut body)?, piece::take(&mut body)?);
            if first != catalogue.end() {
                return Err(StoreError::Damaged);
            }
            catalogue.runs.push(Run { id, first, end });
        }
        for _ in 0..piece::take(&mut body)? {
            catalogue.doomed.push(RunId::from_bytes(piece::take_array(&mut body)?));
        }
        Ok(Some(catalogue))
    }

    pub(super) fn put(&self, batch: &mut Batch, key: &IndexKey, space: u8) {
        let mut body = self.time_ms.to_be_bytes().to_vec();
        piece::push(&mut body, self.segment);
        piece::push(&mut body, self.runs.len() as u64);
        for run in &self.runs {
            body.extend_from_slice(&run.id.bytes());
            piece::push(&mut body, run.first);
            piece::push(&mut body, run.end);
        }
        piece::push(&mut body, self.doomed.len() as u64);
        self.doomed.iter().for_each(|id| body.extend_from_slice(&id.bytes()));
        piece::put(batch, key, space, b"", &body);
    }

    /// The first record that is not in.
    pub(super) fn end(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.end)
    }

    /// The newest runs, where there are enough of one level to be merged.
    pub(super) fn to_merge(&self) -> Option<&[Run]> {
        let level = self.runs.last()?.id.level;
        let newest = self.runs.iter().rev().take_while(|run| run.id.level == level).count();
        (newest >= MERGED_RUNS).then(|| self.runs.split_at(self.runs.len() - newest).1)
    }

    /// The runs that [`to_merge`](Self::to_merge) gave are one now.
    pub(super) fn merged(&mut self, into: Run) {
        let kept = self.runs.partition_point(|run| run.first < into.first);
        self.doomed.extend(self.runs.drain(kept..).map(|run| run.id));
        self.runs.push(into);
    }
}
