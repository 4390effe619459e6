//! Small files that are durable before anything names them: evidence and keys.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::syncfs;

use crate::model::Digest;

/// Writes a file that only this user can read, under a temporary name until it is durable, so that a
/// name never stands for half a file. The directory's entry is durable when this returns.
pub(super) fn write_durably(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    // Two threads may keep the same bytes at once: each writes a file of its own.
    let unfinished = directory.join(format!(".{name}.{}.new", random()?));
    let written = write(&unfinished, bytes)
        .and_then(|()| fs::rename(&unfinished, directory.join(name)))
        .and_then(|()| File::open(directory)?.sync_all());
    if written.is_err() {
        // Best effort: a file left behind is never read.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn random() -> io::Result<String> {
    let random = crate::crypto::random::<8>().ok_or(io::ErrorKind::Other)?;
    Ok(format!("{:016x}", u64::from_be_bytes(random)))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Keeps bytes as `<directory>/<sha256>`. What is there already is believed only if it is those bytes.
pub(super) fn keep(directory: &Path, bytes: &[u8]) -> io::Result<Digest> {
    let digest = Digest::of(bytes);
    if is_kept(directory, &digest, bytes) {
        // Whoever wrote it may have died before its name was durable.
        File::open(directory)?.sync_all()?;
        return Ok(digest);
    }
    fs::create_dir_all(directory)?;
    write_durably(directory, &digest.hex(), bytes)?;
    Ok(digest)
}

fn is_kept(directory: &Path, digest: &Digest, bytes: &[u8]) -> bool {
    fs::read(directory.join(digest.hex())).is_ok_and(|kept| kept == bytes)
}

/// As [`keep`] for many files at once, with one sync for the bytes of all and one for their names. Gives
/// the digests in order.
pub(super) fn keep_all(directory: &Path, files: &[&[u8]]) -> io::Result<Vec<Digest>> {
    fs::create_dir_all(directory)?;
    let found = look_for(directory, files)?;
    let digests = found.iter().map(|(digest, _)| *digest).collect();
    let new: BTreeMap<Digest, &[u8]> = found
        .into_iter()
        .zip(files)
        .filter(|((_, kept), _)| !kept)
        .map(|((digest, _), bytes)| (digest, *bytes))
        .collect();
    let held = File::open(directory)?;
    if !new.is_empty() {
        let unfinished = Unfinished(directory.join(format!(".{}.new", random()?)));
        fs::create_dir(&unfinished.0)?;
        for (digest, bytes) in &new {
            let mut file = create(&unfinished.0.join(digest.hex()))?;
            file.write_all(bytes)?;
        }
        // The whole file system at once. Since Linux 5.8 this tells of a write that failed; before that
        // the next start finds a file that is not those bytes, and writes it again.
        syncfs(&held)?;
        for digest in new.keys() {
            let name = digest.hex();
            fs::rename(unfinished.0.join(&name), directory.join(&name))?;
        }
    }
    // The names of those that were there already too: whoever wrote them may have died before.
    held.sync_all()?;
    Ok(digests)
}

/// The digests of these, in order, and whether they are kept already: read by two threads, since it is
/// done for all files of a ruleset before a start is ready.
fn look_for(directory: &Path, files: &[&[u8]]) -> io::Result<Vec<(Digest, bool)>> {
    let look = |files: &[&[u8]]| -> Vec<(Digest, bool)> {
        let one = |bytes: &&[u8]| {
            let digest = Digest::of(bytes);
            (digest, is_kept(directory, &digest, bytes))
        };
        files.iter().map(one).collect()
    };
    let (first, second) = files.split_at(files.len() / 2);
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| look(first));
        let second = look(second);
        let mut all = beside.join().map_err(|_| io::Error::other("a thread that read evidence panicked"))?;
        all.extend(second);
        Ok(all)
    })
}

/// A folder of files that are not durable yet; gone when this is.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Best effort: what is left behind is never read.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_kept_together_as_they_are_one_by_one() {
        let directory = std::env::temp_dir().join(format!("tolbooth-evidence-{}", random().unwrap()));
        let one = keep(&directory, b"one").unwrap();
        // One is there, one is there with other bytes, one comes twice.
        fs::write(directory.join(Digest::of(b"two").hex()), b"tw").unwrap();
        let files = [b"one".as_slice(), b"two", b"three", b"three", b""];
        let digests = keep_all(&directory, &files).unwrap();
        assert_eq!(digests.first(), Some(&one));
        for (digest, bytes) in digests.iter().zip(files) {
            assert_eq!(*digest, Digest::of(bytes));
            assert_eq!(fs::read(directory.join(digest.hex())).unwrap(), bytes);
        }
        // Nothing else is left, and doing it again changes nothing.
        assert_eq!(keep_all(&directory, &files).unwrap(), digests);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 4);
        fs::remove_dir_all(&directory).unwrap();
    }
}
