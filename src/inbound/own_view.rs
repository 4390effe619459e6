//! The caller's own view: `GET /{dataset}/v{major}/openapi.json` says what the system that asks may ask.
//!
//! It is made from the ruleset and the caller's identity alone, and its type has one maker, so that
//! nothing of any question or answer can leave by this way. Without an agreement in force it is no view:
//! the request goes on along the road, and is refused there as a question would be. Reads of one's own
//! view are counted, not recorded one by one (design 5).

use bytes::Bytes;
use http::Method;

use crate::desk::{AskedFrom, OwnView, openapi};
use crate::model::{OWN_VIEW_READ, SystemId};

use super::accept::Known;
use super::identify::Identified;
use super::road::Worker;

/// Documents made for one member in a minute: each costs about as much as some exchanges. Tools read one
/// when they start.
const PER_MINUTE: u32 = 60;
/// Where the asking is done from if the request does not say.
const SOMEWHERE: &str = "gateway.example:8443";

/// What leaves: a document of the ruleset, or nothing because the member reads too often.
pub struct Shown {
    pub(super) known: Box<Known>,
    /// `None` beyond the rate.
    pub(super) document: Option<Document>,
}

/// The OpenAPI document of one system. Made here alone.
pub(super) struct Document(Bytes);

impl Document {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn into_body(self) -> Bytes {
        self.0
    }
}

/// The caller's own view, or the request again if it asks for none or there is none to show.
pub(super) fn own_view(worker: &Worker, identified: Identified) -> Result<Shown, Box<Identified>> {
    let Identified { known, identity, parts, incoming } = identified;
    let authority = authority(&parts);
    let asks = parts.method == Method::GET && parts.uri.query().is_none();
    match asks.then(|| read(worker, &known, identity.system(), authority)).flatten() {
        Some(document) => Ok(Shown { known, document }),
        None => Err(Box::new(Identified { known, identity, parts, incoming })),
    }
}

/// `None` where there is nothing to show; within, `None` beyond the rate.
fn read(worker: &Worker, known: &Known, system: &SystemId, authority: String) -> Option<Option<Document>> {
    let (dataset, major) = known.path.strip_prefix('/')?.strip_suffix("/openapi.json")?.split_once("/v")?;
    let today = worker.road.clock.today();
    let view = OwnView::of(&known.ruleset, system, dataset, major, today)?;
    let minute = worker.road.clock.monotonic().as_secs() / 60;
    if !worker.road.tally.may_read(&system.member, OWN_VIEW_READ, minute, PER_MINUTE) {
        return Some(None);
    }
    let mut text = openapi(&view, &AskedFrom::somewhere(authority), worker.road.synthetic).to_string();
    text.push('\n');
    Some(Some(Document(Bytes::from(text))))
}

/// The host and port the caller knows the gateway by, for its examples. It is the caller's own word, shown
/// to nobody else, and yet only what a host and port are made of is taken.
fn authority(parts: &http::request::Parts) -> String {
    let host = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    let said = parts.uri.authority().map(http::uri::Authority::as_str).or(host).unwrap_or_default();
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    if !said.is_empty() && said.len() <= 255 && said.bytes().all(legal) {
        said.to_owned()
    } else {
        SOMEWHERE.to_owned()
    }
}
