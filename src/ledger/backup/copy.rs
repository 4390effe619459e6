//! The folder a backup is made in, which takes its name when it is whole and verified, all at once.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with, syncfs};
use rustix::io::Errno;

use super::BackupFault;
use super::manifest::{Listed, MANIFEST, Manifest, digest_of};
use crate::crypto::Hasher;
use crate::journal::Shelf;
use crate::model::Digest;

/// How much is read and written at once.
pub(super) const CHUNK_BYTES: usize = 1 << 20;

/// A backup on its way. Gone when this is, unless [`Staging::take_name`] gave it its name.
pub(super) struct Staging {
    /// The backup's folder, as asked for.
    into: PathBuf,
    /// Beside it, so that a rename can take its place.
    folder: PathBuf,
    older: Option<Manifest>,
    files: Vec<Listed>,
    /// Files that were not in the older backup, and their bytes.
    pub new_files: u64,
    pub new_bytes: u64,
}

impl Staging {
    /// Begins a backup that will lie at `into`, where an `older` one may.
    pub fn begin(into: &Path, older: Option<Manifest>) -> Result<Self, BackupFault> {
        let folder = beside(into, "unfinished")?;
        // Left by a process that was killed: it never had the name.
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(BackupFault::Io { path: folder, error });
            }
            _ => {}
        }
        make_folder(&folder).map_err(|error| BackupFault::Io { path: folder.clone(), error })?;
        Ok(Self { into: into.to_owned(), folder, older, files: Vec::new(), new_files: 0, new_bytes: 0 })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Copies a file as it is, or links the older backup's where that is the same.
    pub fn file(&mut self, from: &Path, path: &str) -> Result<(), BackupFault> {
        let failed = |error| BackupFault::Io { path: from.to_owned(), error };
        if self.older.as_ref().is_some_and(|older| older.listed(path).is_some()) {
            let (bytes, digest) = digest_of(from).map_err(failed)?;
            if self.link(&Listed { path: path.to_owned(), bytes, digest })? {
                return Ok(());
            }
        }
        let mut file = File::open(from).map_err(failed)?;
        self.written(path, &mut |buffer, _| file.read(buffer))
    }

    /// Copies the first bytes of a segment, as a reader sees them.
    pub fn segment(&mut self, shelf: &dyn Shelf, segment: u32, upto: u64) -> Result<(), BackupFault> {
        self.written(&format!("journal/{segment:08}.segment"), &mut |buffer, at| {
            let left = usize::try_from(upto - at).unwrap_or(usize::MAX).min(buffer.len());
            buffer.get_mut(..left).map_or(Ok(0), |buffer| shelf.read(segment, at, buffer))
        })
    }

    pub fn bytes(&mut self, bytes: &[u8], path: &str) -> Result<(), BackupFault> {
        let mut rest = bytes;
        self.written(path, &mut |buffer, _| rest.read(buffer))
    }

    /// Whether the older backup has just this file: it is linked then, or copied where links cannot be made.
    fn link(&mut self, wanted: &Listed) -> Result<bool, BackupFault> {
        let is_same = |older: &Manifest| older.listed(&wanted.path) == Some(wanted);
        if !self.older.as_ref().is_some_and(is_same) {
            return Ok(false);
        }
        let to = self.place(&wanted.path)?;
        let linked = fs::hard_link(self.into.join(&wanted.path), to).is_ok();
        if linked {
            self.files.push(wanted.clone());
        }
        Ok(linked)
    }

    /// Where a file of the backup goes, in a folder that is there.
    fn place(&self, path: &str) -> Result<PathBuf, BackupFault> {
        let to = self.folder.join(path);
        if let Some(parent) = to.parent() {
            make_folder(parent).map_err(|error| BackupFault::Io { path: parent.to_owned(), error })?;
        }
        Ok(to)
    }

    /// Writes a file from what `next` fills a buffer with, told how many bytes there were; 0 ends it.
    fn written(
        &mut self,
        path: &str,
        next: &mut dyn FnMut(&mut [u8], u64) -> io::Result<usize>,
    ) -> Result<(), BackupFault> {
        let to = self.place(path)?;
        let failed = |error| BackupFault::Io { path: to.clone(), error };
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&to).map_err(failed)?;
        let (mut buffer, mut hasher, mut bytes) = (vec![0; CHUNK_BYTES], Hasher::default(), 0);
        loop {
            let count = next(&mut buffer, bytes).map_err(failed)?;
            let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else { break };
            file.write_all(chunk).map_err(failed)?;
            hasher.update(chunk);
            bytes += count as u64;
        }
        self.new_files += 1;
        self.new_bytes += bytes;
        let digest = Digest(hasher.finish()).to_string();
        self.files.push(Listed { path: path.to_owned(), bytes, digest });
        Ok(())
    }

    /// Everything written so far.
    pub fn listed(&self) -> Vec<Listed> {
        self.files.clone()
    }

    /// Writes the manifest, and makes all of it durable.
    pub fn seal(&mut self, manifest: &Manifest) -> Result<(), BackupFault> {
        let failed = |error| BackupFault::Io { path: self.folder.join(MANIFEST), error };
        let bytes = serde_json::to_vec_pretty(manifest).map_err(|error| failed(error.into()))?;
        let path = self.folder.join(MANIFEST);
        let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        open.and_then(|mut file| file.write_all(&bytes)).map_err(failed)?;
        // The whole file system at once: files, names and folders. Since Linux 5.8 this tells of a write that
        // failed; what it missed is found when the backup is read back.
        File::open(&self.folder).and_then(|held| Ok(syncfs(&held)?)).map_err(failed)
    }

    /// Gives the backup its name. If we crash before, the older one has it; after, this one.
    pub fn take_name(self) -> Result<(), BackupFault> {
        let failed = |error| BackupFault::Io { path: self.into.clone(), error };
        if self.older.is_none() {
            // Nothing there, or an empty folder.
            fs::rename(&self.folder, &self.into).map_err(failed)?;
            return sync_parent(&self.into).map_err(failed);
        }
        match renameat_with(CWD, &self.folder, CWD, &self.into, RenameFlags::EXCHANGE) {
            Ok(()) => {}
            // A file system that cannot exchange: for an instant there is none, and never half of one.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                let away = beside(&self.into, "older")?;
                let moved = fs::rename(&self.into, &away).and_then(|()| fs::rename(&self.folder, &self.into));
                moved.and_then(|()| fs::remove_dir_all(&away)).map_err(failed)?;
            }
            Err(error) => return Err(failed(error.into())),
        }
        // What is dropped with `self` is the older one now.
        sync_parent(&self.into).map_err(failed)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Best effort: what is left is never read, and removed by the next backup.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Puts back what a crash between two renames moved away.
pub(super) fn put_back(into: &Path) -> Result<(), BackupFault> {
    let away = beside(into, "older")?;
    if away.exists() && !into.exists() {
        fs::rename(&away, into).map_err(|error| BackupFault::Io { path: away, error })?;
    }
    Ok(())
}

/// A hidden name beside a folder, on the same file system.
fn beside(into: &Path, what: &str) -> Result<PathBuf, BackupFault> {
    let name = into.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| BackupFault::NoBackup(into.to_owned()))?;
    Ok(into.with_file_name(format!(".{name}.{what}")))
}

pub(in crate::ledger) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}
