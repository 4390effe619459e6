//! Send: the only code that makes a reply to a partner.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use http_body_util::Full;

use crate::ledger::Receipt;
use crate::model::{Code, Outcome};

use super::accept::Known;
use super::record::{Recorded, Reply};
use super::road::Worker;

const OUTCOME: HeaderName = HeaderName::from_static("tolbooth-outcome");
const RECEIPT: HeaderName = HeaderName::from_static("tolbooth-receipt");
const EXCHANGE: HeaderName = HeaderName::from_static("tolbooth-exchange");
const SYNTHETIC: HeaderName = HeaderName::from_static("tolbooth-synthetic");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// One line for each exchange that is on the record, and for each read. What is only counted comes without
/// bound, and is said on request.
fn log(known: &Known, reply: &Reply, seconds: f64) {
    let (exchange, code) = (known.exchange, reply.code.map(Code::as_str));
    let consumer = known.consumer.as_ref().map(tracing::field::display);
    if reply.outcome == Outcome::Unrecorded {
        tracing::debug!(%exchange, consumer, code, status = reply.status, "not recorded one by one");
        return;
    }
    tracing::info!(
        %exchange,
        consumer,
        dataset = known.target.as_ref().map(|(dataset, _)| tracing::field::display(dataset)),
        outcome = reply.outcome.as_str(),
        code,
        status = reply.status,
        us = (seconds * 1e6) as u64,
        "exchange"
    );
}

pub(super) fn send(worker: &Worker, recorded: Recorded) -> Response<Full<Bytes>> {
    let (known, reply, receipt) = recorded.into_parts();
    let seconds = known.started.elapsed().as_secs_f64();
    let code = reply.code.map(|code| code.as_str());
    worker.road.metrics.exchange_ended(reply.outcome.as_str(), code.unwrap_or("none"), seconds);
    let exchange = known.exchange.to_string();
    log(&known, &reply, seconds);
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(OUTCOME, HeaderValue::from_static(reply.outcome.as_str()));
    if worker.road.synthetic {
        headers.insert(SYNTHETIC, HeaderValue::from_static("true"));
    }
    let mut put = |name, value: Option<&str>| {
        if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
            headers.insert(name, value);
        }
    };
    put(WWW_AUTHENTICATE, reply.challenge.as_deref());
    put(EXCHANGE, Some(&exchange));
    put(REQUEST_ID, known.claims.request_id.as_deref());
    put(CORRELATION_ID, known.claims.correlation_id.as_deref());
    put(RETRY_AFTER, reply.retry_after.map(|seconds| seconds.to_string()).as_deref());
    put(RECEIPT, receipt.as_ref().map(Receipt::header));
    response
}
