//! What stopped a question on this side: it could not be decided, or the system behind could not be asked. The
//! caller is told no more than that, and the record has it sealed; the host's log says what to mend.

use crate::model::Code;

use super::refusal::Refusal;
use super::road::Road;

/// Says why in the log, where it is the host's to mend and time to tell: also of refusals that are only counted.
pub(super) fn tell(road: &Road, refusal: &Refusal) {
    let (known, why) = (&refusal.known, &refusal.why);
    // The reasons of these are closed texts about policies, contracts, keys and connections, and hold no value;
    // what is wrong with an answer stays in sealed parts.
    let cause = refusal.cause;
    if !matches!(cause, Code::CannotDecide | Code::SourceUnavailable | Code::SourceTimeout) {
        return;
    }
    let dataset = known.target.as_ref().map(|(dataset, _)| dataset);
    let Some(exchanges) = road.quiet.count(dataset, cause.as_str(), road.clock.monotonic()) else { return };
    let reason = why.truth.as_deref().or(why.detail.as_deref()).unwrap_or_default();
    let (exchange, dataset) = (known.exchange, dataset.map(tracing::field::display));
    tracing::warn!(%exchange, dataset, cause = cause.as_str(), reason, exchanges, "a question could not be answered");
}
