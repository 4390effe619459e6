//! Small files that are durable before anything names them: evidence and keys.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::model::Digest;

/// Writes a file that only this user can read, under a temporary name until it is durable, so that a
/// name never stands for half a file. The directory's entry is durable when this returns.
pub(super) fn write_durably(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    // Two threads may keep the same bytes at once: each writes a file of its own.
    let random = crate::crypto::random::<8>().ok_or(io::ErrorKind::Other)?;
    let unfinished = directory.join(format!(".{name}.{:016x}.new", u64::from_be_bytes(random)));
    let written = write(&unfinished, bytes)
        .and_then(|()| fs::rename(&unfinished, directory.join(name)))
        .and_then(|()| File::open(directory)?.sync_all());
    if written.is_err() {
        // Best effort: a file left behind is never read.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Keeps bytes as `<directory>/<sha256>`. What is there already is believed only if it is those bytes.
pub(super) fn keep(directory: &Path, bytes: &[u8]) -> io::Result<Digest> {
    let digest = Digest::of(bytes);
    let name = digest.hex();
    if fs::read(directory.join(&name)).is_ok_and(|kept| kept == bytes) {
        // Whoever wrote it may have died before its name was durable.
        File::open(directory)?.sync_all()?;
        return Ok(digest);
    }
    fs::create_dir_all(directory)?;
    write_durably(directory, &name, bytes)?;
    Ok(digest)
}
