//! Segments as files of one directory, under one exclusive lock.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Advice, FallocateFlags, FlockOperation, SeekFrom, fadvise, fallocate, flock, seek};
use rustix::io::Errno;

use super::fault::JournalFault;
use super::medium::{Medium, Shelf};

const SUFFIX: &str = ".segment";
/// A segment on its way: renamed when it is durable, so that a name is never half a segment.
const UNFINISHED: &str = ".new";

/// The segment files of a directory, to read.
#[derive(Debug, Clone)]
pub struct SegmentFiles {
    directory: PathBuf,
}

impl SegmentFiles {
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    fn path(&self, segment: u32) -> PathBuf {
        self.directory.join(format!("{segment:08}{SUFFIX}"))
    }
}

impl Shelf for SegmentFiles {
    fn segments(&self) -> io::Result<Vec<u32>> {
        let mut out = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
            out.extend(number.filter(|n| n.len() == 8).and_then(|n| n.parse::<u32>().ok()));
        }
        out.sort_unstable();
        Ok(out)
    }

    fn length(&self, segment: u32) -> io::Result<u64> {
        Ok(fs::metadata(self.path(segment))?.len())
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let file = File::open(self.path(segment))?;
        // What is read ahead of need would count as written from then on (`written_from`). That this is
        // only advice is no matter: more is read then.
        let _ = fadvise(&file, 0, None, Advice::Random);
        let mut done = 0;
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn written_from(&self, segment: u32, offset: u64) -> io::Result<Option<u64>> {
        let file = File::open(self.path(segment))?;
        // What a backup has read stands in the page cache, and counts as written: it is given back. That this
        // is only advice is no matter: more is read then.
        let _ = fadvise(&file, offset, None, Advice::DontNeed);
        match seek(&file, SeekFrom::Data(offset)) {
            Ok(at) => Ok(Some(at)),
            // From here on the file is one hole, or space that was reserved and neither written nor read.
            Err(Errno::NXIO) => Ok(None),
            // A file system that cannot tell: all of it may be written.
            Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok((offset < file.metadata()?.len()).then_some(offset)),
            Err(error) => Err(error.into()),
        }
    }
}

/// The directory, held by this process alone.
#[derive(Debug)]
pub struct Disk {
    files: SegmentFiles,
    /// Those written to: the current segment and the next.
    open: BTreeMap<u32, File>,
    /// The lock ends with this.
    _lock: File,
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
        Ok(Self { files: SegmentFiles::new(directory), open: BTreeMap::new(), _lock: lock })
    }

    fn file(&mut self, segment: u32) -> io::Result<&File> {
        if !self.open.contains_key(&segment) {
            // Only the current segment and its neighbours are ever written.
            self.open.retain(|open, _| open + 2 > segment);
            let file = OpenOptions::new().read(true).write(true).open(self.files.path(segment))?;
            self.open.insert(segment, file);
        }
        self.open.get(&segment).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.files.directory)?.sync_all()
    }
}

impl Medium for Disk {
    fn shelf(&self) -> Arc<dyn Shelf> {
        Arc::new(self.files.clone())
    }

    fn create(&mut self, segment: u32, bytes: u64, head: &[u8]) -> io::Result<()> {
        let unfinished = self.files.directory.join(format!("{segment:08}{UNFINISHED}"));
        let made = make(&unfinished, bytes, head)
            .and_then(|()| fs::rename(&unfinished, self.files.path(segment)))
            .and_then(|()| self.sync_directory());
        if made.is_err() {
            // The space is wanted back; that there may be no such file is no matter.
            let _ = fs::remove_file(&unfinished);
            let _ = fs::remove_file(self.files.path(segment));
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
