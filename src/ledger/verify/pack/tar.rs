//! The outer form of a pack: an uncompressed tar (POSIX.1-1988 *ustar*) of plain files, written so that the
//! same parts give the same bytes, and read strictly. Any `tar` of the last forty years unpacks it.
//!
//! Not here: folders, links, long names, or anything else tar can say. A pack has none.

use super::PackFault;

const BLOCK: usize = 512;
const MAGIC: &[u8; 8] = b"ustar\x0000";
/// Where the header's own sum stands (POSIX.1-1988 section 10.1.1), which counts as blanks in it.
const SUM: std::ops::Range<usize> = 148..156;
/// The parts of a ruleset of 10,000 agreements with their signatures, and some room.
const PARTS_MAX: usize = 65_536;

/// Writes the parts in order. A name fits its 100 bytes: [`Pack`](super::Pack) makes them all.
pub(super) fn write<'p>(parts: impl IntoIterator<Item = (String, &'p [u8])>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in parts {
        out.extend_from_slice(&header(&name, bytes.len()));
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

/// Owner, group and time are nobody's and never: they would make two packs of one record differ.
fn header(name: &str, bytes: usize) -> Vec<u8> {
    let padded = |text: &str, width: usize| {
        let mut field = text.as_bytes().to_vec();
        field.resize(width, 0);
        field
    };
    let fields = |sum: &[u8]| {
        let octal = |number: usize| format!("{number:011o}");
        let mut out = padded(name, 100);
        out.extend(["0000644", "0000000", "0000000"].iter().flat_map(|number| padded(number, 8)));
        out.extend([octal(bytes), octal(0)].iter().flat_map(|number| padded(number, 12)));
        out.extend_from_slice(sum);
        out.push(b'0');
        out.extend(padded("", 100));
        out.extend_from_slice(MAGIC);
        out.resize(BLOCK, 0);
        out
    };
    let sum: u32 = fields(b"        ").iter().map(|byte| u32::from(*byte)).sum();
    fields(format!("{sum:06o}\0 ").as_bytes())
}

/// Reads the parts, each with its name, in the order they are in.
pub(super) fn read(mut bytes: &[u8]) -> Result<Vec<(&str, &[u8])>, PackFault> {
    let mut parts = Vec::new();
    loop {
        let (block, rest) = bytes.split_at_checked(BLOCK).ok_or(PackFault::Form("it ends too early"))?;
        if block.iter().all(|byte| *byte == 0) {
            break;
        }
        if parts.len() == PARTS_MAX {
            return Err(PackFault::Form("it has more parts than any pack"));
        }
        let (name, length) = entry(block).ok_or(PackFault::Form("a part's head is none a pack has"))?;
        let padded = length.checked_next_multiple_of(BLOCK).and_then(|padded| rest.split_at_checked(padded));
        let (content, rest) = padded.ok_or(PackFault::Form("it ends too early"))?;
        let (content, padding) = content.split_at_checked(length).unwrap_or((content, &[]));
        if padding.iter().any(|byte| *byte != 0) {
            return Err(PackFault::Form("something stands between its parts"));
        }
        parts.push((name, content));
        bytes = rest;
    }
    // What an unpacking program would never show must not be carried along unseen.
    if bytes.iter().any(|byte| *byte != 0) {
        return Err(PackFault::Form("something stands behind its end"));
    }
    Ok(parts)
}

/// Name and length of a part, if its head is one [`header`] writes.
fn entry(block: &[u8]) -> Option<(&str, usize)> {
    let name = std::str::from_utf8(block.get(..100)?).ok()?.trim_end_matches('\0');
    let octal = std::str::from_utf8(block.get(124..135)?).ok()?;
    let length = usize::from_str_radix(octal, 8).ok()?;
    let own = header(name, length);
    (own == block && own.get(SUM) == block.get(SUM)).then_some((name, length))
}

/// Whether bytes begin as those of a tar.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.get(257..265).is_some_and(|magic| magic == MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_nothing_else_does() {
        let parts = [("README.txt".to_owned(), b"x".as_slice()), ("record/sealed".to_owned(), &[7; 1025])];
        let tar = write(parts.clone());
        assert!(is_one(&tar) && tar.len().is_multiple_of(BLOCK));
        let read_back: Vec<_> =
            read(&tar).unwrap().into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        assert_eq!(read_back, parts);
        for cut in [0, 1, BLOCK, BLOCK + 1, tar.len() - 2 * BLOCK] {
            assert!(read(&tar[..cut]).is_err(), "cut at {cut}");
        }
        // A head of another kind, owner or sum; something between parts, and behind the end.
        for at in [156, 108, 150, BLOCK + 1, tar.len() - 1] {
            let mut other = tar.clone();
            other[at] ^= 1;
            assert!(read(&other).is_err(), "byte {at}");
        }
    }
}
