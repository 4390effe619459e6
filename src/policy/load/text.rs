//! What bytes may be an agreement: text that reads the same everywhere, because officers sign
//! bytes and read text.

use crate::model::{Fault, Faults};

/// Far above any agreement, far below what would trouble the reader.
const AGREEMENT_BYTES_MAX: usize = 1024 * 1024;

/// Characters that change the order text is shown in (Unicode bidirectional controls), so that a
/// signer could read something else than the gateway does.
const REORDERING: [char; 12] = [
    '\u{061c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
    '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

/// Whether a text that was written with TOML's escapes has what the file's bytes may not have: the loader reads the
/// bytes, and officers what they stand for.
pub(super) fn reorders(text: &str) -> bool {
    text.contains(REORDERING)
}

/// UTF-8 without a byte order mark, lines ended by LF alone: the first departure is the one fault.
pub(super) fn plain<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, Faults> {
    let fault = |at: usize, message: &str, help: &str| {
        let line = 1 + bytes.iter().take(at).filter(|b| **b == b'\n').count();
        Faults::from(Fault::new(file, Some(line), message).with_help(help))
    };
    if bytes.len() > AGREEMENT_BYTES_MAX {
        return Err(Fault::new(file, None, "larger than 1 MiB, and so no agreement").into());
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(fault(0, "begins with a byte order mark", "save it as UTF-8 without BOM"));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(fault(error.valid_up_to(), "is not UTF-8", "save it as UTF-8")),
    };
    if let Some(at) = text.find('\r') {
        return Err(fault(at, "has a carriage return", "save it with line ends LF, not CRLF"));
    }
    match text.find(REORDERING) {
        Some(at) => Err(fault(at, "has a character that changes the order of text", "take it out")),
        None => Ok(text),
    }
}
