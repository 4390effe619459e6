//! The partner listener: TCP, TLS, HTTP/1.1 and HTTP/2. What comes out is a request on a connection
//! whose chain is verified; what a request means is the road's business.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::LocalSet;

use crate::config::Partners;
use crate::inbound::{Connection, Malformed, Road, Tally, Worker};
use crate::model::{Code, MemberId};
use crate::observe::Metrics;
use crate::stop::Stop;
use crate::tls::ServerTls;

use super::door::{Door, Within};
use super::patience::Patience;
use super::share::Shares;
use super::token::TokenDoor;
use super::wire::{HEAD_BYTES_MAX, HEADERS_MAX, Oddities, Wire};

/// Names and values of one HTTP/2 request, with 32 bytes for each (RFC 9113 section 6.5.2).
const HEAD_LIST_BYTES_MAX: u32 = 32 * 1024;
/// How often it is asked whether the certificate on a connection has expired.
const STANDING_EVERY: Duration = Duration::from_secs(30);
/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;

/// How often connections to systems behind that nobody asks any more are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(2);

/// What the listener needs to turn a socket into requests.
#[derive(Clone)]
pub struct Doorway {
    pub bounds: Partners,
    /// Read at each accept, so that new certificates and anchors count at once.
    pub tls: Arc<ArcSwap<ServerTls>>,
    pub road: Arc<Road>,
    pub metrics: Arc<Metrics>,
    pub tally: Arc<Tally>,
    pub shares: Shares<Option<MemberId>>,
    pub tokens: Arc<TokenDoor>,
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
    let mut door = Door::new(&doorway.bounds);
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
            Ok((stream, address)) => match door.admit(address.ip(), doorway.road.clock.monotonic()) {
                Ok(within) => {
                    if let (Some(desk), Ok(stream)) = (turn.next(), stream.into_std()) {
                        let _dealt = desk.send((stream, within));
                    }
                }
                // Closed without a word: whoever it is has not been asked yet.
                Err(turned) => {
                    doorway.metrics.handshake_failed(turned.as_str());
                    doorway.tally.handshake_failed(turned.as_str());
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

/// One data-plane thread.
fn work(
    doorway: &Doorway,
    mut dealt: mpsc::UnboundedReceiver<(std::net::TcpStream, Within)>,
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
        let mut sweep = tokio::time::interval(SWEEP_EVERY);
        loop {
            let stream = tokio::select! {
                stream = dealt.recv() => stream,
                () = stopping.asked() => None,
                _ = sweep.tick() => {
                    worker.sweep();
                    continue;
                }
            };
            let Some((stream, within)) = stream else { break };
            let (doorway, worker, stop) = (doorway.clone(), Rc::clone(&worker), stop.clone());
            tokio::task::spawn_local(async move {
                let _within = within;
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
    let (tokens, body_max) = (Arc::clone(&doorway.tokens), doorway.bounds.body_max);
    let (oddities, requests) = (Oddities::default(), Cell::new(0));
    let found = oddities.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (worker, connection, tokens) = (Rc::clone(&worker), Rc::clone(&connection), Arc::clone(&tokens));
        requests.set(requests.get() + 1);
        if let Some(why) = oddities.of(requests.get()) {
            request.extensions_mut().insert(Malformed(why));
        }
        async move {
            Ok::<_, Infallible>(if TokenDoor::is_at(request.uri().path()) {
                tokens.answer(&worker, &connection, body_max, request).await
            } else {
                worker.travel(connection, request).await
            })
        }
    });
    let stream = Patience::new(accepted.stream, doorway.bounds.send_max);
    let ended = if accepted.http2 {
        drive(http2(&doorway.bounds).serve_connection(TokioIo::new(stream), service), ending).await
    } else {
        let io = TokioIo::new(Wire::new(stream, found));
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
        // The strict reader is stricter: nothing is left for the parser to answer by itself.
        .max_buf_size(2 * HEAD_BYTES_MAX)
        .half_close(false);
    builder
}

fn http2(bounds: &Partners) -> hyper::server::conn::http2::Builder<LocalExecutor> {
    let mut builder = hyper::server::conn::http2::Builder::new(LocalExecutor);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_LIST_BYTES_MAX)
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
