//! Packing as the disk sees it: whatever fails and wherever the power is cut, the bytes of a segment are
//! there, and what of a packed file does not read is named.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use tolbooth::journal::{
    Disk, Draft, ENDS_BATCH, Journal, JournalFault, Medium as _, PackMedium, Packed, Scanner, SegmentFiles,
    Shelf, blank, pack,
};

use super::logbook::{Folder, SMALL};

fn file(folder: &Path, segment: u32, suffix: &str) -> PathBuf {
    folder.join(format!("{segment:08}.{suffix}"))
}

fn packing(folder: &Path) -> Box<dyn PackMedium> {
    Disk::open(folder).unwrap().packing().unwrap()
}

/// A segment's bytes as everybody reads them.
fn bytes(folder: &Path, segment: u32) -> io::Result<Vec<u8>> {
    let shelf = SegmentFiles::new(folder);
    let mut out = vec![0; usize::try_from(shelf.length(segment)?).unwrap()];
    let read = shelf.read(segment, 0, &mut out)?;
    assert_eq!(read, out.len(), "fewer bytes only at the end");
    Ok(out)
}

/// A folder with this as its segment 1, and then packed.
fn packed(content: &[u8]) -> Folder {
    let folder = Folder::new();
    fs::write(file(folder.path(), 1, "segment"), content).unwrap();
    assert!(pack(&mut *packing(folder.path()), 1, &mut || true).unwrap());
    assert!(!file(folder.path(), 1, "segment").exists());
    folder
}

/// What a segment is like: text that repeats, noise, and zeros that were never written.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let stretch = prop_oneof![
        (any::<u8>(), 1..90_000_usize).prop_map(|(of, count)| {
            let text = format!("{{\"v\":1,\"kind\":\"exchange\",\"of\":{of}}}").into_bytes();
            text.into_iter().cycle().take(count).collect::<Vec<u8>>()
        }),
        prop::collection::vec(any::<u8>(), 1..3_000),
        (1..200_000_usize).prop_map(|count| vec![0; count]),
    ];
    prop::collection::vec(stretch, 0..6).prop_map(|stretches| stretches.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_read_of_a_packed_segment_is_that_of_the_segment(
        content in content(),
        reads in prop::collection::vec((0..400_000_usize, 1..200_000_usize), 1..12),
    ) {
        let folder = packed(&content);
        let shelf = SegmentFiles::new(folder.path());
        prop_assert_eq!(shelf.length(1).unwrap(), content.len() as u64);
        prop_assert_eq!(shelf.segments().unwrap(), [1]);
        for (offset, count) in reads {
            let mut into = vec![7; count];
            let read = shelf.read(1, offset as u64, &mut into).unwrap();
            let wanted = content.get(offset..).unwrap_or_default();
            let wanted = &wanted[..wanted.len().min(count)];
            prop_assert!(into[..read] == *wanted, "{} bytes from {}", count, offset);
            // What is passed over as never written is zeros.
            let next = shelf.written_from(1, offset as u64).unwrap().unwrap_or(content.len() as u64);
            let next = usize::try_from(next).unwrap();
            prop_assert!(content.get(offset..next).unwrap_or_default().iter().all(|byte| *byte == 0));
        }
    }
}

fn is_named(read: io::Result<Vec<u8>>) -> bool {
    read.is_err_and(|error| {
        error.kind() == io::ErrorKind::InvalidData && error.to_string().contains("packed segment")
    })
}

/// Text with zeros behind it, in more blocks than one.
fn small_content() -> Vec<u8> {
    let lines = (0..4000).map(|n| format!("{{\"index\":{}}}\n", n % 50));
    let mut out = lines.collect::<String>().into_bytes();
    out.extend((0..300_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()));
    out.resize(200_000, 0);
    out
}

#[test]
fn a_changed_byte_anywhere_in_a_packed_file_is_named_and_never_read() {
    let folder = packed(&small_content());
    let path = file(folder.path(), 1, "packed");
    let sound = fs::read(&path).unwrap();
    assert!(sound.len() < 6_000, "{}", sound.len());
    for at in 0..sound.len() {
        let mut changed = sound.clone();
        changed[at] ^= 0x20;
        fs::write(&path, &changed).unwrap();
        assert!(is_named(bytes(folder.path(), 1)), "byte {at}");
    }
    fs::write(&path, sound).unwrap();
    assert!(bytes(folder.path(), 1).unwrap() == small_content());
}

#[test]
fn a_packed_file_that_is_cut_or_has_grown_is_named() {
    let folder = packed(&small_content());
    let path = file(folder.path(), 1, "packed");
    let sound = fs::read(&path).unwrap();
    for length in (0..sound.len()).filter(|length| *length < 200 || length % 7 == 0) {
        fs::write(&path, &sound[..length]).unwrap();
        assert!(is_named(bytes(folder.path(), 1)), "{length} bytes");
    }
    fs::write(&path, [sound.as_slice(), b"\0"].concat()).unwrap();
    assert!(is_named(bytes(folder.path(), 1)));
}

#[test]
fn a_packed_file_of_another_segment_is_refused() {
    let folder = packed(&small_content());
    fs::rename(file(folder.path(), 1, "packed"), file(folder.path(), 2, "packed")).unwrap();
    let error = bytes(folder.path(), 2).unwrap_err();
    assert!(error.to_string().contains("another segment's"), "{error}");
}

/// What a crash leaves between the two names.
#[test]
fn where_both_files_lie_the_whole_one_is_read_and_one_is_left_in_the_end() {
    let content = small_content();
    let folder = packed(&content);
    let (path, raw) = (file(folder.path(), 1, "packed"), file(folder.path(), 1, "segment"));
    let sound = fs::read(&path).unwrap();
    for damage in [None, Some(3), Some(40), Some(sound.len() - 3)] {
        fs::write(&raw, &content).unwrap();
        let mut damaged = sound.clone();
        damage.into_iter().for_each(|at| damaged[at] ^= 1);
        fs::write(&path, damaged).unwrap();
        assert!(bytes(folder.path(), 1).unwrap() == content, "{damage:?}");
        assert!(pack(&mut *packing(folder.path()), 1, &mut || true).unwrap());
        assert!(!raw.exists() && bytes(folder.path(), 1).unwrap() == content, "{damage:?}");
    }
    // Two that are whole and differ are no crash's doing: both stay, and somebody must look.
    let mut other = content.clone();
    other[70_000] ^= 1;
    fs::write(&raw, &other).unwrap();
    let fault = pack(&mut *packing(folder.path()), 1, &mut || true).unwrap_err();
    assert!(matches!(fault, JournalFault::Damaged { segment: 1, offset: 65_536, .. }), "{fault}");
    assert!(raw.exists() && fs::read(&path).unwrap() == sound);
}

/// Fails at one step. If that is not for want of space it does nothing more: what lies there then is what
/// a crash leaves.
struct Failing {
    inner: Box<dyn PackMedium>,
    folder: PathBuf,
    segment: u32,
    step: u64,
    fail: u64,
    /// Whether the step takes effect all the same.
    after: bool,
    error: io::ErrorKind,
    is_synced: bool,
    is_dead: bool,
}

impl Failing {
    fn new(folder: &Path, segment: u32, fail: u64, after: bool, error: io::ErrorKind) -> Self {
        let (inner, folder) = (packing(folder), folder.to_owned());
        Self { inner, folder, segment, step: 0, fail, after, error, is_synced: true, is_dead: false }
    }

    fn step<T>(&mut self, effect: impl FnOnce(&mut dyn PackMedium) -> io::Result<T>) -> io::Result<T> {
        let fails = self.step == self.fail;
        self.step += 1;
        let done = if self.is_dead || (fails && !self.after) {
            Err(self.error.into())
        } else {
            effect(&mut *self.inner)
        };
        self.is_dead |= fails && self.error != io::ErrorKind::StorageFull;
        if fails { Err(self.error.into()) } else { done }
    }

    /// The power goes: what was not synced is lost.
    fn cut(&self) {
        let unfinished = file(&self.folder, self.segment, "packing");
        if !self.is_synced && unfinished.exists() {
            let lost = fs::OpenOptions::new().write(true).open(&unfinished).unwrap();
            lost.write_all_at(&[0; 20], 0).unwrap();
        }
    }
}

impl PackMedium for Failing {
    fn shelf(&self) -> Arc<dyn Shelf> {
        self.inner.shelf()
    }

    fn unpacked(&self) -> Arc<dyn Shelf> {
        self.inner.unpacked()
    }

    fn packed(&self, segment: u32) -> io::Result<Packed> {
        self.inner.packed(segment)
    }

    fn begin(&mut self, segment: u32) -> io::Result<()> {
        self.is_synced = false;
        self.step(|inner| inner.begin(segment))
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.step(|inner| inner.write(offset, bytes))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.step(|inner| inner.sync())?;
        self.is_synced = true;
        Ok(())
    }

    fn unfinished(&self, segment: u32) -> io::Result<Packed> {
        self.inner.unfinished(segment)
    }

    fn put(&mut self, segment: u32) -> io::Result<()> {
        assert!(self.is_synced, "put in its place before it was durable");
        self.step(|inner| inner.put(segment))
    }

    fn abandon(&mut self, segment: u32) -> io::Result<()> {
        self.step(|inner| inner.abandon(segment))
    }

    fn remove_unpacked(&mut self, segment: u32) -> io::Result<()> {
        self.step(|inner| inner.remove_unpacked(segment))
    }
}

/// A journal with a sealed segment, and where one of its frames begins.
fn journal(folder: &Path) -> u64 {
    let (mut journal, _) = Journal::open(Disk::open(folder).unwrap(), SMALL).unwrap();
    let mut batch = Draft::default();
    for index in 0.. {
        journal.prepare().unwrap();
        batch.clear();
        batch.frame(1 | ENDS_BATCH, index, |out| out.extend(format!("body {index} ").repeat(90).bytes()));
        journal.append(&mut batch, |_| ()).unwrap();
        if journal.end().segment > 1 {
            break;
        }
    }
    drop(journal);
    let shelf = SegmentFiles::new(folder);
    let mut scanner = Scanner::new(&shelf, 1).unwrap();
    // One that lies in a later block, or on the boundary.
    while scanner.next().unwrap().is_some_and(|frame| frame.at.offset < 50_000) {}
    scanner.position().offset
}

#[test]
fn a_failure_before_or_after_any_step_leaves_the_segment_whole() {
    for with_blank in [false, true] {
        let mut steps = 0;
        let mut fail = 0;
        while fail <= steps {
            for after in [false, true] {
                let folder = Folder::new();
                let frame = journal(folder.path());
                let before = bytes(folder.path(), 1).unwrap();
                let work = |medium: &mut dyn PackMedium| {
                    if with_blank {
                        blank(medium, 1, &[frame])
                    } else {
                        pack(medium, 1, &mut || true).map(|packed| assert!(packed))
                    }
                };
                let mut failing = Failing::new(folder.path(), 1, fail, after, io::ErrorKind::Other);
                let done = work(&mut failing);
                failing.cut();
                if done.is_ok() {
                    assert!(failing.step <= fail, "step {fail}, after {after}: the failure was not told");
                }
                steps = steps.max(failing.step);
                drop(failing);
                let found = bytes(folder.path(), 1).unwrap();
                let erased = is_blank(folder.path(), frame);
                assert!(found == before || (with_blank && erased), "step {fail}, after {after}");
                assert!(done.is_err() || !with_blank || erased);
                // The next process ends what was begun.
                work(&mut *packing(folder.path())).unwrap();
                assert!(!file(folder.path(), 1, "segment").exists());
                assert!(!file(folder.path(), 1, "packing").exists());
                assert_eq!(is_blank(folder.path(), frame), with_blank);
                if !with_blank {
                    assert!(bytes(folder.path(), 1).unwrap() == before);
                }
            }
            fail += 1;
        }
        assert!(steps > 5);
    }
}

/// Whether just this frame of the segment is blank; all of it must read.
fn is_blank(folder: &Path, frame: u64) -> bool {
    let shelf = SegmentFiles::new(folder);
    let mut scanner = Scanner::new(&shelf, 1).unwrap();
    let mut blank = Vec::new();
    while let Some(found) = scanner.next().unwrap() {
        if found.body == tolbooth::journal::Body::Blank {
            blank.push(found.at.offset);
        }
    }
    scanner.finish().unwrap();
    assert!(blank.is_empty() || blank == [frame]);
    !blank.is_empty()
}

#[test]
fn a_full_disk_leaves_the_segment_as_it_is_and_nothing_beside_it() {
    let folder = Folder::new();
    journal(folder.path());
    let before = bytes(folder.path(), 1).unwrap();
    // There is room for the name, and for nothing in it.
    let mut medium = Failing::new(folder.path(), 1, 1, false, io::ErrorKind::StorageFull);
    let fault = pack(&mut medium, 1, &mut || true).unwrap_err();
    drop(medium);
    assert!(
        matches!(&fault, JournalFault::Io { error, .. } if error.kind() == io::ErrorKind::StorageFull),
        "{fault}"
    );
    assert!(fs::read(file(folder.path(), 1, "segment")).unwrap() == before);
    assert!(!file(folder.path(), 1, "packing").exists() && !file(folder.path(), 1, "packed").exists());
}

/// Whoever stops the gateway does not wait for a segment, and nothing is left of it.
#[test]
fn packing_stops_when_it_is_told() {
    let folder = Folder::new();
    journal(folder.path());
    assert!(!pack(&mut *packing(folder.path()), 1, &mut || false).unwrap());
    assert!(file(folder.path(), 1, "segment").exists() && !file(folder.path(), 1, "packing").exists());
}
