//! How many different subjects and users a line of a report is over. A subject is one identifier of one kind
//! under one year's key: who was asked about in two years, or by two kinds, is two. A user is a name as one
//! member gave it.
//!
//! Exact or not told at all: beyond [`DISTINCT_MAX`] every such count of the report is left open, and the rest
//! of it stands.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::seen::Seen;
use crate::model::Digest;

/// Subjects and users remembered for one report, each once a line and once in all: some 50 MiB.
pub const DISTINCT_MAX: usize = 1_000_000;

/// Enough of a digest that two are never one by chance.
type Short = [u8; 16];

#[derive(Debug, PartialEq, Eq, Hash, Clone, Copy)]
enum Of {
    Subject(Short),
    User(Short),
}

/// Of one line, or of all lines together.
#[derive(Debug, Default)]
pub(super) struct Who {
    /// Given by the first record.
    line: Option<u32>,
    subjects: u64,
    users: u64,
}

#[derive(Debug, Default)]
pub(super) struct Distinct {
    met: HashSet<(u32, Of)>,
    lines: u32,
    full: bool,
}

impl Distinct {
    /// Counts whom a record is about and who asked, each the first time a line meets them.
    pub(super) fn take(&mut self, seen: &Seen, line: &mut Who) {
        let number = *line.line.get_or_insert_with(|| {
            self.lines += 1;
            self.lines
        });
        for tag in seen.tags() {
            line.subjects += u64::from(self.is_new(number, Of::Subject(short(tag.0))));
        }
        if let Some(user) = seen.user() {
            let named = Digest::of(format!("{}\0{user}", seen.caller().0).as_bytes());
            line.users += u64::from(self.is_new(number, Of::User(short(named.0))));
        }
    }

    fn is_new(&mut self, line: u32, who: Of) -> bool {
        if self.met.len() < DISTINCT_MAX {
            return self.met.insert((line, who));
        }
        self.full |= !self.met.contains(&(line, who));
        false
    }

    pub(super) fn subjects(&self, line: &Who) -> Value {
        self.told(line.subjects)
    }

    pub(super) fn users(&self, line: &Who) -> Value {
        self.told(line.users)
    }

    /// Both, among a report's sums.
    pub(super) fn tell(&self, all: &Who, sums: &mut Map<String, Value>) {
        sums.insert("subjects".to_owned(), self.subjects(all));
        sums.insert("users".to_owned(), self.users(all));
    }

    /// Nothing, where it would be too small.
    fn told(&self, count: u64) -> Value {
        if self.full { Value::Null } else { count.into() }
    }
}

fn short(digest: [u8; 32]) -> Short {
    let mut short = [0; 16];
    short.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_would_be_too_small_is_left_open() {
        let mut distinct = Distinct::default();
        let of = |number: usize| {
            let mut short = [0; 16];
            short[..8].copy_from_slice(&(number as u64).to_be_bytes());
            Of::Subject(short)
        };
        for number in 0..DISTINCT_MAX {
            assert!(distinct.is_new(1, of(number)));
        }
        assert!(!distinct.is_new(1, of(0)), "it was met before");
        assert_eq!(distinct.told(7), 7, "all are remembered");
        assert!(!distinct.is_new(1, of(DISTINCT_MAX)));
        assert_eq!(distinct.told(7), Value::Null, "one is not");
    }
}
