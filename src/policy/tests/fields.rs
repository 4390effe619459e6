//! Every field that is called enforced is made false, and the refusal seen: an `enforced` nothing stands behind
//! would be a lie that officers sign.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, date};

use super::samples::{self, caller, grounds, member, ring, view, whole};
use crate::model::{
    Assurance, DatasetId, DatasetVersion, Digest, MemberId, Operation, OperationId, Release, Rows, Shape,
    SystemId, SystemName,
};
use crate::policy::choose::{Claims, choose};
use crate::policy::decide::{Decider, Verdict};
use crate::policy::facts::Facts;
use crate::policy::fields::{Held, fields};
use crate::policy::register::Register;
use crate::policy::standing::{Grounds, standing};
use crate::policy::{Limiter, against_operation};

/// A question that the whole agreement permits; each test changes one thing about it.
struct Question {
    text: String,
    caller: SystemId,
    dataset: DatasetVersion,
    operation: OperationId,
    claims: Claims<'static>,
    proven: Assurance,
    day: Date,
    view: Digest,
    highest_seen: Option<(u32, Digest)>,
    synthetic: bool,
}

impl Question {
    fn permitted() -> Self {
        Self {
            text: whole(),
            caller: caller(),
            dataset: DatasetVersion { dataset: DatasetId::new("child-protection").unwrap(), major: 1 },
            operation: OperationId::new("check").unwrap(),
            claims: Claims { role: Some("ed_nurse"), user: true, reason: Some("R1"), ..Claims::default() },
            proven: Assurance::Certificate,
            day: date(2027, 1, 4),
            view: view(),
            highest_seen: None,
            synthetic: false,
        }
    }

    fn is_permitted(&self) -> bool {
        let (ring, agreement) = (ring(), samples::sealed(&self.text));
        let note = samples::signed_whole(&agreement);
        let grounds = Grounds {
            view: Some(self.view),
            highest_seen: self.highest_seen,
            source_synthetic: self.synthetic,
            ..grounds(Some(&note), &ring)
        };
        let judged = standing(&agreement, &grounds);
        let agreement = Arc::new(agreement);
        let register =
            Register::new(&member("glenmore"), vec![(Arc::clone(&agreement), judged)], None).unwrap();
        let candidates = register.candidates(&self.caller, &self.dataset, &self.operation);
        let Ok(chosen) = choose(candidates, &self.caller, &self.claims, self.day) else { return false };
        let facts = Facts {
            assurance: self.proven,
            purpose: chosen.purpose.value,
            role: chosen.role.map(|role| role.value),
            ..samples::facts(&agreement)
        };
        Decider::compile([agreement], &[]).unwrap().decide(&facts) == Verdict::Permit
    }
}

fn with(change: impl FnOnce(&mut Question)) -> bool {
    let mut question = Question::permitted();
    change(&mut question);
    question.is_permitted()
}

fn worded(from: &str, to: &str) -> bool {
    with(|question| {
        assert!(question.text.contains(from), "{from}");
        question.text = question.text.replacen(from, to, 1);
    })
}

fn of(id: &str, system: &str) -> SystemId {
    SystemId { member: MemberId::new(id).unwrap(), system: SystemName::new(system).unwrap() }
}

/// Whether an agreement may say so of a contract that marks `case_notes`, released here, with `mark`.
fn goes_with_the_contract(text: &str, mark: &str) -> bool {
    let mut operation = samples::operation();
    if let Shape::Object(answer) = &mut operation.answer {
        for property in answer.properties.iter_mut().filter(|property| &*property.name == "case_notes") {
            property.marks.special = Some(mark.into());
        }
    }
    let text = text.replacen("{ field = \"start_date\"", "{ field = \"case_notes\"", 1);
    let text = text.replacen("\"case_notes\", \"siblings\"", "\"siblings\"", 1);
    let text = text.replacen("{ field = \"uprn\"", "{ field = \"case_notes\"", 1);
    against_operation(&samples::load(&text), &operation).is_empty()
}

/// What leaves of a record under this release: the names of its fields, or none if the record does not.
fn leaves(release: &Release, status: &str) -> Result<Vec<String>, Vec<String>> {
    use crate::minimise::{Context, Projection, Pseudonyms};
    let operation: Operation = samples::operation();
    let projection = Projection::compile(&operation, release, &crate::model::Mapping::default())?;
    let record = format!(
        r#"{{"registered":"y","status":"{status}","date_of_birth":"x","case_notes":"n","safe":{{"street":"s"}}}}"#
    );
    let document = crate::json::Document::parse(record.into(), 16).unwrap();
    let agreement = crate::model::AgreementId::new("a").unwrap();
    let (zone, pseudonyms) = (jiff::tz::TimeZone::UTC, Pseudonyms::new([0; 32], 0));
    let context =
        Context { today: date(2027, 1, 4), zone: &zone, agreement: &agreement, pseudonyms: &pseudonyms };
    let left = projection.apply(document.root(), &context).unwrap();
    if left.no_row {
        return Ok(Vec::new());
    }
    let body: serde_json::Value = serde_json::from_slice(&left.body).unwrap();
    Ok(body.as_object().unwrap().keys().cloned().collect())
}

fn release(data: &str) -> Release {
    let text = samples::trial();
    let (head, rest) = text.split_once("[data]\n").unwrap();
    let (_, rest) = rest.split_once("[limits]").unwrap();
    Release::clone(&samples::load(&format!("{head}[data]\n{data}\n[limits]{rest}")).release)
}

const RELEASED: &str = "release = [\"registered\", \"status\"]\n";
const WITHHELD: &str = "withhold = [\"date_of_birth\", \"case_notes\", \"safe\"]\n";

fn by_another_guardian() -> bool {
    worded("{ office = \"Caldicott Guardian\"", "{ office = \"Medical Director\"")
}

fn as_trial(question: &mut Question) {
    let text = question.text.replace("\"live\"", "\"trial\"");
    question.text = text.replace("until = 2028-11-30", "until = 2027-02-28");
}

/// Each enforced field, and whether a question that goes against it is refused.
fn refusals() -> Vec<(&'static str, bool)> {
    let premises = include_str!("../../../tests/golden/agreements/premises.toml");
    let every = release(&format!("{RELEASED}{WITHHELD}all_rows = true"));
    let some =
        release(&format!("{RELEASED}{WITHHELD}rows = {{ any = [{{ field = \"status\", is = \"on\" }}] }}"));
    let open = release(&format!("{RELEASED}withhold = [\"date_of_birth\", \"safe\"]\nall_rows = true"));
    let limiter = Limiter::new(1);
    let first = limiter.admit(Duration::from_secs(1)).is_ok();
    let mut all = of_the_agreement(premises);
    all.extend([
        ("party[].member", !with(|asked| asked.caller = of("police-caledonia", "ed-trak"))),
        ("party[].side", !with(|asked| asked.caller = of("glenmore", "ed-trak"))),
        ("party[].caldicott_guardian.office", !by_another_guardian()),
        ("party[].system[].id", !with(|asked| asked.caller = of("nhs-lomond", "kiosk"))),
        ("party[].system[].roles", !with(|asked| asked.claims.role = Some("porter"))),
        ("party[].system[].purposes", !with(|asked| asked.claims.purpose = Some("research"))),
        (
            "purpose.code",
            !with(|asked| {
                asked.text = asked.text.replace("\"safeguarding_child\"", "\"direct_care\"");
                asked.claims.purpose = Some("safeguarding_child");
            }),
        ),
        ("dataset.id", !with(|asked| asked.dataset.dataset = DatasetId::new("other").unwrap())),
        ("dataset.major", !with(|asked| asked.dataset.major = 2)),
        ("dataset.operations", !with(|asked| asked.operation = OperationId::new("list").unwrap())),
        ("access.assurance", !worded("assurance = \"certificate\"", "assurance = \"token\"")),
        ("access.user", !with(|asked| asked.claims.user = false)),
        ("access.reason", !with(|asked| asked.claims.reason = None)),
        ("access.case_ref", !worded("case_ref = false", "case_ref = true")),
        ("data.special_categories", {
            let religion =
                whole().replace("special_categories = [\"health\"]", "special_categories = [\"religion\"]");
            goes_with_the_contract(&whole(), "health") && !goes_with_the_contract(&religion, "health")
        }),
        ("data.criminal_offence", !goes_with_the_contract(&whole(), "criminal_offence")),
        ("data.release", leaves(&every, "on") == Ok(vec!["registered".to_owned(), "status".to_owned()])),
        ("data.withhold", leaves(&open, "on").is_err()),
        (
            "data.all_rows",
            every.rows == Rows::Every && leaves(&every, "off").is_ok_and(|left| left.len() == 2),
        ),
        (
            "data.rows",
            leaves(&some, "off") == Ok(Vec::new()) && leaves(&some, "on").is_ok_and(|left| left.len() == 2),
        ),
        ("limits.per_minute", first && limiter.admit(Duration::from_secs(2)).is_err()),
        ("dates.from", !with(|asked| asked.day = date(2026, 11, 30))),
        ("dates.until", !with(|asked| asked.day = date(2028, 12, 1))),
        ("seal.view", !with(|asked| asked.view = Digest::of(b"another view"))),
        // Where the header is read: `an_emergency_without_a_clause_is_refused` asks a whole gateway.
        (
            "emergency.allowed",
            include_str!("../../../tests/agreement_fields.rs")
                .contains("fn an_emergency_without_a_clause_is_refused()"),
        ),
    ]);
    all
}

/// Of `[agreement]`.
fn of_the_agreement(premises: &str) -> Vec<(&'static str, bool)> {
    vec![
        ("agreement.id", !with(|asked| asked.claims.agreement = Some("another"))),
        ("agreement.version", !with(|asked| asked.highest_seen = Some((4, Digest::of(b"4"))))),
        (
            "agreement.stage",
            !with(as_trial)
                && with(|asked| {
                    as_trial(asked);
                    asked.synthetic = true;
                }),
        ),
        ("agreement.kind", !goes_with_the_contract(premises, "health")),
        // It does not load, and so nothing is answered under it.
        (
            "agreement.template",
            !crate::policy::Templates::default().judge(&samples::load(&whole())).is_empty(),
        ),
    ]
}

#[test]
fn every_enforced_field_is_refused_when_it_is_false() {
    assert!(Question::permitted().is_permitted());
    let refused = refusals();
    for (field, is_refused) in &refused {
        assert!(is_refused, "`{field}` is called enforced, and is not");
    }
    let shown: BTreeSet<&str> = refused.iter().map(|(field, _)| *field).collect();
    let is_key = |field: &&crate::policy::Field| !field.words.is_empty();
    let claimed: BTreeSet<&str> = fields()
        .filter(is_key)
        .filter(|field| field.held == Held::Enforced)
        .map(|field| field.path)
        .collect();
    assert_eq!(shown, claimed, "a field called enforced has a question it refuses, and no other has");
}
