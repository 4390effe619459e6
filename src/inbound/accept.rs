//! Accept: a request head on a connection whose chain TLS has verified becomes an exchange with an
//! id, a nonce and the ruleset it will run under to its end.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use hyper::body::Incoming;

use crate::desk::Ruleset;
use crate::directory::{Identity, IdentityFault};
use crate::ledger::ShownChain;
use crate::model::{
    Assurance, Code, DatasetVersion, ExchangeId, OperationId, PurposeCode, RoleId, Stated, Subject, SystemId,
};
use crate::tls::PeerCertificate;

use super::allowance::Allowance;
use super::claims::Claims;
use super::odd::{self, Malformed, Odd};
use super::refusal::{Refusal, Why};
use super::road::Worker;

/// Who a peer is, and the epoch it was found under.
pub(super) type FoundAt = (u64, Result<Arc<Identity>, IdentityFault>);

/// A partner's open connection. Who it is was proven by TLS; whether that still counts is asked
/// again whenever the ruleset changes, so that a revocation acts on open connections.
pub struct Connection {
    pub(super) peer: PeerCertificate,
    /// The identity and the epoch it was found under.
    pub(super) identity: RefCell<Option<FoundAt>>,
    /// Its member's allowance and the epoch it was found under.
    pub(super) allowance: RefCell<Option<(u64, Arc<Allowance>)>>,
    /// The epoch under which it was said in the log that nobody known is on it.
    pub(super) told_nobody: Cell<Option<u64>>,
    /// What its peer showed, until that is kept.
    pub(super) shown: RefCell<Option<Arc<str>>>,
    /// How records name that; found once.
    pub(super) chain: Cell<Option<ShownChain>>,
}

impl Connection {
    pub fn new(mut peer: PeerCertificate) -> Self {
        let shown = RefCell::new(peer.take_shown().map(Arc::from));
        Self {
            peer,
            identity: RefCell::default(),
            allowance: RefCell::default(),
            told_nobody: Cell::default(),
            shown,
            chain: Cell::default(),
        }
    }
}

/// Everything known of an exchange so far; each stage adds to it, and the record is made from it.
pub(super) struct Known {
    pub(super) exchange: ExchangeId,
    pub(super) nonce: [u8; 32],
    pub(super) started: Instant,
    pub(super) ruleset: Arc<Ruleset>,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) claims: Claims,
    pub(super) body: Bytes,
    /// Bytes of the body that were read, whatever became of them.
    pub(super) arrived: usize,
    pub(super) consumer: Option<SystemId>,
    /// Which certificates proved that.
    pub(super) chain: Option<ShownChain>,
    /// What is proven of who asks, so far.
    pub(super) assurance: Assurance,
    /// What the caller's token says, if there is one: verified, and for this caller.
    pub(super) token: Option<Arc<crate::token::Claims>>,
    pub(super) target: Option<(DatasetVersion, OperationId)>,
    pub(super) agreement: Option<Arc<crate::policy::Agreement>>,
    pub(super) purpose: Option<Stated<PurposeCode>>,
    pub(super) role: Option<Stated<RoleId>>,
    /// From the question and, later, from the rows that left.
    pub(super) subjects: Vec<Subject>,
    /// Names the source sent and the contract does not know.
    pub(super) dropped: Vec<String>,
    pub(super) rows_excluded: u64,
    /// Whether an intent record is open for this exchange.
    pub(super) intent: bool,
    /// Its place among the answers of its day, where the agreement limits those; given back when this goes.
    pub(super) of_day: Option<crate::policy::DayUse>,
    /// The grant it has taken, until that is spent; free again when this goes.
    pub(super) taken: Option<crate::policy::Use>,
    /// Bytes the ledger took for it before its end.
    pub(super) recorded: usize,
    /// Whether it asks what would be answered, and not for an answer.
    pub(super) explains: bool,
}

/// A request on its way: the head read, the body not yet.
pub struct Accepted {
    pub(super) known: Box<Known>,
    pub(super) parts: Parts,
    pub(super) incoming: Incoming,
    /// Refused once it is known whose it is, so that it is on the record.
    pub(super) odd: Option<Odd>,
}

pub(super) fn accept(worker: &Worker, parts: Parts, incoming: Incoming) -> Result<Accepted, Refusal> {
    let ruleset = worker.road.ruleset();
    let random: Option<[u8; 42]> = crate::crypto::random();
    let (id, nonce) = random.as_ref().map_or(([0; 10], [0; 32]), split);
    let (claims, odd) = match (odd::find(&parts), Claims::read(&parts.headers)) {
        (None, Ok(claims)) => (claims, None),
        (None, Err(odd)) => (Claims::default(), Some(odd.into())),
        (odd, _) => (Claims::default(), odd),
    };
    // Of a head that was none nothing is known, and nothing is made up.
    let none = parts.extensions.get::<Malformed>().is_some();
    let line = |part: &str| if none { String::new() } else { part.to_owned() };
    let known = Box::new(Known {
        exchange: ExchangeId::new(worker.road.clock.unix_ms(), id),
        nonce,
        started: worker.road.clock.instant(),
        ruleset,
        method: line(parts.method.as_str()),
        path: line(parts.uri.path()),
        claims,
        body: Bytes::new(),
        arrived: 0,
        consumer: None,
        chain: None,
        // The handshake has proven it, or there were no request.
        assurance: Assurance::Certificate,
        token: None,
        target: None,
        agreement: None,
        purpose: None,
        role: None,
        subjects: Vec::new(),
        dropped: Vec::new(),
        rows_excluded: 0,
        intent: false,
        of_day: None,
        taken: None,
        recorded: 0,
        explains: false,
    });
    if random.is_none() {
        let why = Why::new(Code::CannotDecide).truth("the operating system gave no random bytes");
        return Err(Refusal::new(known, why));
    }
    Ok(Accepted { known, parts, incoming, odd })
}

fn split(random: &[u8; 42]) -> ([u8; 10], [u8; 32]) {
    let mut id = [0; 10];
    let mut nonce = [0; 32];
    let (first, rest) = random.split_at(10);
    id.copy_from_slice(first);
    nonce.copy_from_slice(rest);
    (id, nonce)
}
