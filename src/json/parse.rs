//! The one pass: bytes to tape. Iterative; what is open is kept on a stack of `depth_max` at most.

use std::collections::HashSet;

use super::document::{JsonFault, JsonFaultKind};
use super::node::Kind;
use super::string;
use super::tape::{Entry, Spelling, Tape};

/// Byte positions fit a `u32` with room to spare.
pub(super) const BYTES_MAX: usize = 256 << 20;

/// Up to this many names are compared each with each: for a record's handful that beats hashing.
const PAIRWISE_MAX: usize = 24;

/// A number of fewer characters and no exponent is below 1e300, and so finite.
const SURELY_FINITE_CHARS: usize = 300;

/// How many names an earlier object may have beyond this one's, in one place, to be still likened.
const SKIPPED_MAX: usize = 4;

/// Reads a whole document of at most [`BYTES_MAX`].
pub(super) fn tape(text: &str, depth_max: usize) -> Result<Tape, JsonFault> {
    let tape =
        Tape { entries: Vec::with_capacity(text.len() / 16 + 4), spellings: Vec::new(), shapes: Vec::new() };
    let mut parser =
        Parser { text, bytes: text.as_bytes(), tape, open: Vec::new(), name: 0, like: 0, depth_max };
    parser.document()?;
    Ok(parser.tape)
}

/// Every step takes where it stands in the text and gives where it has come to, so that this one
/// number stays in a register.
struct Parser<'d> {
    text: &'d str,
    bytes: &'d [u8],
    tape: Tape,
    /// Outermost first.
    open: Vec<Open>,
    /// Of the value that is due: its name's spelling, if it has one.
    name: u32,
    /// Of the value that is due: the earlier one at its place. The root is nobody's earlier: 0 is none.
    like: u32,
    depth_max: usize,
}

/// An array or object not yet closed.
struct Open {
    entry: u32,
    count: u32,
    /// The earlier one it is likened to.
    earlier: u32,
    /// In an object the earlier member that is expected next, in an array the earlier item.
    like: u32,
    /// One past the last earlier member.
    like_end: u32,
    is_object: bool,
    /// Whether every name so far was that of an earlier member, in the order there. As no name was
    /// twice there, none is twice here.
    likened: bool,
}

type Step = Result<usize, JsonFault>;

impl Parser<'_> {
    fn document(&mut self) -> Result<(), JsonFault> {
        let mut at = 0;
        loop {
            let depth = self.open.len();
            at = self.value(at)?;
            if self.open.len() > depth {
                continue;
            }
            // After a value: goes on to where the next is due, or finds the document at its end.
            loop {
                let sign = self.sign(&mut at);
                let Some(top) = self.open.last_mut() else {
                    let whole = at == self.bytes.len();
                    return if whole { Ok(()) } else { Err(fault(at, JsonFaultKind::TrailingBytes)) };
                };
                top.count += 1;
                match (sign, top.is_object) {
                    (b',', true) => {
                        at = self.name(at + 1)?;
                        break;
                    }
                    (b',', false) => {
                        self.like = top.like;
                        at += 1;
                        break;
                    }
                    (b'}', true) | (b']', false) => at = self.close(at)?,
                    _ => return Err(fault(at, JsonFaultKind::Syntax)),
                }
            }
        }
    }

    /// Reads one value, or opens a container up to where its first value is due.
    #[inline(always)]
    fn value(&mut self, mut at: usize) -> Step {
        match self.sign(&mut at) {
            b'"' => {
                let (end, escaped) = self.string(at)?;
                self.push(at, end, Kind::String, escaped);
                Ok(end)
            }
            b'{' => self.open(at, Kind::Object),
            b'[' => self.open(at, Kind::Array),
            b'-' | b'0'..=b'9' => {
                let end = self.number(at)?;
                self.push(at, end, Kind::Number, false);
                Ok(end)
            }
            b't' => self.word(at, b"true", Kind::Boolean),
            b'f' => self.word(at, b"false", Kind::Boolean),
            b'n' => self.word(at, b"null", Kind::Null),
            _ => Err(fault(at, JsonFaultKind::Syntax)),
        }
    }

    fn open(&mut self, at: usize, kind: Kind) -> Step {
        if self.open.len() >= self.depth_max {
            return Err(fault(at, JsonFaultKind::TooDeep));
        }
        let is_object = kind == Kind::Object;
        let like = self.tape.entries.get(self.like as usize);
        let (earlier, below) = match like.filter(|earlier| self.like > 0 && earlier.kind == kind) {
            Some(earlier) => (self.like, earlier.below),
            None => (0, 0),
        };
        let (like, like_end) = if below > 0 { (earlier + 1, earlier + 1 + below) } else { (0, 0) };
        let entry = self.tape.entries.len() as u32;
        self.open.push(Open { entry, count: 0, earlier, like, like_end, is_object, likened: true });
        self.push(at, at, kind, false);
        let mut at = at + 1;
        match (self.sign(&mut at), is_object) {
            (b'}', true) | (b']', false) => self.close(at),
            (_, true) => self.name(at),
            _ => {
                self.like = like;
                Ok(at)
            }
        }
    }

    /// Takes the closing bracket and completes the container's entry.
    fn close(&mut self, at: usize) -> Step {
        let Some(closed) = self.open.pop() else { return Err(fault(at, JsonFaultKind::Syntax)) };
        if !closed.likened && !self.are_names_unique(&closed) {
            return Err(fault(at, JsonFaultKind::DuplicateKey));
        }
        let (count, model) =
            if closed.is_object { self.shape(&closed) } else { (closed.count, closed.entry) };
        let (end, below) = (at as u32 + 1, self.tape.entries.len() as u32 - closed.entry - 1);
        if let Some(entry) = self.tape.entries.get_mut(closed.entry as usize) {
            *entry = Entry { end, below, count, ..*entry };
        }
        if let Some(top) = self.open.last_mut().filter(|top| !top.is_object) {
            top.like = model;
        }
        Ok(at + 1)
    }

    /// Which shape an object has that is being closed, and what the next is best likened to.
    fn shape(&mut self, closed: &Open) -> (u32, u32) {
        let earlier = self.tape.entries.get(closed.earlier as usize);
        let earlier = earlier.filter(|_| closed.likened && closed.earlier > 0);
        if let Some(earlier) = earlier
            && self.tape.shapes.get(earlier.count as usize) == Some(&closed.count)
        {
            return (earlier.count, closed.entry);
        }
        // Likened, and yet not the same: some names are lacking, and the next may have them again.
        let model = if earlier.is_some() { closed.earlier } else { closed.entry };
        self.tape.shapes.push(closed.count);
        (self.tape.shapes.len() as u32 - 1, model)
    }

    /// Reads `"name":` and the blanks around.
    #[inline(always)]
    fn name(&mut self, mut at: usize) -> Step {
        if self.sign(&mut at) != b'"' {
            return Err(fault(at, JsonFaultKind::Syntax));
        }
        if let Some(top) = self.open.last_mut()
            && top.like < top.like_end
            && let Some(earlier) = self.tape.entries.get(top.like as usize)
            && let Some(spelling) = self.tape.spellings.get(earlier.name as usize)
            && spelling.begins(self.bytes, at)
        {
            (self.name, self.like) = (earlier.name, top.like);
            top.like += 1 + earlier.below;
            return Ok(at + spelling.length());
        }
        self.later_name(at)
    }

    /// Takes a name that an earlier member soon after the next has, or else reads it; standing on its
    /// quote.
    #[inline(never)]
    fn later_name(&mut self, at: usize) -> Step {
        let Some(top) = self.open.last_mut() else { return Err(fault(at, JsonFaultKind::Syntax)) };
        let mut like = top.like;
        for _ in 0..SKIPPED_MAX {
            let Some(skipped) = self.tape.entries.get(like as usize) else { break };
            like += 1 + skipped.below;
            if like >= top.like_end {
                break;
            }
            let Some(earlier) = self.tape.entries.get(like as usize) else { break };
            let Some(spelling) = self.tape.spellings.get(earlier.name as usize) else { break };
            if spelling.begins(self.bytes, at) {
                top.like = like + 1 + earlier.below;
                (self.name, self.like) = (earlier.name, like);
                return Ok(at + spelling.length());
            }
        }
        self.new_name(at)
    }

    /// Reads a name that no earlier member had, standing on its quote.
    fn new_name(&mut self, start: usize) -> Step {
        let (end, escaped) = self.string(start)?;
        let mut after = end;
        if self.sign(&mut after) != b':' {
            return Err(fault(after, JsonFaultKind::Syntax));
        }
        after += 1;
        self.sign(&mut after);
        if let Some(top) = self.open.last_mut() {
            top.likened = false;
        }
        (self.name, self.like) = (self.tape.spellings.len() as u32, 0);
        self.tape.spellings.push(Spelling::of(self.bytes, start as u32, end as u32, after as u32, escaped));
        Ok(after)
    }

    /// Whether no name of an object that is being closed is there twice.
    fn are_names_unique(&self, closed: &Open) -> bool {
        let mut at = closed.entry as usize + 1;
        let (mut names, mut escaped) = (Vec::with_capacity(closed.count as usize), false);
        while let Some(member) = self.tape.entries.get(at) {
            at += 1 + member.below as usize;
            let Some(name) = self.tape.spellings.get(member.name as usize) else { continue };
            escaped |= name.escaped;
            names.push(self.text.get(name.start as usize + 1..name.end as usize - 1).unwrap_or_default());
        }
        are_unique(&names, escaped)
    }

    /// Reads a string, standing on its quote: where it ends, and whether it holds a `\`.
    #[inline(always)]
    fn string(&self, at: usize) -> Result<(usize, bool), JsonFault> {
        let at = at + 1;
        let rest = self.bytes.get(at..).unwrap_or_default();
        let plain = string::plain_prefix(rest);
        if rest.get(plain) == Some(&b'"') {
            return Ok((at + plain + 1, false));
        }
        self.escaped_string(at + plain).map(|end| (end, true))
    }

    /// Reads the rest of a string, standing on its first `\` or on what may not be there.
    #[inline(never)]
    fn escaped_string(&self, at: usize) -> Step {
        let mut at = at;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let plain = string::plain_prefix(rest);
            at += plain;
            match rest.get(plain) {
                Some(b'"') => return Ok(at + 1),
                Some(b'\\') => {
                    let read = string::escape(rest.get(plain + 1..).unwrap_or_default());
                    let (_, length) = read.map_err(|kind| fault(at, kind))?;
                    at += 1 + length;
                }
                _ => return Err(fault(at, JsonFaultKind::Syntax)),
            }
        }
    }

    /// Reads a number (RFC 8259 section 6), standing on its first character.
    fn number(&self, start: usize) -> Step {
        let wrong = |at: usize| Err(fault(at, JsonFaultKind::Number));
        let whole = start + usize::from(self.is_any(start, b"-"));
        let mut at = self.digits(whole);
        if at == whole || (at > whole + 1 && self.is_any(whole, b"0")) {
            return wrong(at);
        }
        if self.is_any(at, b".") {
            let fraction = at + 1;
            at = self.digits(fraction);
            if at == fraction {
                return wrong(at);
            }
        }
        let exponent = self.is_any(at, b"eE");
        if exponent {
            let signed = at + 1 + usize::from(self.is_any(at + 1, b"+-"));
            at = self.digits(signed);
            if at == signed {
                return wrong(at);
            }
        }
        if (exponent || at - start > SURELY_FINITE_CHARS) && !self.is_finite(start, at) {
            return wrong(at);
        }
        Ok(at)
    }

    fn is_finite(&self, start: usize, end: usize) -> bool {
        let text = self.text.get(start..end);
        text.and_then(|text| text.parse().ok()).is_some_and(f64::is_finite)
    }

    /// Whether the byte there is any of these.
    #[inline]
    fn is_any(&self, at: usize, any: &[u8]) -> bool {
        self.bytes.get(at).is_some_and(|byte| any.contains(byte))
    }

    /// Where the digits end.
    #[inline]
    fn digits(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    }

    fn word(&mut self, at: usize, word: &[u8], kind: Kind) -> Step {
        if !self.bytes.get(at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(fault(at, JsonFaultKind::Syntax));
        }
        self.push(at, at + word.len(), kind, false);
        Ok(at + word.len())
    }

    /// Goes to the next byte that is not a blank. At the end gives NUL, which stands nowhere in JSON.
    #[inline(always)]
    fn sign(&self, at: &mut usize) -> u8 {
        match self.bytes.get(*at) {
            Some(sign) if *sign > b' ' => *sign,
            _ => self.sign_after_blanks(at),
        }
    }

    #[inline(never)]
    fn sign_after_blanks(&self, at: &mut usize) -> u8 {
        let rest = self.bytes.get(*at..).unwrap_or_default();
        let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')).count();
        *at += blanks;
        rest.get(blanks).copied().unwrap_or_default()
    }

    /// `BYTES_MAX` keeps every position within a `u32`.
    #[inline(always)]
    fn push(&mut self, start: usize, end: usize, kind: Kind, escaped: bool) {
        let (start, end) = (start as u32, end as u32);
        self.tape.entries.push(Entry { start, end, below: 0, count: 0, name: self.name, kind, escaped });
    }
}

fn fault(at: usize, kind: JsonFaultKind) -> JsonFault {
    JsonFault { at, kind }
}

/// Whether no name is there twice. Names without escapes are equal exactly if their bytes are.
fn are_unique(names: &[&str], escaped: bool) -> bool {
    if escaped {
        let mut seen = HashSet::with_capacity(names.len());
        return names.iter().all(|name| seen.insert(string::unescape(name)));
    }
    if names.len() > PAIRWISE_MAX {
        let mut seen = HashSet::with_capacity(names.len());
        return names.iter().all(|name| seen.insert(*name));
    }
    let mut rest = names;
    while let Some((first, others)) = rest.split_first() {
        if others.contains(first) {
            return false;
        }
        rest = others;
    }
    true
}
