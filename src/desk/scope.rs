//! What a system may be given a token for: the agreements in force that list it, and its purposes in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;

use crate::model::{AgreementId, PurposeCode, SystemId};
use crate::token::Scope;

use super::Ruleset;

/// Agreements one token names: with the longest ids it still fits [`crate::token::TOKEN_BYTES_MAX`].
pub const SCOPE_AGREEMENTS_MAX: usize = 48;

/// Why there is no such scope for a system. Says nothing of agreements that are not the system's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeFault {
    /// Not words of the form `agreement:<id>` and `purpose:<code>`.
    Form,
    /// More than the agreements in force give the system, or nothing at all.
    NotAgreed,
    TooMany,
}

impl fmt::Display for ScopeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "A scope is made of agreement:ID and purpose:CODE with one blank between them.",
            Self::NotAgreed => "No agreement in force gives this system all of that.",
            Self::TooMany => {
                return write!(
                    f,
                    "A token names at most {SCOPE_AGREEMENTS_MAX} agreements: name those it is for."
                );
            }
        })
    }
}

/// The scope of a token for `system`: all it may have, or what of that is `asked` for.
pub fn scope_of(
    ruleset: &Ruleset,
    system: &SystemId,
    today: Date,
    asked: Option<&str>,
) -> Result<Scope, ScopeFault> {
    let asked = asked.map(|text| Scope::parse(text).ok_or(ScopeFault::Form)).transpose()?.unwrap_or_default();
    let mut held: BTreeMap<&AgreementId, BTreeSet<PurposeCode>> = BTreeMap::new();
    for entry in ruleset.register.of(system).filter(|entry| entry.standing.in_force(today)) {
        let Some(listed) = entry.agreement.system(system) else { continue };
        held.entry(&entry.agreement.reference.id).or_default().extend(listed.purposes.iter().copied());
    }
    if asked.agreements.iter().any(|id| !held.contains_key(id)) {
        return Err(ScopeFault::NotAgreed);
    }
    let mut scope = Scope::default();
    for (id, purposes) in held {
        let named = asked.agreements.is_empty() || asked.agreements.contains(id);
        let wanted = |code: &PurposeCode| asked.purposes.is_empty() || asked.purposes.contains(code);
        let purposes: Vec<PurposeCode> = purposes.into_iter().filter(wanted).collect();
        if named && !purposes.is_empty() {
            scope.agreements.insert(id.clone());
            scope.purposes.extend(purposes);
        }
    }
    // What was asked for is given whole or not at all: a caller would learn of less only when it asks.
    let whole = asked.agreements.is_subset(&scope.agreements) && asked.purposes.is_subset(&scope.purposes);
    if !whole || scope.agreements.is_empty() {
        return Err(ScopeFault::NotAgreed);
    }
    if scope.agreements.len() > SCOPE_AGREEMENTS_MAX {
        return Err(ScopeFault::TooMany);
    }
    Ok(scope)
}
