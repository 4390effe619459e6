//! Whom an exchange is about, as keyed references: HMAC-SHA-256 under the year's key over the kind, the
//! normaliser's version and the normalised identifier.
//!
//! Pseudonymised, not anonymous: whoever holds key and ledger can try all identifiers. Each year has its
//! own key in a file of its own, made when first needed, readable by the gateway alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use super::durable::write_durably;
use super::fault::LedgerError;
use crate::crypto::{MacKey, random, sha256};
use crate::model::{Digest, Subject, SubjectKind};

/// Of [`normalise`]; part of what is hashed, so that a change never mixes two spellings.
const NORMALISER: u8 = 1;
const TITLE: &str = "tolbooth subject key v1";

/// A subject as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectRef {
    pub kind: SubjectKind,
    /// Which key: the year and the beginning of the key's own digest.
    pub key: String,
    pub tag: [u8; 32],
}

/// One spelling for one identifier.
fn normalise(kind: &SubjectKind, identifier: &str) -> String {
    match kind.as_str() {
        "chi" | "nhs_number" => identifier.chars().filter(|c| !c.is_whitespace()).collect(),
        "uprn" => {
            let digits = identifier.trim();
            match digits.trim_start_matches('0') {
                "" if !digits.is_empty() => "0".to_owned(),
                rest => rest.to_owned(),
            }
        }
        "vrm" => identifier.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect(),
        "name_dob" => identifier.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" "),
        _ => identifier.trim().to_owned(),
    }
}

struct YearKey {
    id: String,
    mac: MacKey,
}

impl YearKey {
    fn new(year: i16, bytes: &[u8; 32]) -> Self {
        let [a, b, c, d, ..] = sha256(&[TITLE.as_bytes(), bytes]);
        let id = format!("{year}-{:08x}", u32::from_be_bytes([a, b, c, d]));
        Self { id, mac: MacKey::new(bytes) }
    }

    fn reference(&self, subject: &Subject) -> SubjectRef {
        let identifier = normalise(&subject.kind, &subject.identifier);
        // Kinds hold no zero byte, so the parts cannot run into one another.
        let parts = [subject.kind.as_str().as_bytes(), &[0, NORMALISER], identifier.as_bytes()];
        SubjectRef { kind: subject.kind.clone(), key: self.id.clone(), tag: self.mac.tag(&parts) }
    }
}

/// The keys of all years so far.
pub struct SubjectKeys {
    directory: PathBuf,
    keys: RwLock<BTreeMap<i16, YearKey>>,
}

impl SubjectKeys {
    /// Reads all keys there are; makes the directory if it is missing.
    pub fn open(directory: &Path) -> Result<Self, LedgerError> {
        let file = |error| LedgerError::File { what: "reading the subject keys", error };
        fs::create_dir_all(directory).map_err(file)?;
        let mut keys = BTreeMap::new();
        for entry in fs::read_dir(directory).map_err(file)? {
            let path = entry.map_err(file)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(year) = name.strip_suffix(".key").and_then(|year| year.parse().ok()) else { continue };
            let text = fs::read_to_string(&path).map_err(file)?;
            let bytes = parse(&text).ok_or(LedgerError::SubjectKey { year })?;
            keys.insert(year, YearKey::new(year, &bytes));
        }
        Ok(Self { directory: directory.to_owned(), keys: RwLock::new(keys) })
    }

    /// The ids of all keys, oldest first.
    pub fn ids(&self) -> Vec<String> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.values().map(|key| key.id.clone()).collect()
    }

    /// Makes the key of a year if there is none. Durable when this returns.
    pub fn ensure(&self, year: i16) -> Result<(), LedgerError> {
        if self.keys.read().unwrap_or_else(PoisonError::into_inner).contains_key(&year) {
            return Ok(());
        }
        let bytes: [u8; 32] = random().ok_or(LedgerError::SubjectKey { year })?;
        let text = format!("{TITLE}\n{}\n", Digest(bytes).hex());
        write_durably(&self.directory, &format!("{year}.key"), text.as_bytes())
            .map_err(|error| LedgerError::File { what: "writing the subject key", error })?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(year, YearKey::new(year, &bytes));
        Ok(())
    }

    /// The references under one year's key, each once. `None` without that key.
    pub fn of_year(&self, year: i16, subjects: &[Subject]) -> Option<Vec<SubjectRef>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.get(&year)?;
        let mut out: Vec<_> = subjects.iter().map(|subject| key.reference(subject)).collect();
        out.sort_unstable();
        out.dedup();
        Some(out)
    }

    /// The references under every year's key: what a search looks for.
    pub fn of_all_years(&self, subject: &Subject) -> Vec<SubjectRef> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.values().map(|key| key.reference(subject)).collect()
    }
}

fn parse(text: &str) -> Option<[u8; 32]> {
    let (title, key) = text.trim_end().split_once('\n')?;
    (title == TITLE).then_some(Digest::from_hex(key)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(kind: &str) -> SubjectKind {
        SubjectKind::new(kind).unwrap()
    }

    #[test]
    fn one_identifier_has_one_spelling() {
        for (name, given, wanted) in [
            ("chi", " 010101 9999", "0101019999"),
            ("uprn", "000123", "123"),
            ("uprn", "000", "0"),
            ("vrm", "zz99 zzz", "ZZ99ZZZ"),
            ("name_dob", "  Ailsa   ROSS 2001-01-01", "ailsa ross 2001-01-01"),
            ("local_id", " A 1 ", "A 1"),
        ] {
            assert_eq!(normalise(&kind(name), given), wanted, "{name}");
        }
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
