//! A journal's medium in memory that fails where a test says, and that can lose its power.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use tolbooth::journal::{Medium, Shelf};

const SECTOR: usize = 512;

/// Copies share the same segments.
#[derive(Clone, Default)]
pub struct Faulty(Arc<Mutex<State>>);

#[derive(Default, Clone)]
struct State {
    /// What a power cut leaves.
    durable: BTreeMap<u32, Vec<u8>>,
    /// What a process reads.
    seen: BTreeMap<u32, Vec<u8>>,
    unsynced: BTreeSet<(u32, usize)>,
    /// Steps so far: creations, writes, syncs and wipes.
    steps: u64,
    fail: Option<Fail>,
    fail_sync: bool,
    full: bool,
}

/// Where a step fails.
#[derive(Clone, Copy, Debug)]
pub struct Fail {
    /// Counted from 0.
    pub step: u64,
    /// Whether the step takes effect all the same.
    pub after: bool,
}

/// What becomes of sectors that were written but not synced.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// The process died, the machine did not.
    KeepAll,
    LoseAll,
    /// Each sector by itself, decided by this seed.
    Some(u64),
}

impl Faulty {
    pub fn failing(fail: Fail) -> Self {
        let medium = Self::default();
        medium.0.lock().unwrap().fail = Some(fail);
        medium
    }

    pub fn set_full(&self, full: bool) {
        self.0.lock().unwrap().full = full;
    }

    pub fn fail_next_sync(&self) {
        self.0.lock().unwrap().fail_sync = true;
    }

    pub fn remove(&self, segment: u32) {
        let mut state = self.0.lock().unwrap();
        state.seen.remove(&segment);
        state.durable.remove(&segment);
    }

    pub fn steps(&self) -> u64 {
        self.0.lock().unwrap().steps
    }

    /// What the next process finds when this one is killed: all of it, and nothing more durable than it was.
    pub fn killed(&self) -> Self {
        let mut state = self.0.lock().unwrap().clone();
        (state.fail, state.steps) = (None, 0);
        Self(Arc::new(Mutex::new(state)))
    }

    /// What the next process finds.
    pub fn cut(&self, cut: Cut) -> Self {
        let mut state = self.0.lock().unwrap().clone();
        let mut random = match cut {
            Cut::Some(seed) => seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            _ => 1,
        };
        for (segment, sector) in std::mem::take(&mut state.unsynced) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let keep = match cut {
                Cut::KeepAll => true,
                Cut::LoseAll => false,
                Cut::Some(_) => random & 1 == 0,
            };
            if let (true, Some(from), Some(to)) =
                (keep, state.seen.get(&segment), state.durable.get_mut(&segment))
            {
                let range = sector * SECTOR..((sector + 1) * SECTOR).min(from.len());
                to[range.clone()].copy_from_slice(&from[range]);
            }
        }
        state.seen = state.durable.clone();
        (state.fail, state.steps) = (None, 0);
        Self(Arc::new(Mutex::new(state)))
    }

    /// Changes bytes behind everybody's back.
    pub fn tamper(&self, segment: u32, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.0.lock().unwrap();
        change(state.seen.get_mut(&segment).unwrap());
        let seen = state.seen[&segment].clone();
        state.durable.insert(segment, seen);
    }

    pub fn bytes(&self, segment: u32) -> Vec<u8> {
        self.0.lock().unwrap().seen[&segment].clone()
    }

    /// Writes the segments as files, for whoever reads directories.
    pub fn save(&self, directory: &std::path::Path) {
        std::fs::create_dir_all(directory).unwrap();
        for (segment, bytes) in &self.0.lock().unwrap().seen {
            std::fs::write(directory.join(format!("{segment:08}.segment")), bytes).unwrap();
        }
    }

    fn step(&self, effect: impl FnOnce(&mut State)) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let now = state.steps;
        state.steps += 1;
        let fail = state.fail.filter(|fail| fail.step == now);
        if fail.is_none_or(|fail| fail.after) {
            effect(&mut state);
        }
        if fail.is_some() { Err(io::Error::other("as the test wants")) } else { Ok(()) }
    }
}

impl Shelf for Faulty {
    fn segments(&self) -> io::Result<Vec<u32>> {
        Ok(self.0.lock().unwrap().seen.keys().copied().collect())
    }

    fn length(&self, segment: u32) -> io::Result<u64> {
        self.0
            .lock()
            .unwrap()
            .seen
            .get(&segment)
            .map(|b| b.len() as u64)
            .ok_or(io::ErrorKind::NotFound.into())
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let state = self.0.lock().unwrap();
        let bytes = &state.seen.get(&segment).ok_or(io::ErrorKind::NotFound)?[offset as usize..];
        let count = bytes.len().min(into.len());
        into[..count].copy_from_slice(&bytes[..count]);
        Ok(count)
    }
}

impl Medium for Faulty {
    fn shelf(&self) -> Arc<dyn Shelf> {
        Arc::new(self.clone())
    }

    fn create(&mut self, segment: u32, bytes: u64, head: &[u8]) -> io::Result<()> {
        if self.0.lock().unwrap().full {
            return Err(io::Error::from_raw_os_error(28));
        }
        self.step(|state| {
            let mut made = vec![0; bytes as usize];
            made[..head.len()].copy_from_slice(head);
            state.durable.insert(segment, made.clone());
            state.seen.insert(segment, made);
        })
    }

    fn write(&mut self, segment: u32, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let start = offset as usize;
        self.step(|state| {
            state.seen.get_mut(&segment).unwrap()[start..start + bytes.len()].copy_from_slice(bytes);
            for sector in start / SECTOR..=(start + bytes.len() - 1) / SECTOR {
                state.unsynced.insert((segment, sector));
            }
        })
    }

    fn sync(&mut self, segment: u32) -> io::Result<()> {
        if std::mem::take(&mut self.0.lock().unwrap().fail_sync) {
            return Err(io::Error::other("as the test wants"));
        }
        self.step(|state| {
            let seen = state.seen[&segment].clone();
            state.durable.insert(segment, seen);
            state.unsynced.retain(|(of, _)| *of != segment);
        })
    }

    fn wipe(&mut self, segment: u32, offset: u64) -> io::Result<()> {
        self.step(|state| {
            state.seen.get_mut(&segment).unwrap()[offset as usize..].fill(0);
            let seen = state.seen[&segment].clone();
            state.durable.insert(segment, seen);
        })
    }
}
