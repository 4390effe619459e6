//! The head of an HTTP/1.1 request, judged before anybody reads it: its lines, its target and how long its
//! body is (RFC 9112 sections 2, 3, 5 and 6). What may be read in two ways has no reading here.
//!
//! Not here: what the fields say. That is the road's business, and the same in HTTP/2.

/// Headers of one request: ours are a dozen, proxies add a few.
pub const HEADERS_MAX: usize = 64;
/// Bytes of one request head.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;
/// A length of more digits is none: nothing of that size is read.
const LENGTH_DIGITS_MAX: usize = 15;

/// Why a message is not one, as a sentence for the caller. Holds nothing of the message.
pub type Odd = &'static str;

/// How the end of a body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Length(u64),
    Chunks,
}

/// Finds where a head ends while it arrives.
#[derive(Debug, Default)]
pub struct Scan {
    seen: usize,
    line: usize,
}

impl Scan {
    /// The bytes of the head at the front of `held`, once all of it is there. Of a growing buffer each byte is
    /// looked at once.
    pub fn find(&mut self, held: &[u8]) -> Result<Option<usize>, Odd> {
        for byte in held.iter().skip(self.seen) {
            self.seen += 1;
            if self.seen > HEAD_BYTES_MAX {
                return Err("The head is longer than 32768 bytes.");
            }
            if *byte != b'\n' {
                continue;
            }
            let line = held.get(self.line..self.seen).unwrap_or_default();
            let first = self.line == 0;
            self.line = self.seen;
            match line {
                // A line before the request line may be the rest of a body (section 2.2).
                b"\r\n" if first => return Err("The request begins with an empty line."),
                b"\r\n" => return Ok(Some(self.seen)),
                // Some take a lone line feed for the end of a line and some do not (section 2.2).
                line if !line.ends_with(b"\r\n") => return Err("A line ends without CR LF."),
                _ => {}
            }
        }
        Ok(None)
    }
}

/// Judges a whole head, its last empty line included.
pub fn judge(head: &[u8]) -> Result<Framing, Odd> {
    let text = head.strip_suffix(b"\n\r\n").unwrap_or_default();
    let mut lines = text.split(|byte| *byte == b'\n').map(line);
    let version = request_line(lines.next().unwrap_or(Ok(b""))?)?;
    let mut fields = Fields::default();
    for line in lines {
        fields.add(line?)?;
    }
    fields.framing(version)
}

/// A line without its CR; one in the middle of it is where some would end it.
fn line(line: &[u8]) -> Result<&[u8], Odd> {
    let line = line.strip_suffix(b"\r").ok_or("A line ends without CR LF.")?;
    if line.contains(&b'\r') { Err("A carriage return stands within a line.") } else { Ok(line) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http10,
    Http11,
}

/// `method SP request-target SP HTTP-version` (section 3), each once and with one space between.
fn request_line(line: &[u8]) -> Result<Version, Odd> {
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("The request line is not a method, a path and HTTP/1.1.");
    };
    if method.is_empty() || !method.iter().all(u8::is_ascii_alphabetic) {
        return Err("The method is not one.");
    }
    // The other forms (sections 3.2.2 to 3.2.4) are for proxies, which this is not.
    if !target.starts_with(b"/") || !target.iter().all(|byte| is_of_a_path(*byte)) {
        return Err("The request target is not a path.");
    }
    match version {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        _ => Err("The version is not HTTP/1.1."),
    }
}

/// What a path and a query may hold (RFC 3986 sections 3.3 and 3.4): no fragment, no backslash, no quote.
fn is_of_a_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte)
}

/// What of the fields says where the message ends.
#[derive(Default)]
struct Fields {
    count: usize,
    length: Option<u64>,
    chunks: bool,
}

impl Fields {
    fn add(&mut self, line: &[u8]) -> Result<(), Odd> {
        self.count += 1;
        if self.count > HEADERS_MAX {
            return Err("There are more than 64 headers.");
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Err("A header goes on in the next line.");
        }
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            return Err("A line of the head is not a header.");
        };
        // A space before the colon is no part of a name (section 5.1).
        if name.is_empty() || !name.iter().all(|byte| is_of_a_name(*byte)) {
            return Err("The name of a header holds more than letters, digits and hyphens.");
        }
        if !value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)) {
            return Err("The value of a header holds a control character.");
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            self.add_length(value.trim_ascii())
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.add_coding(value.trim_ascii())
        } else {
            Ok(())
        }
    }

    /// Once, and digits alone: no list, no sign, nothing that some read as octal (RFC 9112 section 6.3).
    fn add_length(&mut self, value: &[u8]) -> Result<(), Odd> {
        let odd = "The header content-length is not one plain number.";
        let plain = value == b"0" || !value.starts_with(b"0");
        let digits = (1..=LENGTH_DIGITS_MAX).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
        let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        match (length.filter(|_| plain && digits), self.length) {
            (Some(length), None) => {
                self.length = Some(length);
                Ok(())
            }
            _ => Err(odd),
        }
    }

    fn add_coding(&mut self, value: &[u8]) -> Result<(), Odd> {
        if self.chunks || !value.eq_ignore_ascii_case(b"chunked") {
            return Err("The header transfer-encoding is not `chunked`, once.");
        }
        self.chunks = true;
        Ok(())
    }

    fn framing(&self, version: Version) -> Result<Framing, Odd> {
        match (self.length, self.chunks) {
            // What request smuggling is made of (section 6.3).
            (Some(_), true) => Err("There are a content-length and a transfer-encoding."),
            (None, true) if version == Version::Http10 => Err("HTTP/1.0 has no transfer-encoding."),
            (None, true) => Ok(Framing::Chunks),
            (length, false) => Ok(Framing::Length(length.unwrap_or(0))),
        }
    }
}

/// Fewer than a token may hold (RFC 9110 section 5.1): what reads `_` as `-`, or a dot as nothing, would find a
/// header of ours in another (section 16.3.2.1 there).
fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(head: &str) -> Result<Framing, Odd> {
        judge(head.as_bytes())
    }

    fn with(fields: &str) -> Result<Framing, Odd> {
        judged(&format!("POST /a HTTP/1.1\r\n{fields}\r\n\r\n"))
    }

    #[test]
    fn a_plain_head_says_how_long_its_body_is() {
        assert_eq!(judged("GET / HTTP/1.1\r\n\r\n"), Ok(Framing::Length(0)));
        assert_eq!(with("Content-Length:\t12 "), Ok(Framing::Length(12)));
        assert_eq!(with("A: b\r\ntransfer-Encoding: Chunked"), Ok(Framing::Chunks));
        assert_eq!(judged("POST /%2e/a?b HTTP/1.0\r\ncontent-length: 0\r\n\r\n"), Ok(Framing::Length(0)));
    }

    #[test]
    fn what_may_end_in_two_places_has_no_length() {
        for fields in [
            "content-length: 1\r\ncontent-length: 1",
            "content-length: 1, 1",
            "content-length: +1",
            "content-length: 01",
            "content-length: 0x1",
            "content-length:",
            "content-length: 1234567890123456",
            "content-length: 1\r\ntransfer-encoding: chunked",
            "transfer-encoding: chunked\r\ncontent-length: 1",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
            "transfer-encoding: gzip, chunked",
            "transfer-encoding: \"chunked\"",
        ] {
            assert!(with(fields).is_err(), "{fields:?}");
        }
    }

    #[test]
    fn a_head_is_found_wherever_it_is_cut() {
        let whole = b"GET / HTTP/1.1\r\na: b\r\n\r\nrest";
        let mut scan = Scan::default();
        let found: Vec<_> = (0..=whole.len()).filter_map(|end| scan.find(&whole[..end]).unwrap()).collect();
        assert_eq!(found.first(), Some(&24));
        for odd in ["GET / HTTP/1.1\n", "\r\nGET", "a\r\nb\n\r\n"] {
            assert!(Scan::default().find(odd.as_bytes()).is_err(), "{odd:?}");
        }
        assert!(Scan::default().find(&[b'a'; HEAD_BYTES_MAX + 1]).is_err());
    }
}
