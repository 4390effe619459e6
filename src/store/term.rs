//! What records are filed under: eight bytes for a kind of fact and its value. Values are put under a key, since
//! some are people's names and all could be guessed; two that share a term cost a search a look at a record it
//! does not show, and nothing else.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::crypto::{MacKey, Sha256, derive};

pub(super) const TERM_BYTES: usize = 8;

/// The kinds of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TermKind {
    Agreement = b'a',
    Code = b'c',
    Dataset = b'd',
    /// An exchange without its sealed part.
    Erased = b'e',
    /// The kind of record.
    Kind = b'k',
    Member = b'm',
    /// As the caller was told.
    Outcome = b'o',
    /// An exchange that was refused, by whatever outcome.
    Refused = b'r',
    Subject = b's',
    /// The true outcome.
    Truly = b't',
    User = b'u',
    /// A record that does not read.
    Unread = b'v',
    Exchange = b'x',
    System = b'y',
}

/// A kind of fact and its value, without the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term([u8; TERM_BYTES]);

impl Hash for Term {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from_be_bytes(self.0));
    }
}

impl Term {
    /// Below every other: where a run begins.
    pub(super) const FIRST: Self = Self([0; TERM_BYTES]);
    /// Above every other: where a run ends.
    pub(super) const LAST: Self = Self([0xff; TERM_BYTES]);

    /// Of a value that is random already: a subject's reference, an exchange's id. Its last bytes count.
    pub fn of_random(kind: TermKind, value: &[u8]) -> Self {
        let mut term = [0; TERM_BYTES];
        for (to, from) in term.iter_mut().rev().zip(value.iter().rev()) {
            *to = *from;
        }
        Self(term).of_kind(kind)
    }

    fn of_kind(mut self, kind: TermKind) -> Self {
        let [first, ..] = &mut self.0;
        *first = kind as u8;
        self
    }

    pub(super) fn bytes(&self) -> &[u8; TERM_BYTES] {
        &self.0
    }

    pub(super) fn from_bytes(bytes: [u8; TERM_BYTES]) -> Self {
        Self(bytes)
    }
}

/// What the store is kept under: terms say nothing without it, and what it did not write is not believed.
#[derive(Clone)]
pub struct IndexKey {
    terms: MacKey,
    pieces: MacKey,
}

impl IndexKey {
    /// Of one log: what is folded of another reads as damage.
    pub fn new(master: &[u8; 32], log: &str) -> Self {
        let of = |what: &str| MacKey::new(&derive(master, &[b"index", what.as_bytes(), log.as_bytes()]));
        Self { terms: of("terms"), pieces: of("pieces") }
    }

    pub fn term(&self, kind: TermKind, value: &[u8]) -> Term {
        Term::of_random(kind, &self.terms.tag(&[&[kind as u8], value]))
    }

    pub(super) fn tag(&self, parts: &[&[u8]]) -> Sha256 {
        self.pieces.tag(parts)
    }
}

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexKey(***)")
    }
}
