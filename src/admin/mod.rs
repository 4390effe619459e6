//! The admin socket: looking into the ledger through the running gateway, on the record. HTTP/1.1
//! over a Unix socket that only the gateway's owner can open; answers are JSON lines, so that a
//! long look shows how far it is.

mod backup;
mod body;
mod earlier;
mod erase;
mod evidence;
mod explain;
mod export;
mod halt;
mod rebuild;
mod report;
mod search;
mod standing;

use std::convert::Infallible;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock::Clock;
use crate::desk::{FoldedIndex, Published, Retention, Ruleset};
use crate::ledger::Ledger;
use crate::model::MemberId;
use crate::stop::Stop;

pub use backup::BackupQuestion;
use body::Lines;
pub use erase::EraseQuestion;
pub use evidence::EvidenceQuestion;
pub use explain::ExplainQuestion;
pub use export::ExportQuestion;
pub use halt::{Levers, Reloads, StopQuestion};
pub use report::ReportQuestion;
pub use search::{SearchQuestion, SubjectQuestion};

/// A question to the admin socket: an identifier and some words.
const QUESTION_BYTES_MAX: usize = 16 * 1024;

/// Looks under way at once; each holds a thread until its answer is read.
pub const LOOKS_MAX: usize = 2;

/// What the admin socket looks into.
#[derive(Clone)]
pub struct Admin {
    ledger: Ledger,
    fold: Arc<FoldedIndex>,
    published: Arc<Published>,
    member: MemberId,
    ruleset: Arc<ArcSwap<Ruleset>>,
    clock: Clock,
    retention: Arc<Retention>,
    levers: Levers,
    looks: Arc<Semaphore>,
    /// One backup at a time.
    backups: Arc<Semaphore>,
}

impl Admin {
    /// Of this member's gateway; names are those of the ruleset in force when a report is asked for.
    pub fn new(
        ledger: Ledger,
        (fold, published): (Arc<FoldedIndex>, Arc<Published>),
        member: MemberId,
        ruleset: Arc<ArcSwap<Ruleset>>,
        clock: Clock,
        (retention, levers): (Arc<Retention>, Levers),
    ) -> Self {
        let (looks, backups) = (Arc::new(Semaphore::new(LOOKS_MAX)), Arc::new(Semaphore::new(1)));
        Self { ledger, fold, published, member, ruleset, clock, retention, levers, looks, backups }
    }

    /// A place among those who look; given back when it is dropped.
    fn place(&self) -> Result<OwnedSemaphorePermit, Refused> {
        Arc::clone(&self.looks).try_acquire_owned().map_err(|_| {
            let why =
                format!("{LOOKS_MAX} looks into the ledger are under way: try again when one has ended");
            Refused(StatusCode::SERVICE_UNAVAILABLE, why)
        })
    }
}

/// Why a question to the admin socket is refused.
struct Refused(StatusCode, String);

/// Serves until told to stop.
pub async fn serve_admin(admin: Admin, listener: UnixListener, mut stop: Stop) {
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.asked() => return,
        };
        match stream {
            Ok((stream, _)) => drop(tokio::task::spawn_local(converse(admin.clone(), stream))),
            // Out of file descriptors, say: waiting is better than spinning.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
}

async fn converse(admin: Admin, stream: UnixStream) {
    // Who looks is who the kernel says owns the other end.
    let by = stream.peer_cred().map_or_else(|_| "unknown".to_owned(), |peer| format!("uid {}", peer.uid()));
    let service = service_fn(move |request| {
        let (admin, by) = (admin.clone(), by.clone());
        async move { Ok::<_, Infallible>(answer(&admin, by, request).await) }
    });
    let served =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        tracing::debug!(%error, "an admin connection ended early");
    }
}

async fn answer(admin: &Admin, by: String, request: Request<Incoming>) -> Response<Lines> {
    let answered = match (request.method(), request.uri().path()) {
        (&Method::POST, "/search") => search::search(admin, by, read(request).await).await,
        (&Method::POST, "/evidence") => evidence::evidence(admin, by, read(request).await).await,
        (&Method::POST, "/explain") => explain::explain_exchange(admin, by, read(request).await).await,
        (&Method::POST, "/export") => export::export(admin, by, read(request).await).await,
        (&Method::POST, "/erase") => erase::erase(admin, by, read(request).await).await,
        (&Method::POST, "/report") => report::report_on(admin, by, read(request).await).await,
        (&Method::POST, "/rebuild") => rebuild::rebuild(admin, by),
        (&Method::POST, "/stop") => halt::stop(admin, by, read(request).await).await,
        (&Method::POST, "/start") => halt::start(admin, by, read(request).await).await,
        (&Method::POST, "/stops") => Ok(halt::stops(admin)),
        (&Method::POST, "/standing") => Ok(standing::standing(admin)),
        (&Method::POST, "/reload") => halt::reload(admin).await,
        (&Method::POST, "/backup") => backup::backup(admin, by, read(request).await).await,
        _ => {
            let here = "here are POST /search, /export, /erase, /report, /evidence, /explain, /rebuild, /backup, /stop, \
                 /start, /stops, /standing and /reload";
            Err(Refused(StatusCode::NOT_FOUND, here.to_owned()))
        }
    };
    answered.unwrap_or_else(|Refused(status, why)| {
        let mut response = Response::new(Lines::one(&json!({ "refused": why })));
        *response.status_mut() = status;
        response
    })
}

async fn read(request: Request<Incoming>) -> Result<Bytes, Refused> {
    let body = Limited::new(request.into_body(), QUESTION_BYTES_MAX).collect().await;
    body.map(http_body_util::Collected::to_bytes).map_err(|_| {
        Refused(StatusCode::PAYLOAD_TOO_LARGE, "the question is too large or broke off".to_owned())
    })
}

fn parse<'b, T: serde::Deserialize<'b>>(body: &'b Bytes) -> Result<T, Refused> {
    // The error names a key and a place, and serde_json quotes no values of ours.
    serde_json::from_slice(body).map_err(|error| Refused(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
}

/// A stated purpose is part of the record of a look (DPA 2018 s.62).
fn purpose(text: String) -> Result<String, Refused> {
    if text.trim().is_empty() {
        return Err(Refused(StatusCode::UNPROCESSABLE_ENTITY, "a purpose must be stated".to_owned()));
    }
    Ok(text)
}
