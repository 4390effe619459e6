//! Fields nobody agreed to, that a system behind keeps sending: each exchange's record has their names,
//! and somebody is told at most once a minute for each dataset and cause, with how often it happened.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::ledger::{Alarm, Record};
use crate::model::{DatasetVersion, ExchangeId};

use super::road::Road;

/// How long nothing more is said of one dataset and cause.
const QUIET: Duration = Duration::from_secs(60);

/// What was told and what was not since. As many entries as datasets, twice.
#[derive(Debug, Default)]
pub struct Drift(Mutex<HashMap<(DatasetVersion, &'static str), Told>>);

#[derive(Debug, Clone, Copy)]
struct Told {
    at: Duration,
    /// Exchanges since, of which nothing was said.
    since: u64,
}

impl Drift {
    /// Counts an exchange. Gives how many there were, this one among them, when it is time to tell.
    fn count(&self, dataset: &DatasetVersion, cause: &'static str, now: Duration) -> Option<u64> {
        // Each change is one step, so a holder that panicked left nothing half done.
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = told.get_mut(&(dataset.clone(), cause)) else {
            told.insert((dataset.clone(), cause), Told { at: now, since: 0 });
            return Some(1);
        };
        if now.saturating_sub(last.at) < QUIET {
            last.since += 1;
            return None;
        }
        let exchanges = last.since + 1;
        *last = Told { at: now, since: 0 };
        Some(exchanges)
    }
}

/// Counts it, and where it is time says it in the log and on the record, beside the exchange.
pub(super) fn alarm(
    road: &Arc<Road>,
    exchange: ExchangeId,
    dataset: &DatasetVersion,
    cause: &'static str,
    names: &[String],
) {
    road.metrics.alarm(cause, dataset.dataset.as_str());
    let Some(exchanges) = road.drift.count(dataset, cause, road.clock.monotonic()) else { return };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DatasetId;

    #[test]
    fn each_dataset_and_cause_is_told_once_a_minute_with_what_happened_since() {
        let drift = Drift::default();
        let dataset = |id: &str| DatasetVersion { dataset: DatasetId::new(id).unwrap(), major: 1 };
        let at = Duration::from_secs;
        assert_eq!(drift.count(&dataset("taxi-licence"), "drift", at(0)), Some(1));
        assert_eq!(drift.count(&dataset("taxi-licence"), "drift", at(1)), None);
        assert_eq!(drift.count(&dataset("taxi-licence"), "drift", at(59)), None);
        assert_eq!(drift.count(&dataset("taxi-licence"), "safe_address_dropped", at(59)), Some(1));
        assert_eq!(drift.count(&dataset("child-protection"), "drift", at(59)), Some(1));
        assert_eq!(drift.count(&dataset("taxi-licence"), "drift", at(60)), Some(3));
        assert_eq!(drift.count(&dataset("taxi-licence"), "drift", at(61)), None);
    }
}
