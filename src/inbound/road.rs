//! The road itself, top to bottom, and what it needs to run.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::clock::Clock;
use crate::config::ExpiredCrl;
use crate::desk::Ruleset;
use crate::ledger::{Ledger, Receipt, Record, Unrecorded};
use crate::model::MemberId;
use crate::observe::Metrics;
use crate::policy::Memo;
use crate::source::Pool;

use super::accept::{Connection, accept};
use super::check::{Checked, check};
use super::decide::decide;
use super::drift::Drift;
use super::forward::forward;
use super::identify::{find, identify, in_time, still};
use super::minimise::minimise;
use super::read::read;
use super::record::{record, turn_away};
use super::refusal::Refusal;
use super::route::route;
use super::send::send;
use super::tally::Tally;

/// Decisions each data-plane thread remembers: systems that ask often, by hour and purpose.
const DECISIONS_MAX: usize = 4096;

/// What leaves.
pub type Answer = Response<Full<Bytes>>;

/// Bounds the road keeps by itself.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub body_max: Duration,
    pub question_bytes_max: usize,
    pub refusals_per_minute: u32,
    /// From the decision to the end of the source's answer.
    pub exchange_max: Duration,
    /// How long the ledger may take for a record.
    pub record_max: Duration,
    /// Exchanges under way on one data-plane thread. A caller that breaks off leaves its exchange running
    /// to its end on the record, so that connections and streams alone bound nothing.
    pub exchanges_max: usize,
    /// What becomes of a system whose CA's revocation list has expired.
    pub expired_crl: ExpiredCrl,
}

/// What all data-plane threads share.
pub struct Road {
    pub member: MemberId,
    pub ruleset: Arc<ArcSwap<Ruleset>>,
    pub ledger: Ledger,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub tally: Arc<Tally>,
    pub drift: Drift,
    pub bounds: Bounds,
}

impl Road {
    /// The ruleset in force now; an exchange runs wholly under the one it began with.
    pub(super) fn ruleset(&self) -> Arc<Ruleset> {
        self.ruleset.load_full()
    }

    /// Records, or gives up: a disk that hangs must not hold callers for ever, and nothing leaves.
    pub(super) async fn append(&self, record: Record) -> Result<Receipt, Unrecorded> {
        let appended = tokio::time::timeout(self.bounds.record_max, self.ledger.append(record));
        appended.await.unwrap_or(Err(Unrecorded::Late))
    }

    /// When the system behind must have answered.
    pub(super) fn deadline(&self) -> tokio::time::Instant {
        tokio::time::Instant::now() + self.bounds.exchange_max
    }
}

/// One data-plane thread: its own connections to the systems behind and its own memory of decisions.
pub struct Worker {
    pub(super) road: Arc<Road>,
    pub(super) pool: Pool,
    pub(super) memo: RefCell<Memo>,
    under_way: Rc<Cell<usize>>,
}

/// One of the exchanges that may be under way; free again when dropped.
struct Place(Rc<Cell<usize>>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Worker {
    pub fn new(road: Arc<Road>) -> Self {
        let memo = RefCell::new(Memo::new(DECISIONS_MAX));
        Self { road, pool: Pool::new(), memo, under_way: Rc::default() }
    }

    /// Whose connection this is now, if that is known.
    pub fn member(&self, connection: &Connection) -> Option<MemberId> {
        find(connection, &self.road.ruleset()).ok().map(|identity| identity.system().member.clone())
    }

    /// Whether somebody known is on the connection, now.
    pub fn knows(&self, connection: &Connection) -> bool {
        find(connection, &self.road.ruleset()).is_ok_and(|identity| in_time(self, &identity).is_ok())
    }

    fn place(&self) -> Option<Place> {
        let under_way = self.under_way.get();
        (under_way < self.road.bounds.exchanges_max).then(|| {
            self.under_way.set(under_way + 1);
            Place(Rc::clone(&self.under_way))
        })
    }

    /// Takes one request to its end. It runs as a task of its own, so that a caller who hangs up
    /// neither leaves a change half done nor learns anything that is not on the record.
    pub async fn travel(self: Rc<Self>, connection: Rc<Connection>, request: Request<Incoming>) -> Answer {
        let Some(place) = self.place() else { return send(&self, turn_away(&self, &connection, request)) };
        let journey = tokio::task::spawn_local(async move {
            let _place = place;
            let ended = self.answer(&connection, request).await;
            let recorded = record(&self, ended).await;
            send(&self, recorded)
        });
        // Only a panic ends a task early; the panic is logged and nothing has left.
        journey.await.unwrap_or_else(|_| {
            let mut bare = Response::new(Full::new(Bytes::new()));
            *bare.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            bare
        })
    }

    async fn answer(&self, connection: &Connection, request: Request<Incoming>) -> Result<Checked, Refusal> {
        let (parts, incoming) = request.into_parts();
        let accepted = accept(self, parts, incoming)?;
        let identified = identify(self, connection, accepted)?;
        let routed = route(identified);
        let asked = still(self, connection, read(self, routed).await?)?;
        let permitted = decide(self, asked)?;
        let answered = forward(self, permitted).await?;
        let minimised = minimise(self, answered)?;
        check(minimised)
    }
}
