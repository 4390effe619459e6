//! `POST /standing`: what this gateway knows of its agreements that no file says, for commands that read the files:
//! what parties and the host did, versions that were in force, and which grants cannot be used any more.
//!
//! Nothing of any exchange is in it, so that asking is no look into the record.

use std::sync::Arc;

use http::Response;
use serde_json::{Map, Value, json};

use crate::model::Digest;
use crate::policy::{Entry, Reason};

use super::Admin;
use super::body::Lines;

pub(super) fn standing(admin: &Admin) -> Response<Lines> {
    let ruleset = admin.ruleset.load();
    let life = admin.levers.lived.now();
    let events: Vec<String> = life.events().map(|event| event.line()).collect();
    let all = ruleset.register.all();
    let today = admin.clock.today();
    let newer = all.iter().filter(|entry| !entry.standing.holds()).filter_map(|entry| {
        let reasons = entry.standing.reasons(today);
        let seen = reasons.iter().find_map(|reason| match reason {
            Reason::OlderThanSeen { seen } | Reason::OtherThanSeen { seen } => Some(*seen),
            _ => None,
        })?;
        // Where its bytes are not here, no others are those that were in force.
        let id = &entry.agreement.reference.id;
        let held = |known: &&Arc<Entry>| {
            let reference = &known.agreement.reference;
            known.standing.holds() && reference.id == *id && reference.version == seen
        };
        let bytes = all.iter().find(held).map_or_else(|| Digest::of(b""), |known| known.agreement.digest);
        Some((id.to_string(), json!([seen, bytes.to_string()])))
    });
    let newer: Map<String, Value> = newer.collect();
    let unusable = all.iter().filter_map(|entry| {
        let why = unusable(admin, entry)?;
        Some((entry.agreement.reference.to_string(), json!(why)))
    });
    let unusable: Map<String, Value> = unusable.collect();
    let ruleset = ruleset.digest.to_string();
    Response::new(Lines::one(&json!({
        "done": { "ruleset": ruleset, "events": events, "newer": newer, "unusable": unusable }
    })))
}

/// Why a grant cannot be used any more, whatever its file says.
fn unusable(admin: &Admin, entry: &Entry) -> Option<&'static str> {
    let grant = entry.agreement.grant.as_ref()?;
    let uses = &admin.levers.uses;
    if uses.is_spent(&entry.agreement.reference.id) {
        return Some("spent: it was used, and is for one answer");
    }
    uses.restored_after(grant.decided)?;
    Some("a backup was restored since it was decided, and whether it was used is not known")
}
