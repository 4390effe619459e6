//! Segments as files of one directory, packed or not, to read.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{Advice, SeekFrom, fadvise, seek};
use rustix::io::Errno;

use super::medium::Shelf;
use super::packed::{Broken, Packed};

const UNPACKED: &str = ".segment";
const PACKED: &str = ".packed";
/// A packed segment on its way: renamed when it is durable and was read back.
const UNFINISHED: &str = ".packing";

/// Packed segments kept open, each with its index and the blocks read last: about 1 MiB in all.
const OPEN_MAX: usize = 4;

/// The segment files of a directory, to read. Copies share what is open.
#[derive(Debug, Clone)]
pub struct SegmentFiles {
    directory: PathBuf,
    open: Arc<Mutex<Open>>,
}

/// Packed segments that are open, the latest in front.
type Open = VecDeque<(u32, Arc<Packed>)>;

enum Found {
    Packed(Arc<Packed>),
    Unpacked(File),
}

impl SegmentFiles {
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), open: Arc::default() }
    }

    pub(super) fn path(&self, segment: u32, suffix: &str) -> PathBuf {
        self.directory.join(format!("{segment:08}{suffix}"))
    }

    pub(super) fn unpacked(&self, segment: u32) -> PathBuf {
        self.path(segment, UNPACKED)
    }

    pub(super) fn packed(&self, segment: u32) -> PathBuf {
        self.path(segment, PACKED)
    }

    pub(super) fn unfinished(&self, segment: u32) -> PathBuf {
        self.path(segment, UNFINISHED)
    }

    /// Makes the names in the directory durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }

    /// Removes what a crash left half packed. For whoever holds the lock.
    pub(super) fn remove_unfinished(&self) -> io::Result<()> {
        for segment in self.numbered(UNFINISHED)? {
            fs::remove_file(self.unfinished(segment))?;
        }
        Ok(())
    }

    /// What is read of a segment from now on is in its file as it is now.
    pub(super) fn forget(&self, segment: u32) {
        self.open().retain(|(open, _)| *open != segment);
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Each change is one step: whoever panicked left nothing half done.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The packed file, opened once. Opened under the lock, so that one that was replaced meanwhile is not
    /// put back behind [`forget`](Self::forget).
    fn packed_file(&self, segment: u32) -> io::Result<Arc<Packed>> {
        let mut open = self.open();
        if let Some((_, packed)) = open.iter().find(|(known, _)| *known == segment) {
            return Ok(Arc::clone(packed));
        }
        let packed = Arc::new(Packed::open(&self.packed(segment), segment)?);
        open.truncate(OPEN_MAX - 1);
        open.push_front((segment, Arc::clone(&packed)));
        Ok(packed)
    }

    /// The packed file where it is whole, else the unpacked one; where neither is, says what is wrong with
    /// the packed one.
    fn find(&self, segment: u32) -> io::Result<Found> {
        let packed = match self.packed_file(segment) {
            Ok(packed) => return Ok(Found::Packed(packed)),
            Err(error) => error,
        };
        match File::open(self.unpacked(segment)) {
            Ok(file) => Ok(Found::Unpacked(file)),
            // It may have been packed between the two looks.
            Err(error) if error.kind() == io::ErrorKind::NotFound => match packed.kind() {
                io::ErrorKind::NotFound => self.packed_file(segment).map(Found::Packed),
                _ => Err(packed),
            },
            Err(error) => Err(error),
        }
    }

    fn numbered(&self, suffix: &str) -> io::Result<Vec<u32>> {
        let mut out = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(suffix));
            out.extend(number.filter(|n| n.len() == 8).and_then(|n| n.parse::<u32>().ok()));
        }
        out.sort_unstable();
        Ok(out)
    }
}

impl Shelf for SegmentFiles {
    fn segments(&self) -> io::Result<Vec<u32>> {
        // The unpacked ones first: one that is packed meanwhile is then in either list, or in both.
        let mut out = self.numbered(UNPACKED)?;
        out.extend(self.numbered(PACKED)?);
        out.sort_unstable();
        out.dedup();
        Ok(out)
    }

    fn length(&self, segment: u32) -> io::Result<u64> {
        match self.find(segment)? {
            Found::Packed(packed) => Ok(packed.length()),
            Found::Unpacked(file) => Ok(file.metadata()?.len()),
        }
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        match self.find(segment)? {
            Found::Unpacked(file) => read_file(&file, offset, into),
            Found::Packed(packed) => match packed.read(offset, into) {
                // A crash may have left what it was packed from.
                Err(error) if Broken::of(&error).is_some() => match File::open(self.unpacked(segment)) {
                    Ok(file) => read_file(&file, offset, into),
                    Err(_) => Err(error),
                },
                read => read,
            },
        }
    }

    fn written_from(&self, segment: u32, offset: u64) -> io::Result<Option<u64>> {
        match self.find(segment)? {
            Found::Packed(packed) => Ok(packed.written_from(offset)),
            Found::Unpacked(file) => written_from(&file, offset),
        }
    }

    fn is_packed(&self, segment: u32) -> io::Result<bool> {
        Ok(matches!(self.find(segment)?, Found::Packed(_)))
    }
}

/// The segments of a directory that are not packed, or still lie beside their packed file.
pub(super) struct UnpackedFiles(pub SegmentFiles);

impl UnpackedFiles {
    fn file(&self, segment: u32) -> io::Result<File> {
        File::open(self.0.unpacked(segment))
    }
}

impl Shelf for UnpackedFiles {
    fn segments(&self) -> io::Result<Vec<u32>> {
        self.0.numbered(UNPACKED)
    }

    fn length(&self, segment: u32) -> io::Result<u64> {
        Ok(self.file(segment)?.metadata()?.len())
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        read_file(&self.file(segment)?, offset, into)
    }
}

fn read_file(file: &File, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    // What is read ahead of need would count as written from then on (`written_from`). That this is
    // only advice is no matter: more is read then.
    let _ = fadvise(file, 0, None, Advice::Random);
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

fn written_from(file: &File, offset: u64) -> io::Result<Option<u64>> {
    // What a backup has read stands in the page cache, and counts as written: it is given back. That this
    // is only advice is no matter: more is read then.
    let _ = fadvise(file, offset, None, Advice::DontNeed);
    match seek(file, SeekFrom::Data(offset)) {
        Ok(at) => Ok(Some(at)),
        // From here on the file is one hole, or space that was reserved and neither written nor read.
        Err(Errno::NXIO) => Ok(None),
        // A file system that cannot tell: all of it may be written.
        Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok((offset < file.metadata()?.len()).then_some(offset)),
        Err(error) => Err(error.into()),
    }
}
