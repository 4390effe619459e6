//! A journal's medium that keeps every step in order, and can tell what a disk holds when the power goes before,
//! during or after any of them.
//!
//! The disk is a hostile one: of what was written and not synced, any set of sectors may be there. What was synced
//! is there. A segment that is being made has its name when it is whole, or none (`Medium::create`).

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use tolbooth::journal::{Medium, Shelf};

pub const SECTOR: usize = 512;

pub type Segments = BTreeMap<u32, Vec<u8>>;

#[derive(Debug, Clone)]
pub enum Step {
    Create { segment: u32, bytes: u64, head: Vec<u8> },
    Write { segment: u32, offset: u64, bytes: Vec<u8> },
    Sync { segment: u32 },
    Wipe { segment: u32, offset: u64 },
}

/// Copies share the same segments and steps.
#[derive(Clone, Default)]
pub struct Recording(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    began_with: Segments,
    seen: Segments,
    steps: Vec<Step>,
}

impl Recording {
    /// A disk as a power cut left it.
    pub fn of(segments: Segments) -> Self {
        Self(Arc::new(Mutex::new(State { began_with: segments.clone(), seen: segments, steps: Vec::new() })))
    }

    /// How many steps were taken.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap().steps.len()
    }

    /// The first steps of all, and what they leave.
    pub fn upto(&self, steps: usize) -> Half {
        let state = self.0.lock().unwrap();
        let mut half =
            Half { durable: state.began_with.clone(), written: state.began_with.clone(), ..Half::default() };
        state.steps.iter().take(steps).for_each(|step| half.take(step));
        half
    }

    fn step(&self, step: Step) {
        let mut state = self.0.lock().unwrap();
        apply(&mut state.seen, &step);
        state.steps.push(step);
    }
}

fn apply(segments: &mut Segments, step: &Step) {
    match step {
        Step::Create { segment, bytes, head } => {
            let mut made = vec![0; usize::try_from(*bytes).unwrap()];
            made[..head.len()].copy_from_slice(head);
            segments.insert(*segment, made);
        }
        Step::Write { segment, offset, bytes } => {
            let from = usize::try_from(*offset).unwrap();
            segments.get_mut(segment).unwrap()[from..from + bytes.len()].copy_from_slice(bytes);
        }
        Step::Sync { .. } => {}
        Step::Wipe { segment, offset } => {
            segments.get_mut(segment).unwrap()[usize::try_from(*offset).unwrap()..].fill(0);
        }
    }
}

/// A disk in the middle of something.
#[derive(Default)]
pub struct Half {
    durable: Segments,
    written: Segments,
    /// What differs between the two, perhaps.
    unsynced: BTreeSet<(u32, usize)>,
    /// What there was before the last step, if that was a wipe.
    before_wipe: Option<Segments>,
}

impl Half {
    fn take(&mut self, step: &Step) {
        self.before_wipe = None;
        match step {
            Step::Create { .. } => {
                apply(&mut self.durable, step);
                apply(&mut self.written, step);
            }
            Step::Write { segment, offset, bytes } => {
                apply(&mut self.written, step);
                let from = usize::try_from(*offset).unwrap();
                let sectors = from / SECTOR..=(from + bytes.len() - 1) / SECTOR;
                self.unsynced.extend(sectors.map(|sector| (*segment, sector)));
            }
            Step::Sync { segment } => {
                self.durable.insert(*segment, self.written[segment].clone());
                self.unsynced.retain(|(of, _)| of != segment);
            }
            Step::Wipe { .. } => {
                self.before_wipe = Some(self.durable.clone());
                apply(&mut self.durable, step);
                apply(&mut self.written, step);
            }
        }
    }

    /// Every set of unsynced sectors that a disk may have written where they are few; where they are many, each
    /// alone, all but each, every beginning and end, every other one, and some at random. Of a wipe likewise every
    /// set of sectors that it may have come to.
    pub fn states(&self) -> Vec<Segments> {
        let unsynced: Vec<_> = self.unsynced.iter().copied().collect();
        let mut out = mixtures(&self.durable, &self.written, &unsynced);
        if let Some(before) = &self.before_wipe {
            out.extend(mixtures(before, &self.durable, &differing(before, &self.durable)));
        }
        out
    }
}

fn differing(one: &Segments, other: &Segments) -> Vec<(u32, usize)> {
    let of = |(segment, bytes): (&u32, &Vec<u8>)| {
        let pairs = bytes.chunks(SECTOR).zip(other[segment].chunks(SECTOR)).enumerate();
        let changed = pairs.filter(|(_, (one, other))| one != other).map(|(sector, _)| (*segment, sector));
        changed.collect::<Vec<_>>()
    };
    one.iter().flat_map(of).collect()
}

fn mixtures(before: &Segments, after: &Segments, sectors: &[(u32, usize)]) -> Vec<Segments> {
    let kept: BTreeSet<Vec<bool>> = match sectors.len() {
        0..=5 => (0..1_u32 << sectors.len()).map(|set| bits(set, sectors.len())).collect(),
        many => sets_of(many),
    };
    kept.iter().map(|kept| mixture(before, after, sectors, kept)).collect()
}

fn mixture(before: &Segments, after: &Segments, sectors: &[(u32, usize)], kept: &[bool]) -> Segments {
    let mut disk = before.clone();
    for ((segment, sector), _) in sectors.iter().zip(kept).filter(|(_, kept)| **kept) {
        let from = &after[segment];
        let range = sector * SECTOR..((sector + 1) * SECTOR).min(from.len());
        disk.get_mut(segment).unwrap()[range.clone()].copy_from_slice(&from[range]);
    }
    disk
}

fn bits(set: u32, count: usize) -> Vec<bool> {
    (0..count).map(|at| set >> at & 1 == 1).collect()
}

fn sets_of(count: usize) -> BTreeSet<Vec<bool>> {
    let which = |keep: &dyn Fn(usize) -> bool| (0..count).map(keep).collect::<Vec<bool>>();
    let mut out: BTreeSet<_> = [which(&|at| at % 2 == 0), which(&|at| at % 2 == 1)].into();
    for one in 0..=count {
        out.insert(which(&|at| at == one));
        out.insert(which(&|at| at != one));
        out.insert(which(&|at| at < one));
        out.insert(which(&|at| at >= one));
    }
    // Numbers of xorshift: the same in every run.
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..16 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        out.insert(which(&|at| random.rotate_left(u32::try_from(at * 11 % 64).unwrap()) & 1 == 1));
    }
    out
}

impl Shelf for Recording {
    fn segments(&self) -> io::Result<Vec<u32>> {
        Ok(self.0.lock().unwrap().seen.keys().copied().collect())
    }

    fn length(&self, segment: u32) -> io::Result<u64> {
        let state = self.0.lock().unwrap();
        state.seen.get(&segment).map(|bytes| bytes.len() as u64).ok_or(io::ErrorKind::NotFound.into())
    }

    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let state = self.0.lock().unwrap();
        let bytes = state.seen.get(&segment).ok_or(io::ErrorKind::NotFound)?;
        let rest = bytes.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn written_from(&self, segment: u32, offset: u64) -> io::Result<Option<u64>> {
        let state = self.0.lock().unwrap();
        let bytes = state.seen.get(&segment).ok_or(io::ErrorKind::NotFound)?;
        let rest = bytes.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        Ok(rest.iter().position(|byte| *byte != 0).map(|at| offset + at as u64))
    }
}

impl Medium for Recording {
    fn shelf(&self) -> Arc<dyn Shelf> {
        Arc::new(self.clone())
    }

    fn create(&mut self, segment: u32, bytes: u64, head: &[u8]) -> io::Result<()> {
        self.step(Step::Create { segment, bytes, head: head.to_vec() });
        Ok(())
    }

    fn write(&mut self, segment: u32, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.step(Step::Write { segment, offset, bytes: bytes.to_vec() });
        Ok(())
    }

    fn sync(&mut self, segment: u32) -> io::Result<()> {
        self.step(Step::Sync { segment });
        Ok(())
    }

    fn wipe(&mut self, segment: u32, offset: u64) -> io::Result<()> {
        self.step(Step::Wipe { segment, offset });
        Ok(())
    }
}
