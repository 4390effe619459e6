//! What the record says of the use of agreements, as the running gateway tells it (`desk/report/uses.rs`).

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::model::{AgreementId, AgreementRef};

/// Uses of all agreements, by version.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Its first record: what is not in it since may have been before. `None` where that is not known.
    begun: Option<Timestamp>,
    uses: HashMap<AgreementRef, Used>,
}

/// Of one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Used {
    /// The last answer.
    pub last: Option<Timestamp>,
    pub recent_answers: u64,
    pub recent_limits: u64,
    /// A grant that was used.
    pub spent: bool,
}

impl Record {
    /// Of the head of the report.
    pub fn new(head: &Value) -> Self {
        let begun = head.get("begun").and_then(Value::as_str).and_then(|text| text.parse().ok());
        Self { begun, uses: HashMap::new() }
    }

    /// Takes one line of it; `None` if it is none.
    pub fn take(&mut self, line: &Value) -> Option<()> {
        let (id, version) = line.get("agreement")?.as_str()?.split_once('@')?;
        let id = AgreementId::new(id).ok()?;
        let count = |key| line.get(key).and_then(Value::as_u64);
        let used = Used {
            last: match line.get("last") {
                None | Some(Value::Null) => None,
                Some(last) => Some(last.as_str()?.parse().ok()?),
            },
            recent_answers: count("recent_answers")?,
            recent_limits: count("recent_limits")?,
            spent: line.get("used")?.as_bool()?,
        };
        self.uses.insert(AgreementRef { id, version: version.parse().ok()? }, used);
        Some(())
    }

    pub(super) fn of(&self, agreement: &AgreementRef) -> Used {
        self.uses.get(agreement).cloned().unwrap_or_default()
    }

    /// The newest version that ever gave an answer: an older one is never in force again.
    pub(super) fn newest_answered(&self, id: &AgreementId) -> Option<u32> {
        let of_id = self.uses.iter().filter(|(agreement, used)| agreement.id == *id && used.last.is_some());
        of_id.map(|(agreement, _)| agreement.version).max()
    }

    /// Whether it goes back so far.
    pub(super) fn knows_since(&self, moment: Timestamp) -> bool {
        self.begun.is_some_and(|begun| begun <= moment)
    }
}
