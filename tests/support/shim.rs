//! What stands between a real gateway's process and its C library, so that its disk and its clock fail as a test says
//! (`shim.c`). Built with the compiler that links this test.

use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::image::skipped;

/// As errno(3) numbers them on Linux.
pub const EIO: i64 = 5;

/// The numbers of `shim.c`, in its order.
#[derive(Clone, Copy)]
enum Number {
    ClockOffset,
    SyncErrno,
    AllocationsLeft,
    Allocated,
    ReadErrno,
    SyncsLeft,
    ChangesLeft,
}

pub struct Shim {
    preloaded: PathBuf,
    control: std::fs::File,
    folder: PathBuf,
}

impl Shim {
    /// In a folder of the test's own; `None`, said loudly, where there is no C compiler.
    pub fn build(folder: &Path, test: &str) -> Option<Self> {
        let library = folder.join("shim.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/shim.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", source, "-ldl", "-o"])
            .arg(&library)
            .output();
        let why = match built {
            Ok(output) if output.status.success() => None,
            Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => Some(format!("cc: {error}")),
        };
        if let Some(why) = why {
            skipped(test, &why);
            return None;
        }
        let path = folder.join("shim.control");
        let control =
            std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path);
        let shim = Self { preloaded: library, control: control.unwrap(), folder: folder.to_owned() };
        shim.control.set_len(56).unwrap();
        shim.has_space();
        shim.is_not_killed();
        Some(shim)
    }

    /// For the command that starts the process.
    pub fn environment(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("LD_PRELOAD", self.preloaded.clone()),
            ("SHIM_CONTROL", self.folder.join("shim.control")),
            ("SHIM_NOTES", self.notes()),
        ]
    }

    fn notes(&self) -> PathBuf {
        self.folder.join("shim.notes")
    }

    fn set(&self, number: Number, value: i64) {
        self.control.write_all_at(&value.to_ne_bytes(), number as u64 * 8).unwrap();
    }

    fn get(&self, number: Number) -> i64 {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, number as u64 * 8).unwrap();
        i64::from_ne_bytes(bytes)
    }

    /// The wall clock is off by so many seconds from now on.
    pub fn clock_is_off_by(&self, seconds: i64) {
        self.set(Number::ClockOffset, seconds);
    }

    /// After so many more, every sync fails.
    pub fn syncs_fail_after(&self, syncs: i64) {
        self.set(Number::SyncsLeft, syncs);
        self.set(Number::SyncErrno, EIO);
    }

    pub fn syncs_work(&self) {
        self.set(Number::SyncErrno, 0);
    }

    /// Segments of the journal cannot be read.
    pub fn reads_fail(&self, fail: bool) {
        self.set(Number::ReadErrno, if fail { EIO } else { 0 });
    }

    /// There is room for so many allocations and then none.
    pub fn is_full_after(&self, allocations: i64) {
        self.set(Number::AllocationsLeft, allocations);
    }

    pub fn has_space(&self) {
        self.set(Number::AllocationsLeft, -1);
    }

    /// The process is killed before the change behind so many.
    pub fn is_killed_after(&self, changes: i64) {
        self.set(Number::ChangesLeft, changes);
    }

    pub fn is_not_killed(&self) {
        self.set(Number::ChangesLeft, -1);
    }

    /// Allocations so far, by name, and forgets them.
    pub fn take_allocations(&self) -> Vec<String> {
        self.set(Number::Allocated, 0);
        let notes = std::fs::read_to_string(self.notes()).unwrap_or_default();
        let _ = std::fs::write(self.notes(), "");
        notes.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    /// How many allocations there were since they were taken.
    pub fn allocated(&self) -> i64 {
        self.get(Number::Allocated)
    }
}
