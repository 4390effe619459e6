//! Whether the gateway could do its work now. Readiness is red when it could not record, sign,
//! decide or tell the time; amber when it works on something old.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is watched. Each has one light.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// The journal takes records and signs checkpoints.
    Ledger,
    /// A ruleset is loaded; amber while the newest files on disk were refused.
    Ruleset,
    /// `tolbooth.toml`; amber while the next start would refuse it.
    Configuration,
    /// What is revoked is known; amber while a CA's list has expired or could not be taken.
    Revocation,
    /// The wall clock keeps step with the monotonic one.
    Clock,
    /// The named dataset's file; amber while its newest bytes were refused.
    Source(String),
    /// The keys of the named issuer; amber while newer ones cannot be had.
    Issuer(String),
    /// The checkpoint kept outside the data folder; amber while it cannot be written.
    Anchor,
    /// Checkpoints sent outside each hour; amber while they cannot be.
    Publish,
    /// What the host has stopped; amber while anything is.
    Stops,
    /// Accepting connections; red while draining.
    Serving,
}

impl Condition {
    fn name(&self) -> String {
        match self {
            Self::Ledger => "ledger".to_owned(),
            Self::Ruleset => "ruleset".to_owned(),
            Self::Configuration => "configuration".to_owned(),
            Self::Revocation => "revocation".to_owned(),
            Self::Clock => "clock".to_owned(),
            Self::Source(dataset) => format!("source {dataset}"),
            Self::Issuer(name) => format!("issuer {name}"),
            Self::Anchor => "anchor".to_owned(),
            Self::Publish => "publish".to_owned(),
            Self::Stops => "stops".to_owned(),
            Self::Serving => "serving".to_owned(),
        }
    }
}

/// A light and, unless green, one sentence on why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Light {
    Green,
    Amber(String),
    Red(String),
}

/// All lights. Shared by everything that can change one.
#[derive(Debug, Default)]
pub struct Health(Mutex<BTreeMap<Condition, Light>>);

impl Health {
    fn lights(&self) -> MutexGuard<'_, BTreeMap<Condition, Light>> {
        // A holder that panicked left whole lights behind: each is set in one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set(&self, condition: Condition, light: Light) {
        self.lights().insert(condition, light);
    }

    /// The light of a condition, if it was ever set.
    pub fn light(&self, condition: &Condition) -> Option<Light> {
        self.lights().get(condition).cloned()
    }

    /// Forgets the sources' lights but those that `stay`.
    pub fn keep_sources(&self, stay: impl Fn(&str) -> bool) {
        self.lights().retain(|condition, _| match condition {
            Condition::Source(dataset) => stay(dataset),
            _ => true,
        });
    }

    /// Forgets the issuers' lights but those that `stay`.
    pub fn keep_issuers(&self, stay: impl Fn(&str) -> bool) {
        self.lights().retain(|condition, _| match condition {
            Condition::Issuer(name) => stay(name),
            _ => true,
        });
    }

    /// Ready unless a light is red.
    pub fn is_ready(&self) -> bool {
        !self.lights().values().any(|light| matches!(light, Light::Red(_)))
    }

    /// The lights as JSON: `{"ready":true,"lights":{"ledger":{"light":"green"}}}`.
    pub fn json(&self) -> serde_json::Value {
        let lights: serde_json::Map<_, _> = self
            .lights()
            .iter()
            .map(|(condition, light)| {
                let shown = match light {
                    Light::Green => serde_json::json!({ "light": "green" }),
                    Light::Amber(why) => serde_json::json!({ "light": "amber", "why": why }),
                    Light::Red(why) => serde_json::json!({ "light": "red", "why": why }),
                };
                (condition.name(), shown)
            })
            .collect();
        serde_json::json!({ "ready": self.is_ready(), "lights": lights })
    }
}
