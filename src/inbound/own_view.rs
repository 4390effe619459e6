//! The caller's own view: `GET /{dataset}/v{major}/openapi.json` says what the system that asks may ask.
//!
//! It is made from the ruleset and the caller's identity alone, and its type has one maker, so that
//! nothing of any question or answer can leave by this way. Without an agreement in force it is no view:
//! the request goes on along the road, and is refused there as a question would be. Reads of one's own
//! view are counted, not recorded one by one (design 5).

use bytes::Bytes;

use crate::desk::{AskedFrom, OwnView, openapi};
use crate::model::{OWN_VIEW_READ, SystemId};

use super::accept::Known;
use super::read::Asked;
use super::reading::Reading;
use super::road::Worker;

/// Documents made for one member in a minute: each costs about as much as some exchanges. Tools read one
/// when they start.
const PER_MINUTE: u32 = 60;

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
pub(super) fn own_view(worker: &Worker, asked: Asked) -> Result<Shown, Box<Asked>> {
    let reading = asked.reading.as_ref();
    match reading.and_then(|reading| read(worker, &asked.known, asked.identity.system(), reading)) {
        Some(document) => Ok(Shown { known: asked.known, document }),
        None => Err(Box::new(asked)),
    }
}

/// `None` where there is nothing to show; within, `None` beyond the rate.
fn read(worker: &Worker, known: &Known, system: &SystemId, reading: &Reading) -> Option<Option<Document>> {
    let (dataset, major) = known.path.strip_prefix('/')?.strip_suffix("/openapi.json")?.split_once("/v")?;
    let today = worker.road.clock.today();
    if !OwnView::is_there(&known.ruleset, system, dataset, major, today) {
        return None;
    }
    // Before anything is made: it is the making that costs.
    let minute = worker.road.clock.monotonic().as_secs() / 60;
    if !worker.road.tally.may_read(&system.member, OWN_VIEW_READ, minute, PER_MINUTE) {
        return Some(None);
    }
    let view = OwnView::of(&known.ruleset, system, dataset, major, today)?;
    let mut text =
        openapi(&view, &AskedFrom::somewhere(reading.authority.clone()), worker.road.synthetic).to_string();
    text.push('\n');
    Some(Some(Document(Bytes::from(text))))
}
