//! What can happen with every question and need not be said with every one: somebody is told at most once a
//! minute for each dataset and cause, with how often it happened. Each exchange's record has its own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::model::DatasetVersion;

/// How long nothing more is said of one dataset and cause.
const QUIET: Duration = Duration::from_secs(60);

/// What was told and what was not since. As many entries as datasets, and one for none, for each of a handful of
/// causes.
#[derive(Debug, Default)]
pub struct Quiet(Mutex<HashMap<(Option<DatasetVersion>, &'static str), Told>>);

#[derive(Debug, Clone, Copy)]
struct Told {
    at: Duration,
    /// Exchanges since, of which nothing was said.
    since: u64,
}

impl Quiet {
    /// Counts an exchange. Gives how many there were, this one among them, when it is time to tell.
    pub(super) fn count(
        &self,
        dataset: Option<&DatasetVersion>,
        cause: &'static str,
        now: Duration,
    ) -> Option<u64> {
        // Each change is one step, so a holder that panicked left nothing half done.
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (dataset.cloned(), cause);
        let Some(last) = told.get_mut(&key) else {
            told.insert(key, Told { at: now, since: 0 });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DatasetId;

    #[test]
    fn each_dataset_and_cause_is_told_once_a_minute_with_what_happened_since() {
        let quiet = Quiet::default();
        let dataset = |id: &str| DatasetVersion { dataset: DatasetId::new(id).unwrap(), major: 1 };
        let (taxi, child) = (dataset("taxi-licence"), dataset("child-protection"));
        let at = Duration::from_secs;
        assert_eq!(quiet.count(Some(&taxi), "drift", at(0)), Some(1));
        assert_eq!(quiet.count(Some(&taxi), "drift", at(1)), None);
        assert_eq!(quiet.count(Some(&taxi), "drift", at(59)), None);
        assert_eq!(quiet.count(Some(&taxi), "safe_address_dropped", at(59)), Some(1));
        assert_eq!(quiet.count(Some(&child), "drift", at(59)), Some(1));
        assert_eq!(quiet.count(None, "drift", at(59)), Some(1));
        assert_eq!(quiet.count(Some(&taxi), "drift", at(60)), Some(3));
        assert_eq!(quiet.count(Some(&taxi), "drift", at(61)), None);
    }
}
