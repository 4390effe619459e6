//! Looking into a document: a node is one value of it, and borrows everything.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::document::{Document, NOTHING};
use super::string;
use super::tape::Entry;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    /// The JSON Schema name; integers are numbers here.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// One value of a document. Prints its kind, never its value.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    document: &'d Document,
    entry: &'d Entry,
    /// Where its entry is on the tape.
    at: usize,
}

impl<'d> Node<'d> {
    pub(super) fn root(document: &'d Document) -> Self {
        Self { document, entry: document.tape().entries.first().unwrap_or(Entry::NOTHING), at: 0 }
    }

    /// A null of no document.
    pub fn nothing() -> Self {
        Self::root(&NOTHING)
    }

    #[inline]
    pub fn kind(&self) -> Kind {
        self.entry.kind
    }

    pub fn is_null(&self) -> bool {
        self.entry.kind == Kind::Null
    }

    /// `None` unless this is `true` or `false`.
    pub fn boolean(&self) -> Option<bool> {
        (self.entry.kind == Kind::Boolean).then(|| self.raw() == b"true")
    }

    /// A number written without fraction and exponent that fits; `1.0` is not one here.
    pub fn integer(&self) -> Option<i64> {
        self.number_text()?.parse().ok()
    }

    /// The nearest `f64`, always finite. For comparing, never for writing: see [`Node::raw`].
    pub fn number(&self) -> Option<f64> {
        self.number_text()?.parse().ok()
    }

    /// The exact text of a number.
    pub fn number_text(&self) -> Option<&'d str> {
        (self.entry.kind == Kind::Number).then(|| self.written())
    }

    /// The text of a string, unescaped.
    pub fn text(&self) -> Option<Cow<'d, str>> {
        (self.entry.kind == Kind::String)
            .then(|| text_of(self.document, self.entry.start, self.entry.end, self.entry.escaped))
    }

    /// The exact bytes of this value, quotes and brackets included.
    #[inline]
    pub fn raw(&self) -> &'d [u8] {
        self.written().as_bytes()
    }

    #[inline]
    fn written(&self) -> &'d str {
        self.document.text().get(self.range()).unwrap_or_default()
    }

    /// Where this value stands in its document, quotes and brackets included.
    #[inline]
    pub fn range(&self) -> Range<usize> {
        self.entry.start as usize..self.entry.end as usize
    }

    /// Members of an object, items of an array, 0 for all else.
    pub fn len(&self) -> usize {
        let count = self.entry.count;
        let members = || self.document.tape().shapes.get(count as usize).copied().unwrap_or_default();
        if self.entry.kind == Kind::Object { members() as usize } else { count as usize }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The member of an object by its unescaped name.
    pub fn get(&self, name: &str) -> Option<Node<'d>> {
        self.named().find(|(key, _)| key.is(name)).map(|(_, value)| value)
    }

    /// The members of an object with their unescaped names, in order; none for all else.
    pub fn members(&self) -> impl Iterator<Item = (Cow<'d, str>, Node<'d>)> + use<'d> {
        self.named().map(|(name, value)| (name.text(), value))
    }

    /// As [`Node::members`], for those who only compare names: nothing is unescaped unless it must be.
    pub fn named(&self) -> Named<'d> {
        Named(self.below(Kind::Object))
    }

    /// The values of the members of an object, in order; none for all else.
    #[inline]
    pub fn values(&self) -> Items<'d> {
        self.below(Kind::Object)
    }

    /// Which names an object has, spelt how and in which order. Two of one document that have the same
    /// differ in values alone; those who differ may yet have the same names.
    #[inline]
    pub fn shape(&self) -> Shape {
        Shape(self.entry.count)
    }

    /// The items of an array, in order; none for all else.
    #[inline]
    pub fn items(&self) -> Items<'d> {
        self.below(Kind::Array)
    }

    #[inline]
    fn below(&self, kind: Kind) -> Items<'d> {
        let below = if self.entry.kind == kind { self.entry.below as usize } else { 0 };
        Items { document: self.document, next: self.at + 1, end: self.at + 1 + below }
    }

    /// Follows a JSON Pointer (RFC 6901). `None` where it leads nowhere or is misspelt.
    pub fn pointer(&self, pointer: &str) -> Option<Node<'d>> {
        if pointer.is_empty() {
            return Some(*self);
        }
        let mut node = *self;
        for token in pointer.strip_prefix('/')?.split('/') {
            node = match node.entry.kind {
                Kind::Object => node.get(&pointer_name(token)?)?,
                Kind::Array => node.items().nth(pointer_index(token)?)?,
                _ => return None,
            };
        }
        Some(node)
    }

    /// Which value of a live document this is: no two have the same.
    pub fn identity(&self) -> usize {
        std::ptr::from_ref(self.entry).addr()
    }
}

/// Which names an object has: see [`Node::shape`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape(u32);

/// What a string says that stands, with its quotes, at `start..end`.
#[inline]
fn text_of(document: &Document, start: u32, end: u32, escaped: bool) -> Cow<'_, str> {
    let inner = start as usize + 1..(end as usize).saturating_sub(1);
    let inner = document.text().get(inner).unwrap_or_default();
    if escaped { Cow::Owned(string::unescape(inner)) } else { Cow::Borrowed(inner) }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({})", self.entry.kind.as_str())
    }
}

/// The name of a member as it was written.
#[derive(Clone, Copy)]
pub struct Name<'d> {
    document: &'d Document,
    at: u32,
}

impl<'d> Name<'d> {
    /// Whether the unescaped name is `name`.
    pub fn is(&self, name: &str) -> bool {
        self.text() == name
    }

    /// Whether it and the colon are written just so, with no blanks before the value.
    pub fn is_written(&self, head: &[u8]) -> bool {
        let spelling = self.document.tape().spellings.get(self.at as usize);
        let written = spelling.and_then(|it| self.document.text().get(it.start as usize..it.after as usize));
        written.is_some_and(|written| written.as_bytes() == head)
    }

    /// The unescaped name.
    #[inline]
    pub fn text(&self) -> Cow<'d, str> {
        let Some(spelling) = self.document.tape().spellings.get(self.at as usize) else {
            return Cow::Borrowed("");
        };
        text_of(self.document, spelling.start, spelling.end, spelling.escaped)
    }
}

/// The items of an array.
#[derive(Clone)]
pub struct Items<'d> {
    document: &'d Document,
    /// Where the next entry is on the tape.
    next: usize,
    end: usize,
}

impl<'d> Iterator for Items<'d> {
    type Item = Node<'d>;

    #[inline]
    fn next(&mut self) -> Option<Node<'d>> {
        let at = self.next;
        if at >= self.end {
            return None;
        }
        let entry = self.document.tape().entries.get(at)?;
        self.next = at + 1 + entry.below as usize;
        Some(Node { document: self.document, entry, at })
    }
}

/// The members of an object, names still escaped.
#[derive(Clone)]
pub struct Named<'d>(Items<'d>);

impl<'d> Iterator for Named<'d> {
    type Item = (Name<'d>, Node<'d>);

    #[inline]
    fn next(&mut self) -> Option<(Name<'d>, Node<'d>)> {
        let value = self.0.next()?;
        Some((Name { document: value.document, at: value.entry.name }, value))
    }
}

/// `~1` is `/` and `~0` is `~` (RFC 6901 section 4); any other `~` is a mistake.
fn pointer_name(token: &str) -> Option<Cow<'_, str>> {
    if !token.contains('~') {
        return Some(Cow::Borrowed(token));
    }
    let mut out = String::with_capacity(token.len());
    let mut parts = token.split('~');
    out.push_str(parts.next()?);
    for part in parts {
        let (sign, rest) = part
            .strip_prefix('1')
            .map(|rest| ('/', rest))
            .or_else(|| Some(('~', part.strip_prefix('0')?)))?;
        out.push(sign);
        out.push_str(rest);
    }
    Some(Cow::Owned(out))
}

/// Digits without a leading zero (RFC 6901 section 4).
fn pointer_index(token: &str) -> Option<usize> {
    let plain = token == "0" || (!token.starts_with('0') && token.bytes().all(|b| b.is_ascii_digit()));
    if plain { token.parse().ok() } else { None }
}
