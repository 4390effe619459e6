//! Identify: the certificate is exactly one known system of the member whose anchor ended its chain.

use std::sync::Arc;

use http::request::Parts;
use hyper::body::Incoming;

use crate::config::ExpiredCrl;
use crate::desk::Ruleset;
use crate::directory::{Identity, IdentityFault};
use crate::model::Code;

use super::accept::{Accepted, Connection, Known};
use super::bearer;
use super::chains;
use super::odd::Odd;
use super::read::Asked;
use super::refusal::{Refusal, Why};
use super::road::Worker;

/// A request from a known system.
pub struct Identified {
    pub(super) known: Box<Known>,
    pub(super) identity: Arc<Identity>,
    pub(super) parts: Parts,
    pub(super) incoming: Incoming,
}

pub(super) async fn identify(
    worker: &Worker,
    connection: &Connection,
    accepted: Accepted,
) -> Result<Identified, Refusal> {
    let Accepted { mut known, parts, incoming, odd } = accepted;
    let identity = match current(worker, connection, &known) {
        Ok(identity) => identity,
        Err(code) => return Err(Refusal::new(known, code)),
    };
    known.consumer = Some(identity.system().clone());
    known.chain = chains::shown(worker, connection, &identity.system().member).await;
    if let Some(Odd(why)) = odd {
        return Err(Refusal::new(known, Why::new(Code::MalformedHttp).detail(why)));
    }
    match bearer::present(worker, &mut known, &identity, &parts.headers).await {
        Ok(()) => Ok(Identified { known, identity, parts, incoming }),
        Err(why) => Err(Refusal::new(known, why)),
    }
}

/// The identity under the exchange's ruleset; why there is none goes to the host's log, once for a connection and
/// an epoch.
fn current(worker: &Worker, connection: &Connection, known: &Known) -> Result<Arc<Identity>, Code> {
    whose(worker, connection, &known.ruleset).map_err(|(code, fault)| {
        // Whoever it is may ask without end.
        let epoch = Some(known.ruleset.epoch);
        if connection.told_nobody.replace(epoch) != epoch {
            tracing::warn!(exchange = %known.exchange, fault, "a certificate names no system");
        }
        code
    })
}

/// Whose connection this is under a ruleset, or what the caller and the log are told; looked up once an
/// epoch, dates compared every time.
pub(super) fn whose(
    worker: &Worker,
    connection: &Connection,
    ruleset: &Ruleset,
) -> Result<Arc<Identity>, (Code, &'static str)> {
    match find(connection, ruleset) {
        Ok(identity) => in_time(worker, &identity).map(|()| identity).map_err(|code| (code, "expired")),
        Err(fault) => Err((fault.code(), fault.as_str())),
    }
}

/// A body may come slowly: if anything changed meanwhile, whoever asks must still be who they were. The question
/// stays under the ruleset it began with.
pub(super) fn still(worker: &Worker, connection: &Connection, asked: Asked) -> Result<Asked, Refusal> {
    let ruleset = worker.road.ruleset();
    if ruleset.epoch == asked.known.ruleset.epoch {
        return Ok(asked);
    }
    let gone = match find(connection, &ruleset) {
        Ok(identity) if identity.system() == asked.identity.system() => in_time(worker, &identity).err(),
        Ok(_) => Some(Code::CertificateNotAccepted),
        Err(fault) => Some(fault.code()),
    };
    match gone {
        None => Ok(asked),
        Some(code) => Err(Refusal::new(asked.known, code)),
    }
}

/// A connection may outlive its certificate, and what is known of revocations.
pub(super) fn in_time(worker: &Worker, identity: &Identity) -> Result<(), Code> {
    let now = worker.road.clock.now();
    if now > identity.not_after() {
        return Err(Code::CertificateNotAccepted);
    }
    let refuse = worker.road.bounds.expired_crl == ExpiredCrl::Refuse;
    if refuse && identity.known_until().is_some_and(|until| now > until) {
        return Err(Code::RevocationUnknown);
    }
    Ok(())
}

/// The identity under a ruleset, looked up once for each epoch.
pub(super) fn find(connection: &Connection, ruleset: &Ruleset) -> Result<Arc<Identity>, IdentityFault> {
    let epoch = ruleset.epoch;
    let cached =
        connection.identity.borrow().as_ref().filter(|(at, _)| *at == epoch).map(|(_, found)| found.clone());
    cached.unwrap_or_else(|| {
        let peer = &connection.peer;
        let found = ruleset.directory.identity(peer.leaf(), peer.path()).map(Arc::new);
        *connection.identity.borrow_mut() = Some((epoch, found.clone()));
        found
    })
}
