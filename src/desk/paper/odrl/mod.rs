//! Agreements in the words of others: ODRL 2.2 (W3C Recommendation, 15 February 2018) as JSON-LD, with purposes and law
//! in DPV. One ODRL Agreement for each agreement and consumer, since one has one assigner and one assignee (2.1.3).
//!
//! For catalogues and data spaces that read policies; what is in force is what was signed, and nobody reads this back.
//! What ODRL cannot say is said in terms of a profile or left out: decision 0031 lists both.

mod rules;
mod terms;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::document::visible;
use super::register::newest;
use super::saying::Names;
use crate::model::{Effect, MemberId, OperationId, PurposeCode};
use crate::policy::{Agreement, Entry, Particulars, Party};

/// What the export is made with, beside the agreements.
pub struct Terms<'t> {
    /// Members' trust domains end in it.
    pub federation: &'t str,
    pub names: Names<'t>,
    /// Whether an operation reads or changes, where its contract is here.
    pub effect: &'t dyn Fn(&Agreement, &OperationId) -> Option<Effect>,
    /// Also what the public may not read.
    pub all: bool,
}

/// The document, and what was kept out of it: why, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies {
    pub document: Value,
    pub kept_out: BTreeMap<String, usize>,
}

/// One agreement on its way out, to one of its consumers.
struct Exported<'e> {
    agreement: &'e Agreement,
    consumer: &'e Party,
    assigner: String,
    assignee: String,
    /// What the rules are about: what is released, which is part of the dataset.
    view: String,
}

impl Exported<'_> {
    fn particulars(&self) -> Option<&Particulars> {
        self.agreement.particulars.as_deref()
    }
}

/// Of each agreement the newest version that is sealed and signed, in order of their ids.
pub fn odrl(entries: &[Arc<Entry>], terms: &Terms<'_>) -> Policies {
    let mut graph = Graph::default();
    let mut kept_out = BTreeMap::new();
    for judged in newest(entries) {
        match judged.and_then(|agreement| public(agreement, terms.all)) {
            Ok(agreement) => graph.agreement(agreement, terms),
            Err(why) => *kept_out.entry(why.to_owned()).or_default() += 1,
        }
    }
    let document = json!({ "@context": terms::context(), "@graph": graph.nodes() });
    Policies { document: shown(document), kept_out }
}

/// As the public register has it: format 1 does not say that the public may read of it.
fn public(agreement: &Agreement, all: bool) -> Result<&Agreement, &str> {
    let publication = agreement.particulars.as_ref().map(|particulars| &particulars.publication);
    match publication {
        _ if all => Ok(agreement),
        None => Err("it is not said whether the public may read of it"),
        Some(publication) if publication.public => Ok(agreement),
        Some(publication) => Err(publication.exemption.as_deref().unwrap_or("no exemption is named")),
    }
}

/// Agreements, and what they name: each once.
#[derive(Default)]
struct Graph {
    agreements: Vec<Value>,
    views: Vec<Value>,
    parties: BTreeMap<String, Value>,
    purposes: BTreeSet<PurposeCode>,
}

impl Graph {
    fn agreement(&mut self, agreement: &Agreement, terms: &Terms<'_>) {
        let Some(provider) = agreement.provider() else { return };
        let base = format!("tag:{provider}.{},{SCHEME_YEAR}", terms.federation);
        let view = format!("{base}:view/{}", agreement.reference);
        self.views.push(view_node(agreement, &base, &view));
        for consumer in agreement.consumers() {
            let uid = format!("{base}:agreement/{}/{}", agreement.reference, consumer.member);
            let exported = Exported {
                agreement,
                consumer,
                assigner: trust_domain(provider, terms),
                assignee: trust_domain(&consumer.member, terms),
                view: view.clone(),
            };
            self.agreements.push(policy(&uid, &exported, terms));
        }
        for party in &agreement.parties {
            let uid = trust_domain(&party.member, terms);
            let node = json!({ "uid": uid, "@type": "Party", "dct:title": (terms.names)(&party.member) });
            self.parties.insert(uid, node);
        }
        self.purposes.insert(agreement.purpose);
    }

    fn nodes(self) -> Vec<Value> {
        let purposes = self.purposes.into_iter().map(terms::purpose_node);
        let named = self.parties.into_values().chain(purposes).chain(terms::definitions());
        self.agreements.into_iter().chain(self.views).chain(named).collect()
    }
}

/// The year in which these names were laid down (RFC 4151 wants one), so that a dataset has one name for ever.
const SCHEME_YEAR: u16 = 2026;

/// Who a member is on the wire too.
fn trust_domain(member: &MemberId, terms: &Terms<'_>) -> String {
    format!("spiffe://{member}.{}", terms.federation)
}

fn policy(uid: &str, exported: &Exported<'_>, terms: &Terms<'_>) -> Value {
    let agreement = exported.agreement;
    let law = agreement.law.iter().map(|law| terms::law(law, &trust_domain(&law.member, terms)));
    let mut node = Map::new();
    let mut set = |key: &str, value: Value| drop(node.insert(key.to_owned(), value));
    set("uid", json!(uid));
    set("@type", json!("Agreement"));
    set("profile", json!(terms::PROFILE));
    set("conflict", json!("prohibit"));
    set("dct:title", json!(agreement.title));
    set("dct:identifier", json!(agreement.reference.to_string()));
    set("tolbooth:digest", json!(agreement.digest.to_string()));
    set("tolbooth:law", Value::Array(law.collect()));
    set("permission", Value::Array(rules::permissions(exported, terms)));
    if let Some(particulars) = exported.particulars() {
        set("dct:description", json!(particulars.summary));
        set("tolbooth:purposeStatement", json!(particulars.aim.statement));
        set("prohibition", Value::Array(rules::prohibitions(exported)));
        set("obligation", Value::Array(rules::obligations(exported)));
    }
    Value::Object(node)
}

/// What leaves, as a part of the dataset: the fields with what is left of each, and those that never do.
fn view_node(agreement: &Agreement, base: &str, uid: &str) -> Value {
    let release = &agreement.release;
    let fields = release.fields.iter().map(|(field, transform)| {
        json!({ "tolbooth:field": field.to_string(), "tolbooth:transform": transform.name() })
    });
    let withheld: Vec<String> = release.withhold.iter().map(ToString::to_string).collect();
    let dataset = &agreement.dataset;
    let dataset = json!({ "uid": format!("{base}:dataset/{dataset}"), "@type": "AssetCollection" });
    json!({
        "uid": uid, "@type": "Asset", "partOf": dataset, "tolbooth:releases": fields.collect::<Vec<_>>(),
        "tolbooth:withholds": withheld,
    })
}

/// Every text, with what would reorder or hide named instead.
fn shown(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(visible(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(shown).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(key, value)| (key, shown(value))).collect())
        }
        other => other,
    }
}
