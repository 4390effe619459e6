//! A CSV file as a source: held in memory, looked up by key, and taken anew when it is replaced.
//!
//! A column nobody mapped is not read at all, and so never shows as drift. A key is compared byte for
//! byte with its cell: no trimming, no case. A single look-up that finds several rows, and a cell that
//! is not of the contract's type, are faults of the source, never "no match".

mod cell;
mod file;
mod plan;
mod table;

pub use file::CsvFile;

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;

use self::plan::CsvOperation;
use self::table::{Table, Wanted};
use super::{Fetched, Mappings, SourceFault};
use crate::json::Node;
use crate::model::{Contract, Digest, Fault, Faults, Mapping, OperationId};

/// What a look at the file behind a source gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refresh {
    /// Nothing new, or something that is still being written.
    Same,
    /// The new file is in use, in place of one with so many rows.
    Replaced { digest: Digest, rows: u32, rows_before: u32 },
    /// The new file cannot be used and the one before stays in use. Said once for each such file;
    /// it holds until `Replaced`.
    Refused(Faults),
}

pub struct CsvSource {
    /// As the dataset file spells it, for faults.
    name: String,
    path: PathBuf,
    bytes_max: u64,
    wanted: Wanted,
    operations: Vec<CsvOperation>,
    live: Arc<Live>,
}

/// What a ruleset hands to the next one that reads the same file in the same way: a reload for another
/// reason takes no file that [`CsvSource::refresh`] would not have taken.
struct Live {
    table: ArcSwap<Table>,
    watch: Mutex<Watch>,
}

struct Watch {
    /// The file that was last taken or refused.
    judged: Option<Stamp>,
    /// A file that was seen once. It is read only when it is seen again unchanged, for one that is
    /// still being copied would read as a whole file with fewer rows.
    seen: Option<Option<Stamp>>,
    refused: bool,
}

/// What changes when a file is replaced or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

impl CsvSource {
    pub fn build(
        name: &str,
        file: &CsvFile,
        contract: &Contract,
        base: &Path,
        before: Option<&Self>,
    ) -> Result<Self, Faults> {
        let (wanted, operations) = plan::plan(name, file, contract)?;
        let path = base.join(&file.file);
        let same = |before: &&Self| {
            (&before.path, before.bytes_max, &before.wanted) == (&path, file.bytes_max, &wanted)
        };
        let live = match before.filter(same) {
            Some(before) => Arc::clone(&before.live),
            None => Arc::new(Live::read(name, file, &path, &wanted)?),
        };
        Ok(Self { name: file.file.clone(), path, bytes_max: file.bytes_max, wanted, operations, live })
    }

    /// The mapping of each operation, read without the file behind.
    pub fn mappings(name: &str, file: &CsvFile, contract: &Contract) -> Result<Mappings, Faults> {
        let (_, operations) = plan::plan(name, file, contract)?;
        Ok(operations.into_iter().map(|operation| (operation.id, operation.mapping)).collect())
    }

    /// Whether the newest file was refused and the one before is in use.
    pub fn is_refused(&self) -> bool {
        self.live.watch().refused
    }

    fn operation(&self, id: &OperationId) -> Option<&CsvOperation> {
        self.operations.iter().find(|operation| operation.id == *id)
    }

    pub fn mapping(&self, operation: &OperationId) -> Option<&Mapping> {
        Some(&self.operation(operation)?.mapping)
    }

    pub fn fetch(&self, operation: &OperationId, question: Node<'_>) -> Result<Fetched, SourceFault> {
        let operation = self
            .operation(operation)
            .ok_or_else(|| SourceFault::Invalid("the source does not know the operation".into()))?;
        operation.answer(&self.live.table.load(), question)
    }

    pub fn refresh(&self) -> Refresh {
        let now = stamp(&self.path);
        let mut watch = self.live.watch();
        if now == watch.judged {
            watch.seen = None;
            return Refresh::Same;
        }
        if watch.seen != Some(now) {
            watch.seen = Some(now);
            return Refresh::Same;
        }
        watch.judged = now;
        watch.seen = None;
        match load(&self.name, &self.path, self.bytes_max, &self.wanted) {
            Ok(table) if table.digest == self.live.table.load().digest && !watch.refused => Refresh::Same,
            Ok(table) => {
                watch.refused = false;
                let (digest, rows) = (table.digest, table.rows);
                let rows_before = self.live.table.swap(Arc::new(table)).rows;
                Refresh::Replaced { digest, rows, rows_before }
            }
            Err(faults) => {
                watch.refused = true;
                Refresh::Refused(faults)
            }
        }
    }
}

impl Live {
    fn read(name: &str, file: &CsvFile, path: &Path, wanted: &Wanted) -> Result<Self, Faults> {
        let judged = stamp(path);
        let table = load(&file.file, path, file.bytes_max, wanted).map_err(|mut faults| {
            let message = format!("the file `{}` cannot be used", file.file);
            faults.push(Fault::new(name, Some(file.line), message));
            faults
        })?;
        let watch = Mutex::new(Watch { judged, seen: None, refused: false });
        Ok(Self { table: ArcSwap::from_pointee(table), watch })
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        // A holder that panicked left at worst a file that is looked at once more.
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `None` if there is no file.
fn stamp(path: &Path) -> Option<Stamp> {
    let meta = std::fs::metadata(path).ok()?;
    Some(Stamp { modified: meta.modified().ok(), bytes: meta.len(), inode: meta.ino() })
}

fn load(name: &str, path: &Path, bytes_max: u64, wanted: &Wanted) -> Result<Table, Faults> {
    let fault = |message: String| Faults::from(Fault::new(name, None, message));
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| fault(error.to_string()))?;
    if bytes.len() as u64 > bytes_max {
        return Err(fault("is larger than `file_bytes_max`".to_owned()));
    }
    Table::read(name, &bytes, wanted)
}

impl std::fmt::Debug for CsvSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CsvSource({})", self.name)
    }
}

#[cfg(test)]
mod tests;
