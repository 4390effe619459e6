//! The end of a subject key: first a record that names it, durable, then the key and its wrapped copies go from this
//! gateway's folders. Copies in backups are whoever's who keeps those.
//!
//! Whether nothing is left that it keyed is not decided here: `desk/keyless.rs` does that.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::entry::Record;
use super::fault::LedgerError;
use super::handle::{Ledger, SUBJECT_KEYS};
use super::object::Object;
use super::subject::{key_files, read_key};
use super::wrapped;

/// A subject key is destroyed. Prints without who and why.
pub struct KeyDestroyed {
    /// Its id, such as `2026-0a1b2c3d`.
    pub key: String,
    /// Sealed: who asked, as the gateway knows them.
    pub by: String,
    /// Sealed: why, in their words.
    pub purpose: String,
}

impl fmt::Debug for KeyDestroyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyDestroyed({}, ***)", self.key)
    }
}

pub(super) fn envelope(object: &mut Object<'_>, destroyed: &KeyDestroyed) {
    object.text("key", &destroyed.key);
}

impl Ledger {
    /// Destroys a subject key and its wrapped copies, on the record first; `false` where that is done already.
    /// Blocks.
    pub fn destroy_subject_key(&self, key: &str, (by, purpose): (&str, &str)) -> Result<bool, LedgerError> {
        // Of two runs that meet, one records it.
        let _alone = self.unerased();
        if self.0.subjects.destroyed().contains(key) {
            return Ok(false);
        }
        let (by, purpose) = (by.to_owned(), purpose.to_owned());
        let record = KeyDestroyed { key: key.to_owned(), by, purpose };
        self.append_blocking(Record::KeyDestroyed(Box::new(record))).map_err(LedgerError::Unrecorded)?;
        // If we crash here the record names a key that is there: the next start destroys it.
        self.0.subjects.are_destroyed([key.to_owned()]);
        self.finish_destroying()?;
        Ok(true)
    }

    /// Destroys what records name as destroyed and a crash left, or somebody put back.
    pub fn finish_destroying(&self) -> Result<(), LedgerError> {
        let destroyed = self.0.subjects.destroyed();
        if destroyed.is_empty() {
            return Ok(());
        }
        let failed = |error| LedgerError::File { what: "destroying a subject key", error };
        let earlier = self.earlier()?.into_iter().map(|earlier| earlier.folder);
        for folder in std::iter::once(self.directory().to_owned()).chain(earlier) {
            remove(&folder.join(SUBJECT_KEYS), &destroyed).map_err(failed)?;
        }
        Ok(())
    }

    /// The ids of subject keys that were destroyed, as far as the logs were read.
    pub fn destroyed_subject_keys(&self) -> BTreeSet<String> {
        self.0.subjects.destroyed()
    }
}

/// Removes the keys of these ids and their wrapped copies from a folder, durably.
fn remove(directory: &Path, keys: &BTreeSet<String>) -> io::Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    let mut gone = Vec::new();
    for (name, _) in wrapped::all(directory)? {
        // Also a copy that does not read: its name says of what.
        if keys.iter().any(|key| name.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with('.'))) {
            gone.push(directory.join(name));
        }
    }
    for (path, year) in key_files(directory)? {
        if read_key(&path, year)?.is_some_and(|key| keys.contains(key.id())) {
            gone.push(path);
        }
    }
    if gone.is_empty() {
        return Ok(());
    }
    gone.iter().try_for_each(fs::remove_file)?;
    File::open(directory)?.sync_all()
}
