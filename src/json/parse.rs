//! The one pass: bytes to tape. Iterative; what is open is kept on a stack of `depth_max` at most.

use std::collections::HashSet;

use super::document::{Entry, JsonFault, JsonFaultKind};
use super::node::Kind;
use super::string;

/// Byte positions fit a `u32` with room to spare.
const BYTES_MAX: usize = 256 << 20;

/// Up to this many names are compared each with each: for a record's handful that beats hashing.
const PAIRWISE_MAX: usize = 24;

/// A number of fewer characters and no exponent is below 1e300, and so finite.
const SURELY_FINITE_CHARS: usize = 300;

/// Reads a whole document.
pub(super) fn tape(bytes: &[u8], depth_max: usize) -> Result<Vec<Entry>, JsonFault> {
    if bytes.len() > BYTES_MAX {
        return Err(JsonFault { at: BYTES_MAX, kind: JsonFaultKind::TooLarge });
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(JsonFault { at: error.valid_up_to(), kind: JsonFaultKind::Utf8 });
    }
    let tape = Vec::with_capacity(bytes.len() / 8 + 4);
    let mut parser = Parser { bytes, at: 0, tape, open: Vec::new(), names: Vec::new(), depth_max };
    parser.document().map_err(|kind| JsonFault { at: parser.at, kind })?;
    Ok(parser.tape)
}

struct Parser<'d> {
    bytes: &'d [u8],
    at: usize,
    tape: Vec<Entry>,
    open: Vec<Open>,
    /// Names of the members of every open object, outermost first, between their quotes.
    names: Vec<&'d [u8]>,
    depth_max: usize,
}

/// An array or object not yet closed.
struct Open {
    entry: usize,
    kind: Kind,
    count: u32,
    /// Where its names start.
    names_from: usize,
    /// Whether any of its names holds a `\`.
    escaped: bool,
}

impl<'d> Parser<'d> {
    fn document(&mut self) -> Result<(), JsonFaultKind> {
        loop {
            let opened = self.value()?;
            if !opened && self.after_value()? {
                return Ok(());
            }
        }
    }

    /// Reads one value, or opens a container up to where its first value is due (`true`).
    fn value(&mut self) -> Result<bool, JsonFaultKind> {
        match self.skip_blanks() {
            Some(b'"') => self.string().map(|_| false),
            Some(b'{') => self.open(Kind::Object),
            Some(b'[') => self.open(Kind::Array),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| false),
            Some(b't') => self.word(b"true", Kind::Boolean),
            Some(b'f') => self.word(b"false", Kind::Boolean),
            Some(b'n') => self.word(b"null", Kind::Null),
            _ => Err(JsonFaultKind::Syntax),
        }
    }

    /// After a value: goes on to where the next is due, or says that the document is at its end.
    fn after_value(&mut self) -> Result<bool, JsonFaultKind> {
        loop {
            let next = self.skip_blanks();
            let Some(top) = self.open.last_mut() else {
                return if next.is_none() { Ok(true) } else { Err(JsonFaultKind::TrailingBytes) };
            };
            top.count += 1;
            match (next, top.kind) {
                (Some(b','), Kind::Object) => {
                    self.at += 1;
                    self.name()?;
                    return Ok(false);
                }
                (Some(b','), _) => {
                    self.at += 1;
                    return Ok(false);
                }
                (Some(b'}'), Kind::Object) | (Some(b']'), Kind::Array) => self.close()?,
                _ => return Err(JsonFaultKind::Syntax),
            }
        }
    }

    fn open(&mut self, kind: Kind) -> Result<bool, JsonFaultKind> {
        if self.open.len() >= self.depth_max {
            return Err(JsonFaultKind::TooDeep);
        }
        let names_from = self.names.len();
        self.open.push(Open { entry: self.tape.len(), kind, count: 0, names_from, escaped: false });
        self.push(self.at, kind, false);
        self.at += 1;
        match (self.skip_blanks(), kind) {
            (Some(b'}'), Kind::Object) | (Some(b']'), Kind::Array) => self.close().map(|()| false),
            (_, Kind::Object) => self.name().map(|()| true),
            _ => Ok(true),
        }
    }

    /// Takes the closing bracket and completes the container's entry.
    fn close(&mut self) -> Result<(), JsonFaultKind> {
        let Some(open) = self.open.pop() else { return Err(JsonFaultKind::Syntax) };
        let names = self.names.get(open.names_from..).unwrap_or_default();
        if !are_unique(names, open.escaped) {
            return Err(JsonFaultKind::DuplicateKey);
        }
        self.names.truncate(open.names_from);
        self.at += 1;
        let (end, below) = (self.at as u32, (self.tape.len() - open.entry - 1) as u32);
        if let Some(entry) = self.tape.get_mut(open.entry) {
            *entry = Entry { end, below, count: open.count, ..*entry };
        }
        Ok(())
    }

    /// Reads `"name":`.
    fn name(&mut self) -> Result<(), JsonFaultKind> {
        if self.skip_blanks() != Some(b'"') {
            return Err(JsonFaultKind::Syntax);
        }
        let start = self.at + 1;
        let escaped = self.string()?;
        self.names.push(self.bytes.get(start..self.at - 1).unwrap_or_default());
        if let Some(top) = self.open.last_mut() {
            top.escaped |= escaped;
        }
        if self.skip_blanks() != Some(b':') {
            return Err(JsonFaultKind::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    /// Reads a string, standing on its quote; says whether it holds a `\`.
    fn string(&mut self) -> Result<bool, JsonFaultKind> {
        let start = self.at;
        let mut escaped = false;
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let plain = string::plain_prefix(rest);
            self.at += plain;
            match rest.get(plain) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    let (_, length) = string::escape(rest.get(plain + 1..).unwrap_or_default())?;
                    self.at += 1 + length;
                }
                _ => return Err(JsonFaultKind::Syntax),
            }
        }
        self.at += 1;
        self.push(start, Kind::String, escaped);
        Ok(escaped)
    }

    /// Reads a number (RFC 8259 section 6), standing on its first character.
    fn number(&mut self) -> Result<(), JsonFaultKind> {
        let start = self.at;
        let mut exponent = false;
        self.take(b"-");
        let leading_zero = self.take(b"0");
        let digits = self.digits();
        if leading_zero == (digits > 0) {
            return Err(JsonFaultKind::Number);
        }
        if self.take(b".") && self.digits() == 0 {
            return Err(JsonFaultKind::Number);
        }
        if self.take(b"eE") {
            exponent = true;
            self.take(b"+-");
            if self.digits() == 0 {
                return Err(JsonFaultKind::Number);
            }
        }
        if (exponent || self.at - start > SURELY_FINITE_CHARS) && !self.is_finite(start) {
            return Err(JsonFaultKind::Number);
        }
        self.push(start, Kind::Number, false);
        Ok(())
    }

    fn is_finite(&self, start: usize) -> bool {
        let text = self.bytes.get(start..self.at).unwrap_or_default();
        std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).is_some_and(f64::is_finite)
    }

    /// Takes one byte if it is any of these.
    fn take(&mut self, any: &[u8]) -> bool {
        let found = self.bytes.get(self.at).is_some_and(|byte| any.contains(byte));
        self.at += usize::from(found);
        found
    }

    fn digits(&mut self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<bool, JsonFaultKind> {
        let start = self.at;
        if !self.bytes.get(start..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(JsonFaultKind::Syntax);
        }
        self.at += word.len();
        self.push(start, kind, false);
        Ok(false)
    }

    /// Stands on the next byte that is not a blank, and says which it is.
    fn skip_blanks(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// `BYTES_MAX` keeps every position within a `u32`.
    fn push(&mut self, start: usize, kind: Kind, escaped: bool) {
        let (start, end) = (start as u32, self.at as u32);
        self.tape.push(Entry { start, end, below: 0, count: 0, kind, escaped });
    }
}

/// Whether no name is there twice. Names without escapes are equal exactly if their bytes are.
fn are_unique(names: &[&[u8]], escaped: bool) -> bool {
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
