//! What a decision is made from: closed values only, every one always set. Made in one typed place,
//! so that no guardrail ever meets a missing attribute.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use jiff::civil::Weekday;

use crate::model::{
    AgreementRef, Assurance, DatasetVersion, Effect, MemberClass, MemberId, Operation, OperationId,
    PurposeCode, RoleId, SystemName,
};

use super::agreement::{Agreement, Stage};

/// The category under which guardrails see a field marked `x-tolbooth-safe-address`.
pub const SAFE_ADDRESS: &str = "safe_address";

/// What is the same for every question of one operation under one agreement; made at most once for a
/// ruleset and shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub agreement: AgreementRef,
    pub stage: Stage,
    pub dataset: DatasetVersion,
    pub operation: OperationId,
    pub effect: Effect,
    /// Special categories among the fields released, and `safe_address`.
    pub categories: BTreeSet<Arc<str>>,
    /// Names of the fields released.
    pub released: BTreeSet<Arc<str>>,
}

impl Scope {
    /// What an agreement releases of one operation's answer. A mark on an object or list holds for
    /// all below it, and a transform takes no mark away: a year of birth is still of that person.
    pub fn new(agreement: &Agreement, operation: &Operation) -> Self {
        let mut categories = BTreeSet::new();
        let mut released = BTreeSet::new();
        for (path, property) in operation.answer.row().fields() {
            let leaves = || agreement.release.fields.iter().filter(|(field, _)| field.is_within(&path));
            if leaves().next().is_none() {
                continue;
            }
            categories.extend(property.marks.special.clone());
            categories.extend(property.marks.safe_address.then(|| Arc::from(SAFE_ADDRESS)));
            released.extend(
                leaves().filter(|(field, _)| *field == path).map(|(field, _)| Arc::from(field.to_string())),
            );
        }
        Self {
            agreement: agreement.reference.clone(),
            stage: agreement.stage,
            dataset: agreement.dataset.clone(),
            operation: operation.id.clone(),
            effect: operation.effect,
            categories,
            released,
        }
    }
}

/// One question, as policies see it.
#[derive(Debug, Clone)]
pub struct Facts {
    pub scope: Arc<Scope>,
    pub member: MemberId,
    pub class: MemberClass,
    pub system: SystemName,
    pub role: Option<RoleId>,
    pub purpose: PurposeCode,
    /// As proven, not as the agreement wants it.
    pub assurance: Assurance,
    pub emergency: bool,
    /// In London.
    pub weekday: Weekday,
    /// In London, 0 to 23.
    pub hour: u8,
}

impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        // One scope is shared by all questions of a ruleset: comparing what it holds is the exception.
        (Arc::ptr_eq(&self.scope, &other.scope) || self.scope == other.scope)
            && self.member == other.member
            && self.class == other.class
            && self.system == other.system
            && self.role == other.role
            && self.purpose == other.purpose
            && self.assurance == other.assurance
            && self.emergency == other.emergency
            && self.weekday == other.weekday
            && self.hour == other.hour
    }
}

impl Eq for Facts {}

/// Over what tells questions of one ruleset apart; equality looks at everything.
impl Hash for Facts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.scope.agreement.hash(state);
        self.scope.operation.hash(state);
        self.member.hash(state);
        self.system.hash(state);
        self.role.hash(state);
        self.purpose.hash(state);
        self.assurance.hash(state);
        self.emergency.hash(state);
        self.hour.hash(state);
    }
}

/// The name policies know a day by.
pub(super) fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FieldPath, Transform};
    use crate::policy::tests::samples;

    #[test]
    fn categories_are_those_of_what_is_released_and_of_what_stands_above_it() {
        let mut agreement = samples::load(&samples::trial());
        let operation = samples::operation();
        let names = |scope: &Scope| scope.categories.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(names(&Scope::new(&agreement, &operation)).is_empty());
        for (path, wanted) in [
            ("case_notes", vec!["health"]),
            ("safe.street", vec!["safe_address"]),
            // Released as an object it releases nothing, but its author meant to: the mark counts.
            ("safe", vec!["safe_address"]),
        ] {
            Arc::make_mut(&mut agreement.release).fields =
                vec![(FieldPath::parse(path).unwrap(), Transform::None)];
            let scope = Scope::new(&agreement, &operation);
            assert_eq!(names(&scope), wanted, "{path}");
            assert_eq!(scope.released.iter().map(|name| &**name).collect::<Vec<_>>(), [path]);
        }
    }
}
