//! The local listener: `/health`, `/ready` and `/metrics`, for this machine and its monitoring.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::observe::{Health, Metrics};

/// A monitor that takes longer to send its head is not one.
const HEAD_MAX: Duration = Duration::from_secs(5);

/// What the local listener shows.
#[derive(Clone)]
pub struct Local {
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
}

/// Serves until dropped: also while draining, when monitoring is told so.
pub async fn serve_local(local: Local, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let local = local.clone();
        tokio::task::spawn_local(async move {
            let service = service_fn(move |request| {
                let response = answer(&local, &request);
                async move { Ok::<_, Infallible>(response) }
            });
            let _ended = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_MAX)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn answer(local: &Local, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let ready = local.health.is_ready();
    local.metrics.ready(ready);
    let (status, content_type, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/health") => (StatusCode::OK, "application/json", "{\"alive\":true}\n".to_owned()),
        (&Method::GET, "/ready") => {
            let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            (status, "application/json", format!("{}\n", local.health.json()))
        }
        (&Method::GET, "/metrics") => (
            StatusCode::OK,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            local.metrics.text(),
        ),
        _ => (StatusCode::NOT_FOUND, "text/plain", "here are /health, /ready and /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}
