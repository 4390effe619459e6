//! Read: the body becomes a typed question, or a fault that is told only after a permit. Refuses by
//! itself only by size and time, and where the question is signed and the signature is wrong: that is
//! about the caller, and says nothing of what was asked for.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use crate::contract::{Question, ReadFault, read_question};
use crate::directory::Identity;
use crate::model::Code;

use super::accept::Known;
use super::reading::Reading;
use super::record::JSON;
use super::refusal::{Refusal, Why};
use super::road::Worker;
use super::route::{Routed, Target};

/// A request read whole.
pub struct Asked {
    pub(super) known: Box<Known>,
    pub(super) identity: Arc<Identity>,
    pub(super) target: Option<Target>,
    pub(super) reading: Option<Reading>,
    /// Absent for an unknown target: there is no contract to read it by.
    pub(super) question: Option<Result<Question, Unread>>,
}

/// Why a body did not become a question; told only after a permit.
pub(super) enum Unread {
    /// The caller's fault.
    Question(ReadFault),
    /// The contract's schema does not compile: the host's.
    Contract(String),
}

pub(super) async fn read(worker: &Worker, routed: Routed) -> Result<Asked, Refusal> {
    let Routed { mut known, identity, target, incoming, reading, signed } = routed;
    if let Err(why) = whole(worker, &mut known, incoming).await {
        return Err(Refusal::new(known, why));
    }
    if let Some(signed) = signed
        && let Err(why) = signed.verify(worker, &mut known)
    {
        return Err(Refusal::new(known, why));
    }
    let question = target.as_ref().map(|target| question(&known, target));
    Ok(Asked { known, identity, target, reading, question })
}

/// Reads the body to its end.
async fn whole(worker: &Worker, known: &mut Known, incoming: Incoming) -> Result<(), Why> {
    let bounds = &worker.road.bounds;
    let body = collect(incoming, bounds.question_bytes_max, &mut known.arrived);
    match tokio::time::timeout(bounds.body_max, body).await {
        Ok(Ok(body)) => {
            known.body = body;
            Ok(())
        }
        Ok(Err(Uncollected::TooLarge)) => {
            let most = bounds.question_bytes_max;
            Err(Why::new(Code::TooLarge).detail(format!("At most {most} bytes.")))
        }
        Ok(Err(Uncollected::Broken)) => Err(Code::MalformedHttp.into()),
        Err(_) => Err(Why::new(Code::MalformedHttp).detail("The body did not arrive in time.")),
    }
}

pub(super) fn is_json(known: &Known) -> bool {
    known.claims.content_type.as_deref().is_some_and(|value| is_utf8(value, JSON))
}

fn question(known: &Known, target: &Target) -> Result<Question, Unread> {
    if !is_json(known) {
        return Err(Unread::Question(ReadFault::content_type()));
    }
    read_as(target, known.body.clone())
}

/// Reads bytes as a question of the target.
pub(super) fn read_as(target: &Target, question: Bytes) -> Result<Question, Unread> {
    let checker = target.operation.question_checker().map_err(|fault| Unread::Contract(fault.to_owned()))?;
    read_question(&target.operation.operation, checker, question).map_err(Unread::Question)
}

/// Whether a `Content-Type` says this type, with UTF-8 as its only parameter: what JSON is in (RFC 8259 section
/// 8.1), and a form of OAuth (RFC 6749 appendix B).
pub fn is_utf8(value: &str, wanted: &str) -> bool {
    let (essence, parameter) = value.split_once(';').map_or((value, ""), |(a, b)| (a.trim(), b.trim()));
    essence.eq_ignore_ascii_case(wanted)
        && (parameter.is_empty() || parameter.eq_ignore_ascii_case("charset=utf-8"))
}

/// Why a body is not whole.
pub enum Uncollected {
    TooLarge,
    /// It broke off, or something follows it.
    Broken,
}

/// Reads a body of at most `bytes_max`. What came counts in `arrived` also where it is refused, or given up by
/// whoever waits for it: it took as much of the line.
pub async fn collect(
    mut incoming: Incoming,
    bytes_max: usize,
    arrived: &mut usize,
) -> Result<Bytes, Uncollected> {
    if incoming.size_hint().lower() > bytes_max as u64 {
        return Err(Uncollected::TooLarge);
    }
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        // Headers after the body would be read by some and not by others (RFC 9110 section 6.5.1).
        let data = frame.map_err(|_| Uncollected::Broken)?.into_data().map_err(|_| Uncollected::Broken)?;
        *arrived += data.len();
        if *arrived > bytes_max {
            return Err(Uncollected::TooLarge);
        }
        match first.take() {
            // The common case, one frame, copies nothing.
            None if rest.is_empty() => first = Some(data),
            None => rest.extend_from_slice(&data),
            Some(before) => {
                rest.extend_from_slice(&before);
                rest.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| rest.freeze()))
}

#[cfg(test)]
mod tests {
    use super::{JSON, is_utf8};

    #[test]
    fn only_json_in_utf8_is_json() {
        for good in ["application/json", "Application/JSON; charset=UTF-8"] {
            assert!(is_utf8(good, JSON), "{good}");
        }
        for bad in [
            "text/json",
            "application/json; charset=latin1",
            "application/json, text/plain",
            "",
            "application/x",
        ] {
            assert!(!is_utf8(bad, JSON), "{bad}");
        }
    }
}
