//! The logs before the present one, where a backup was restored: a look goes through all of them, or into one by its
//! name. The look goes on the record of the present log, since the earlier ones are closed.

use http::StatusCode;
use serde_json::{Value, json};

use crate::desk::{Chosen, Logs, LogsFault};
use crate::ledger::Earlier;

use super::{Admin, Refused};

impl Admin {
    /// All logs, or the one of this name. Blocks for a moment: the first records are read for the names.
    pub(super) fn chosen(&self, log: Option<&str>) -> Result<Chosen, Refused> {
        Chosen::of(&self.ledger, log).map_err(|fault| match fault {
            LogsFault::Unknown { .. } => Refused(StatusCode::UNPROCESSABLE_ENTITY, format!("`log`: {fault}")),
            fault => Refused(StatusCode::SERVICE_UNAVAILABLE, fault.to_string()),
        })
    }

    /// The earlier log of this name.
    pub(super) fn earlier(&self, log: &str) -> Result<Option<Earlier>, Refused> {
        self.chosen(Some(log)).map(Chosen::into_earlier)
    }
}

/// What was not looked into, for whoever would think that it was all.
pub(super) fn not_looked_into(logs: &Logs) -> Value {
    let absent = logs.absent.iter().map(|earlier| json!({ "log": earlier.log, "folder": earlier.folder }));
    let left_out = logs.left_out.iter().map(|log| json!({ "log": log, "folder": null }));
    absent.chain(left_out).collect()
}
