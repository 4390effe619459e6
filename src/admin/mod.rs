//! The admin socket: looking into the ledger through the running gateway, on the record. HTTP/1.1
//! over a Unix socket that only the gateway's owner can open; answers are JSON lines, so that a
//! long look shows how far it is.

mod body;
mod export;
mod search;

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{UnixListener, UnixStream};

use crate::ledger::Ledger;
use crate::stop::Stop;
use crate::store::Fold;

use body::Lines;
pub use export::ExportQuestion;
pub use search::{SearchQuestion, SubjectQuestion};

/// A question to the admin socket: an identifier and some words.
const QUESTION_BYTES_MAX: usize = 16 * 1024;

/// What the admin socket looks into.
#[derive(Clone)]
pub struct Admin {
    pub ledger: Ledger,
    pub fold: Arc<Fold>,
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
        if let Ok((stream, _)) = stream {
            let admin = admin.clone();
            tokio::task::spawn_local(converse(admin, stream));
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
        (&Method::POST, "/export") => export::export(admin, by, read(request).await).await,
        _ => Err(Refused(StatusCode::NOT_FOUND, "here are POST /search and POST /export".to_owned())),
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
