//! Puts lost subject keys back from their wrapped copies, into the folder of a gateway that is stopped.
//!
//! Nothing that is there is written over: a key that was made for the same year meanwhile stays, and keeps what
//! was recorded under it.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use super::handle::{JOURNAL, SUBJECT_KEYS};
use super::recovery::RecoverySecret;
use super::subject::{YearKey, key_files, read_key, write_key};
use super::wrapped;
use crate::journal::{Disk, JournalFault};

/// What was done, by the ids of keys.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Recovered {
    pub restored: Vec<String>,
    /// They were there already.
    pub held: Vec<String>,
    /// Wrapped copies that are damaged, by file name: another recovery key may have a whole one.
    pub damaged: Vec<String>,
}

/// Why nothing was recovered.
#[derive(Debug)]
pub enum RecoverFault {
    /// The gateway runs, or something else holds its journal.
    Journal(JournalFault),
    NoFolder,
    File(io::Error),
    /// No wrapped copy at all.
    NoCopies,
    /// There are copies, and none for this recovery key.
    OtherKey {
        given: String,
        there: Vec<String>,
    },
}

impl fmt::Display for RecoverFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(JournalFault::Locked { .. }) => {
                f.write_str("the gateway is running: stop it, recover, and start it again")
            }
            Self::Journal(fault) => fault.fmt(f),
            Self::NoFolder => f.write_str(
                "there are no subject keys and no wrapped copies here: put back data/ledger/subject-keys from a \
                 backup first",
            ),
            Self::File(error) => write!(f, "the subject keys could not be read or written: {error}"),
            Self::NoCopies => f.write_str(
                "there is no wrapped copy here: put back data/ledger/subject-keys/*.wrapped from a backup first. \
                 Without one, person search has ended for the years of the lost keys",
            ),
            Self::OtherKey { given, there } => write!(
                f,
                "no subject key was wrapped to this recovery key ({given}); the copies here are for {}",
                there.join(" and ")
            ),
        }
    }
}

impl std::error::Error for RecoverFault {}

impl From<io::Error> for RecoverFault {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// Puts back every key that was wrapped to this recovery key and is not there. `ledger` is the folder with the
/// journal, held alone meanwhile.
pub fn recover_subject_keys(ledger: &Path, secret: &RecoverySecret) -> Result<Recovered, RecoverFault> {
    let directory = ledger.join(SUBJECT_KEYS);
    if !directory.is_dir() {
        return Err(RecoverFault::NoFolder);
    }
    let _held = Disk::open(&ledger.join(JOURNAL)).map_err(RecoverFault::Journal)?;
    let copies = wrapped::all(&directory)?;
    if copies.is_empty() {
        return Err(RecoverFault::NoCopies);
    }
    let mut held = set_aside_damaged(&directory)?;
    let given = secret.public().id();
    let (mut recovered, mut others) = (Recovered::default(), BTreeSet::new());
    for (name, copy) in copies {
        let Some(copy) = copy else {
            // Whose it is its name says.
            if name.contains(&given) {
                recovered.damaged.push(name);
            }
            continue;
        };
        if copy.recovery != given {
            others.insert(copy.recovery);
        } else if let Some((key, bytes)) = copy.open(secret) {
            if held.contains(key.id()) {
                recovered.held.push(copy.key);
            } else {
                put_back(&directory, &key, &bytes)?;
                held.insert(copy.key.clone());
                recovered.restored.push(copy.key);
            }
        } else {
            recovered.damaged.push(name);
        }
    }
    if recovered == Recovered::default() {
        return Err(RecoverFault::OtherKey { given, there: others.into_iter().collect() });
    }
    Ok(recovered)
}

/// The ids of the keys that are there. A file that holds none would stop every start: it is kept under another
/// name.
fn set_aside_damaged(directory: &Path) -> io::Result<BTreeSet<String>> {
    let mut held = BTreeSet::new();
    for (path, year) in key_files(directory)? {
        match read_key(&path, year)? {
            Some(key) => {
                held.insert(key.id().to_owned());
            }
            None => fs::rename(&path, path.with_extension("key.damaged"))?,
        }
    }
    Ok(held)
}

/// As the key of its year, or beside the one that was made meanwhile.
fn put_back(directory: &Path, key: &YearKey, bytes: &[u8; 32]) -> io::Result<()> {
    let year = key.id().split('-').next().unwrap_or_default();
    let own = format!("{year}.key");
    let name = if directory.join(&own).exists() { format!("{}.key", key.id()) } else { own };
    write_key(directory, &name, bytes)
}
