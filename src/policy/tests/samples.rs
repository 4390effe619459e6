//! One agreement, one operation and one question; every test changes what it is about.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::{Date, Weekday, date};

use crate::crypto::SigningKey;
use crate::model::{
    AgreementId, Assurance, Cardinality, DatasetId, DatasetVersion, Digest, Effect, Marks, MemberClass,
    MemberId, ObjectShape, OfficerKey, Operation, OperationId, Property, PurposeCode, RoleId, Scalar,
    ScalarKind, Shape, SystemId, SystemName,
};
use crate::policy::agreement::Agreement;
use crate::policy::facts::{Facts, Scope};
use crate::policy::sign::{KeyRing, add_signature};
use crate::policy::standing::Grounds;

/// A trial as `init` would write one, unsealed.
pub fn trial() -> String {
    r#"format = 1

[agreement]
id = "glenmore-nhs-lomond-child-protection"
version = 1
title = "Child protection status check by A&E"
stage = "trial"

[[party]]
member = "glenmore"
side = "provider"

[[party]]
member = "nhs-lomond"
side = "consumer"

[[party.system]]
id = "ed-trak"
roles = ["ed_clinician", "ed_nurse"]
purposes = ["safeguarding_child"]

[purpose]
code = "safeguarding_child"

[dataset]
id = "child-protection"
major = 1
operations = ["check"]

[access]
assurance = "certificate"
user = "none"

[data]
release = ["registered", "status", { field = "date_of_birth", transform = "year_of_birth" }]
withhold = ["case_notes", "safe"]
all_rows = true

[limits]
per_minute = 30

[dates]
from = 2026-12-01
until = 2027-02-28
"#
    .to_owned()
}

/// The same, live, with law for both parties.
pub fn live() -> String {
    trial().replace("stage = \"trial\"", "stage = \"live\"")
        + r#"
[law.glenmore]
regime = "uk_gdpr"
basis = "art6_1_e"
power = [{ statute = "Children (Scotland) Act 1995", section = "22", reading = "promote welfare" }]

[law.nhs-lomond]
regime = "uk_gdpr"
basis = "art6_1_c"
power = [{ statute = "Children and Young People (Scotland) Act 2014", section = "9", reading = "plan" }]
"#
}

/// A whole agreement of format 2: live, with the whole field list.
pub fn whole() -> String {
    include_str!("../../../tests/golden/agreements/child-protection.toml").to_owned()
}

/// Another, whose consumer is police and processes under Part 3.
pub fn police() -> String {
    include_str!("../../../tests/golden/agreements/taxi-licence.toml").to_owned()
}

pub fn load(text: &str) -> Agreement {
    crate::policy::load("agreement.toml", text.as_bytes()).unwrap_or_else(|faults| panic!("{faults}"))
}

pub fn faults(text: &str) -> String {
    match crate::policy::load("agreement.toml", text.as_bytes()) {
        Ok(_) => String::new(),
        Err(faults) => faults.to_string(),
    }
}

pub fn view() -> Digest {
    Digest::of(b"the view")
}

/// Sealed over [`view`].
pub fn sealed(text: &str) -> Agreement {
    load(&crate::policy::seal(text, view()).unwrap())
}

pub fn today() -> Date {
    date(2026, 12, 24)
}

pub fn caller() -> SystemId {
    SystemId { member: member("nhs-lomond"), system: SystemName::new("ed-trak").unwrap() }
}

pub fn member(name: &str) -> MemberId {
    MemberId::new(name).unwrap()
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

/// `officer.<member>`, with the key of this seed.
pub fn officer(of: &str, seed: u8) -> OfficerKey {
    OfficerKey {
        member: member(of),
        name: format!("officer.{of}"),
        office: "Data Protection Officer".into(),
        public: key(seed).public(),
        trial: false,
    }
}

/// Who signs as NHS Lomond's Caldicott Guardian, with seed 5.
pub const GUARDIAN: &str = "guardian.nhs-lomond";

pub fn guardian(office: &str) -> OfficerKey {
    OfficerKey { name: GUARDIAN.into(), office: office.into(), ..officer("nhs-lomond", 5) }
}

/// Seed 1 signs for Glenmore, 2 for NHS Lomond, 3 for Police Caledonia, no party.
pub fn ring() -> KeyRing {
    let officers = [officer("glenmore", 1), officer("nhs-lomond", 2), officer("police-caledonia", 3)];
    KeyRing::new(officers.into_iter().chain([guardian("Caldicott Guardian")]).collect()).unwrap()
}

/// Signed by both parties.
pub fn signed(agreement: &Agreement) -> String {
    let first = add_signature(None, agreement, "officer.glenmore", &key(1)).unwrap();
    add_signature(Some(&first), agreement, "officer.nhs-lomond", &key(2)).unwrap()
}

/// Signed by everybody it wants, the Caldicott Guardian too.
pub fn signed_whole(agreement: &Agreement) -> String {
    add_signature(Some(&signed(agreement)), agreement, GUARDIAN, &key(5)).unwrap()
}

/// Grounds on which a sealed and signed trial is in force.
pub fn grounds<'a>(note: Option<&'a str>, ring: &'a KeyRing) -> Grounds<'a> {
    Grounds { note, ring, view: Some(view()), highest_seen: None, source_synthetic: true }
}

fn property(name: &str, marks: Marks, shape: Shape) -> Property {
    Property { name: name.into(), required: true, shape, marks }
}

fn text() -> Shape {
    Shape::Scalar(Scalar { kind: ScalarKind::String, nullable: false, format: None, values: None })
}

/// The operation `check`: `case_notes` is about health, everything in `safe` is a safe address.
pub fn operation() -> Operation {
    let object = |properties| Shape::Object(ObjectShape { properties, nullable: false });
    let plain = |name| property(name, Marks::default(), text());
    let health = Marks { special: Some("health".into()), ..Marks::default() };
    let safe = Marks { safe_address: true, ..Marks::default() };
    let answer = object(vec![
        plain("registered"),
        plain("status"),
        plain("date_of_birth"),
        property("case_notes", health, text()),
        property("safe", safe, object(vec![plain("street")])),
    ]);
    Operation {
        id: OperationId::new("check").unwrap(),
        path: "/check".into(),
        summary: "Check".into(),
        effect: Effect::Reads,
        cardinality: Cardinality::Single,
        question: object(vec![plain("chi")]),
        question_schema: serde_json::Value::Null,
        answer,
        answer_schema: serde_json::Value::Null,
    }
}

/// A question [`trial`] permits.
pub fn facts(agreement: &Agreement) -> Facts {
    Facts {
        scope: Arc::new(Scope::new(agreement, &operation())),
        member: member("nhs-lomond"),
        class: MemberClass::Health,
        system: SystemName::new("ed-trak").unwrap(),
        role: RoleId::new("ed_nurse").ok(),
        purpose: PurposeCode::SafeguardingChild,
        assurance: Assurance::Certificate,
        emergency: false,
        weekday: Weekday::Thursday,
        hour: 14,
    }
}

/// One for each fact, with only that changed.
pub fn each_fact_changed(facts: &Facts) -> Vec<Facts> {
    let scope = |change: &dyn Fn(&mut Scope)| {
        let mut scope = Scope::clone(&facts.scope);
        change(&mut scope);
        Facts { scope: Arc::new(scope), ..facts.clone() }
    };
    vec![
        scope(&|scope| scope.agreement.version += 1),
        scope(&|scope| scope.agreement.id = AgreementId::new("other").unwrap()),
        scope(&|scope| scope.stage = crate::policy::Stage::Live),
        scope(&|scope| {
            scope.dataset = DatasetVersion { dataset: DatasetId::new("other").unwrap(), major: 1 };
        }),
        scope(&|scope| scope.dataset.major += 1),
        scope(&|scope| scope.operation = OperationId::new("other").unwrap()),
        scope(&|scope| scope.effect = Effect::Changes),
        scope(&|scope| scope.categories = BTreeSet::from([Arc::from("health")])),
        scope(&|scope| scope.released = BTreeSet::from([Arc::from("other")])),
        Facts { member: member("other"), ..facts.clone() },
        Facts { class: MemberClass::Police, ..facts.clone() },
        Facts { system: SystemName::new("other").unwrap(), ..facts.clone() },
        Facts { role: None, ..facts.clone() },
        Facts { purpose: PurposeCode::DirectCare, ..facts.clone() },
        Facts { assurance: Assurance::Token, ..facts.clone() },
        Facts { emergency: true, ..facts.clone() },
        Facts { weekday: Weekday::Sunday, ..facts.clone() },
        Facts { hour: 3, ..facts.clone() },
    ]
}

/// A guardrail file with one rule.
pub fn forbid(id: &str, condition: &str) -> (String, String) {
    let rule = format!("@id(\"{id}\")\nforbid (principal, action, resource)\nwhen {{ {condition} }};\n");
    (format!("{id}.cedar"), rule)
}
