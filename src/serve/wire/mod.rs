//! The strict reader in front of the HTTP/1.1 parser (RFC 9112). The parser behind is lenient where the RFC lets
//! it be: it takes a lone line feed for a line's end, drops a length beside chunks, forgets a second equal
//! length, cuts a fragment off, skips extensions. Each is a second meaning for somebody else. Here every byte
//! of a head and of a body's framing is judged first, and only what has one meaning goes on.
//!
//! A head that does not is replaced by a stand-in, so that it is refused on the road like anything else: with an
//! outcome, a record and a receipt. Nothing of it, and nothing after it, is read by anybody.

mod chunks;
mod head;

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use self::chunks::Chunks;
use self::head::{Framing, Odd, Scan};

pub use self::head::{HEAD_BYTES_MAX, HEADERS_MAX};

/// What the parser reads instead of a head that is none; it is the last of its connection.
const STAND_IN: &[u8] = b"POST / HTTP/1.1\r\nhost: stand-in\r\nconnection: close\r\n\r\n";

/// A question and more; whoever sends on and on does not want to hear.
const LINGER_BYTES_MAX: usize = 256 * 1024;
const LINGER_MAX: Duration = Duration::from_secs(2);

/// Read at once from the connection.
const PIECE_BYTES: usize = 4096;

/// Which request of a connection stands in for a head that was none, and why. Requests are counted on both
/// sides of the parser, which serves them one by one and in order, so that no bytes on the wire can pose as one.
#[derive(Debug, Clone, Default)]
pub struct Oddities(Rc<Cell<Option<(u64, Odd)>>>);

impl Oddities {
    /// Why the request of this number, from 1, is none.
    pub fn of(&self, request: u64) -> Option<Odd> {
        self.0.get().and_then(|(at, odd)| (at == request).then_some(odd))
    }
}

/// A stream that hands on only requests with one meaning.
pub struct Wire<IO> {
    io: IO,
    /// Read and not handed on; its first `cleared` bytes were judged.
    held: BytesMut,
    cleared: usize,
    at: At,
    requests: u64,
    oddities: Oddities,
    /// Once it is closed over something unread.
    linger: Option<Linger>,
}

struct Linger {
    until: Pin<Box<Sleep>>,
    bytes: usize,
}

enum At {
    Head(Scan),
    Length(u64),
    Chunks(Chunks),
    /// A head was none: what follows is thrown away.
    Lost,
    /// A body's framing was none: whoever reads the body hears of it.
    Broken(Odd),
}

impl<IO> Wire<IO> {
    pub fn new(io: IO, oddities: Oddities) -> Self {
        Self {
            io,
            held: BytesMut::new(),
            cleared: 0,
            at: At::Head(Scan::default()),
            requests: 0,
            oddities,
            linger: None,
        }
    }

    /// Judges as much of what is held as can be.
    fn judge(&mut self) {
        while let Some(rest) = self.held.get(self.cleared..).filter(|rest| !rest.is_empty()) {
            let cleared = self.cleared;
            match &mut self.at {
                At::Head(scan) => {
                    match scan.find(rest).and_then(|end| end.map(|end| whole(rest, end)).transpose()) {
                        Ok(None) => return,
                        Ok(Some((end, at))) => {
                            self.requests += 1;
                            self.cleared += end;
                            self.at = at;
                        }
                        Err(odd) => self.stand_in(odd),
                    }
                }
                At::Length(left) => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    self.cleared += taken;
                    *left = left.saturating_sub(taken as u64);
                    if *left == 0 {
                        self.at = At::Head(Scan::default());
                    }
                }
                At::Chunks(chunks) => match chunks.advance(rest) {
                    Ok((taken, ended)) => {
                        self.cleared += taken;
                        if ended {
                            self.at = At::Head(Scan::default());
                        }
                    }
                    Err(odd) => {
                        self.held.truncate(cleared);
                        self.at = At::Broken(odd);
                    }
                },
                At::Lost | At::Broken(_) => self.held.truncate(cleared),
            }
        }
    }

    fn stand_in(&mut self, odd: Odd) {
        self.requests += 1;
        self.oddities.0.set(Some((self.requests, odd)));
        self.held.truncate(self.cleared);
        self.held.extend_from_slice(STAND_IN);
        self.cleared = self.held.len();
        self.at = At::Lost;
    }
}

/// A whole head, and what comes after it.
fn whole(rest: &[u8], end: usize) -> Result<(usize, At), Odd> {
    let framing = head::judge(rest.get(..end).unwrap_or_default())?;
    Ok((
        end,
        match framing {
            Framing::Length(0) => At::Head(Scan::default()),
            Framing::Length(left) => At::Length(left),
            Framing::Chunks => At::Chunks(Chunks::new()),
        },
    ))
}

impl<IO: AsyncRead + Unpin> AsyncRead for Wire<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        while wire.cleared == 0 {
            if let At::Broken(odd) = wire.at {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, odd)));
            }
            let mut piece = [0; PIECE_BYTES];
            let mut piece = ReadBuf::new(&mut piece);
            ready!(Pin::new(&mut wire.io).poll_read(context, &mut piece))?;
            if piece.filled().is_empty() {
                // Whoever ends in the middle of a head has asked nothing.
                return Poll::Ready(Ok(()));
            }
            wire.held.extend_from_slice(piece.filled());
            wire.judge();
        }
        let given = wire.cleared.min(into.remaining());
        into.put_slice(wire.held.get(..given).unwrap_or_default());
        wire.held.advance(given);
        wire.cleared -= given;
        if wire.held.is_empty() {
            // An idle connection holds nothing.
            wire.held = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    /// Closes. Where something of a request was not read, what still comes is thrown away for a while: a socket
    /// closed over unread bytes takes back what was said before (RFC 9112 section 9.6).
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        ready!(Pin::new(&mut wire.io).poll_shutdown(context))?;
        if matches!(wire.at, At::Head(_)) {
            return Poll::Ready(Ok(()));
        }
        let linger =
            wire.linger.get_or_insert_with(|| Linger { until: Box::pin(sleep(LINGER_MAX)), bytes: 0 });
        while linger.bytes < LINGER_BYTES_MAX && linger.until.as_mut().poll(context).is_pending() {
            let mut piece = [0; PIECE_BYTES];
            let mut piece = ReadBuf::new(&mut piece);
            match ready!(Pin::new(&mut wire.io).poll_read(context, &mut piece)) {
                Ok(()) if !piece.filled().is_empty() => linger.bytes += piece.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// What is handed on of bytes that arrive in pieces.
    async fn handed_on(bytes: &[u8], piece: usize) -> (Vec<u8>, Option<(u64, Odd)>, bool) {
        let (mut there, here) = tokio::io::duplex(64);
        let oddities = Oddities::default();
        let mut wire = Wire::new(here, oddities.clone());
        let bytes = bytes.to_vec();
        let writing = async move {
            for piece in bytes.chunks(piece) {
                there.write_all(piece).await.unwrap();
            }
            drop(there);
        };
        let mut all = Vec::new();
        let (read, ()) = tokio::join!(wire.read_to_end(&mut all), writing);
        (all, oddities.0.get(), read.is_err())
    }

    #[tokio::test]
    async fn requests_with_one_meaning_go_on_byte_for_byte() {
        let good = b"POST /a HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n\
            POST /b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\n\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
        for piece in [1, 2, 7, 64, good.len()] {
            assert_eq!(handed_on(good, piece).await, (good.to_vec(), None, false), "in pieces of {piece}");
        }
    }

    #[tokio::test]
    async fn nothing_goes_on_of_a_head_that_is_none_nor_of_what_follows() {
        let good = b"GET / HTTP/1.1\r\na: b\r\n\r\n".to_vec();
        let odd = b"GET / HTTP/1.1\r\na: b\n\r\n\r\nGET /x HTTP/1.1\r\n\r\n".to_vec();
        for piece in [1, 5, 100] {
            let (read, why, broken) = handed_on(&[good.clone(), odd.clone()].concat(), piece).await;
            assert_eq!(read, [&good[..], STAND_IN].concat(), "in pieces of {piece}");
            assert_eq!((why, broken), (Some((2, "A line ends without CR LF.")), false));
        }
    }

    #[tokio::test]
    async fn a_body_that_is_none_breaks_where_it_is_none() {
        let head = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
        let (read, why, broken) =
            handed_on(&[&head[..], b"1\r\na\r\n0\r\nx: y\r\n\r\nGET"].concat(), 200).await;
        assert_eq!((read, why, broken), (head.to_vec(), None, true));
    }
}
