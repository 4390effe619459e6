//! Disk full and back, and damage found late: the gateway refuses, nothing leaves, readiness is red.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use support::gateway::CHI;
use support::here::Here;
use support::partner::Said;
use support::scratch::Scratch;
use support::site::Site;
use tolbooth::clock::Clock;
use tolbooth::crypto::SigningKey;
use tolbooth::journal::{Disk, Medium, Shelf};
use tolbooth::ledger::verify::{held, verify_journal};
use tolbooth::ledger::{Alarm, Ledger, LedgerConfig, Record, State, Unrecorded, journal_directory};
use tolbooth::merkle::note::VerifierKey;

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A record of some size, to fill a journal with.
fn filler() -> Record {
    let detail = Some("x".repeat(8000));
    Record::Alarm(Alarm { cause: "drift", dataset: None, detail, dropped: Vec::new() })
}

fn ask(gateway: &Here) -> Said {
    let body = format!("{{\"chi\":\"{CHI}\"}}");
    gateway.nhs().ask("/child-protection/v1/check", &[("tolbooth-role", "ed_nurse")], &body)
}

/// A refusal that says so, and with which nothing of the answer leaves.
fn is_cannot_record(said: &Said) {
    assert_eq!((said.status, said.outcome()), (503, "unrecorded"), "{said:?}");
    assert_eq!(said.code(), "cannot_record");
    assert!(said.headers.get("tolbooth-receipt").is_none());
    assert!(said.headers.contains_key("retry-after"), "{said:?}");
    let body = String::from_utf8(said.body.to_vec()).unwrap();
    assert!(!body.contains("lead_officer") && !body.contains("2017") && !body.contains(CHI), "{body}");
}

/// A real directory on a disk that can be told to be full: making a segment then gives ENOSPC.
struct Full {
    disk: Disk,
    full: Arc<AtomicBool>,
}

impl Medium for Full {
    fn shelf(&self) -> Arc<dyn Shelf> {
        self.disk.shelf()
    }

    fn create(&mut self, segment: u32, bytes: u64, head: &[u8]) -> std::io::Result<()> {
        if self.full.load(Ordering::Acquire) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.disk.create(segment, bytes, head)
    }

    fn write(&mut self, segment: u32, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.disk.write(segment, offset, bytes)
    }

    fn sync(&mut self, segment: u32) -> std::io::Result<()> {
        self.disk.sync(segment)
    }

    fn wipe(&mut self, segment: u32, offset: u64) -> std::io::Result<()> {
        self.disk.wipe(segment, offset)
    }
}

#[test]
fn a_ledger_on_a_full_disk_refuses_and_goes_on_when_there_is_space() {
    let scratch = Scratch::new("enospc");
    let full = Arc::new(AtomicBool::new(false));
    let disk = Disk::open(&journal_directory(scratch.path())).unwrap();
    let origin = "glenmore.caledonia.example/ledger";
    let config = LedgerConfig {
        directory: scratch.path().to_owned(),
        origin: origin.to_owned(),
        key: SigningKey::from_seed(&[3; 32]).unwrap(),
        segment_bytes: 256 << 10,
        waiting_max: 100,
        recovery_keys: Vec::new(),
    };
    let key = VerifierKey::new(origin, config.key.public()).unwrap();
    let medium = Full { disk, full: Arc::clone(&full) };
    let (ledger, _) = Ledger::open_on(medium, config, Clock::new().unwrap()).unwrap();

    let mut receipts = vec![ledger.append_blocking(filler()).unwrap()];
    full.store(true, Ordering::Release);
    let refused = loop {
        match ledger.append_blocking(filler()) {
            Ok(receipt) => receipts.push(receipt),
            Err(why) => break why,
        }
    };
    assert_eq!((refused, ledger.state()), (Unrecorded::DiskFull, State::DiskFull));
    let size = ledger.size();
    assert_eq!(ledger.append_blocking(filler()).unwrap_err(), Unrecorded::DiskFull);
    assert_eq!(ledger.size(), size, "what was refused is not there");

    full.store(false, Ordering::Release);
    until("the ledger finds the space by itself", || ledger.state() != State::DiskFull);
    for _ in 0..50 {
        receipts.push(ledger.append_blocking(filler()).unwrap());
    }
    assert_eq!(ledger.state(), State::Healthy);
    drop(ledger);
    let receipts: Vec<_> = receipts.iter().map(|receipt| held(receipt.header(), &key).unwrap()).collect();
    let report = verify_journal(&journal_directory(scratch.path()), &key, &receipts, &mut |_| ()).unwrap();
    assert_eq!(report.records, size + 50);
}

/// A real directory whose readers are counted.
struct Counted {
    disk: Disk,
    read: Arc<AtomicU64>,
}

struct Counting(Arc<dyn Shelf>, Arc<AtomicU64>);

impl Shelf for Counting {
    fn segments(&self) -> std::io::Result<Vec<u32>> {
        self.0.segments()
    }

    fn length(&self, segment: u32) -> std::io::Result<u64> {
        self.0.length(segment)
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> std::io::Result<usize> {
        self.1.fetch_add(into.len() as u64, Ordering::Relaxed);
        self.0.read(segment, offset, into)
    }

    fn written_from(&self, segment: u32, offset: u64) -> std::io::Result<Option<u64>> {
        self.0.written_from(segment, offset)
    }
}

impl Medium for Counted {
    fn shelf(&self) -> Arc<dyn Shelf> {
        Arc::new(Counting(self.disk.shelf(), Arc::clone(&self.read)))
    }

    fn create(&mut self, segment: u32, bytes: u64, head: &[u8]) -> std::io::Result<()> {
        self.disk.create(segment, bytes, head)
    }

    fn write(&mut self, segment: u32, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.disk.write(segment, offset, bytes)
    }

    fn sync(&mut self, segment: u32) -> std::io::Result<()> {
        self.disk.sync(segment)
    }

    fn wipe(&mut self, segment: u32, offset: u64) -> std::io::Result<()> {
        self.disk.wipe(segment, offset)
    }
}

#[test]
fn a_start_does_not_read_what_was_made_in_advance_and_never_written() {
    let scratch = Scratch::new("unwritten");
    for start in 0..4 {
        let disk = Disk::open(&journal_directory(scratch.path())).unwrap();
        let read = Arc::new(AtomicU64::new(0));
        let config = LedgerConfig {
            directory: scratch.path().to_owned(),
            origin: "glenmore.caledonia.example/ledger".to_owned(),
            key: SigningKey::from_seed(&[3; 32]).unwrap(),
            segment_bytes: 64 << 20,
            waiting_max: 100,
            recovery_keys: Vec::new(),
        };
        let medium = Counted { disk, read: Arc::clone(&read) };
        let shelf = medium.shelf();
        let (ledger, opened) = Ledger::open_on(medium, config, Clock::new().unwrap()).unwrap();
        assert_eq!(opened.records, if start == 0 { 0 } else { start + 1 });
        ledger.append_blocking(filler()).unwrap();
        ledger.close();
        if shelf.written_from(2, 32 << 20).unwrap().is_some() {
            println!("skipped: this file system cannot tell what was never written");
            return;
        }
        // Of two segments of 64 MiB.
        assert!(read.load(Ordering::Relaxed) < 4 << 20, "start {start} read {read:?} bytes");
    }
}

/// A small file system in memory.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this user may not mount.
    fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let options = ["-t", "tmpfs", "-o", "size=12m", "tolbooth-test"];
        let mounted = Command::new("mount").args(options).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }

    /// Writes until there is no space.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        let mut size = 1 << 20;
        while size > 0 {
            if file.write_all(&vec![1; size]).is_err() {
                size /= 2;
            }
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the gateway may still hold files on it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_gateway_on_a_full_disk_answers_nothing_and_answers_again_when_there_is_space() {
    let mut gateway = Here::new(Site::new("tmpfs"));
    let Some(disk) = SmallDisk::mount(&gateway.site.home.join("data")) else {
        println!("skipped: a tmpfs cannot be mounted here (mount -t tmpfs was refused)");
        return;
    };
    gateway.restart();
    let before = ask(&gateway);
    assert_eq!((before.status, before.outcome()), (200, "answered"), "{before:?}");
    until("ready", || gateway.local("/ready").0 == 200);

    disk.fill();
    // What was reserved before is used up first.
    let ledger = gateway.ledger();
    let mut refused = None;
    until("the journal is full", || {
        refused = (0..100).find_map(|_| ledger.append_blocking(filler()).err());
        refused.is_some()
    });
    assert_eq!(refused, Some(Unrecorded::DiskFull));
    // An exchange is smaller than the filler: the last room goes too.
    until("no exchange is recorded any more", || {
        ask(&gateway).status == 503 && ledger.state() == State::DiskFull
    });
    let size = ledger.size();
    is_cannot_record(&ask(&gateway));
    assert_eq!(ledger.size(), size);
    until("readiness is red", || gateway.local("/ready").0 == 503);
    assert!(gateway.local("/ready").1.contains("disk space"), "{:?}", gateway.local("/ready"));

    disk.free();
    until("it answers by itself", || {
        let said = ask(&gateway);
        if said.status == 503 {
            is_cannot_record(&said);
        }
        said.outcome() == "answered"
    });
    until("ready again", || gateway.local("/ready").0 == 200);
    let after = ask(&gateway);
    let key = ledger.verifier().clone();
    let receipts = [&before, &after].map(|said| held(said.header("tolbooth-receipt"), &key).unwrap());
    verify_journal(&gateway.site.journal(), &key, &receipts, &mut |_| ()).unwrap();
}

#[test]
fn damage_in_an_old_segment_stops_the_gateway_though_it_had_started() {
    let mut gateway = Here::start(Site::new("damage"));
    let ledger = gateway.ledger().clone();
    for _ in 0..800 {
        ledger.append_blocking(filler()).unwrap();
    }
    drop(ledger);
    gateway.stop();
    // The sound journal first: it is read behind the road, and nothing comes of it.
    gateway.restart();
    assert_eq!(ask(&gateway).outcome(), "answered");
    gateway.stop();

    // Packed by now, or not yet: damage is damage.
    let file = |number: u32| {
        let names = ["packed", "segment"].map(|suffix| format!("{number:08}.{suffix}"));
        names.map(|name| gateway.site.journal().join(name)).into_iter().find(|file| file.exists())
    };
    assert!(file(6).is_some());
    let segment = file(2).unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    // Nothing is rebuilt from the damaged place at start: the store knows that segment already.
    gateway.restart();
    until("the ledger stops", || gateway.ledger().state() == State::Stopped);
    is_cannot_record(&ask(&gateway));
    until("readiness is red", || gateway.local("/ready").0 == 503);
}

/// A pipe nobody reads where the next segment is to be made: whoever opens it to write hangs there, as
/// on a disk that does not answer, until this is dropped.
struct Hang(PathBuf);

impl Hang {
    fn at(path: PathBuf) -> Self {
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        Self(path)
    }
}

impl Drop for Hang {
    fn drop(&mut self) {
        // Opening both ends never blocks, and lets the other side go on.
        let _opened = std::fs::OpenOptions::new().read(true).write(true).open(&self.0);
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_disk_that_hangs_makes_nobody_wait_for_ever_and_lets_nothing_leave() {
    let site = Site::new("hang");
    let configuration = site.trial.configuration.clone();
    let text = std::fs::read_to_string(&configuration).unwrap();
    std::fs::write(&configuration, text + "\n[limits]\nrecord_seconds_max = 2\n").unwrap();
    let gateway = Here::start(site);
    assert_eq!(ask(&gateway).status, 200);
    let hang = Hang::at(gateway.site.journal().join("00000003.new"));
    let filling = std::thread::spawn({
        let ledger = gateway.ledger().clone();
        move || while ledger.size() < 400 && ledger.append_blocking(filler()).is_ok() {}
    });
    until("readiness is red", || gateway.local("/ready").0 == 503);
    assert!(gateway.local("/ready").1.contains("does not answer"));
    is_cannot_record(&ask(&gateway));
    drop(hang);
    filling.join().unwrap();
    until("readiness is green", || gateway.local("/ready").0 == 200);
    until("it answers again", || ask(&gateway).status == 200);
}
