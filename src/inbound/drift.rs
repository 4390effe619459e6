//! Fields nobody agreed to, that a system behind keeps sending: each exchange's record has their names,
//! and somebody is told now and then.

use std::sync::Arc;

use crate::ledger::{Alarm, Record};
use crate::model::{DatasetVersion, ExchangeId};

use super::road::Road;

/// Counts it, and where it is time says it in the log and on the record, beside the exchange.
pub(super) fn alarm(
    road: &Arc<Road>,
    exchange: ExchangeId,
    dataset: &DatasetVersion,
    cause: &'static str,
    names: &[String],
) {
    road.metrics.alarm(cause, dataset.dataset.as_str());
    let Some(exchanges) = road.quiet.count(Some(dataset), cause, road.clock.monotonic()) else { return };
    // Names are the system's own words and could be anything: they go to sealed parts alone.
    let fields = names.len();
    tracing::warn!(%exchange, %dataset, alarm = cause, fields, exchanges, "the system behind sent fields the contract does not know; they were dropped");
    let detail = Some(format!("exchanges since it was last told: {exchanges}"));
    let alarm = Alarm { cause, dataset: Some(dataset.clone()), detail, dropped: names.to_vec() };
    let road = Arc::clone(road);
    tokio::task::spawn_local(async move {
        if let Err(fault) = road.ledger.append(Record::Alarm(alarm)).await {
            tracing::error!(%fault, "an alarm could not be recorded");
        }
    });
}
