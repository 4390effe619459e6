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
    let mut held = Held::new();
    for entry in ruleset.register.of(system).filter(|entry| entry.standing.in_force(today)) {
        let Some(listed) = entry.agreement.system(system) else { continue };
        held.entry(&entry.agreement.reference.id).or_default().extend(listed.purposes.iter().copied());
    }
    narrow(held, &asked)
}

/// What a system has: its agreements, and its purposes in each.
type Held<'a> = BTreeMap<&'a AgreementId, BTreeSet<PurposeCode>>;

/// What was asked for is given whole or not at all: of less a caller would learn only when it asks.
fn narrow(held: Held<'_>, asked: &Scope) -> Result<Scope, ScopeFault> {
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
    let whole = asked.agreements.is_subset(&scope.agreements) && asked.purposes.is_subset(&scope.purposes);
    if !whole || scope.agreements.is_empty() {
        return Err(ScopeFault::NotAgreed);
    }
    if scope.agreements.len() > SCOPE_AGREEMENTS_MAX {
        return Err(ScopeFault::TooMany);
    }
    Ok(scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_what_is_held_or_a_part_of_it() {
        use PurposeCode::{DirectCare, Research, SafeguardingChild};
        let ids = ["a", "b"].map(|id| AgreementId::new(id).unwrap());
        let [a, b] = &ids;
        let held = || Held::from([(a, BTreeSet::from([DirectCare])), (b, BTreeSet::from([Research]))]);
        let narrowed = |asked: &str| {
            let asked = if asked.is_empty() { Scope::default() } else { Scope::parse(asked).unwrap() };
            narrow(held(), &asked).map(|scope| scope.to_string())
        };
        let all = "agreement:a agreement:b purpose:direct_care purpose:research";
        for (asked, given) in [
            ("", all),
            (all, all),
            ("agreement:a", "agreement:a purpose:direct_care"),
            ("purpose:research", "agreement:b purpose:research"),
            ("agreement:b purpose:research", "agreement:b purpose:research"),
        ] {
            assert_eq!(narrowed(asked).as_deref(), Ok(given), "{asked}");
        }
        for asked in [
            "agreement:c",
            "agreement:a agreement:c",
            "agreement:a purpose:research",
            "purpose:direct_care purpose:safeguarding_child",
        ] {
            assert_eq!(narrowed(asked), Err(ScopeFault::NotAgreed), "{asked}");
        }
        assert_eq!(narrow(Held::new(), &Scope::default()), Err(ScopeFault::NotAgreed), "nothing is held");
        let many: Vec<AgreementId> =
            (0..=SCOPE_AGREEMENTS_MAX).map(|at| AgreementId::new(&format!("a{at}")).unwrap()).collect();
        let held = |count: usize| many.iter().take(count).map(|id| (id, BTreeSet::from([SafeguardingChild])));
        assert!(narrow(held(SCOPE_AGREEMENTS_MAX).collect(), &Scope::default()).is_ok());
        let too_many = narrow(held(SCOPE_AGREEMENTS_MAX + 1).collect(), &Scope::default());
        assert_eq!(too_many, Err(ScopeFault::TooMany));
    }
}
