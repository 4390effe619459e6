//! `[[party]]`: who shares with whom, and what each system of a consumer may assert.

use crate::config::strict::Table;
use crate::model::{MemberId, PurposeCode, RoleId, SharingKind, SystemName};
use crate::policy::agreement::{ConsumerSystem, Party, Side};

use super::{distinct, names, party};

/// What a format asks of a party beyond its name and systems.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    Format1,
    Format2 { kind: Option<SharingKind> },
}

pub(super) fn read(root: &Table<'_>, purpose: Option<PurposeCode>, wanted: Wanted) -> Option<Vec<Party>> {
    let tables = root.tables("party");
    let mut parties: Vec<Party> = Vec::with_capacity(tables.len());
    for table in &tables {
        let Some(party) = one(table, purpose, wanted) else { continue };
        if parties.iter().any(|known| known.member == party.member) {
            table.fault(format!("`{}` is a party twice", party.member));
        } else {
            parties.push(party);
        }
    }
    // Counting parties that could not be read would only bring follow-on faults.
    if parties.len() < tables.len() {
        return None;
    }
    let of = |side| parties.iter().filter(|party| party.side == side).count();
    let whole = of(Side::Provider) == 1 && of(Side::Consumer) >= 1;
    if !whole {
        root.fault_with_help(
            format!(
                "{} providers and {} consumers: wanted exactly one provider and at least one consumer",
                of(Side::Provider),
                of(Side::Consumer)
            ),
            "each party is a [[party]] with `member` and `side`",
        );
    }
    whole.then_some(parties)
}

fn one(table: &Table<'_>, purpose: Option<PurposeCode>, wanted: Wanted) -> Option<Party> {
    let member = table.required("member").and_then(|item| item.parsed(MemberId::new));
    let sides: &[Side] = match wanted {
        Wanted::Format1 => &Side::SIMPLE,
        Wanted::Format2 { .. } => &Side::ALL,
    };
    let side = table.required("side").and_then(|item| item.word(sides, Side::as_str));
    let systems = systems(table, purpose);
    let particulars = match wanted {
        Wanted::Format1 => Some(None),
        Wanted::Format2 { kind } => party::particulars(table, kind).map(|said| Some(Box::new(said))),
    };
    let (side, systems) = (side?, systems?);
    match (side, systems.is_empty()) {
        (Side::Consumer, true) => {
            table.fault("a consumer needs at least one [[party.system]]");
            return None;
        }
        (Side::Consumer, false) | (Side::Provider | Side::Processor | Side::Observer, true) => {}
        (Side::Provider | Side::Processor | Side::Observer, false) => {
            table.fault(format!("a {} has no [[party.system]]: only consumers ask", side.as_str()));
            return None;
        }
    }
    Some(Party { member: member?, side, systems, particulars: particulars?, line: table.line() })
}

fn systems(party: &Table<'_>, purpose: Option<PurposeCode>) -> Option<Vec<ConsumerSystem>> {
    let tables = party.tables("system");
    let mut systems: Vec<ConsumerSystem> = Vec::with_capacity(tables.len());
    for table in &tables {
        let Some(system) = system(table, purpose) else { continue };
        if systems.iter().any(|known| known.id == system.id) {
            table.fault(format!("system `{}` is listed twice", system.id));
        } else {
            systems.push(system);
        }
    }
    (systems.len() == tables.len()).then_some(systems)
}

fn system(table: &Table<'_>, purpose: Option<PurposeCode>) -> Option<ConsumerSystem> {
    let id = table.required("id").and_then(|item| item.parsed(SystemName::new));
    let roles = match table.optional("roles") {
        Some(item) => item.list().and_then(|items| distinct(&items, |item| item.parsed(RoleId::new))),
        None => Some(Vec::new()),
    };
    let purposes = table.required("purposes").and_then(|item| {
        names(&item, |item| {
            let given = item.word(PurposeCode::ALL, PurposeCode::as_str)?;
            // Unless the agreement's own could not be read: that is its own fault.
            match purpose {
                Some(agreed) if agreed != given => {
                    item.fault(format!("`{given}` is not the agreement's purpose, `{agreed}`"));
                    None
                }
                _ => Some(given),
            }
        })
    });
    Some(ConsumerSystem { id: id?, roles: roles?, purposes: purposes? })
}
