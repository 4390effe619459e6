//! Looking into a document: a node is one value of it, and borrows everything.

use std::borrow::Cow;
use std::fmt;

use super::document::Entry;
use super::string;

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
    bytes: &'d [u8],
    entry: &'d Entry,
    below: &'d [Entry],
}

/// What a tape without entries would hold; the parser makes none.
const NOTHING: &Entry = &Entry { start: 0, end: 0, below: 0, count: 0, kind: Kind::Null, escaped: false };

impl<'d> Node<'d> {
    pub(super) fn root(bytes: &'d [u8], tape: &'d [Entry]) -> Self {
        let (entry, below) = tape.split_first().unwrap_or((NOTHING, &[]));
        Self { bytes, entry, below }
    }

    /// A null of no document.
    pub fn nothing() -> Self {
        Self { bytes: &[], entry: NOTHING, below: &[] }
    }

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
        (self.entry.kind == Kind::Number).then(|| std::str::from_utf8(self.raw()).unwrap_or_default())
    }

    /// The text of a string, unescaped.
    pub fn text(&self) -> Option<Cow<'d, str>> {
        (self.entry.kind == Kind::String).then(|| self.name().text())
    }

    /// The exact bytes of this value, quotes and brackets included.
    pub fn raw(&self) -> &'d [u8] {
        self.bytes.get(self.entry.start as usize..self.entry.end as usize).unwrap_or_default()
    }

    /// The first byte of this value in its document, from 0.
    pub fn at(&self) -> usize {
        self.entry.start as usize
    }

    /// Members of an object, items of an array, 0 for all else.
    pub fn len(&self) -> usize {
        self.entry.count as usize
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
        let rest = if self.entry.kind == Kind::Object { self.below } else { &[] };
        Named { bytes: self.bytes, rest }
    }

    /// The items of an array, in order; none for all else.
    pub fn items(&self) -> Items<'d> {
        let rest = if self.entry.kind == Kind::Array { self.below } else { &[] };
        Items { bytes: self.bytes, rest }
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

impl<'d> Node<'d> {
    /// What stands between the quotes of a string.
    fn name(&self) -> Name<'d> {
        let inner = self.entry.start as usize + 1..(self.entry.end as usize).saturating_sub(1);
        Name { inner: self.bytes.get(inner).unwrap_or_default(), escaped: self.entry.escaped }
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({})", self.entry.kind.as_str())
    }
}

/// The name of a member as it was written.
#[derive(Clone, Copy)]
pub struct Name<'d> {
    inner: &'d [u8],
    escaped: bool,
}

impl<'d> Name<'d> {
    /// Whether the unescaped name is `name`.
    pub fn is(&self, name: &str) -> bool {
        if self.escaped { self.text() == name } else { self.inner == name.as_bytes() }
    }

    /// The unescaped name.
    pub fn text(&self) -> Cow<'d, str> {
        if self.escaped {
            Cow::Owned(string::unescape(self.inner))
        } else {
            // The whole document was checked to be UTF-8, and a quote never splits a character.
            Cow::Borrowed(std::str::from_utf8(self.inner).unwrap_or_default())
        }
    }
}

/// The items of an array.
#[derive(Clone)]
pub struct Items<'d> {
    bytes: &'d [u8],
    rest: &'d [Entry],
}

impl<'d> Iterator for Items<'d> {
    type Item = Node<'d>;

    fn next(&mut self) -> Option<Node<'d>> {
        let (entry, after) = self.rest.split_first()?;
        let (below, rest) = after.split_at_checked(entry.below as usize)?;
        self.rest = rest;
        Some(Node { bytes: self.bytes, entry, below })
    }
}

/// The members of an object, names still escaped.
#[derive(Clone)]
pub struct Named<'d> {
    bytes: &'d [u8],
    rest: &'d [Entry],
}

impl<'d> Iterator for Named<'d> {
    type Item = (Name<'d>, Node<'d>);

    fn next(&mut self) -> Option<(Name<'d>, Node<'d>)> {
        // A name and its value are neighbours, so the walk over items gives both.
        let mut both = Items { bytes: self.bytes, rest: self.rest };
        let (name, value) = (both.next()?.name(), both.next()?);
        self.rest = both.rest;
        Some((name, value))
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
