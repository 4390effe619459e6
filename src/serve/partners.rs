//! The partner listener: TCP, TLS, HTTP/1.1 and HTTP/2. What comes out is a request on a connection
//! whose chain is verified; what a request means is the road's business.

use std::convert::Infallible;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use crate::config::Partners;
use crate::inbound::{Connection, Road, Tally, Worker};
use crate::model::Code;
use crate::observe::Metrics;
use crate::stop::Stop;
use crate::tls::ServerTls;

use super::patience::Patience;
use super::share::Shares;

/// Headers of one request: ours are a dozen, proxies add a few.
const HEADERS_MAX: usize = 64;
/// Bytes of one request head.
const HEAD_BYTES_MAX: u32 = 32 * 1024;
/// How often it is asked whether the certificate on a connection has expired.
const STANDING_EVERY: Duration = Duration::from_secs(30);
/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;

/// What the listener needs to turn a socket into requests.
#[derive(Clone)]
pub struct Doorway {
    pub bounds: Partners,
    /// Read at each accept, so that new certificates and anchors count at once.
    pub tls: Arc<ArcSwap<ServerTls>>,
    pub road: Arc<Road>,
    pub metrics: Arc<Metrics>,
    pub tally: Arc<Tally>,
    pub shares: Shares,
    /// The epoch in force: when it changes, who is on a connection may be nobody any more.
    pub epochs: watch::Receiver<u64>,
}

/// Starts one data-plane thread per worker and deals connections to them until told to stop.
/// Returns when the listener is closed; the threads end with their last exchange.
pub async fn serve_partners(
    doorway: Doorway,
    listener: TcpListener,
    workers: usize,
    drain: Duration,
    mut stop: Stop,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let open = Arc::new(AtomicUsize::new(0));
    let mut desks = Vec::with_capacity(workers);
    for index in 0..workers {
        let (deal, dealt) = mpsc::unbounded_channel();
        let (doorway, stop) = (doorway.clone(), stop.clone());
        std::thread::Builder::new()
            .name(format!("exchange-{index}"))
            .spawn(move || work(&doorway, dealt, drain, stop))?;
        desks.push(deal);
    }
    let mut turn = desks.iter().cycle();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.asked() => return Ok(()),
        };
        match stream {
            Ok((stream, _)) => match Slot::take(&open, doorway.bounds.connections_max) {
                Some(slot) => {
                    if let (Some(desk), Ok(stream)) = (turn.next(), stream.into_std()) {
                        let _dealt = desk.send((stream, slot));
                    }
                }
                None => {
                    doorway.metrics.handshake_failed("too_many_connections");
                    doorway.tally.handshake_failed("too_many_connections");
                }
            },
            // Out of file descriptors, say: waiting is better than spinning.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// One of the connections that may be open at once; free again when dropped, however that comes.
struct Slot(Arc<AtomicUsize>);

impl Slot {
    fn take(open: &Arc<AtomicUsize>, max: usize) -> Option<Self> {
        let slot = Self(Arc::clone(open));
        (open.fetch_add(1, Ordering::Relaxed) < max).then_some(slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One data-plane thread.
fn work(
    doorway: &Doorway,
    mut dealt: mpsc::UnboundedReceiver<(std::net::TcpStream, Slot)>,
    drain: Duration,
    mut stop: Stop,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "a data-plane thread could not start");
            return;
        }
    };
    let worker = Rc::new(Worker::new(Arc::clone(&doorway.road)));
    let tasks = LocalSet::new();
    tasks.block_on(&runtime, async {
        let mut stopping = stop.clone();
        loop {
            let stream = tokio::select! {
                stream = dealt.recv() => stream,
                () = stopping.asked() => None,
            };
            let Some((stream, slot)) = stream else { break };
            let (doorway, worker, stop) = (doorway.clone(), Rc::clone(&worker), stop.clone());
            tokio::task::spawn_local(async move {
                let _slot = slot;
                serve_one(&doorway, worker, stream, stop).await;
            });
        }
    });
    stop_all(&runtime, tasks, drain, &mut stop);
}

/// Waits for what is under way, at most `drain`.
fn stop_all(runtime: &tokio::runtime::Runtime, tasks: LocalSet, drain: Duration, _held: &mut Stop) {
    let done = runtime.block_on(async { tokio::time::timeout(drain, tasks).await });
    if done.is_err() {
        tracing::warn!("exchanges under way did not end in time and were cut off unanswered");
    }
}

async fn serve_one(doorway: &Doorway, worker: Rc<Worker>, stream: std::net::TcpStream, stop: Stop) {
    let Ok(stream) = stream.set_nodelay(true).and_then(|()| TcpStream::from_std(stream)) else { return };
    let tls = doorway.tls.load_full();
    let accepted = match tls.accept(stream, doorway.bounds.handshake_max).await {
        Ok(accepted) => accepted,
        Err(failure) => {
            doorway.metrics.handshake_failed(failure.as_str());
            doorway.tally.handshake_failed(failure.as_str());
            return;
        }
    };
    doorway.metrics.handshake_finished(accepted.version, accepted.suite);
    let connection = Rc::new(Connection::new(accepted.peer));
    let member = worker.member(&connection);
    let Some(_share) = doorway.shares.take(member, doorway.bounds.connections_per_member_max) else {
        doorway.metrics.handshake_failed("too_many_of_one_member");
        doorway.tally.handshake_failed("too_many_of_one_member");
        return;
    };
    doorway.metrics.connection_opened();
    let ending = ending(stop, gone(Rc::clone(&worker), Rc::clone(&connection), doorway));
    let service = service_fn(move |request| {
        let (worker, connection) = (Rc::clone(&worker), Rc::clone(&connection));
        async move { Ok::<_, Infallible>(worker.travel(connection, request).await) }
    });
    let io = TokioIo::new(Patience::new(accepted.stream, doorway.bounds.send_max));
    let ended = if accepted.http2 {
        drive(http2(&doorway.bounds).serve_connection(io, service), ending).await
    } else {
        drive(http1(&doorway.bounds).serve_connection(io, service), ending).await
    };
    // What cannot be read as HTTP is answered below us and never becomes an exchange.
    if ended.is_err_and(|error| error.is_parse()) {
        doorway.tally.stranger_refused(Code::MalformedHttp);
    }
    doorway.metrics.connection_closed();
}

fn http1(bounds: &Partners) -> hyper::server::conn::http1::Builder {
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_max)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX as usize)
        .half_close(false);
    builder
}

fn http2(bounds: &Partners) -> hyper::server::conn::http2::Builder<LocalExecutor> {
    let mut builder = hyper::server::conn::http2::Builder::new(LocalExecutor);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX)
        .keep_alive_interval(Some(bounds.head_max))
        .keep_alive_timeout(bounds.head_max);
    builder
}

/// Tasks of an HTTP/2 connection stay on the connection's thread.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F> hyper::rt::Executor<F> for LocalExecutor
where
    F: Future + 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move {
            let _done = future.await;
        });
    }
}

/// Comes when a connection is to end after what is under way on it: at a stop, or when nobody known is on it.
async fn ending(mut stop: Stop, gone: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.asked() => {}
        () = gone => {}
    }
}

/// Comes some time after the peer is no longer a system anybody knows: revoked, expired, or taken out. Its
/// questions are refused from the first instant, and say why; but it shall not keep its place for ever.
async fn gone(worker: Rc<Worker>, connection: Rc<Connection>, doorway: &Doorway) {
    let mut epochs = doorway.epochs.clone();
    loop {
        // Certificates end without an epoch.
        if let Ok(Err(_)) = tokio::time::timeout(STANDING_EVERY, epochs.changed()).await {
            // Nobody changes anything any more: the gateway ends.
            return std::future::pending().await;
        }
        if worker.knows(&connection) {
            continue;
        }
        tokio::time::sleep(doorway.bounds.head_max).await;
        if !worker.knows(&connection) {
            return;
        }
    }
}

/// Serves until the peer or what `ending` waits for ends it. Errors are the peer's to notice: what was recorded
/// stays recorded.
async fn drive<C>(connection: C, ending: impl Future<Output = ()>) -> Result<(), hyper::Error>
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // The connection first: it is what nearly every wake is for.
        biased;
        ended = connection.as_mut() => return ended,
        () = ending => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_given_back_also_by_whoever_did_not_get_one() {
        let open = Arc::new(AtomicUsize::new(0));
        let first = Slot::take(&open, 1);
        assert!(first.is_some());
        assert!(Slot::take(&open, 1).is_none());
        assert_eq!(open.load(Ordering::Relaxed), 1);
        drop(first);
        assert!(Slot::take(&open, 1).is_some());
    }
}
