//! Whom an exchange is about, as keyed references: HMAC-SHA-256 under the year's key over the kind, the
//! normaliser's version and the normalised identifier.
//!
//! Pseudonymised, not anonymous: whoever holds key and ledger can try all identifiers. Each year has its
//! own key in a file of its own, made when first needed, readable by the gateway alone, with copies wrapped to
//! the recovery keys beside it ([`wrapped`]). A key that is lost is put back by [`recover`](super::recover);
//! until then its year goes on under another, and a search says that it cannot see all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use zeroize::Zeroizing;

use super::durable::write_durably;
use super::fault::{LedgerError, Unrecorded};
use super::wrapped;
use crate::crypto::{MacKey, random, sha256};
use crate::model::{Digest, NORMALISER, RecoveryKey, Subject, SubjectKind};

const TITLE: &str = "tolbooth subject key v1";

/// A subject as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectRef {
    pub kind: SubjectKind,
    /// Which key: the year and the beginning of the key's own digest.
    pub key: String,
    pub tag: [u8; 32],
}

/// One key. There is one a year, and another where the first was lost and its year went on.
pub(super) struct YearKey {
    id: String,
    mac: MacKey,
}

impl YearKey {
    pub(super) fn new(year: i16, bytes: &[u8; 32]) -> Self {
        let [a, b, c, d, ..] = sha256(&[TITLE.as_bytes(), bytes]);
        let id = format!("{year}-{:08x}", u32::from_be_bytes([a, b, c, d]));
        Self { id, mac: MacKey::new(bytes) }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    fn reference(&self, subject: &Subject) -> SubjectRef {
        let identifier = subject.normalised();
        // Kinds hold no zero byte, so the parts cannot run into one another.
        let parts = [subject.kind.as_str().as_bytes(), &[0, NORMALISER], identifier.as_bytes()];
        SubjectRef { kind: subject.kind.clone(), key: self.id.clone(), tag: self.mac.tag(&parts) }
    }
}

/// Keys that are not here, though something says that they were in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingKeys {
    /// Their ids, such as `2026-0a1b2c3d`: what they name cannot be searched by person.
    pub keys: Vec<String>,
    /// Whether all of the journal has been asked; if not, more may be missing.
    pub all_known: bool,
}

impl MissingKeys {
    /// Of a look that is not by person.
    pub const NONE: Self = Self { keys: Vec::new(), all_known: true };
}

/// The keys of all years so far.
pub struct SubjectKeys {
    directory: PathBuf,
    recovery: Vec<RecoveryKey>,
    keys: RwLock<BTreeMap<i16, Vec<YearKey>>>,
    named: RwLock<Named>,
}

/// Which keys something names, whether or not they are here.
#[derive(Default)]
struct Named {
    keys: BTreeSet<String>,
    /// Whether all of the journal was read for them.
    whole: bool,
    /// Whether the logs before this one were.
    earlier: bool,
    /// Which keys were destroyed, on the record.
    destroyed: BTreeSet<String>,
}

impl SubjectKeys {
    /// Reads all keys there are, and wraps each to the recovery keys; makes the directory if it is missing.
    pub fn open(directory: &Path, recovery: Vec<RecoveryKey>) -> Result<Self, LedgerError> {
        let file = |error| LedgerError::File { what: "reading the subject keys", error };
        fs::create_dir_all(directory).map_err(file)?;
        let mut keys: BTreeMap<i16, Vec<YearKey>> = BTreeMap::new();
        for (path, year) in key_files(directory).map_err(file)? {
            let text = Zeroizing::new(fs::read_to_string(&path).map_err(file)?);
            let bytes = parse(&text).ok_or(LedgerError::SubjectKey { year })?;
            let key = YearKey::new(year, &bytes);
            wrap(directory, &key, &bytes, &recovery)?;
            keys.entry(year).or_default().push(key);
        }
        let copies = wrapped::all(directory).map_err(file)?;
        let named = copies.into_values().flatten().map(|copy| copy.key).collect();
        let named = RwLock::new(Named { keys: named, ..Named::default() });
        Ok(Self { directory: directory.to_owned(), recovery, keys: RwLock::new(keys), named })
    }

    /// The ids of all keys, oldest first.
    pub fn ids(&self) -> Vec<String> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.values().flatten().map(|key| key.id.clone()).collect()
    }

    /// Makes the key of a year if there is none. The key and its wrapped copies are durable when this returns,
    /// and not used before.
    pub fn ensure(&self, year: i16) -> Result<(), LedgerError> {
        if self.keys.read().unwrap_or_else(PoisonError::into_inner).contains_key(&year) {
            return Ok(());
        }
        let bytes: Zeroizing<[u8; 32]> =
            Zeroizing::new(random().ok_or(LedgerError::Unrecorded(Unrecorded::NoKey))?);
        let key = YearKey::new(year, &bytes);
        write_key(&self.directory, &format!("{year}.key"), &bytes)
            .map_err(|error| LedgerError::File { what: "writing the subject key", error })?;
        // If we crash here the next start wraps it; nothing was recorded under it yet.
        wrap(&self.directory, &key, &bytes, &self.recovery)?;
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(year, vec![key]);
        Ok(())
    }

    /// The references under one year's key, each once. `None` without that key.
    pub fn of_year(&self, year: i16, subjects: &[Subject]) -> Option<Vec<SubjectRef>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(&year)?.first()?;
        let mut out: Vec<_> = subjects.iter().map(|subject| key.reference(subject)).collect();
        out.sort_unstable();
        out.dedup();
        Some(out)
    }

    /// The references under every year's keys: what a search looks for.
    pub fn of_all_years(&self, subject: &Subject) -> Vec<SubjectRef> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.values().flatten().map(|key| key.reference(subject)).collect()
    }

    /// Records name these keys; `whole` when all records were asked.
    pub fn are_named(&self, keys: impl IntoIterator<Item = String>, whole: bool) {
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        named.keys.extend(keys);
        named.whole |= whole;
    }

    /// Records of earlier logs name these keys: all that there are in them, or in none.
    pub fn are_named_before(&self, keys: impl IntoIterator<Item = String>) {
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        named.keys.extend(keys);
        named.earlier = true;
    }

    /// Records say that these keys are destroyed: from now on nothing is keyed or looked for by them.
    pub fn are_destroyed(&self, destroyed: impl IntoIterator<Item = String>) {
        let destroyed: BTreeSet<String> = destroyed.into_iter().collect();
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.values_mut().for_each(|keys| keys.retain(|key| !destroyed.contains(key.id())));
        keys.retain(|_, keys| !keys.is_empty());
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        named.destroyed.extend(destroyed);
    }

    /// The ids of the keys that were destroyed, as far as is known.
    pub fn destroyed(&self) -> BTreeSet<String> {
        self.named.read().unwrap_or_else(PoisonError::into_inner).destroyed.clone()
    }

    /// Which keys that something names are not here.
    pub fn missing(&self) -> MissingKeys {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let held: BTreeSet<&str> = keys.values().flatten().map(YearKey::id).collect();
        let named = self.named.read().unwrap_or_else(PoisonError::into_inner);
        let missing = named
            .keys
            .iter()
            .filter(|key| !held.contains(key.as_str()) && !named.destroyed.contains(*key))
            .cloned()
            .collect();
        MissingKeys { keys: missing, all_known: named.whole && named.earlier }
    }
}

fn wrap(directory: &Path, key: &YearKey, bytes: &[u8; 32], to: &[RecoveryKey]) -> Result<(), LedgerError> {
    to.iter()
        .try_for_each(|to| wrapped::ensure(directory, key, bytes, to))
        .map_err(|error| LedgerError::File { what: "wrapping the subject keys to the recovery keys", error })
}

/// The key files of a directory, each year's own before what was recovered of the same year.
pub(super) fn key_files(directory: &Path) -> io::Result<Vec<(PathBuf, i16)>> {
    let mut out = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(stem) = name.strip_suffix(".key") else { continue };
        if let Some(year) = stem.parse().ok().or_else(|| wrapped::year_of(stem)) {
            out.push((path, year));
        }
    }
    // `2026.key` sorts behind `2026-0a1b2c3d.key` as a name, and comes first as the shorter.
    out.sort_by_key(|(path, year)| (*year, path.as_os_str().len(), path.clone()));
    Ok(out)
}

/// Writes a key, durably and readable by its owner alone.
pub(super) fn write_key(directory: &Path, name: &str, bytes: &[u8; 32]) -> io::Result<()> {
    let text = Zeroizing::new(format!("{TITLE}\n{}\n", Digest(*bytes).hex()));
    write_durably(directory, name, text.as_bytes())
}

/// The key in a key file, if it reads.
pub(super) fn read_key(path: &Path, year: i16) -> io::Result<Option<YearKey>> {
    let text = Zeroizing::new(fs::read_to_string(path)?);
    Ok(parse(&text).map(|bytes| YearKey::new(year, &bytes)))
}

fn parse(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let (title, key) = text.trim_end().split_once('\n')?;
    (title == TITLE).then_some(Zeroizing::new(Digest::from_hex(key)?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(kind: &str) -> SubjectKind {
        SubjectKind::new(kind).unwrap()
    }

    #[test]
    fn a_reference_depends_on_kind_year_and_identifier_only() {
        let (this, next) = (YearKey::new(2026, &[1; 32]), YearKey::new(2027, &[2; 32]));
        let subject = |name: &str, id: &str| Subject { kind: kind(name), identifier: id.into() };
        let one = this.reference(&subject("chi", "0101019999"));
        assert_eq!(one, this.reference(&subject("chi", "010101 9999")));
        assert_ne!(one.tag, this.reference(&subject("nhs_number", "0101019999")).tag);
        assert_ne!(one.tag, next.reference(&subject("chi", "0101019999")).tag);
    }
}
