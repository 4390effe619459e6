//! A parsed document: the bytes as they came and the tape over them.

use std::fmt;

use bytes::Bytes;

use super::node::{Kind, Node};
use super::parse;

/// One value or name on the tape; what lies below a container follows it directly.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// First byte of the value, its quote or bracket included.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// How many entries lie below this one.
    pub below: u32,
    /// Members of an object or items of an array.
    pub count: u32,
    pub kind: Kind,
    /// Whether a string holds a `\`.
    pub escaped: bool,
}

/// A document that was read whole and is well formed. Prints no values.
pub struct Document {
    bytes: Bytes,
    /// Never empty: the root is the first entry.
    tape: Vec<Entry>,
}

impl Document {
    /// Reads a whole document. `depth_max` bounds how deep arrays and objects nest; a scalar alone
    /// has depth 0.
    ///
    /// # Errors
    /// The first fault met; see [`JsonFaultKind`].
    pub fn parse(bytes: Bytes, depth_max: usize) -> Result<Self, JsonFault> {
        let tape = parse::tape(&bytes, depth_max)?;
        Ok(Self { bytes, tape })
    }

    pub fn root(&self) -> Node<'_> {
        Node::root(&self.bytes, &self.tape)
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} bytes)", self.bytes.len())
    }
}

/// Why bytes are not a document this house reads. Says where, never what was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonFault {
    /// The byte the fault was seen at, from 0.
    pub at: usize,
    pub kind: JsonFaultKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonFaultKind {
    /// Not the grammar of RFC 8259; a byte order mark and bare control characters are this too.
    Syntax,
    /// Not UTF-8 (RFC 8259 section 8.1).
    Utf8,
    /// A name twice in one object, after unescaping.
    DuplicateKey,
    /// Nested deeper than the bound.
    TooDeep,
    /// More bytes than a tape can address (256 MiB).
    TooLarge,
    /// A number that is misspelt or that no `f64` can hold.
    Number,
    /// Something after the value.
    TrailingBytes,
    /// Half of a surrogate pair in a `\u` escape (RFC 8259 section 8.2).
    LoneSurrogate,
}

impl fmt::Display for JsonFaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "not JSON",
            Self::Utf8 => "not UTF-8",
            Self::DuplicateKey => "a name twice in one object",
            Self::TooDeep => "nested too deep",
            Self::TooLarge => "too large",
            Self::Number => "not a number JSON knows, or too large a number",
            Self::TrailingBytes => "something after the value",
            Self::LoneSurrogate => "half a surrogate pair in a string",
        })
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind, self.at)
    }
}

impl std::error::Error for JsonFault {}
