//! Reading and writing the files commands make: each whole or not at all, never over another
//! unasked, keys for their owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::model::{Fault, Faults};

/// A private key is its owner's alone; a certificate is anybody's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Readable {
    ByOwner,
    ByAll,
}

pub struct NewFile<'f> {
    pub path: PathBuf,
    pub bytes: &'f [u8],
    pub readable: Readable,
}

pub fn shown(path: &Path) -> String {
    path.display().to_string()
}

pub fn read(path: &Path, what: &str) -> Result<Vec<u8>, Fault> {
    fs::read(path)
        .map_err(|error| Fault::new(shown(path), None, format!("the {what} could not be read: {error}")))
}

/// `path` with another ending.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    path.with_extension(ending)
}

/// Writes all files or, if one is there already and `force` is not given, none. Each appears whole
/// or not at all. For commands that have `--force`.
pub fn write(files: &[NewFile<'_>], force: bool) -> Result<(), Faults> {
    write_or(files, force, "--force overwrites it; what it held is then gone")
}

fn write_or(files: &[NewFile<'_>], force: bool, help: &str) -> Result<(), Faults> {
    let mut faults = Faults::default();
    for file in files.iter().filter(|file| !force && file.path.exists()) {
        let fault = Fault::new(shown(&file.path), None, "there is a file of this name already");
        faults.push(fault.with_help(help));
    }
    faults.into_result()?;
    for file in files {
        write_one(file, force)
            .map_err(|error| Fault::new(shown(&file.path), None, format!("could not be written: {error}")))?;
    }
    Ok(())
}

fn write_one(file: &NewFile<'_>, force: bool) -> io::Result<()> {
    let folder = file.path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut name = file.path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = folder.join(name);
    let mode = if file.readable == Readable::ByOwner { 0o600 } else { 0o644 };
    // Left by a run that was killed; ours alone is written below.
    let _ = fs::remove_file(&temporary);
    let written = fill(&temporary, file.bytes, mode).and_then(|()| {
        if force {
            fs::rename(&temporary, &file.path)
        } else {
            // Unlike a rename, a link never replaces what has appeared meanwhile.
            fs::hard_link(&temporary, &file.path).and_then(|()| fs::remove_file(&temporary))
        }
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    File::open(folder)?.sync_all()
}

fn fill(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes one file that is not there yet.
pub fn write_new(path: PathBuf, bytes: &[u8], readable: Readable) -> Result<(), Faults> {
    write_or(
        &[NewFile { path, bytes, readable }],
        false,
        "it is never overwritten: name another, or move it away",
    )
}

/// Puts new bytes in the place of what a file held, in one step.
pub fn replace(path: PathBuf, bytes: &[u8]) -> Result<(), Faults> {
    write(&[NewFile { path, bytes, readable: Readable::ByAll }], true)
}
