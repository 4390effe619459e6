//! The gateway's own keys, made on first start below `data/keys`, readable by their owner alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::crypto::{self, SigningKey};
use crate::journal::{SegmentFiles, Shelf as _};
use crate::ledger::journal_directory;
use crate::merkle::signer::SignerKey;

const KEY_LOST: &str = "`ledger.key` is not there, and the log was begun with it: put it back from where it is kept. If it \
                        is lost for good, the log ends: see \"A key was lost or stolen\" in docs/runbook.md";

/// What the gateway signs with and derives from.
pub(crate) struct Keys {
    /// Signs checkpoints; its name is the log's origin.
    pub(crate) ledger: SignerKey,
    /// Master of the transform `pseudonym`.
    pub(super) pseudonym: Zeroizing<[u8; 32]>,
    /// What is folded from the journal is kept under it; without it all is folded anew.
    pub(super) index: Zeroizing<[u8; 32]>,
}

/// Reads the keys, making those that are not there. `log_name` is the member's part of the origin,
/// such as `glenmore.caledonia.example`.
pub(crate) fn open(data: &Path, log_name: &str, clock: &Clock) -> io::Result<Keys> {
    let folder = data.join("keys");
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let path = folder.join("ledger.key");
    let begun = is_begun(&journal_directory(&data.join("ledger")))?;
    match (path.exists(), begun) {
        (true, false) => set_aside(&path)?,
        // Another key would be another log's, and the one before would look damaged.
        (false, true) => return Err(io::Error::new(io::ErrorKind::NotFound, KEY_LOST)),
        (true, true) | (false, false) => {}
    }
    let ledger = read_or_make(&path, || {
        // A log that begins anew must not share its origin with one begun before.
        let [a, b, c, d] = random()?;
        let day = clock.today();
        let origin = format!("{log_name}/ledger/{day}-{a:02x}{b:02x}{c:02x}{d:02x}");
        let key = SigningKey::generate().map_err(io::Error::other)?;
        Ok(SignerKey::new(&origin, key).map_err(io::Error::other)?.reveal())
    })?;
    let ledger = SignerKey::parse(&ledger).map_err(|error| bad("ledger.key", &error))?;
    // If we crashed before here the key is there without its public half, which follows from it.
    let public = format!("{}\n", ledger.verifier());
    if !std::fs::read_to_string(folder.join("ledger.vkey")).is_ok_and(|kept| kept == public) {
        write_durably(&folder.join("ledger.vkey"), public.as_bytes(), 0o644)?;
    }
    let (pseudonym, index) = (random_key(&folder, "pseudonym.key")?, random_key(&folder, "index.key")?);
    Ok(Keys { ledger, pseudonym, index })
}

/// A key of 32 random bytes in a file of its own.
fn random_key(folder: &Path, name: &str) -> io::Result<Zeroizing<[u8; 32]>> {
    let text = read_or_make(&folder.join(name), || {
        let key = Zeroizing::new(random::<32>()?);
        Ok(Zeroizing::new(format!("{}\n", crate::model::Digest(*key).hex())))
    })?;
    let key =
        crate::model::Digest::from_hex(text.trim()).ok_or_else(|| bad(name, &"wanted 64 hex digits"))?;
    Ok(Zeroizing::new(key.0))
}

/// Whether a journal was begun there.
pub(super) fn is_begun(journal: &Path) -> io::Result<bool> {
    match SegmentFiles::new(journal).segments() {
        Ok(segments) => Ok(!segments.is_empty()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A key whose journal is gone signs nothing any more: others hold receipts of that log, and a second
/// log under its name would make them look forged.
fn set_aside(path: &Path) -> io::Result<()> {
    let [a, b, c, d] = random()?;
    let aside = path.with_extension(format!("key.before-{a:02x}{b:02x}{c:02x}{d:02x}"));
    std::fs::rename(path, &aside)?;
    tracing::warn!(
        kept = %aside.display(),
        "there is a key and no journal: a new log begins under a new name, and the old key is set aside"
    );
    Ok(())
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    crypto::random().ok_or_else(|| io::Error::other("the operating system gave no random bytes"))
}

fn bad(file: &str, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{file}: {error}"))
}

fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> io::Result<Zeroizing<String>>,
) -> io::Result<Zeroizing<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = make()?;
            write_durably(path, made.as_bytes(), 0o600)?;
            Ok(made)
        }
        Err(error) => Err(error),
    }
}

/// Writes a file durably, under a temporary name until it is whole: a key that is used and then lost
/// is worse than none, and half a key would stop every later start.
pub(super) fn write_durably(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    // Left by a start that was killed.
    let _ = std::fs::remove_file(&unfinished);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_first_start_that_was_killed_anywhere_stops_no_later_one() {
        let name = format!("tolbooth-keys-{}", std::process::id());
        let data = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&data);
        let folder = data.join("keys");
        let clock = Clock::new().unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        open(&data, "glenmore.caledonia.example", &clock).unwrap();
        let (key, public) = (read("ledger.key"), read("ledger.vkey"));
        let mode = |name: &str| folder.join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("ledger.key"), mode("pseudonym.key"), mode("ledger.vkey")), (0o600, 0o600, 0o644));
        // A log has begun under the key.
        std::fs::create_dir_all(data.join("ledger/journal")).unwrap();
        std::fs::write(data.join("ledger/journal/00000001.segment"), "begun").unwrap();
        // Killed behind the key, and in the middle of the next file.
        std::fs::remove_file(folder.join("ledger.vkey")).unwrap();
        std::fs::remove_file(folder.join("pseudonym.key")).unwrap();
        std::fs::write(folder.join("pseudonym.new"), "00").unwrap();
        open(&data, "glenmore.caledonia.example", &clock).unwrap();
        assert_eq!((read("ledger.key"), read("ledger.vkey")), (key, public.clone()));
        // Lost, and not killed: the log is there.
        std::fs::remove_file(folder.join("ledger.key")).unwrap();
        assert!(open(&data, "glenmore.caledonia.example", &clock).is_err());
        assert_eq!(read("ledger.vkey"), public);
        // Killed before the key: a public half of nothing is no reason to stop.
        std::fs::remove_dir_all(data.join("ledger")).unwrap();
        open(&data, "glenmore.caledonia.example", &clock).unwrap();
        assert_ne!(read("ledger.vkey"), public);
        std::fs::remove_dir_all(&data).unwrap();
    }
}
