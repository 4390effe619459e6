//! Standard output, as commands print to it. What could not be printed is known at the end, so that a report cut
//! short by a full disk is never taken for a whole one. What is printed, and in which form, is not here.

use std::io::{self, ErrorKind, Write};

/// After a first failure nothing more is written: a gap in the middle would be harder to see than an early end.
pub(super) struct Output<W> {
    to: W,
    failed: Option<io::Error>,
}

impl Output<io::Stdout> {
    pub(super) fn standard() -> Self {
        Self::new(io::stdout())
    }
}

impl<W: Write> Output<W> {
    fn new(to: W) -> Self {
        Self { to, failed: None }
    }

    /// Whether all of it was written, or all that its reader wanted.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.failed.is_none() {
            self.failed = self.to.flush().err();
        }
        self.failed.map_or(Ok(()), unless_closed)
    }
}

/// A closed pipe is the reader's choice, not a fault.
pub(super) fn unless_closed(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.failed.is_none() {
            self.failed = self.to.write_all(bytes).err();
        }
        // It is told once, at the end, whichever command it was.
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failed.is_none() {
            self.failed = self.to.flush().err();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes, and then fails once in the given way.
    struct Room(Vec<u8>, usize, Option<ErrorKind>);

    impl Write for Room {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.len() + bytes.len() > self.1
                && let Some(kind) = self.2.take()
            {
                return Err(kind.into());
            }
            self.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_gap_is_never_left_and_only_a_closed_pipe_is_no_fault() {
        for (kind, is_fault) in [(ErrorKind::StorageFull, true), (ErrorKind::BrokenPipe, false)] {
            let mut room = Room(Vec::new(), 4, Some(kind));
            let mut output = Output::new(&mut room);
            for line in ["one\n", "two\n", "three\n"] {
                output.write_all(line.as_bytes()).unwrap();
            }
            assert_eq!(output.finish().is_err(), is_fault, "{kind}");
            assert_eq!(room.0, b"one\n");
        }
    }
}
