//! Wrapped copies of subject keys: `<key>.<recovery key>.wrapped` beside each key, sealed to a recovery key
//! whose private half is on no gateway (HPKE, RFC 9180, in [`crate::crypto`]).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::durable::write_durably;
use super::labelled;
use super::recovery::RecoverySecret;
use super::subject::YearKey;
use crate::crypto::SealedTo;
use crate::model::{Digest, RecoveryKey};

const TITLE: &str = "tolbooth wrapped subject key v1";
const NAMES: [&str; 4] = ["key", "recovery", "encapsulated", "sealed"];
const SUFFIX: &str = ".wrapped";

/// A wrapped copy as its file says.
pub(super) struct Wrapped {
    /// The id of the subject key within.
    pub key: String,
    /// The id of the recovery key it was sealed to.
    pub recovery: String,
    sealed: SealedTo,
}

impl Wrapped {
    fn parse(text: &str) -> Option<Self> {
        let [key, recovery, encapsulated, sealed] = labelled::read(TITLE, NAMES, text)?;
        let sealed = SealedTo {
            encapsulated: Digest::from_hex(encapsulated)?.0,
            ciphertext: STANDARD.decode(sealed).ok()?,
        };
        Some(Self { key: key.to_owned(), recovery: recovery.to_owned(), sealed })
    }

    /// The subject key, if this is its copy for that recovery key.
    pub(super) fn open(&self, secret: &RecoverySecret) -> Option<(YearKey, Zeroizing<[u8; 32]>)> {
        let opened = secret.key().open(TITLE.as_bytes(), &with(&self.key, &self.recovery), &self.sealed)?;
        let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(opened.as_slice().try_into().ok()?);
        let key = YearKey::new(year_of(&self.key)?, &bytes);
        (key.id() == self.key).then_some((key, bytes))
    }
}

/// What is authenticated beside the key: its name, and whose copy it is.
fn with(key: &str, recovery: &str) -> Vec<u8> {
    format!("{key}\n{recovery}").into_bytes()
}

/// The year a key's id begins with.
pub(super) fn year_of(key: &str) -> Option<i16> {
    let (year, rest) = key.split_once('-')?;
    let is_id = year.len() == 4 && rest.len() == 8 && rest.bytes().all(|b| b.is_ascii_hexdigit());
    if is_id { year.parse().ok() } else { None }
}

fn file_name(key: &str, recovery: &str) -> String {
    format!("{key}.{recovery}{SUFFIX}")
}

/// Makes the copy of a key for a recovery key, unless it is there whole. Durable when this returns.
pub(super) fn ensure(directory: &Path, key: &YearKey, bytes: &[u8; 32], to: &RecoveryKey) -> io::Result<()> {
    let (id, recovery) = (key.id(), to.id());
    let name = file_name(id, &recovery);
    let there = fs::read_to_string(directory.join(&name)).ok().and_then(|text| Wrapped::parse(&text));
    if there.is_some_and(|there| there.key == id && there.recovery == recovery) {
        return Ok(());
    }
    let sealed = to.0.seal(TITLE.as_bytes(), &with(id, &recovery), bytes);
    let sealed = sealed.ok_or_else(|| {
        io::Error::other(format!("nothing can be wrapped to the recovery key {recovery}: make another"))
    })?;
    let (encapsulated, ciphertext) = (Digest(sealed.encapsulated).hex(), STANDARD.encode(&sealed.ciphertext));
    let values = [id, &recovery, &encapsulated, &ciphertext];
    let lines: Vec<(&str, &str)> = NAMES.into_iter().zip(values).collect();
    write_durably(directory, &name, labelled::write(TITLE, &lines).as_bytes())
}

/// The copies in a directory by file name; `None` of one that does not read.
pub(super) fn all(directory: &Path) -> io::Result<BTreeMap<String, Option<Wrapped>>> {
    let mut out = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(SUFFIX) && !name.starts_with('.') {
            let bytes = fs::read(&path)?;
            let read = std::str::from_utf8(&bytes).ok().and_then(Wrapped::parse);
            // A copy under another's name is nobody's.
            let read = read.filter(|copy| file_name(&copy.key, &copy.recovery) == name);
            out.insert(name.to_owned(), read);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_year_and_eight_digits() {
        assert_eq!(year_of("2026-0a1b2c3d"), Some(2026));
        for wrong in ["2026", "26-0a1b2c3d", "2026-0a1b2c3", "2026-0a1b2c3g", ""] {
            assert_eq!(year_of(wrong), None, "{wrong}");
        }
    }
}
