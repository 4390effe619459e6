//! What only a running gateway knows of agreements: acts and stops on its record, versions that were in force, grants
//! that were used. `agreement status`, `check` and `policy explain` judge the files here with it, and say when they
//! could not.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::ledger::Asked;
use crate::model::{AgreementRef, Digest, Life, LifeEvent};
use crate::policy::Reason;

/// As the gateway tells it.
#[derive(Debug, Default, Deserialize)]
struct Told {
    ruleset: String,
    events: Vec<String>,
    newer: HashMap<String, (u32, String)>,
    unusable: HashMap<String, String>,
}

/// What was found out, or nothing where no gateway answers.
#[derive(Debug)]
pub(super) struct Known {
    socket: PathBuf,
    told: Option<Told>,
    pub(super) life: Life,
}

impl Known {
    pub(super) fn ask(socket: &Path) -> Self {
        let (mut told, mut life) = (None::<Told>, Life::default());
        let asked = Asked::at(socket).ask("/standing", &json!({}), &mut |line| {
            let line: Value = serde_json::from_slice(line)?;
            told = line.get("done").map(Told::deserialize).transpose()?;
            Ok(())
        });
        let mut told = asked.ok().and(told);
        // An event this program cannot read is of a newer gateway, of which it then knows nothing for certain.
        let events = told.as_ref().map(|told| told.events.iter().map(|line| LifeEvent::parse(line)));
        match events.map(|events| events.collect::<Option<Vec<_>>>()) {
            Some(Some(events)) => events.into_iter().for_each(|event| life.note(event)),
            _ => told = None,
        }
        Self { socket: socket.to_path_buf(), told, life }
    }

    pub(super) fn is_asked(&self) -> bool {
        self.told.is_some()
    }

    /// The highest version of an agreement that was in force, and the digest of its bytes.
    pub(super) fn newer(&self, id: &str) -> Option<(u32, Digest)> {
        let (version, bytes) = self.told.as_ref()?.newer.get(id)?;
        Some((*version, Digest::parse(bytes)?))
    }

    /// Why a grant cannot be used any more.
    pub(super) fn unusable(&self, agreement: &AgreementRef) -> Option<&str> {
        self.told.as_ref()?.unusable.get(&agreement.to_string()).map(String::as_str)
    }

    /// Every reason why an agreement is not in force, each once.
    pub(super) fn why_not(&self, agreement: &AgreementRef, reasons: &[Reason]) -> Vec<String> {
        let mut why: Vec<String> = Vec::new();
        let told = self.unusable(agreement).map(str::to_owned);
        for reason in reasons.iter().map(ToString::to_string).chain(told) {
            if !why.contains(&reason) {
                why.push(reason);
            }
        }
        why
    }

    /// By what was judged, in a sentence; the ruleset is that of the files here.
    pub(super) fn sentence(&self, ruleset: &str) -> String {
        match &self.told {
            None => format!(
                "by the files alone: no gateway answers at {}, and what only its ledger knows (acts, stops, grants \
                 that were used) is not in this",
                self.socket.display()
            ),
            Some(told) if told.ruleset == ruleset => "as the running gateway has it".to_owned(),
            Some(_) => {
                "the running gateway goes by other files than these: changed files take force within two \
                        seconds, unless its log says that they were refused"
                    .to_owned()
            }
        }
    }
}
