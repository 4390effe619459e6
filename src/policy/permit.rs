//! An agreement as a Cedar permit. Built as a tree, never as text, so that no value can be read as
//! syntax.
//!
//! ```text
//! permit (principal, action == Tolbooth::Action::"ask", resource == Tolbooth::Dataset::"d/v1")
//! when { context.agreement == "a@1" && ["check"].contains(context.operation) && ..
//!     && (principal == Tolbooth::System::"m/s" && [Tolbooth::Purpose::"p"].contains(context.purpose) && .. || ..) };
//! ```

use std::sync::Arc;

use cedar_policy::pst::{
    self, ActionConstraint, BinaryOp, Clause, EntityOrSlot, EntityType, EntityUID, Expr, Literal, Name,
    PrincipalConstraint, PstConstructionError, ResourceConstraint, StaticPolicy, Template, Var,
};
use cedar_policy::{Policy, PolicySet};

use super::agreement::{Agreement, ConsumerSystem};
use crate::model::{Assurance, MemberId};

/// The namespace of `schemas/tolbooth.cedarschema`.
pub(super) const NAMESPACE: &str = "Tolbooth";
/// The one action: which operation is asked is in the context.
pub(super) const ASK: &str = "ask";

/// Makes permits; the names all of them use are made once.
pub(super) struct Maker {
    action: EntityType,
    dataset: EntityType,
    system: EntityType,
    stage: EntityType,
    assurance: EntityType,
    purpose: EntityType,
}

type Tree = Arc<Expr>;

impl Maker {
    pub(super) fn new() -> Result<Self, PstConstructionError> {
        let named = |name| Name::qualified([NAMESPACE], name).map(EntityType);
        Ok(Self {
            action: named("Action")?,
            dataset: named("Dataset")?,
            system: named("System")?,
            stage: named("Stage")?,
            assurance: named("Assurance")?,
            purpose: named("Purpose")?,
        })
    }

    /// The permit of one agreement, as a set of one; its id is `id@version`.
    pub(super) fn permit(&self, agreement: &Agreement) -> Result<PolicySet, String> {
        let policy = self.policy(agreement).map_err(|error| error.to_string())?;
        PolicySet::from_policies([policy]).map_err(|error| error.to_string())
    }

    fn policy(&self, agreement: &Agreement) -> Result<Policy, PstConstructionError> {
        let id = agreement.reference.to_string();
        let resource = uid(&self.dataset, &agreement.dataset.to_string());
        let template = Template::new(
            pst::PolicyID(id.as_str().into()),
            pst::Effect::Permit,
            PrincipalConstraint::Any,
            ActionConstraint::Eq(uid(&self.action, ASK)),
            ResourceConstraint::Eq(EntityOrSlot::Entity(resource)),
        );
        let systems = agreement
            .consumers()
            .flat_map(|party| party.systems.iter().map(|system| self.system(&party.member, system)));
        let enough = Assurance::ALL.into_iter().filter(|proven| *proven >= agreement.assurance);
        let conditions = [
            is("agreement", text(&id)),
            is("stage", word(&self.stage, agreement.stage.as_str())),
            one_of("assurance", enough.map(|assurance| word(&self.assurance, assurance.as_str()))),
            one_of("operation", agreement.operations.iter().map(|operation| text(operation.as_str()))),
            joined(BinaryOp::Or, systems),
        ];
        let template = template.try_with_clauses([Clause::When(joined(BinaryOp::And, conditions))])?;
        Policy::from_pst(pst::Policy::Static(StaticPolicy::try_from(template)?))
    }

    /// That the caller is this system, and states what it may.
    fn system(&self, member: &MemberId, system: &ConsumerSystem) -> Tree {
        let id = format!("{member}/{}", system.id);
        let who = word(&self.system, &id);
        let role = if system.roles.is_empty() {
            is("role", text(""))
        } else {
            one_of("role", system.roles.iter().map(|role| text(role.as_str())))
        };
        let conditions = [
            binary(BinaryOp::Eq, Arc::new(Expr::Var(Var::Principal)), who),
            one_of("purpose", system.purposes.iter().map(|purpose| word(&self.purpose, purpose.as_str()))),
            role,
        ];
        joined(BinaryOp::And, conditions)
    }
}

fn uid(ty: &EntityType, id: &str) -> EntityUID {
    EntityUID { ty: ty.clone(), eid: id.into() }
}

fn literal(value: Literal) -> Tree {
    Arc::new(Expr::Literal(value))
}

fn text(value: &str) -> Tree {
    literal(Literal::String(value.into()))
}

fn word(of: &EntityType, value: &str) -> Tree {
    literal(Literal::EntityUID(uid(of, value)))
}

fn binary(op: BinaryOp, left: Tree, right: Tree) -> Tree {
    Arc::new(Expr::BinaryOp { op, left, right })
}

fn context(attr: &str) -> Tree {
    Arc::new(Expr::GetAttr { expr: Arc::new(Expr::Var(Var::Context)), attr: attr.into() })
}

/// `context.attr == value`
fn is(attr: &str, value: Tree) -> Tree {
    binary(BinaryOp::Eq, context(attr), value)
}

/// `[a, b].contains(context.attr)`
fn one_of(attr: &str, values: impl Iterator<Item = Tree>) -> Tree {
    let set = Arc::new(Expr::Set(values.collect()));
    binary(BinaryOp::Contains, set, context(attr))
}

/// All or any of the parts; of none, `false`, whichever was meant.
fn joined(op: BinaryOp, parts: impl IntoIterator<Item = Tree>) -> Tree {
    parts
        .into_iter()
        .reduce(|left, right| binary(op, left, right))
        .unwrap_or_else(|| literal(Literal::Bool(false)))
}
