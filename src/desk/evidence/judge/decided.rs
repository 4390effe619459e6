//! That the question was one the agreement allows, and that what left is what it releases.

use crate::model::{Assurance, Digest, PurposeCode, RoleId};
use crate::policy::{Agreement, Facts, Verdict};

use super::super::finding::{Found, not_proven, wrong};
use super::{Case, Law};

impl Case<'_> {
    pub(super) fn parties(&self, _law: &Law<'_>, agreement: &Agreement) -> Found {
        let exchange = &self.exchange;
        if agreement.provider().is_none_or(|provider| provider.as_str() != exchange.provider) {
            return wrong("the agreement has another provider than the record");
        }
        if exchange.dataset.as_ref().is_none_or(|dataset| *dataset != agreement.dataset.to_string()) {
            return wrong("the agreement is on another dataset than the record");
        }
        let operation = exchange.operation.as_deref().unwrap_or_default();
        if !agreement.operations.iter().any(|known| known.as_str() == operation) {
            return wrong("the operation of the record is none of the agreement's");
        }
        let system = exchange.consumer().and_then(|consumer| agreement.system(&consumer));
        if system.is_none() {
            return wrong(format!("the agreement does not list the system {}", exchange.consumer));
        }
        Ok(format!(
            "it lets {} ask {} for {} {operation}",
            exchange.consumer, exchange.provider, agreement.dataset
        ))
    }

    pub(super) fn purpose(&self, _law: &Law<'_>, agreement: &Agreement) -> Found {
        let stated = self.exchange.purpose.as_deref().and_then(PurposeCode::parse);
        let stated = stated.ok_or("the record has no purpose this program knows")?;
        let consumer = self.exchange.consumer().ok_or("the record names no system")?;
        let system = agreement.system(&consumer).ok_or("the agreement does not list the system")?;
        if !system.purposes.contains(&stated) {
            return wrong(format!("the agreement does not let the system ask for {}", stated.as_str()));
        }
        Ok(format!("it lets the system ask for {}", stated.as_str()))
    }

    pub(super) fn role(&self, _law: &Law<'_>, agreement: &Agreement) -> Found {
        let consumer = self.exchange.consumer().ok_or("the record names no system")?;
        let system = agreement.system(&consumer).ok_or("the agreement does not list the system")?;
        match &self.exchange.role {
            None if system.roles.is_empty() => {
                Ok("it gives the system no role, and none was stated".to_owned())
            }
            None => wrong("the agreement wants a role of the system, and the record has none"),
            Some(role) if system.roles.iter().any(|known| known.as_str() == role) => {
                Ok(format!("it lets the system ask as {role}"))
            }
            // One a token proved, where the agreement gives the system none.
            Some(_) if system.roles.is_empty() => {
                Ok("it gives the system no role; one was proven by a token, and decided nothing".to_owned())
            }
            Some(role) => wrong(format!("the agreement does not let the system ask as {role}")),
        }
    }

    pub(super) fn assurance(&self, _law: &Law<'_>, agreement: &Agreement) -> Found {
        let shown = self.exchange.assurance.as_deref();
        let shown = Assurance::ALL.into_iter().find(|known| Some(known.as_str()) == shown);
        let shown = shown.ok_or("the record does not say how far it was proven who asked")?;
        if shown < agreement.assurance {
            return wrong(format!(
                "the agreement wants {}, and the record has {}",
                agreement.assurance.as_str(),
                shown.as_str()
            ));
        }
        if agreement.user_required && self.sealed.as_ref().is_some_and(|sealed| sealed.user.is_none()) {
            return wrong("the agreement wants a user stated, and the sealed part has none");
        }
        Ok(format!("it wants {}, and the record has {}", agreement.assurance.as_str(), shown.as_str()))
    }

    /// The names of what left.
    fn names(&self) -> Result<Vec<String>, super::Doubt> {
        let exchange = &self.exchange;
        if let Some(fields) = &exchange.fields {
            return Ok(fields.clone());
        }
        let Some(sealed) = &self.sealed else {
            return not_proven(
                "that no other field left than the agreement releases: the names stand in the sealed part",
            );
        };
        let names = sealed.fields.clone().unwrap_or_default();
        let written = serde_json::to_vec(&names).unwrap_or_default();
        if exchange.fields_digest != Some(Digest::of(&written).to_string()) {
            return wrong("the names in the sealed part are not those the record has the digest of");
        }
        Ok(names)
    }

    pub(super) fn fields(&self, law: &Law<'_>, agreement: &Agreement) -> Found {
        let names = self.names()?;
        if self.exchange.outcome != "answered" {
            return match (names.is_empty(), self.exchange.rows) {
                (true, 0) => Ok("no field left".to_owned()),
                _ => wrong("the record says that nothing was told, and that something was released"),
            };
        }
        let most = agreement.limits.rows_per_answer.map(u64::from);
        if let Some(most) = most.filter(|most| self.exchange.rows > *most) {
            let rows = self.exchange.rows;
            return wrong(format!("{rows} records left, and the agreement allows {most} in one answer"));
        }
        let operation = self.exchange.operation.as_deref().unwrap_or_default();
        let scope = law.offered.as_ref().map_err(Clone::clone)?.scope(agreement, operation);
        let scope = scope.ok_or("the contract does not have the operation")?;
        if let Some(name) = names.iter().find(|name| !scope.released.contains(name.as_str())) {
            return wrong(format!("{name} left, and the agreement does not release it"));
        }
        Ok(format!("what left is what it releases: {}", names.join(", ")))
    }

    /// Decides once more, by the agreement's permit and every guardrail of that ruleset.
    pub(super) fn guardrails(&self, law: &Law<'_>, agreement: &Agreement) -> Found {
        if !law.is_whole {
            return not_proven("that no guardrail forbade it: the files of the ruleset are not all here");
        }
        let (decider, guardrails) = law.rules.decider(agreement)?;
        match decider.decide(&self.facts(law, agreement)?) {
            Verdict::Permit => Ok(format!(
                "decided once more, the agreement permits it and none of {guardrails} guardrails forbids it"
            )),
            Verdict::Forbid { guardrail } => wrong(format!("the guardrail {guardrail} forbids it")),
            Verdict::Deny => wrong("decided once more, the agreement does not permit it"),
            Verdict::Error(error) => wrong(format!("it cannot be decided once more: {error}")),
        }
    }

    pub(super) fn facts(&self, law: &Law<'_>, agreement: &Agreement) -> Result<Facts, String> {
        let exchange = &self.exchange;
        let consumer = exchange.consumer().ok_or("the record names no system")?;
        let directory = law.directory.as_ref().map_err(Clone::clone)?;
        let member = directory.member(&consumer.member).ok_or("the members' file does not have who asked")?;
        let operation = exchange.operation.as_deref().unwrap_or_default();
        let scope = law.offered.as_ref().map_err(Clone::clone)?.scope(agreement, operation);
        let london = exchange.began().in_tz(crate::clock::ZONE).map_err(|error| error.to_string())?;
        let listed = agreement.system(&consumer).map(|system| system.roles.as_slice()).unwrap_or_default();
        let role = exchange.role.as_deref().and_then(|role| RoleId::new(role).ok());
        let assurance = exchange.assurance.as_deref();
        Ok(Facts {
            scope: std::sync::Arc::new(scope.ok_or("the contract does not have the operation")?),
            member: consumer.member.clone(),
            class: member.class,
            system: consumer.system,
            role: role.filter(|role| listed.contains(role)),
            purpose: exchange
                .purpose
                .as_deref()
                .and_then(PurposeCode::parse)
                .ok_or("the record has no purpose")?,
            assurance: Assurance::ALL
                .into_iter()
                .find(|known| Some(known.as_str()) == assurance)
                .ok_or("the record has no assurance")?,
            emergency: false,
            weekday: london.weekday(),
            hour: london.hour().unsigned_abs(),
        })
    }
}
