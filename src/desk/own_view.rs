//! What one system may ask of one dataset today: the operations, and for each the agreements in force
//! under which it may, with what they leave to be stated. From this `openapi.json`, its examples and what
//! a host hands over are written.

use jiff::civil::Date;
use serde_json::Value;

use crate::contract::{self, NoWishes, Which};
use crate::model::{Assurance, Effect, ReasonWanted, SystemId};
use crate::policy::{Agreement, ConsumerSystem, Entry};

use super::ruleset::{Offer, OfferedOperation, Ruleset};

/// A user stated in examples; nobody.
const EXAMPLE_USER: &str = "firstname.surname";
/// A reason stated in examples, and a case; nobody's.
const EXAMPLE_REASON: &str = "R1 why it is asked";
const EXAMPLE_CASE: &str = "CASE-0001";
/// Stands for an access token.
const EXAMPLE_TOKEN: &str = "Bearer TOKEN";
/// Stands for a key that is made anew for each change.
const EXAMPLE_KEY: &str = "00000000-0000-4000-8000-000000000001";

/// One system's view of one dataset.
pub struct OwnView<'r> {
    pub offer: &'r Offer,
    pub system: &'r SystemId,
    /// At least one, in the order of the contract.
    pub operations: Vec<OwnOperation<'r>>,
}

/// An operation this system may ask.
pub struct OwnOperation<'r> {
    pub offered: &'r OfferedOperation,
    /// At least one, in order of their ids.
    pub under: Vec<Under<'r>>,
}

/// An agreement in force, and what it says for this operation and system.
pub struct Under<'r> {
    pub agreement: &'r Agreement,
    pub system: &'r ConsumerSystem,
    /// The answer as this agreement releases it: JSON Schema.
    pub released: Value,
}

/// A header the caller has to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub name: &'static str,
    pub why: &'static str,
    /// The values it may have; none if that is free.
    pub values: Vec<String>,
    pub example: String,
}

impl<'r> OwnView<'r> {
    /// Whether there is one, as far as that can be told without making it.
    pub fn is_there(ruleset: &Ruleset, system: &SystemId, dataset: &str, major: &str, today: Date) -> bool {
        let Some(offer) = ruleset.offer(dataset, major) else { return false };
        let version = &offer.contract.version;
        offer.contract.operations.iter().any(|operation| {
            let candidates = ruleset.register.candidates(system, version, &operation.id);
            !newest(candidates, today).is_empty()
        })
    }

    /// What `system` may ask of the dataset at a major version, both as spelt in a path. `None` for a
    /// dataset that is not here as for one it has no agreement in force for.
    pub fn of(
        ruleset: &'r Ruleset,
        system: &'r SystemId,
        dataset: &str,
        major: &str,
        today: Date,
    ) -> Option<Self> {
        let offer = ruleset.offer(dataset, major)?;
        let operations: Vec<OwnOperation<'r>> = offer
            .contract
            .operations
            .iter()
            .filter_map(|operation| {
                let offered = offer.operation_at(&operation.path)?;
                let candidates = ruleset.register.candidates(system, &offer.contract.version, &operation.id);
                let under: Vec<Under<'r>> = newest(candidates, today)
                    .into_iter()
                    .filter_map(|entry| {
                        let agreement = &*entry.agreement;
                        let released = ruleset.terms(&agreement.reference, &operation.id)?.released().ok()?;
                        Some(Under { agreement, system: agreement.system(system)?, released })
                    })
                    .collect();
                (!under.is_empty()).then_some(OwnOperation { offered, under })
            })
            .collect();
        (!operations.is_empty()).then_some(Self { offer, system, operations })
    }

    /// The agreements over all operations, each once.
    pub fn agreements(&self) -> Vec<&Under<'r>> {
        let mut all: Vec<&Under<'r>> = Vec::new();
        for under in self.operations.iter().flat_map(|operation| &operation.under) {
            if !all.iter().any(|known| known.agreement.reference == under.agreement.reference) {
                all.push(under);
            }
        }
        all
    }
}

/// Those in force, of each agreement the newest version: as a question is answered.
fn newest(candidates: &[std::sync::Arc<Entry>], today: Date) -> Vec<&Entry> {
    let mut newest: Vec<&Entry> = Vec::new();
    for entry in candidates.iter().filter(|entry| entry.standing.in_force(today)) {
        let reference = &entry.agreement.reference;
        match newest.iter_mut().find(|known| known.agreement.reference.id == reference.id) {
            Some(known) if known.agreement.reference.version < reference.version => *known = entry,
            Some(_) => {}
            None => newest.push(entry),
        }
    }
    newest.sort_by(|a, b| a.agreement.reference.id.cmp(&b.agreement.reference.id));
    newest
}

impl OwnOperation<'_> {
    /// The headers a question under one of the agreements has to carry: only those that leave a choice.
    pub fn wanted(&self, under: &Under<'_>) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        if self.under.len() > 1 {
            let values = self.under.iter().map(|under| under.agreement.reference.id.to_string()).collect();
            let example = under.agreement.reference.id.to_string();
            wanted.push(Wanted {
                name: "Tolbooth-Agreement",
                why: "several agreements fit",
                values,
                example,
            });
        }
        let choice = |name, why, values: Vec<String>| {
            let example = values.first().cloned().unwrap_or_default();
            (values.len() > 1).then_some(Wanted { name, why, values, example })
        };
        let purposes = under.system.purposes.iter().map(|purpose| purpose.as_str().to_owned()).collect();
        wanted.extend(choice("Tolbooth-Purpose", "the agreement allows several purposes", purposes));
        let roles = under.system.roles.iter().map(ToString::to_string).collect();
        wanted.extend(choice("Tolbooth-Role", "the agreement allows several roles", roles));
        let free =
            |name, why, example: &str| Wanted { name, why, values: Vec::new(), example: example.to_owned() };
        if under.agreement.user_required {
            let why = "the agreement wants the user stated, who is recorded as stated";
            wanted.push(free("Tolbooth-User", why, EXAMPLE_USER));
        }
        if under.agreement.reason != ReasonWanted::None {
            let why = match under.agreement.reason {
                ReasonWanted::CodeAndText => {
                    "the agreement wants a reason code and, after a blank, an explanation"
                }
                _ => "the agreement wants a reason code",
            };
            wanted.push(free("Tolbooth-Reason", why, EXAMPLE_REASON));
        }
        if under.agreement.case_required {
            wanted.push(free("Tolbooth-Case", "the agreement wants the case stated", EXAMPLE_CASE));
        }
        if under.agreement.assurance >= Assurance::Token {
            let why = "the agreement wants an access token, which POST /token gives out";
            wanted.push(free("Authorization", why, EXAMPLE_TOKEN));
        }
        if self.offered.operation.effect == Effect::Changes {
            let why = "a change is asked for once under one key, made anew for each";
            wanted.push(free("Idempotency-Key", why, EXAMPLE_KEY));
        }
        wanted
    }

    /// A question that fits the contract, from its own examples where it has some; `None` where none can
    /// be made.
    pub fn question(&self) -> Option<Value> {
        contract::example(&self.offered.operation.question_schema, FOR_PEOPLE, &NoWishes).ok()
    }
}

impl Under<'_> {
    /// An answer as it might be, of nobody.
    pub fn answer(&self) -> Option<Value> {
        contract::example(&self.released, Which { variant: 0, whole: true }, &NoWishes).ok()
    }
}

/// The least that is a question, from the contract's first examples.
const FOR_PEOPLE: Which = Which { variant: 0, whole: false };
