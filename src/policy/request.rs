//! Facts as Cedar's request: every attribute of the schema's context, always set. Built directly,
//! not by way of JSON and not checked against the schema each time; that it fits is a test.

use std::collections::{BTreeSet, HashSet};
use std::str::FromStr as _;
use std::sync::Arc;

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};

use super::facts::{Facts, day_name};
use super::permit::{ASK, NAMESPACE};

/// The types of the Cedar schema, their names parsed once.
pub(super) struct Names {
    action: EntityUid,
    member: EntityTypeName,
    system: EntityTypeName,
    dataset: EntityTypeName,
    class: EntityTypeName,
    stage: EntityTypeName,
    effect: EntityTypeName,
    assurance: EntityTypeName,
    purpose: EntityTypeName,
    category: EntityTypeName,
    weekday: EntityTypeName,
}

impl Names {
    pub(super) fn new() -> Result<Self, String> {
        let named = |name: &str| {
            EntityTypeName::from_str(&format!("{NAMESPACE}::{name}")).map_err(|error| error.to_string())
        };
        Ok(Self {
            action: uid(&named("Action")?, ASK),
            member: named("Member")?,
            system: named("System")?,
            dataset: named("Dataset")?,
            class: named("Class")?,
            stage: named("Stage")?,
            effect: named("Effect")?,
            assurance: named("Assurance")?,
            purpose: named("Purpose")?,
            category: named("Category")?,
            weekday: named("Weekday")?,
        })
    }

    fn system(&self, facts: &Facts) -> EntityUid {
        uid(&self.system, &format!("{}/{}", facts.member, facts.system))
    }

    /// The calling system, in its member.
    pub(super) fn entities(&self, facts: &Facts) -> Result<Entities, String> {
        let member = uid(&self.member, facts.member.as_str());
        let system = Entity::new_no_attrs(self.system(facts), HashSet::from([member]));
        Entities::from_entities([system], None).map_err(|error| error.to_string())
    }

    pub(super) fn request(&self, facts: &Facts) -> Result<Request, String> {
        let resource = uid(&self.dataset, &facts.scope.dataset.to_string());
        let context = self.context(facts)?;
        Request::new(self.system(facts), self.action.clone(), resource, context, None)
            .map_err(|error| error.to_string())
    }

    pub(super) fn context(&self, facts: &Facts) -> Result<Context, String> {
        let scope = &facts.scope;
        let pairs = [
            ("member", text(facts.member.as_str())),
            ("class", word(&self.class, facts.class.as_str())),
            ("system", text(facts.system.as_str())),
            ("role", text(facts.role.as_ref().map_or("", |role| role.as_str()))),
            ("purpose", word(&self.purpose, facts.purpose.as_str())),
            ("agreement", text(&scope.agreement.to_string())),
            ("stage", word(&self.stage, scope.stage.as_str())),
            ("dataset", text(&scope.dataset.to_string())),
            ("operation", text(scope.operation.as_str())),
            ("effect", word(&self.effect, scope.effect.as_str())),
            ("assurance", word(&self.assurance, facts.assurance.as_str())),
            ("categories", set(&scope.categories, |category| word(&self.category, category))),
            ("released", set(&scope.released, text)),
            ("emergency", RestrictedExpression::new_bool(facts.emergency)),
            ("weekday", word(&self.weekday, day_name(facts.weekday))),
            ("hour", RestrictedExpression::new_long(i64::from(facts.hour))),
        ];
        Context::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value)))
            .map_err(|error| error.to_string())
    }
}

fn uid(of: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(of.clone(), EntityId::new(id))
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

/// A word of a closed vocabulary.
fn word(of: &EntityTypeName, value: &str) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid(of, value))
}

fn set(values: &BTreeSet<Arc<str>>, each: impl Fn(&str) -> RestrictedExpression) -> RestrictedExpression {
    RestrictedExpression::new_set(values.iter().map(|value| each(value)))
}
