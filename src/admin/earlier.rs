//! The logs before the present one, where a backup was restored: each is looked into by its name. The look goes on
//! the record of the present log, since the earlier one is closed.

use http::StatusCode;
use serde_json::{Value, json};

use crate::ledger::Earlier;

use super::{Admin, Refused};

impl Admin {
    /// The earlier log of this name. Blocks for a moment: the first records are read for the names.
    pub(super) fn earlier(&self, log: &str) -> Result<Earlier, Refused> {
        let all = self.ledger.earlier().map_err(|fault| {
            Refused(StatusCode::SERVICE_UNAVAILABLE, format!("the earlier logs cannot be read: {fault}"))
        })?;
        all.iter().find(|earlier| earlier.log == log).cloned().ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|earlier| earlier.log.as_str()).collect();
            let there = if names.is_empty() { "there is none".to_owned() } else { names.join(", ") };
            Refused(StatusCode::UNPROCESSABLE_ENTITY, format!("`log` is no earlier log here: {there}"))
        })
    }

    /// The names of the logs before this one, for whoever looked into this one alone.
    pub(super) fn earlier_names(&self) -> Value {
        match self.ledger.earlier() {
            Ok(all) => all.iter().map(|earlier| Value::from(earlier.log.as_str())).collect(),
            Err(fault) => json!([format!("(cannot be read: {fault})")]),
        }
    }
}
