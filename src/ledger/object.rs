//! Writes JSON objects straight into bytes, keys in the order they are called: the bytes are what is
//! hashed, so the order is the format (`schemas/entry/`).

use std::io::Write as _;

use crate::model::Digest;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// An object being written. [`end`](Self::end) closes it.
pub(super) struct Object<'b> {
    out: &'b mut Vec<u8>,
    first: bool,
}

impl<'b> Object<'b> {
    pub(super) fn begin(out: &'b mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    pub(super) fn end(self) {
        self.out.push(b'}');
    }

    /// Writes a key, which needs no escaping, and gives the buffer for its value.
    pub(super) fn key(&mut self, key: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        text(self.key(key), value);
    }

    pub(super) fn text_or_null(&mut self, key: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(key, value),
            None => self.null(key),
        }
    }

    /// A value that is written as text by its `Display` and needs no escaping: ids and versions.
    pub(super) fn plain(&mut self, key: &str, value: &dyn std::fmt::Display) {
        plain(self.key(key), value);
    }

    pub(super) fn plain_or_null<T: std::fmt::Display>(&mut self, key: &str, value: Option<&T>) {
        match value {
            Some(value) => self.plain(key, value),
            None => self.null(key),
        }
    }

    pub(super) fn number(&mut self, key: &str, value: u64) {
        number(self.key(key), value);
    }

    pub(super) fn digest(&mut self, key: &str, value: &Digest) {
        digest(self.key(key), value);
    }

    pub(super) fn digest_or_null(&mut self, key: &str, value: Option<&Digest>) {
        match value {
            Some(value) => self.digest(key, value),
            None => self.null(key),
        }
    }

    pub(super) fn boolean(&mut self, key: &str, value: bool) {
        self.key(key).extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// 32 bytes as 64 small hex digits.
    pub(super) fn hex(&mut self, key: &str, value: &[u8; 32]) {
        let out = self.key(key);
        out.push(b'"');
        hex(out, value);
        out.push(b'"');
    }

    pub(super) fn null(&mut self, key: &str) {
        self.key(key).extend_from_slice(b"null");
    }

    /// An array whose items `item` writes.
    pub(super) fn list<T>(
        &mut self,
        key: &str,
        items: impl IntoIterator<Item = T>,
        mut item: impl FnMut(&mut Vec<u8>, T),
    ) {
        let out = self.key(key);
        out.push(b'[');
        for (place, value) in items.into_iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            item(out, value);
        }
        out.push(b']');
    }
}

pub(super) fn plain(out: &mut Vec<u8>, value: &dyn std::fmt::Display) {
    out.push(b'"');
    // Writing to a vector cannot fail.
    let _ = write!(out, "{value}");
    out.push(b'"');
}

pub(super) fn number(out: &mut Vec<u8>, value: u64) {
    let _ = write!(out, "{value}");
}

pub(super) fn digest(out: &mut Vec<u8>, value: &Digest) {
    out.extend_from_slice(b"\"sha256:");
    hex(out, &value.0);
    out.push(b'"');
}

pub(super) fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
    out.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

/// A JSON string (RFC 8259 section 7), escaping no more than it must.
pub(super) fn text(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    let mut rest = value.as_bytes();
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
        let (plain, escaped) = rest.split_at(at);
        out.extend_from_slice(plain);
        rest = match escaped.split_first() {
            Some((b'"', rest)) => {
                out.extend_from_slice(b"\\\"");
                rest
            }
            Some((b'\\', rest)) => {
                out.extend_from_slice(b"\\\\");
                rest
            }
            Some((control, rest)) => {
                out.extend_from_slice(b"\\u00");
                hex(out, &[*control]);
                rest
            }
            None => break,
        };
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_reads_back_as_it_was() {
        for value in ["", "plain", "a\"b\\c", "tab\tnul\0bell\u{7}", "Ness \u{1f3f0} é \u{2028}"] {
            let mut out = Vec::new();
            text(&mut out, value);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), value);
        }
    }

    #[test]
    fn keys_keep_their_order() {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        object.number("b", 1);
        object.null("a");
        object.list("c", ["x", "y"], text);
        object.end();
        assert_eq!(out, br#"{"b":1,"a":null,"c":["x","y"]}"#);
    }
}
