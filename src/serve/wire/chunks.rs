//! The chunked coding (RFC 9112 section 7.1), in its plain form alone: no extensions, no trailers, no white
//! space. Nobody needs them here, and whoever reads past them otherwise than we do ends elsewhere.

use super::head::Odd;

/// More would be more than any question.
const SIZE_DIGITS_MAX: u32 = 8;

/// Where in a chunked body we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunks(At);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Size { digits: u32, size: u64 },
    SizeEnd { size: u64 },
    Data { left: u64 },
    DataEnd,
    DataEndLf,
    Last,
    LastLf,
    End,
}

const BEGIN: At = At::Size { digits: 0, size: 0 };

impl Chunks {
    pub fn new() -> Self {
        Self(BEGIN)
    }

    /// Goes on over `bytes`; gives how many of them belong to the body, and whether it ends there.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<(usize, bool), Odd> {
        let mut rest = bytes;
        while self.0 != At::End {
            if let At::Data { left } = self.0 {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                rest = rest.get(taken..).unwrap_or_default();
                let left = left.saturating_sub(taken as u64);
                self.0 = if left == 0 { At::DataEnd } else { At::Data { left } };
                if left > 0 {
                    break;
                }
            }
            let Some((byte, after)) = rest.split_first() else { break };
            self.0 = step(self.0, *byte)?;
            rest = after;
        }
        Ok((bytes.len() - rest.len(), self.0 == At::End))
    }
}

fn step(at: At, byte: u8) -> Result<At, Odd> {
    match (at, byte) {
        (At::Size { digits, size }, byte) if byte.is_ascii_hexdigit() && digits < SIZE_DIGITS_MAX => {
            let digit = char::from(byte).to_digit(16).unwrap_or(0);
            Ok(At::Size { digits: digits + 1, size: size * 16 + u64::from(digit) })
        }
        (At::Size { digits: 1.., size }, b'\r') => Ok(At::SizeEnd { size }),
        (At::SizeEnd { size: 0 }, b'\n') => Ok(At::Last),
        (At::SizeEnd { size }, b'\n') => Ok(At::Data { left: size }),
        (At::DataEnd, b'\r') => Ok(At::DataEndLf),
        (At::DataEndLf, b'\n') => Ok(BEGIN),
        (At::Last, b'\r') => Ok(At::LastLf),
        (At::LastLf, b'\n') => Ok(At::End),
        (At::Last, _) => Err("There are headers after the body."),
        _ => Err("A chunk of the body is not one."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_body_ends_where_it_ends_however_it_is_cut() {
        let body = b"4\r\nabcd\r\n0000000A\r\n0123456789\r\n0\r\n\r\n";
        let more = [&body[..], b"POST"].concat();
        assert_eq!(Chunks::new().advance(&more), Ok((body.len(), true)));
        for size in 1..body.len() {
            let (mut chunks, mut ended, mut taken) = (Chunks::new(), false, 0);
            for part in more.chunks(size) {
                let (bytes, end) = chunks.advance(part).unwrap();
                taken += bytes;
                ended |= end;
            }
            assert_eq!((taken, ended), (body.len(), true), "in pieces of {size}");
        }
    }

    #[test]
    fn whatever_else_is_refused() {
        for odd in [
            "\r\n",
            "x",
            "+1\r\n",
            "0x1\r\n",
            " 1\r\n",
            "1 \r\n",
            "1;a=b\r\n",
            "1;\r\n",
            "1\n",
            "1\rx",
            "000000001",
            "1\r\naX",
            "1\r\na\rX",
            "1\r\na\n",
            "0\r\na: b\r\n\r\n",
            "0\r\n\n",
            "0\n",
            "-1\r\n",
            "1_0\r\n",
        ] {
            assert!(Chunks::new().advance(odd.as_bytes()).is_err(), "{odd:?}");
        }
    }
}
