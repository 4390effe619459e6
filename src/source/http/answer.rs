//! Reading an upstream's answer: bounded, whole, JSON, and nothing followed.

use std::borrow::Cow;
use std::pin::Pin;

use ::http::{HeaderMap, Response, StatusCode, header};
use bytes::{Bytes, BytesMut};
use hyper::body::{Body as _, Incoming};

use crate::json::{Document, Kind, Node};
use crate::model::limits::JSON_DEPTH_MAX;
use crate::source::SourceFault;

/// The body of a "no match" is read only so that the connection can be kept.
const NO_MATCH_BYTES_MAX: usize = 64 * 1024;

/// What an operation's mapping says of answers.
#[derive(Debug)]
pub struct Reading {
    pub bytes_max: usize,
    /// Statuses that mean no match.
    pub statuses: Vec<u16>,
    pub empty: bool,
    pub missing: bool,
    /// One record is wanted, so that an empty list is an empty document.
    pub single: bool,
    /// JSON Pointer to the document.
    pub pointer: std::sync::Arc<str>,
}

/// What was read, and whether the connection can be used again.
pub enum Read {
    Answer(Document),
    NoMatch { whole: bool },
}

impl Reading {
    pub async fn read(&self, response: Response<Incoming>) -> Result<Read, SourceFault> {
        let (head, mut body) = response.into_parts();
        ends_in_one_place(&head.headers)?;
        if self.statuses.contains(&head.status.as_u16()) {
            let whole = whole(&head.headers, &mut body, NO_MATCH_BYTES_MAX).await.is_ok();
            return Ok(Read::NoMatch { whole });
        }
        is_answer(head.status)?;
        is_plain_json(&head.headers)?;
        let bytes = whole(&head.headers, &mut body, self.bytes_max).await?;
        let document = Document::parse(bytes, JSON_DEPTH_MAX).map_err(|fault| invalid(fault.to_string()))?;
        Ok(Read::Answer(document))
    }

    /// Whether the document is there; `false` is no match.
    pub fn is_there(&self, answer: &Document) -> Result<bool, SourceFault> {
        let root = answer.root();
        let Some(node) = root.pointer(&self.pointer) else {
            return match leads_past_the_end(root, &self.pointer) {
                true if self.empty => Ok(false),
                false if self.missing => Ok(false),
                _ => Err(invalid("it has no document where the mapping says")),
            };
        };
        let empty = match node.kind() {
            Kind::Null => true,
            Kind::Array | Kind::Object => self.single && node.is_empty(),
            Kind::Boolean | Kind::Number | Kind::String => false,
        };
        Ok(!(empty && self.empty))
    }
}

/// Whether the pointer fails only because a list that is there is too short, or because something on
/// its way is null: the source says "nothing", where a lacking member could as well be an error.
fn leads_past_the_end(root: Node<'_>, pointer: &str) -> bool {
    let mut at = pointer;
    while let Some((parent, token)) = at.rsplit_once('/') {
        if let Some(node) = root.pointer(parent) {
            return match node.kind() {
                Kind::Null => true,
                Kind::Array => !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit()),
                _ => false,
            };
        }
        at = parent;
    }
    false
}

fn invalid(reason: impl Into<Cow<'static, str>>) -> SourceFault {
    SourceFault::Invalid(reason.into())
}

fn is_answer(status: StatusCode) -> Result<(), SourceFault> {
    if status == StatusCode::OK {
        return Ok(());
    }
    let reason = format!("it answered with status {}", status.as_u16());
    let passing = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    if status.is_server_error() || passing {
        Err(SourceFault::Unavailable(reason.into()))
    } else {
        Err(invalid(reason))
    }
}

/// One length or chunks (RFC 9112 section 6.3). What could end in two places could begin the next answer in two.
fn ends_in_one_place(headers: &HeaderMap) -> Result<(), SourceFault> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let plain = match (lengths.next(), codings.next()) {
        (None, None) => true,
        (Some(length), None) => length.as_bytes().iter().all(u8::is_ascii_digit),
        (None, Some(coding)) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    };
    if plain && lengths.next().is_none() && codings.next().is_none() {
        return Ok(());
    }
    Err(invalid("it says in two ways where it ends"))
}

/// `application/json` or `+json` (RFC 6839), in UTF-8, not compressed.
fn is_plain_json(headers: &HeaderMap) -> Result<(), SourceFault> {
    let encoded = headers.get_all(header::CONTENT_ENCODING).iter();
    if !encoded.into_iter().all(|value| value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(invalid("it is compressed, which was not asked for"));
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else {
        return Err(invalid("it has not exactly one content type"));
    };
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    if essence != "application/json" && !(essence.starts_with("application/") && essence.ends_with("+json")) {
        return Err(invalid("its content type is not JSON"));
    }
    let charset = parts.find_map(|part| part.strip_prefix("charset="));
    if charset.is_some_and(|charset| charset.trim_matches('"') != "utf-8") {
        return Err(invalid("its character set is not UTF-8"));
    }
    Ok(())
}

/// The whole body, of at most `bytes_max`.
async fn whole(headers: &HeaderMap, body: &mut Incoming, bytes_max: usize) -> Result<Bytes, SourceFault> {
    let too_large = || invalid("it is larger than the source's `answer_bytes_max`");
    // Told before a byte is read: what it says of itself, then what comes.
    let told = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|told| told > bytes_max as u64) {
        return Err(too_large());
    }
    let Some(first) = chunk(body).await? else { return Ok(Bytes::new()) };
    if first.len() > bytes_max {
        return Err(too_large());
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    let room = told.and_then(|told| usize::try_from(told).ok()).unwrap_or(0).min(bytes_max);
    let mut all = BytesMut::with_capacity(room.max(first.len()));
    all.extend_from_slice(&first);
    while let Some(chunk) = chunk(body).await? {
        if all.len() + chunk.len() > bytes_max {
            return Err(too_large());
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all.freeze())
}

/// The next bytes of the body; trailers are not looked at.
async fn chunk(body: &mut Incoming) -> Result<Option<Bytes>, SourceFault> {
    loop {
        match std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
            None => return Ok(None),
            Some(Err(_)) => {
                return Err(SourceFault::Unavailable("the connection broke within the answer".into()));
            }
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
