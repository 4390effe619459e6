//! Route: the path names a dataset, a major version and an operation; or it does not, and nothing is
//! said about which part is unknown.

use std::sync::Arc;

use http::Method;
use hyper::body::Incoming;

use crate::desk::{Offer, OfferedOperation};
use crate::directory::Identity;

use super::accept::Known;
use super::identify::Identified;
use super::reading::Reading;
use super::signed::SignedHead;

/// A request with a target, known or unknown. It does not refuse: decide says `not_agreed` for an
/// unknown target by the same path as for no agreement.
pub struct Routed {
    pub(super) known: Box<Known>,
    pub(super) identity: Arc<Identity>,
    pub(super) target: Option<Target>,
    pub(super) incoming: Incoming,
    /// Whether it may read what is no question's to ask for.
    pub(super) reading: Option<Reading>,
    /// The head of a signed request, until its signature is verified.
    pub(super) signed: Option<SignedHead>,
}

/// What is asked for.
pub(super) struct Target {
    pub(super) offer: Arc<Offer>,
    pub(super) operation: Arc<OfferedOperation>,
}

pub(super) fn route(identified: Identified) -> Routed {
    let Identified { mut known, identity, parts, incoming } = identified;
    // HTTP/2 always names a scheme (RFC 9113 section 8.3.1); in HTTP/1.1 that is the form for proxies.
    let origin_form = parts.version == http::Version::HTTP_2 || parts.uri.scheme().is_none();
    // A query could carry an identifier into logs; no contract has one.
    let canonical = parts.method == Method::POST && parts.uri.query().is_none() && origin_form;
    let target = canonical.then(|| find(&known)).flatten();
    if let Some(target) = &target {
        known.target = Some((target.offer.contract.version.clone(), target.operation.operation.id.clone()));
    }
    let reading = Reading::of(&parts);
    let signed = SignedHead::of(parts);
    Routed { known, identity, target, incoming, reading, signed }
}

/// `/{dataset}/v{major}/{operation path}`, compared byte for byte: an encoded or doubled slash, a
/// dot segment or another case is another path, and unknown.
fn find(known: &Known) -> Option<Target> {
    let path = known.path.strip_prefix('/')?;
    let (dataset, rest) = path.split_once("/v")?;
    let slash = rest.find('/')?;
    let (major, operation) = rest.split_at_checked(slash)?;
    let offer = known.ruleset.offer(dataset, major)?;
    let operation = offer.operation_at(operation)?;
    Some(Target { offer: Arc::clone(offer), operation: Arc::clone(operation) })
}
