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
use crate::desk::{Lived, Ruleset};
use crate::directory::Identity;
use crate::ledger::{Ledger, Outbox, Receipt, Record, Unrecorded};
use crate::model::{Code, MemberId};
use crate::observe::Metrics;
use crate::policy::{Memo, Uses};
use crate::signature::Verifier;
use crate::source::Pool;
use crate::token::{Cache, Issuer, Issuers};

use super::accept::{Connection, accept};
use super::allowance::{Allowance, Allowances, Taken};
use super::chains::Chains;
use super::check::check;
use super::counted::Counted;
use super::decide::decide;
use super::explain::{aim, explain};
use super::forward::forward;
use super::grant::{Spent, spend, take};
use super::identify::{find, identify, in_time, still, whose};
use super::journey::Journey;
use super::log::{LogRead, LogReads, read_log};
use super::minimise::minimise;
use super::own_view::{Shown, own_view};
use super::quiet::Quiet;
use super::read::read;
use super::record::{record, turn_away};
use super::refusal::Refusal;
use super::route::route;
use super::send::send;
use super::tally::Tally;

/// Decisions each data-plane thread remembers: systems that ask often, by hour and purpose.
const DECISIONS_MAX: usize = 4096;

/// Tokens each data-plane thread remembers: a system has one at a time, and the bound is 8 KiB for each.
const TOKENS_MAX: usize = 2048;

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
    /// Stops of the host, asked at every exchange.
    pub lived: Arc<Lived>,
    pub ledger: Ledger,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub tally: Arc<Tally>,
    /// What was told of what happens with many exchanges.
    pub quiet: Quiet,
    /// Which callers' certificates are kept.
    pub chains: Chains,
    /// Remembers the nonces of signed questions for all threads.
    pub signatures: Arc<Verifier>,
    /// This gateway's own issuer of access tokens; those of others are the ruleset's.
    pub issuer: Arc<Issuer>,
    pub allowances: Allowances,
    /// Which grants were used.
    pub uses: Arc<Uses>,
    /// The log, as others may read it.
    pub log: LogReads,
    pub bounds: Bounds,
    /// A sandbox: every answer says that it is made up.
    pub synthetic: bool,
}

impl Road {
    /// The ruleset in force now; an exchange runs wholly under the one it began with.
    pub(super) fn ruleset(&self) -> Arc<Ruleset> {
        self.ruleset.load_full()
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
    pub(super) tokens: RefCell<Cache>,
    /// Whose JWTs count, and the epoch they were put together for.
    issuers: RefCell<Option<(u64, Rc<Issuers>)>>,
    outbox: Outbox,
    under_way: Rc<Cell<usize>>,
}

/// Where the road ends when nothing is refused.
pub(super) enum Ended {
    Checked(Spent),
    /// The caller's own view, which is no exchange.
    Shown(Shown),
    /// A part of the log, which is no exchange either.
    Read(LogRead),
}

/// One of the exchanges that may be under way; free again when dropped.
pub struct Place {
    under_way: Rc<Cell<usize>>,
    metrics: Arc<Metrics>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.under_way.set(self.under_way.get().saturating_sub(1));
        self.metrics.exchange_over();
    }
}

impl Worker {
    pub fn new(road: Arc<Road>) -> Self {
        let memo = RefCell::new(Memo::new(DECISIONS_MAX));
        let tokens = RefCell::new(Cache::new(TOKENS_MAX));
        let outbox = Outbox::new(road.ledger.clone());
        let issuers = RefCell::default();
        Self { road, pool: Pool::new(), memo, tokens, issuers, outbox, under_way: Rc::default() }
    }

    /// What this thread shares with the others.
    pub fn road(&self) -> &Road {
        &self.road
    }

    /// Whose connection this is now, or why it is nobody's: as for an exchange, for what stands beside the
    /// road.
    pub fn identity(&self, connection: &Connection, ruleset: &Ruleset) -> Result<Arc<Identity>, Code> {
        whose(self, connection, ruleset).map_err(|(code, _)| code)
    }

    /// Whose connection this is now, if that is known.
    pub fn member(&self, connection: &Connection) -> Option<MemberId> {
        find(connection, &self.road.ruleset()).ok().map(|identity| identity.system().member.clone())
    }

    /// Whether somebody known is on the connection, now.
    pub fn knows(&self, connection: &Connection) -> bool {
        find(connection, &self.road.ruleset()).is_ok_and(|identity| in_time(self, &identity).is_ok())
    }

    /// Whose JWTs are verified under a ruleset: the gateway's own issuer, and those of others it names.
    pub(super) fn issuers(&self, ruleset: &Ruleset) -> Rc<Issuers> {
        let mut kept = self.issuers.borrow_mut();
        match &*kept {
            Some((at, issuers)) if *at == ruleset.epoch => Rc::clone(issuers),
            _ => {
                let all = ruleset.outsiders.verified().chain([&self.road.issuer]);
                let issuers = Rc::new(Issuers::new(all.map(Arc::clone)));
                *kept = Some((ruleset.epoch, Rc::clone(&issuers)));
                issuers
            }
        }
    }

    /// Records, or gives up: a disk that hangs must not hold callers for ever, and nothing leaves.
    pub(super) async fn append(&self, record: Record) -> Result<Receipt, Unrecorded> {
        let appended = tokio::time::timeout(self.road.bounds.record_max, self.outbox.append(record));
        appended.await.unwrap_or(Err(Unrecorded::Late))
    }

    /// Closes connections to systems behind that have been idle too long.
    pub fn sweep(&self) {
        self.pool.sweep();
    }

    /// Counts a request against what its member may take, or says in how many seconds there is room again: for
    /// whatever is asked, here and beside the road.
    pub fn admit(&self, connection: &Connection) -> Result<(), u64> {
        self.allowance(connection).admit(self.road.clock.monotonic())
    }

    /// Counts what was read of a request and what was answered.
    pub fn used(&self, connection: &Connection, asked: usize, answered: usize) {
        self.allowance(connection).used(self.road.clock.monotonic(), Taken { asked, answered, recorded: 0 });
    }

    /// Counts a request that nothing is read of, for the summaries.
    pub fn turned_away(&self, connection: &Connection) {
        match self.member(connection) {
            Some(member) => self.road.tally.refused_beyond_rate(&member, Code::LimitReached),
            None => self.road.tally.stranger_refused(Code::LimitReached),
        }
    }

    /// What its member may still take, found once for each ruleset.
    fn allowance(&self, connection: &Connection) -> Arc<Allowance> {
        let epoch = self.road.ruleset().epoch;
        let mut kept = connection.allowance.borrow_mut();
        match &*kept {
            Some((at, allowance)) if *at == epoch => Arc::clone(allowance),
            _ => {
                let found = self.road.allowances.of(self.member(connection));
                *kept = Some((epoch, Arc::clone(&found)));
                found
            }
        }
    }

    /// One of the places for what is under way, if one is free.
    pub fn place(&self) -> Option<Place> {
        let under_way = self.under_way.get();
        (under_way < self.road.bounds.exchanges_max).then(|| {
            self.under_way.set(under_way + 1);
            self.road.metrics.exchange_began();
            Place { under_way: Rc::clone(&self.under_way), metrics: Arc::clone(&self.road.metrics) }
        })
    }

    /// Takes one request to its end, also if the caller hangs up meanwhile: so a change is not left half
    /// done, and nobody learns anything that is not on the record.
    pub fn travel(self: Rc<Self>, connection: Rc<Connection>, request: Request<Incoming>) -> Journey {
        let room = match self.admit(&connection) {
            Err(seconds) => Err(Counted::beyond_allowance(seconds)),
            Ok(()) => self.place().ok_or(Counted::busy()),
        };
        let place = match room {
            Ok(place) => place,
            Err(counted) => {
                return Journey::ended(send(&self, turn_away(&self, &connection, request, counted)));
            }
        };
        let allowance = self.allowance(&connection);
        Journey::begin(async move {
            let _place = place;
            let ended = self.answer(&connection, request).await;
            let recorded = record(&self, &allowance, ended).await;
            allowance.used(self.road.clock.monotonic(), recorded.taken());
            send(&self, recorded)
        })
    }

    async fn answer(&self, connection: &Connection, request: Request<Incoming>) -> Result<Ended, Refusal> {
        let (parts, incoming) = request.into_parts();
        let accepted = accept(self, parts, incoming)?;
        let identified = identify(self, connection, accepted).await?;
        let asked = still(self, connection, read(self, route(identified)).await?)?;
        let asked = match own_view(self, asked) {
            Ok(shown) => return Ok(Ended::Shown(shown)),
            Err(asked) => *asked,
        };
        let asked = match read_log(self, connection, asked).await? {
            Ok(read) => return Ok(Ended::Read(read)),
            Err(asked) => *asked,
        };
        let permitted = decide(self, aim(asked)?)?;
        if permitted.known.explains {
            return spend(self, explain(permitted)).await.map(Ended::Checked);
        }
        let answered = forward(self, take(self, permitted)?).await?;
        let minimised = minimise(self, answered)?;
        spend(self, check(minimised)?).await.map(Ended::Checked)
    }
}
