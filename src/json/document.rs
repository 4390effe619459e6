//! A parsed document: its text and the tape over it.

use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;

use super::node::Node;
use super::parse;
use super::tape::Tape;

/// A document that was read whole and is well formed. Prints no values.
pub struct Document {
    /// Checked to be UTF-8 once, so that taking a part of it costs nothing.
    text: ByteString,
    tape: Tape,
}

/// No document at all: stands in where there can be none.
pub(super) static NOTHING: Document = Document { text: ByteString::from_static(""), tape: Tape::NOTHING };

impl Document {
    /// Reads a whole document. `depth_max` bounds how deep arrays and objects nest; a scalar alone
    /// has depth 0.
    ///
    /// # Errors
    /// The first fault met; see [`JsonFaultKind`].
    pub fn parse(bytes: Bytes, depth_max: usize) -> Result<Self, JsonFault> {
        if bytes.len() > parse::BYTES_MAX {
            return Err(JsonFault { at: parse::BYTES_MAX, kind: JsonFaultKind::TooLarge });
        }
        // The error of the conversion says not where.
        let text = ByteString::try_from(bytes.clone()).map_err(|_| {
            let at = std::str::from_utf8(&bytes).err().map_or(0, |error| error.valid_up_to());
            JsonFault { at, kind: JsonFaultKind::Utf8 }
        })?;
        let tape = parse::tape(&text, depth_max)?;
        Ok(Self { text, tape })
    }

    pub fn root(&self) -> Node<'_> {
        Node::root(self)
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &Bytes {
        self.text.as_bytes()
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn tape(&self) -> &Tape {
        &self.tape
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} bytes)", self.text.len())
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
