//! Packed segments as files of a directory, made by whoever holds its lock.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::sync::Arc;

use rustix::fs::{Advice, fadvise};

use super::files::{SegmentFiles, UnpackedFiles};
use super::medium::{PackMedium, Shelf};
use super::packed::Packed;

/// Where packed segments are made in a directory.
pub(super) struct PackFiles {
    files: SegmentFiles,
    /// What is being made.
    begun: Option<File>,
    /// Nobody else writes here while this lives.
    _lock: Arc<File>,
}

impl PackFiles {
    pub(super) fn new(files: SegmentFiles, lock: Arc<File>) -> Self {
        Self { files, begun: None, _lock: lock }
    }

    fn begun(&self) -> io::Result<&File> {
        self.begun.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl PackMedium for PackFiles {
    fn shelf(&self) -> Arc<dyn Shelf> {
        Arc::new(self.files.clone())
    }

    fn unpacked(&self) -> Arc<dyn Shelf> {
        Arc::new(UnpackedFiles(self.files.clone()))
    }

    fn packed(&self, segment: u32) -> io::Result<Packed> {
        Packed::open(&self.files.packed(segment), segment)
    }

    fn begin(&mut self, segment: u32) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        self.begun = Some(options.open(self.files.unfinished(segment))?);
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.begun()?.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        let file = self.begun()?;
        file.sync_all()?;
        // So that it is read back from the disk. That this is only advice is no matter.
        let _ = fadvise(file, 0, None, Advice::DontNeed);
        Ok(())
    }

    fn unfinished(&self, segment: u32) -> io::Result<Packed> {
        Packed::open(&self.files.unfinished(segment), segment)
    }

    fn put(&mut self, segment: u32) -> io::Result<()> {
        self.begun = None;
        fs::rename(self.files.unfinished(segment), self.files.packed(segment))?;
        // Whatever becomes of its name: from here on nobody begins to read the one before.
        self.files.forget(segment);
        self.files.sync()
    }

    fn abandon(&mut self, segment: u32) -> io::Result<()> {
        self.begun = None;
        fs::remove_file(self.files.unfinished(segment))
    }

    fn remove_unpacked(&mut self, segment: u32) -> io::Result<()> {
        // The packed one may be there since a crash, and its name not durable yet.
        self.files.sync()?;
        fs::remove_file(self.files.unpacked(segment))?;
        self.files.sync()
    }
}
