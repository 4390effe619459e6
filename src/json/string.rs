//! Strings: finding where one ends, reading its escapes, writing one (RFC 8259 section 7).

use super::document::JsonFaultKind;

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// Longer strings are looked through this many bytes at once.
const WIDE: usize = 32;

/// How many bytes come before the first quote, backslash or control character; all if there is none.
pub(super) fn plain_prefix(bytes: &[u8]) -> usize {
    let Some(first) = bytes.first_chunk::<WIDE>() else { return plain_words(bytes) };
    let plain = plain_words(first);
    if plain < WIDE { plain } else { WIDE + wide_plain_prefix(bytes.get(WIDE..).unwrap_or_default()) }
}

/// As [`plain_prefix`], in steps that the compiler makes of wide registers.
#[inline(never)]
fn wide_plain_prefix(bytes: &[u8]) -> usize {
    let (steps, _) = bytes.as_chunks::<WIDE>();
    let is_special = |b: u8| (b ^ 0x02 < 0x21) | (b == b'\\');
    let is_plain = |step: &&[u8; WIDE]| !step.iter().fold(false, |found, b| found | is_special(*b));
    let plain = steps.iter().take_while(is_plain).count() * WIDE;
    plain + plain_words(bytes.get(plain..).unwrap_or_default())
}

/// As [`plain_prefix`], eight bytes at a time: a byte of `x` is below `n` where `(x - n) & !x` has its high
/// bit, of which the lowest is exact. Control characters and the quote alone are below 0x21 once the bit
/// that tells `"` from the space is turned.
#[inline(always)]
fn plain_words(bytes: &[u8]) -> usize {
    let mut at = 0;
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let turned = word ^ (ONES * 0x02);
        let slash = word ^ (ONES * b'\\' as u64);
        let found = (turned.wrapping_sub(ONES * 0x21) & !turned) | (slash.wrapping_sub(ONES) & !slash);
        if found & HIGHS != 0 {
            return at + (found & HIGHS).trailing_zeros() as usize / 8;
        }
        at += 8;
        rest = after;
    }
    at + rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len())
}

/// Reads one escape, `bytes` starting after the backslash: the character and the bytes it took.
pub(super) fn escape(bytes: &[u8]) -> Result<(char, usize), JsonFaultKind> {
    let plain = match bytes.first() {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(bytes),
        _ => return Err(JsonFaultKind::Syntax),
    };
    Ok((plain, 1))
}

/// `uXXXX`, or a surrogate pair `uXXXX\uXXXX`.
fn unicode(bytes: &[u8]) -> Result<(char, usize), JsonFaultKind> {
    let first = hex4(bytes.get(1..5)).ok_or(JsonFaultKind::Syntax)?;
    if let Some(found) = char::from_u32(first) {
        return Ok((found, 5));
    }
    if bytes.get(5..7) != Some(b"\\u") {
        return Err(JsonFaultKind::LoneSurrogate);
    }
    let second = hex4(bytes.get(7..11)).ok_or(JsonFaultKind::Syntax)?;
    if !(0xd800..0xdc00).contains(&first) || !(0xdc00..0xe000).contains(&second) {
        return Err(JsonFaultKind::LoneSurrogate);
    }
    let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    char::from_u32(code).map(|found| (found, 11)).ok_or(JsonFaultKind::LoneSurrogate)
}

fn hex4(digits: Option<&[u8]>) -> Option<u32> {
    digits?.iter().try_fold(0, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
}

/// What stands between the quotes of a string that was checked, unescaped.
pub(super) fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, after)) = rest.split_once('\\') {
        out.push_str(plain);
        // The parser has read every escape once already.
        let (found, length) = escape(after.as_bytes()).unwrap_or(('\u{fffd}', 1));
        out.push(found);
        rest = after.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Writes `text` with its quotes, escaping what must be: `"`, `\` and control characters.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, after) = rest.split_at(plain_prefix(rest));
        out.extend_from_slice(plain);
        let Some((special, after)) = after.split_first() else { break };
        match special {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *special]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            control => {
                out.extend_from_slice(b"\\u00");
                for nibble in [control >> 4, control & 15] {
                    out.extend(HEX.get(usize::from(nibble)));
                }
            }
        }
        rest = after;
    }
    out.push(b'"');
}
