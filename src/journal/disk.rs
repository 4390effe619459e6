//! Segments as files of one directory, written under one exclusive lock.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Advice, FallocateFlags, FlockOperation, fadvise, fallocate, flock};
use rustix::io::Errno;

use super::fault::JournalFault;
use super::files::SegmentFiles;
use super::medium::{Medium, PackMedium, Shelf};
use super::packing::PackFiles;

/// A segment on its way: renamed when it is durable, so that a name is never half a segment.
const UNFINISHED: &str = ".new";

/// The directory, held by this process alone.
#[derive(Debug)]
pub struct Disk {
    files: SegmentFiles,
    /// Those written to: the current segment and the next.
    open: BTreeMap<u32, File>,
    /// The lock ends with the last of this.
    lock: Arc<File>,
}

impl Disk {
    /// Makes the directory if it is missing, and locks it.
    pub fn open(directory: &Path) -> Result<Self, JournalFault> {
        fs::create_dir_all(directory).map_err(JournalFault::io("making the journal's directory"))?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(directory.join("lock"))
            .map_err(JournalFault::io("opening the journal's lock"))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(JournalFault::Locked { directory: directory.to_owned() }),
            Err(error) => return Err(JournalFault::io("locking the journal")(error.into())),
        }
        let files = SegmentFiles::new(directory);
        files.remove_unfinished().map_err(JournalFault::io("removing an unfinished packed segment"))?;
        Ok(Self { files, open: BTreeMap::new(), lock: Arc::new(lock) })
    }

    fn file(&mut self, segment: u32) -> io::Result<&File> {
        if !self.open.contains_key(&segment) {
            // Only the current segment and the next are ever written, and what is packed gives its space back.
            self.open.retain(|open, _| *open >= segment);
            let file = OpenOptions::new().read(true).write(true).open(self.files.unpacked(segment))?;
            self.open.insert(segment, file);
        }
        self.open.get(&segment).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Medium for Disk {
    fn shelf(&self) -> Arc<dyn Shelf> {
        Arc::new(self.files.clone())
    }

    fn create(&mut self, segment: u32, bytes: u64, head: &[u8]) -> io::Result<()> {
        let unfinished = self.files.path(segment, UNFINISHED);
        let made = make(&unfinished, bytes, head)
            .and_then(|()| fs::rename(&unfinished, self.files.unpacked(segment)))
            .and_then(|()| self.files.sync());
        if made.is_err() {
            // The space is wanted back; that there may be no such file is no matter.
            let _ = fs::remove_file(&unfinished);
            let _ = fs::remove_file(self.files.unpacked(segment));
        }
        made
    }

    fn write(&mut self, segment: u32, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file(segment)?.write_all_at(bytes, offset)
    }

    fn sync(&mut self, segment: u32) -> io::Result<()> {
        self.file(segment)?.sync_data()
    }

    fn wipe(&mut self, segment: u32, offset: u64) -> io::Result<()> {
        let file = self.file(segment)?;
        let length = file.metadata()?.len();
        // Never by way of a shorter file: a power cut would leave one that has no room for a record.
        match fallocate(file, FallocateFlags::ZERO_RANGE, offset, length.saturating_sub(offset)) {
            Ok(()) => {}
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => write_zeros(file, offset, length)?,
            Err(error) => return Err(error.into()),
        }
        file.sync_all()
    }

    fn reread(&mut self, segment: u32) {
        // Only advice: where it is not followed, what is in memory is believed, as by any reader.
        let _advised =
            File::open(self.files.unpacked(segment)).map(|file| fadvise(&file, 0, None, Advice::DontNeed));
    }

    fn packing(&self) -> Option<Box<dyn PackMedium>> {
        Some(Box::new(PackFiles::new(self.files.clone(), Arc::clone(&self.lock))))
    }
}

fn make(path: &Path, bytes: u64, head: &[u8]) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    reserve(&file, bytes)?;
    file.write_all_at(head, 0)?;
    file.sync_all()
}

/// Makes the file `bytes` long with zeros, and takes the space from the file system now.
fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) => Ok(()),
        // Some file systems cannot reserve: writing zeros takes the space as well.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => write_zeros(file, file.metadata()?.len(), bytes),
        Err(error) => Err(error.into()),
    }
}

fn write_zeros(file: &File, from: u64, to: u64) -> io::Result<()> {
    const CHUNK: usize = 1 << 20;
    let zeros = vec![0; CHUNK];
    let mut at = from;
    while at < to {
        let count = usize::try_from(to - at).unwrap_or(CHUNK).min(CHUNK);
        file.write_all_at(zeros.get(..count).unwrap_or_default(), at)?;
        at += count as u64;
    }
    Ok(())
}
