//! The tape: one entry for each value, in the order of the text, and the spellings of names.
//!
//! A record's names are those of the record before it, in the same order. So an object is likened to
//! the earlier one at the same place of the document (the item before it, or the same member of that)
//! and where the text goes on with the very bytes of the name that came next there, the name is read
//! without looking at it again: it is the same spelling.

use super::node::Kind;

/// One value; what lies below a container follows it directly.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// First byte of the value, its quote or bracket included.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// How many entries lie below this one.
    pub below: u32,
    /// How many items an array has, or which shape an object.
    pub count: u32,
    /// Which spelling its name has; of no meaning if this is no member.
    pub name: u32,
    pub kind: Kind,
    /// Whether a string holds a `\`.
    pub escaped: bool,
}

impl Entry {
    /// What a tape without entries would hold; the parser makes none.
    pub const NOTHING: &Self =
        &Self { start: 0, end: 0, below: 0, count: 0, name: 0, kind: Kind::Null, escaped: false };
}

pub(super) struct Tape {
    /// Never empty: the root is the first.
    pub entries: Vec<Entry>,
    pub spellings: Vec<Spelling>,
    /// How many names an object of each shape has. Objects of one shape have the same names, spelt so
    /// and in the same order.
    pub shapes: Vec<u32>,
}

impl Tape {
    pub const NOTHING: Self = Self { entries: Vec::new(), spellings: Vec::new(), shapes: Vec::new() };
}

/// A name as it is written, up to the first byte of the value it names.
#[derive(Clone, Copy)]
pub(super) struct Spelling {
    /// Its quote.
    pub start: u32,
    /// One past its closing quote.
    pub end: u32,
    /// One past the colon and the blanks around it.
    pub after: u32,
    /// Whether it holds a `\`.
    pub escaped: bool,
    /// The first and the last eight bytes up to `after`, one word for both where there are fewer.
    head: u64,
    tail: u64,
    /// Which bits of a word are its bytes.
    mask: u64,
    /// Where the last eight begin, from `start`.
    tail_at: u32,
}

const WORD: usize = 8;

impl Spelling {
    /// `start <= end <= after`, of a name in `text`.
    pub fn of(text: &[u8], start: u32, end: u32, after: u32, escaped: bool) -> Self {
        let bytes = text.get(start as usize..after as usize).unwrap_or_default();
        let mask = u64::MAX >> (64 - 8 * bytes.len().clamp(1, WORD));
        let word = |at: usize| {
            let mut word = [0; WORD];
            word.iter_mut().zip(bytes.iter().skip(at)).for_each(|(to, from)| *to = *from);
            u64::from_le_bytes(word)
        };
        let tail_at = bytes.len().saturating_sub(WORD);
        Self { start, end, after, escaped, head: word(0), tail: word(tail_at), mask, tail_at: tail_at as u32 }
    }

    /// How many bytes it takes.
    pub fn length(&self) -> usize {
        (self.after - self.start) as usize
    }

    /// Whether the very same bytes stand in `text`, which this is a spelling in, from `at`, with no more
    /// blanks after them. `false` may also mean that the text ends too soon to tell quickly.
    #[inline(always)]
    pub fn begins(&self, text: &[u8], at: usize) -> bool {
        let is = |at: usize, word: u64| {
            let chunk = text.get(at..).and_then(|rest| rest.first_chunk::<WORD>());
            chunk.is_some_and(|chunk| u64::from_le_bytes(*chunk) & self.mask == word)
        };
        is(at, self.head)
            && is(at + self.tail_at as usize, self.tail)
            && text.get(at + self.length()).is_some_and(|after| *after > b' ')
            && (self.length() <= 2 * WORD || self.is_whole(text, at))
    }

    #[inline(never)]
    fn is_whole(&self, text: &[u8], at: usize) -> bool {
        text.get(at..at + self.length()) == text.get(self.start as usize..self.after as usize)
    }
}
