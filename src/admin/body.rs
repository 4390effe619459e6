//! A body of JSON lines that are made while they are sent.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut as _, Bytes, BytesMut};
use http_body::Frame;
use serde_json::json;
use tokio::sync::mpsc;

use crate::ledger::search::Progress;

/// Lines under way; the maker waits when the reader is slow.
pub(super) struct Lines(mpsc::Receiver<Bytes>);

/// The end lines are put in at.
#[derive(Clone)]
pub(super) struct Maker(mpsc::Sender<Bytes>);

impl Lines {
    pub(super) fn new() -> (Maker, Self) {
        let (sender, receiver) = mpsc::channel(64);
        (Maker(sender), Self(receiver))
    }

    pub(super) fn one(value: &serde_json::Value) -> Self {
        let (maker, lines) = Self::new();
        let _sent = maker.0.try_send(line(value));
        lines
    }
}

fn line(value: &serde_json::Value) -> Bytes {
    let mut line = BytesMut::new();
    // A value is never refused by a buffer that grows.
    let _written = serde_json::to_writer((&mut line).writer(), value);
    line.put_u8(b'\n');
    line.freeze()
}

impl Maker {
    /// Whether the reader is still there.
    pub(super) fn line(&self, value: &serde_json::Value) -> bool {
        self.bytes(line(value))
    }

    /// Several lines at once, each an object under one key, which is JSON already.
    pub(super) fn lines<'j>(&self, key: &str, objects: impl Iterator<Item = &'j str>) -> bool {
        let mut lines = BytesMut::new();
        for object in objects {
            for part in ["{\"", key, "\":", object, "}\n"] {
                lines.extend_from_slice(part.as_bytes());
            }
        }
        self.bytes(lines.freeze())
    }

    /// Says how far a look is; breaks it off when nobody reads any more.
    pub(super) fn progress(&self, told: &Progress) -> ControlFlow<()> {
        let Progress { records, segments, segments_all } = told;
        let line = json!({ "progress": { "records": records, "segments": segments, "of": segments_all } });
        if self.line(&line) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// For a thread that may block.
    pub(super) fn bytes(&self, bytes: Bytes) -> bool {
        self.0.blocking_send(bytes).is_ok()
    }
}

impl std::io::Write for Maker {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes(Bytes::copy_from_slice(bytes)) {
            Ok(bytes.len())
        } else {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl http_body::Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
