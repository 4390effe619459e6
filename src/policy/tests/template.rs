//! What loads under a template, and what it may then say: random agreements against what the template's own words
//! would answer, and every key loosened alone.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::samples::{self, caller, grounds, key, member, ring, signed_whole, whole};
use crate::minimise::{Context, Projection, Pseudonyms};
use crate::model::{
    AgreementId, Assurance, AuthorityKey, Format, Mapping, Marks, ObjectShape, Operation, OperationId,
    Property, RoleId, Scalar, ScalarKind, Shape,
};
use crate::policy::choose::{Claims, choose};
use crate::policy::decide::{Decider, Verdict};
use crate::policy::facts::Facts;
use crate::policy::register::Register;
use crate::policy::standing::standing;
use crate::policy::{Agreement, Stage, Templates, load_template, sign_template};

/// What a knob is turned to, by its place in its list of words.
type Turned = [usize; KEYS];

const KEYS: usize = 18;

/// Each key a template speaks of, and what an agreement might say there: first what the template says, then what is
/// tighter up to the place given, then what is looser or cannot be likened.
const KNOBS: [(&str, &[&str], usize); KEYS] = [
    ("access.assurance", &["\"token\"", "\"signed\"", "\"certificate\""], 1),
    ("access.user", &["\"user_pseudonym\"", "\"named_user\"", "\"system_only\""], 1),
    ("access.reason", &["\"code\"", "\"code_and_text\"", "\"none\""], 1),
    ("access.case_ref", &["false", "true"], 1),
    (ROLES, &["[\"ed_nurse\", \"ed_clinician\"]", "[\"ed_nurse\"]", "[\"ed_nurse\", \"porter\"]"], 1),
    ("purpose.code", &["\"safeguarding_child\"", "\"direct_care\""], 0),
    (
        "purpose.prohibited",
        &[
            "[\"profiling\", \"linkage\"]",
            "[\"linkage\", \"bulk_copy\", \"profiling\"]",
            "[\"linkage\", \"bulk_copy\"]",
        ],
        1,
    ),
    ("dataset.operations", &["[\"check\"]", "[\"check\", \"list\"]"], 0),
    (
        "access.hours",
        &[
            "{ monday = [\"08:00-18:00\"], sunday = [\"08:00-12:00\", \"13:00-24:00\"] }",
            "{ monday = [\"09:00-18:00\"], sunday = [\"08:00-11:00\"] }",
            "{ sunday = [\"08:00-12:00\", \"13:00-24:00\"] }",
            "{ monday = [\"08:00-18:01\"] }",
            "{ monday = [\"08:00-18:00\"], tuesday = [\"09:00-10:00\"] }",
            "{ sunday = [\"08:00-24:00\"] }",
            "\"24x7\"",
            "",
        ],
        2,
    ),
    ("limits.per_minute", &["30", "29", "31"], 1),
    ("limits.per_day", &["400", "399", "401", ""], 1),
    ("limits.rows_per_answer", &["2", "1", "3", ""], 1),
    ("dates.from", &["2026-12-01", "2026-12-02", "2026-11-30"], 1),
    ("dates.until", &["2028-11-30", "2028-11-29", "2028-12-01"], 1),
    ("retention.consumer", &["\"P7D\"", "\"not_stored\"", "\"PT2H\"", "\"P1W\"", "\"P8D\"", "\"P1M\""], 3),
    ("retention.audit_years", &["25", "24", "26"], 1),
    ("data.release", RELEASES, 5),
    ("data.rows", ROWS, 4),
];

const ROLES: &str = "party[].system[].roles";

/// `status`, `date_of_birth`, `enquiries` and `registered`, each with its transform.
const RELEASES: &[&str] = &[
    "status; date_of_birth age_band 0 5 12 18; enquiries round 5",
    "status",
    "status; date_of_birth age_band 0 18; enquiries round 5",
    "status initials; enquiries exists_yes_no",
    "status exists_yes_no; date_of_birth exists_yes_no",
    "status mask_keep_last; date_of_birth age_band 0 5 12 18",
    "status; date_of_birth",
    "date_of_birth year_of_birth",
    "date_of_birth age_band 0 16",
    "enquiries round 10",
    "status; enquiries",
    "status; registered",
];

const ROWS: &[&str] = &[
    r#"any = [{ field = "status", in = ["on", "off"] }, { field = "ended_on", within = "P12M" }]"#,
    r#"any = [{ field = "status", is = "off" }]"#,
    r#"all = [{ field = "status", in = ["off", "on"] }, { field = "ended_on", within = "P60M" }]"#,
    r#"all = [{ field = "status", not_in = ["on"] }, { field = "ended_on", within = "P6M" }]"#,
    r#"any = [{ field = "ended_on", within = "P6M" }, { field = "status", is = "on" }]"#,
    r#"any = [{ field = "status", in = ["on", "gone"] }]"#,
    r#"any = [{ field = "ended_on", within = "P13M" }]"#,
    r#"all = [{ field = "status", not_in = ["gone"] }]"#,
    "every",
];

const FIELDS: [&str; 5] = ["status", "date_of_birth", "enquiries", "registered", "ended_on"];

fn word(turned: &Turned, key: &str) -> &'static str {
    let at = KNOBS.iter().position(|(known, ..)| *known == key).unwrap();
    KNOBS[at].1[turned[at]]
}

/// A key that may be left out, with its line.
fn line(turned: &Turned, key: &str) -> String {
    let (_, name) = key.split_once('.').unwrap();
    match word(turned, key) {
        "" => String::new(),
        said => format!("{name} = {said}\n"),
    }
}

/// `[data]` as an agreement writes it; a template gives no reasons.
fn data(turned: &Turned, reasons: bool) -> String {
    let why = if reasons { ", why = \"To be shown.\"" } else { "" };
    let mut released = Vec::new();
    let fields = word(turned, "data.release").split("; ").map(|field| {
        let mut words = field.split(' ');
        let (name, transform) = (words.next().unwrap(), words.next().unwrap_or("none"));
        released.push(name);
        let rest: Vec<&str> = words.collect();
        let more = match transform {
            "age_band" => {
                let band = |from: &&str| format!("{{ from = {from}, label = \"from {from}\" }}");
                format!(", bands = [{}]", rest.iter().map(band).collect::<Vec<_>>().join(", "))
            }
            "round" => format!(", to = {}", rest[0]),
            "mask_keep_last" => ", characters = 1".to_owned(),
            _ => String::new(),
        };
        format!("{{ field = \"{name}\", transform = \"{transform}\"{more}{why} }}")
    });
    let fields = fields.collect::<Vec<_>>().join(",\n");
    let withheld: Vec<String> =
        FIELDS.iter().filter(|name| !released.contains(name)).map(|name| format!("{name:?}")).collect();
    let rows = match word(turned, "data.rows") {
        "every" => "all_rows = true".to_owned(),
        rows => format!("[data.rows]\n{rows}"),
    };
    format!("release = [\n{fields}\n]\nwithhold = [{}]\n{rows}\n", withheld.join(", "))
}

fn template() -> String {
    let said = |key| word(&[0; KEYS], key);
    format!(
        "format = 1\n[template]\nname = \"office/check\"\nversion = 1\ntitle = \"A check\"\nstage = \"live\"\n\
         [purpose]\ncode = {}\nprohibited = {}\n[dataset]\nid = \"child-protection\"\nmajor = 1\noperations = {}\n\
         [access]\nassurance = {}\nuser = {}\nreason = {}\ncase_ref = {}\nroles = {}\n{}[data]\n{}\
         [limits]\nper_minute = {}\n{}{}[dates]\nfrom = {}\nuntil = {}\n[retention]\nconsumer = {}\naudit_years = {}\n",
        said("purpose.code"),
        said("purpose.prohibited"),
        said("dataset.operations"),
        said("access.assurance"),
        said("access.user"),
        said("access.reason"),
        said("access.case_ref"),
        said(ROLES),
        line(&[0; KEYS], "access.hours"),
        data(&[0; KEYS], false),
        said("limits.per_minute"),
        line(&[0; KEYS], "limits.per_day"),
        line(&[0; KEYS], "limits.rows_per_answer"),
        said("dates.from"),
        said("dates.until"),
        said("retention.consumer"),
        said("retention.audit_years"),
    )
}

/// A whole agreement with these words, which names the template.
fn agreement(turned: &Turned) -> String {
    let said = |key| word(turned, key);
    let text = whole();
    let (head, rest) = text.split_once("release = [").unwrap();
    let (_, rest) = rest.split_once("# 3 Manner").unwrap();
    let text = format!("{head}{}\n# 3 Manner{rest}", data(turned, true));
    [
        (
            "template = \"digital-office/child-protection-check@2\"",
            "template = \"office/check@1\"".to_owned(),
        ),
        ("assurance = \"certificate\"", format!("assurance = {}", said("access.assurance"))),
        ("user = \"user_pseudonym\"", format!("user = {}", said("access.user"))),
        ("reason = \"code\"", format!("reason = {}", said("access.reason"))),
        (
            "case_ref = false\n",
            format!("case_ref = {}\n{}", said("access.case_ref"), line(turned, "access.hours")),
        ),
        ("roles = [\"ed_clinician\", \"ed_nurse\"]", format!("roles = {}", said(ROLES))),
        ("\"safeguarding_child\"", said("purpose.code").to_owned()),
        (
            "prohibited = [\"onward_sharing\", \"profiling\", \"ai_training\", \"bulk_copy\"]",
            format!("prohibited = {}", said("purpose.prohibited")),
        ),
        ("operations = [\"check\"]", format!("operations = {}", said("dataset.operations"))),
        (
            "per_minute = 30\n",
            format!(
                "per_minute = {}\n{}{}",
                said("limits.per_minute"),
                line(turned, "limits.per_day"),
                line(turned, "limits.rows_per_answer"),
            ),
        ),
        ("\nfrom = 2026-12-01", format!("\nfrom = {}", said("dates.from"))),
        ("\nuntil = 2028-11-30", format!("\nuntil = {}", said("dates.until"))),
        ("consumer = \"not_stored\"", format!("consumer = {}", said("retention.consumer"))),
        ("audit_years = 25", format!("audit_years = {}", said("retention.audit_years"))),
    ]
    .into_iter()
    .fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, &to)
    })
}

fn authority(seed: u8, trial: bool) -> AuthorityKey {
    AuthorityKey { authority: "office".into(), name: "the.office".into(), public: key(seed).public(), trial }
}

/// The template, signed by its authority.
fn templates() -> Templates {
    let template =
        load_template("check.toml", template().as_bytes()).unwrap_or_else(|faults| panic!("{faults}"));
    let note = sign_template(None, &template, "the.office", &key(9)).unwrap();
    Templates::new(vec![(template, Some(&note))], &[authority(9, false)]).unwrap()
}

fn operation() -> Operation {
    let scalar = |kind, format| Shape::Scalar(Scalar { kind, nullable: false, format, values: None });
    let property = |name: &str, kind, format| Property {
        name: name.into(),
        required: true,
        shape: scalar(kind, format),
        marks: Marks::default(),
    };
    let properties = vec![
        property("status", ScalarKind::String, None),
        property("date_of_birth", ScalarKind::String, Some(Format::Date)),
        property("enquiries", ScalarKind::Integer, None),
        property("registered", ScalarKind::String, None),
        property("ended_on", ScalarKind::String, Some(Format::Date)),
    ];
    Operation { answer: Shape::Object(ObjectShape { properties, nullable: false }), ..samples::operation() }
}

/// What of a record leaves under an agreement; nothing if the record does not.
fn leaves(agreement: &Agreement, record: &Value) -> Option<serde_json::Map<String, Value>> {
    let projection = Projection::compile(&operation(), &agreement.release, &Mapping::default()).unwrap();
    let document = crate::json::Document::parse(record.to_string().into(), 16).unwrap();
    let id = AgreementId::new("a").unwrap();
    let (zone, pseudonyms) = (TimeZone::UTC, Pseudonyms::new([0; 32], 0));
    let context = Context { today: date(2027, 1, 4), zone: &zone, agreement: &id, pseudonyms: &pseudonyms };
    let left = projection.apply(document.root(), &context).unwrap();
    (!left.no_row).then(|| serde_json::from_slice(&left.body).unwrap())
}

/// A question, as far as a decision depends on it.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    role: Option<&'a str>,
    purpose: Option<&'static str>,
    user: bool,
    reason: Option<&'static str>,
    case: bool,
    proven: Assurance,
    operation: &'static str,
    day: Date,
}

/// An agreement with what decides under it.
struct Decided {
    agreement: Arc<Agreement>,
    register: Register,
    decider: Decider,
}

impl Decided {
    fn new(agreement: Agreement) -> Self {
        let (ring, note) = (ring(), signed_whole(&agreement));
        let judged = standing(&agreement, &grounds(Some(&note), &ring));
        let agreement = Arc::new(agreement);
        let register =
            Register::new(&member("glenmore"), vec![(Arc::clone(&agreement), judged)], None).unwrap();
        let decider = Decider::compile([Arc::clone(&agreement)], &[]).unwrap();
        Self { agreement, register, decider }
    }

    fn permits(&self, asked: &Asked<'_>) -> bool {
        self.permitted_role(asked).is_some()
    }

    /// The role a question is permitted in, stated or fixed by an agreement of one role alone.
    fn permitted_role(&self, asked: &Asked<'_>) -> Option<Option<RoleId>> {
        let claims = Claims {
            agreement: None,
            purpose: asked.purpose,
            role: asked.role,
            user: asked.user,
            reason: asked.reason,
            case: asked.case,
        };
        let operation = OperationId::new(asked.operation).unwrap();
        let candidates = self.register.candidates(&caller(), &self.agreement.dataset, &operation);
        let chosen = choose(candidates, &caller(), &claims, asked.day).ok()?;
        let facts = Facts {
            assurance: asked.proven,
            purpose: chosen.purpose.value,
            role: chosen.role.as_ref().map(|role| role.value.clone()),
            ..samples::facts(&self.agreement)
        };
        let permitted = self.decider.decide(&facts) == Verdict::Permit;
        permitted.then(|| chosen.role.map(|role| role.value))
    }
}

fn turned() -> impl Strategy<Value = Turned> {
    // Mostly what holds, so that some do however many keys there are.
    let one = |(_, words, tighter): &(&str, &[&str], usize)| {
        prop_oneof![5 => Just(0), 4 => 0..=*tighter, 1 => 0..words.len()].boxed()
    };
    let knobs: Vec<BoxedStrategy<usize>> = KNOBS.iter().map(one).collect();
    knobs.prop_map(|turned| turned.try_into().unwrap())
}

fn asked() -> impl Strategy<Value = Asked<'static>> {
    let role = prop::sample::select(vec![None, Some("ed_nurse"), Some("ed_clinician"), Some("porter")]);
    let purpose = prop::sample::select(vec![None, Some("safeguarding_child"), Some("direct_care")]);
    let reason = prop::sample::select(vec![None, Some("R1"), Some("R1 because")]);
    let days =
        vec![date(2026, 11, 30), date(2026, 12, 1), date(2027, 1, 4), date(2028, 11, 30), date(2028, 12, 1)];
    let rest = (
        prop::sample::select(Assurance::ALL.to_vec()),
        prop::sample::select(vec!["check", "list"]),
        prop::sample::select(days),
    );
    (role, purpose, any::<bool>(), reason, any::<bool>(), rest).prop_map(
        |(role, purpose, user, reason, case, (proven, operation, day))| Asked {
            role,
            purpose,
            user,
            reason,
            case,
            proven,
            operation,
            day,
        },
    )
}

fn records() -> Vec<Value> {
    let mut out = Vec::new();
    for status in ["on", "off", "gone", "", "o n"] {
        for born in ["2026-06-01", "2022-01-03", "2022-01-04", "2016-02-29", "2010-01-05", "1990-05-05"] {
            for (enquiries, ended) in
                [(0, "2027-01-01"), (4, "2026-03-01"), (7, "2025-12-20"), (8, "2020-01-01")]
            {
                out.push(json!({ "status": status, "date_of_birth": born, "enquiries": enquiries,
                    "registered": "y", "ended_on": ended }));
            }
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        max_global_rejects: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// It answers no question the template's own words would not, no row, no field; and each field tells no more:
    /// whatever looks alike under the template looks alike under the agreement.
    #[test]
    fn whatever_loads_under_a_template_answers_nothing_the_template_would_not(
        turned in turned(), questions in prop::collection::vec(asked(), 12)
    ) {
        let made = samples::sealed(&agreement(&turned));
        prop_assume!(templates().judge(&made).is_empty());
        let most = Decided::new(samples::sealed(&agreement(&[0; KEYS])));
        let made = Decided::new(made);
        for asked in &questions {
            let Some(role) = made.permitted_role(asked) else { continue };
            let role = role.as_ref().map(RoleId::as_str);
            prop_assert!(most.permits(&Asked { role, ..*asked }), "{asked:?}");
        }
        let (limits, at_most) = (made.agreement.limits, most.agreement.limits);
        prop_assert!(limits.per_minute <= at_most.per_minute);
        prop_assert!(limits.per_day.is_some() && limits.per_day <= at_most.per_day);
        prop_assert!(limits.rows_per_answer.is_some() && limits.rows_per_answer <= at_most.rows_per_answer);
        for minute in 0..7 * 24 * 60 {
            let at = date(2027, 1, 4).at(0, 0, 0, 0) + minute.minutes();
            prop_assert!(!made.agreement.hours.has(at) || most.agreement.hours.has(at), "{at}");
        }
        let mut told: HashMap<(String, String), Value> = HashMap::new();
        for record in records() {
            let Some(left) = leaves(&made.agreement, &record) else { continue };
            let allowed = leaves(&most.agreement, &record);
            prop_assert!(allowed.is_some(), "{record}");
            let allowed = allowed.unwrap();
            for (field, value) in left {
                let most = allowed.get(&field);
                prop_assert!(most.is_some(), "{field}");
                let seen = told.entry((field, most.unwrap().to_string())).or_insert_with(|| value.clone());
                prop_assert_eq!(&*seen, &value);
            }
        }
    }
}

#[test]
fn what_the_template_says_itself_loads_and_answers() {
    let most = samples::sealed(&agreement(&[0; KEYS]));
    assert_eq!(templates().judge(&most).to_string(), "");
    let asked = Asked {
        role: Some("ed_nurse"),
        purpose: None,
        user: true,
        reason: Some("R1"),
        case: false,
        proven: Assurance::Token,
        operation: "check",
        day: date(2027, 1, 4),
    };
    assert!(Decided::new(most).permits(&asked));
    assert!(!leaves(&samples::sealed(&agreement(&[0; KEYS])), &records()[0]).unwrap().is_empty());
}

/// Every word of every knob alone: it is taken, or refused under its own name and no other.
#[test]
fn every_loosening_of_one_key_is_refused_by_name() {
    for (at, (key, words, tighter)) in KNOBS.iter().enumerate() {
        for to in 0..words.len() {
            let mut turned = [0; KEYS];
            turned[at] = to;
            let faults = templates().judge(&samples::load(&agreement(&turned)));
            if to <= *tighter {
                assert_eq!(faults.to_string(), "", "{key} {}", words[to]);
                continue;
            }
            assert!(!faults.is_empty(), "{key} {} is looser", words[to]);
            for fault in &faults.0 {
                assert!(
                    fault.message.starts_with(&format!("`{key}` is looser than its template office/check@1")),
                    "{fault}"
                );
            }
        }
    }
    // Nobody in particular, asking without a role.
    let nobody = agreement(&[0; KEYS]).replace("user = \"user_pseudonym\"", "user = \"system_only\"");
    let nobody = nobody.replace("roles = [\"ed_nurse\", \"ed_clinician\"]\n", "");
    let told = templates().judge(&samples::load(&nobody)).to_string();
    assert!(told.contains(ROLES) && told.contains("`access.user`"), "{told}");
}

#[test]
fn a_limit_of_a_users_day_is_held_to_the_templates() {
    let text = template().replace("per_minute = 30\n", "per_minute = 30\nper_user_per_day = 60\n");
    let judged = |said: &str| {
        let template = load_template("check.toml", text.as_bytes()).unwrap();
        let note = sign_template(None, &template, "the.office", &key(9)).unwrap();
        let templates = Templates::new(vec![(template, Some(&note))], &[authority(9, false)]).unwrap();
        let made = agreement(&[0; KEYS]).replace("per_minute = 30\n", &format!("per_minute = 30\n{said}"));
        templates.judge(&samples::load(&made)).to_string()
    };
    assert_eq!(judged("per_user_per_day = 60\n"), "");
    assert_eq!(judged("per_user_per_day = 1\n"), "");
    for looser in ["per_user_per_day = 61\n", ""] {
        assert!(judged(looser).contains("`limits.per_user_per_day` is looser"), "{looser}");
    }
}

#[test]
fn a_template_counts_only_as_its_authority_signed_it() {
    let judged = |text: &str, note: Option<&str>, keys: &[AuthorityKey]| {
        let template = load_template("check.toml", text.as_bytes()).unwrap();
        let templates = Templates::new(vec![(template, note)], keys).unwrap();
        templates.judge(&samples::load(&agreement(&[0; KEYS]))).to_string()
    };
    let text = template();
    let loaded = load_template("check.toml", text.as_bytes()).unwrap();
    let note = sign_template(None, &loaded, "the.office", &key(9)).unwrap();
    let office = [authority(9, false)];
    assert_eq!(judged(&text, Some(&note), &office), "");
    assert!(judged(&text, None, &office).contains("is not signed by office"));
    assert!(judged(&text, Some(&note), &[]).contains("lists as no [[authority]]"));
    assert!(judged(&text, Some(&note), &[authority(8, false)]).contains("is not signed by office"));
    assert!(judged(&text, Some(&note), &[authority(9, true)]).contains("a trial key only"));
    let changed = text.replace("per_minute = 30", "per_minute = 3000");
    assert!(judged(&changed, Some(&note), &office).contains("changed after it was signed"));
    let other = text.replace("version = 1", "version = 2");
    assert!(judged(&other, None, &office).contains("is not in policies/templates"));
    // A trial's is for trials, whoever signed it.
    let trial = load_template("check.toml", text.replace("\"live\"", "\"trial\"").as_bytes()).unwrap();
    assert_eq!(trial.stage, Stage::Trial);
    let note = sign_template(None, &trial, "the.office", &key(9)).unwrap();
    assert!(
        judged(&text.replace("\"live\"", "\"trial\""), Some(&note), &office).contains("`agreement.stage`")
    );
    assert!(
        load_template("check.toml", format!("{text}[law]\n").as_bytes()).is_err(),
        "a key it does not know"
    );
}
