//! Which records meet all of what is sought, newest first: lists are gone down together, each to the greatest
//! that the others still allow, so that what matches nearly everything ends with the page.

use super::StoreError;
use super::term::Term;

/// What records are looked for by. A record found is held against the journal: this only leads to it.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    /// Each of these must hold: the record is filed under one of its terms.
    pub all: Vec<Vec<Term>>,
    /// Not before this time, in milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Before this time.
    pub before_ms: Option<i64>,
}

/// A list of records that is gone down.
pub(super) trait Descends {
    /// The greatest of at most this; what is asked never grows.
    fn seek(&mut self, at_most: u64) -> Result<Option<u64>, StoreError>;
}

/// The newest `max` records from `from` on and before `below` that are in one list of each of `wanted`.
pub(super) fn all_of(
    wanted: &mut [Vec<Box<dyn Descends + '_>>],
    from: u64,
    below: u64,
    max: usize,
) -> Result<Vec<u64>, StoreError> {
    let mut found = Vec::new();
    let mut below = below;
    while found.len() < max {
        let Some(record) = next(wanted, from, below)? else { break };
        found.push(record);
        below = record;
    }
    Ok(found)
}

fn next(
    wanted: &mut [Vec<Box<dyn Descends + '_>>],
    from: u64,
    below: u64,
) -> Result<Option<u64>, StoreError> {
    let Some(mut at_most) = below.checked_sub(1).filter(|last| *last >= from) else { return Ok(None) };
    // Down to where no list asks for less.
    let mut agreed = 0;
    while agreed < wanted.len() {
        agreed = 0;
        for any in wanted.iter_mut() {
            match any_of(any, at_most)? {
                Some(record) if record >= from => {
                    agreed += usize::from(record == at_most);
                    at_most = record;
                }
                _ => return Ok(None),
            }
        }
    }
    Ok(Some(at_most))
}

fn any_of(lists: &mut [Box<dyn Descends + '_>], at_most: u64) -> Result<Option<u64>, StoreError> {
    let mut greatest = None;
    for list in lists {
        greatest = greatest.max(list.seek(at_most)?);
    }
    Ok(greatest)
}
