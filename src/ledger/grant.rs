//! The use of a grant, as a record of its own: durable before the answer it was used for can leave, and the one
//! thing that says for ever that it was used. `schemas/entry/grant.json` says how it is written.

use super::object::Object;
use crate::model::{AgreementRef, Digest, ExchangeId, MemberId, SystemId};

/// A grant is about to be used.
#[derive(Debug)]
pub struct GrantUse {
    pub exchange: ExchangeId,
    pub consumer: SystemId,
    pub provider: MemberId,
    /// With the digest of its exact bytes.
    pub grant: (AgreementRef, Digest),
}

pub(super) fn envelope(object: &mut Object<'_>, used: &GrantUse) {
    object.plain("exchange", &used.exchange);
    object.plain("consumer", &used.consumer);
    object.plain("provider", &used.provider);
    object.plain("agreement", &used.grant.0);
    object.digest("agreement_digest", &used.grant.1);
}
