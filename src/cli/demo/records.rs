//! The records system of the demo: a plain web API, `GET /clients?chi=...`, that was not designed
//! for this. Synthetic people only. It can be told to misbehave.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const CLIENTS: &str = include_str!("clients.json");

/// How the system behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    AsAlways = 0,
    /// After an update it sends a field nobody told the gateway of: where the family is hidden.
    SafeAddress = 1,
    /// A required field comes as a word instead of yes or no.
    BrokenField = 2,
}

/// The system, serving on the runtime it was started on.
pub(super) struct Records {
    pub(super) address: SocketAddr,
    mood: Arc<AtomicU8>,
}

impl Records {
    pub(super) async fn start() -> std::io::Result<Self> {
        let clients: Value = serde_json::from_str(CLIENTS)?;
        let clients = Arc::new(clients);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mood = Arc::new(AtomicU8::new(Mood::AsAlways as u8));
        let at = Arc::clone(&mood);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (clients, mood) = (Arc::clone(&clients), Arc::clone(&at));
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let response = answer(&clients, mood.load(Ordering::Relaxed), &request);
                        async move { Ok::<_, Infallible>(response) }
                    });
                    let _ended = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Ok(Self { address, mood })
    }

    pub(super) fn feels(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::Relaxed);
    }
}

/// What the system would send about one person.
pub(super) fn client(chi: &str) -> Option<Value> {
    let clients: Value = serde_json::from_str(CLIENTS).ok()?;
    let found = clients.get("clients")?.as_array()?.iter().find(|client| is(client, chi))?;
    Some(found.clone())
}

fn is(client: &Value, chi: &str) -> bool {
    client.pointer("/person/chi").and_then(Value::as_str) == Some(chi)
}

fn answer(clients: &Value, mood: u8, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let query = request.uri().query().unwrap_or_default();
    let chi = query.split('&').find_map(|pair| pair.strip_prefix("chi=")).unwrap_or_default();
    let mut found: Vec<Value> = clients
        .get("clients")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|client| is(client, chi))
        .cloned()
        .collect();
    for client in &mut found {
        misbehave(client, mood);
    }
    let mut response = Response::new(Full::new(Bytes::from(json!({ "clients": found }).to_string())));
    if request.uri().path() != "/clients" {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}

fn misbehave(client: &mut Value, mood: u8) {
    let Some(members) = client.as_object_mut() else { return };
    if mood == Mood::SafeAddress as u8 {
        members.insert("safe_address".to_owned(), json!("Flat 2, 9 Hidden Close, Glenmore ZZ99 3CZ"));
    }
    if mood == Mood::BrokenField as u8
        && let Some(cp) = members.get_mut("cp").and_then(Value::as_object_mut)
    {
        cp.insert("on_register".to_owned(), json!("maybe"));
    }
}
