//! Kept connections of one data-plane thread. A connection is taken out while it is in use, and given
//! back only after its answer was read whole.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use hyper::client::conn::http1::SendRequest;
use tokio::time::Instant;

/// Shorter than the idle time of common servers (nginx 75 s, Apache and Node 5 s), so that we are
/// mostly the ones who close.
const IDLE_MAX: Duration = Duration::from_secs(4);

/// Idle connections of one thread, by upstream. Not shared: each thread of the data plane has its own.
#[derive(Default)]
pub struct Pool {
    idle: RefCell<HashMap<Arc<str>, VecDeque<Idle>>>,
}

struct Idle {
    sender: SendRequest<Whole>,
    since: Instant,
}

impl Pool {
    pub fn new() -> Self {
        Self::default()
    }

    /// The connection used last, for it is the likeliest to be alive.
    pub(super) fn take(&self, upstream: &str) -> Option<SendRequest<Whole>> {
        let mut idle = self.idle.borrow_mut();
        let queue = idle.get_mut(upstream)?;
        while let Some(last) = queue.pop_back() {
            if last.since.elapsed() < IDLE_MAX && last.sender.is_ready() {
                return Some(last.sender);
            }
        }
        None
    }

    /// Keeps a connection whose answer was read whole, if there is room for it.
    pub(super) fn give(&self, upstream: &Arc<str>, sender: SendRequest<Whole>, idle_max: usize) {
        if sender.is_closed() {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        let queue = idle.entry(upstream.clone()).or_default();
        drop_old(queue);
        if queue.len() < idle_max {
            queue.push_back(Idle { sender, since: Instant::now() });
        }
    }

    /// Closes what has been idle too long; to be called every few seconds, for upstreams nobody asks.
    pub fn sweep(&self) {
        let mut idle = self.idle.borrow_mut();
        idle.retain(|_, queue| {
            drop_old(queue);
            !queue.is_empty()
        });
    }

    /// How many idle connections are kept.
    pub fn len(&self) -> usize {
        self.idle.borrow().values().map(VecDeque::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The oldest are in front.
fn drop_old(queue: &mut VecDeque<Idle>) {
    while queue.front().is_some_and(|first| first.since.elapsed() >= IDLE_MAX || first.sender.is_closed()) {
        queue.pop_front();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} idle)", self.len())
    }
}

/// A request body that is there whole.
pub(super) struct Whole(Option<Bytes>);

impl Whole {
    pub fn new(bytes: Bytes) -> Self {
        Self(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }
}

impl hyper::body::Body for Whole {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
