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

/// What the gateway signs with and derives from.
pub(super) struct Keys {
    /// Signs checkpoints; its name is the log's origin.
    pub(super) ledger: SignerKey,
    /// Master of the transform `pseudonym`.
    pub(super) pseudonym: Zeroizing<[u8; 32]>,
}

/// Reads the keys, making those that are not there. `log_name` is the member's part of the origin,
/// such as `glenmore.caledonia.example`.
pub(super) fn open(data: &Path, log_name: &str, clock: &Clock) -> io::Result<Keys> {
    let folder = data.join("keys");
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let path = folder.join("ledger.key");
    if path.exists() && !is_begun(&journal_directory(&data.join("ledger")))? {
        set_aside(&path)?;
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
    publish(&folder.join("ledger.vkey"), &format!("{}\n", ledger.verifier()))?;
    let pseudonym = read_or_make(&folder.join("pseudonym.key"), || {
        let key = Zeroizing::new(random::<32>()?);
        Ok(Zeroizing::new(format!("{}\n", crate::model::Digest(*key).hex())))
    })?;
    let pseudonym = crate::model::Digest::from_hex(pseudonym.trim())
        .ok_or_else(|| bad("pseudonym.key", &"wanted 64 hex digits"))?;
    Ok(Keys { ledger, pseudonym: Zeroizing::new(pseudonym.0) })
}

/// Whether a journal was begun there.
fn is_begun(journal: &Path) -> io::Result<bool> {
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

/// Writes the public key unless it is there: it follows from the private one.
fn publish(path: &Path, text: &str) -> io::Result<()> {
    if std::fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    write(path, text.as_bytes(), 0o644)
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
            write(path, made.as_bytes(), 0o600)?;
            Ok(made)
        }
        Err(error) => Err(error),
    }
}

/// Writes a file durably, under another name until it is whole: a key that is used and then lost is
/// worse than none, and half a key keeps a gateway from starting.
fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    // Left by a start that was killed: never used.
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
