//! The whole field list of an agreement (format 2): what loads, what is refused and how it is said, and that
//! the page, the schema and the loader say the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::json;
use tolbooth::model::{MemberClass, MemberId};
use tolbooth::policy::{self, Agreement, Field, Kind, Need};
use toml::Value;

use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};

const WHOLE: [&str; 3] = ["child-protection.toml", "taxi-licence.toml", "premises.toml"];

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn golden(name: &str) -> String {
    text(&root("tests/golden/agreements").join(name))
}

fn in_folder(folder: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(root(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    files
}

/// Everything that is wrong with a text, against these members; nothing if it loads.
fn faults(text: &str) -> String {
    match policy::load("agreement.toml", text.as_bytes()) {
        Ok(agreement) => policy::against_members(&agreement, class_of).to_string(),
        Err(faults) => faults.to_string(),
    }
}

fn class_of(member: &MemberId) -> Option<MemberClass> {
    match member.as_str() {
        "glenmore" | "lochside" => Some(MemberClass::Council),
        "nhs-lomond" => Some(MemberClass::Health),
        "police-caledonia" => Some(MemberClass::Police),
        "fire-caledonia" => Some(MemberClass::Fire),
        "safe-homes" | "alba-homes" => Some(MemberClass::Voluntary),
        "caledonia-statistics" => Some(MemberClass::Office),
        _ => None,
    }
}

fn schema() -> Validator {
    jsonschema::validator_for(&policy::fields_schema()).unwrap()
}

/// As an editor shows a file to a schema: dates are texts.
fn as_json(value: &Value) -> serde_json::Value {
    match value {
        Value::String(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Boolean(is) => json!(is),
        Value::Datetime(date) => json!(date.to_string()),
        Value::Array(items) => items.iter().map(as_json).collect(),
        Value::Table(table) => table.iter().map(|(key, value)| (key.clone(), as_json(value))).collect(),
    }
}

/// A value on one line.
fn written(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        Value::Table(table) => {
            let entries = table.iter().map(|(key, value)| format!("\"{key}\" = {}", written(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Datetime(date) => date.to_string(),
        Value::Float(number) => format!("{number:?}"),
        other => as_json(other).to_string(),
    }
}

fn file_of(root: &Value) -> String {
    let table = root.as_table().unwrap();
    table.iter().map(|(key, value)| format!("\"{key}\" = {}\n", written(value))).collect()
}

fn parsed(text: &str) -> Value {
    Value::Table(text.parse().unwrap())
}

fn loaded(text: &str) -> Agreement {
    policy::load("agreement.toml", text.as_bytes()).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn whole_agreements_load_and_say_what_they_say() {
    for name in WHOLE {
        assert_eq!(faults(&golden(name)), "", "{name}");
    }
    let agreement = loaded(&golden("child-protection.toml"));
    let said = agreement.particulars.as_ref().unwrap();
    assert!(agreement.is_personal() && agreement.user_required && !agreement.case_required);
    assert_eq!(said.description.fields.len(), agreement.release.fields.len());
    assert_eq!(said.review_due.to_string(), "2027-12-01");
    assert_eq!(agreement.law[0].conditions.schedule1[0].to_string(), "sch1_18");
    assert_eq!(agreement.controllers().count(), 2);
    let premises = loaded(&golden("premises.toml"));
    assert!(!premises.is_personal() && premises.law.is_empty() && !premises.user_required);
}

#[test]
fn a_trial_of_format_2_needs_no_law_and_an_observer_signs_nothing() {
    let text = golden("child-protection.toml")
        .replace("stage = \"live\"", "stage = \"trial\"")
        .replace("until = 2028-11-30", "until = 2027-02-28");
    let mut root = parsed(&text);
    let table = root.as_table_mut().unwrap();
    for section in ["law", "rights", "impact"] {
        table.remove(section).unwrap();
    }
    assert_eq!(faults(&file_of(&root)), "");
    let (head, rest) = text.split_once("[purpose]").unwrap();
    let party = head.split("[[party]]").nth(1).unwrap();
    let party = party.replace("glenmore", "fire-caledonia").replace("provider", "observer");
    let observed =
        loaded(&format!("{head}[[party]]{}[purpose]{rest}", party.replace("\"sole\"", "\"none\"")));
    let signers: Vec<&str> = observed.controllers().map(MemberId::as_str).collect();
    assert_eq!((observed.parties.len(), signers), (3, vec!["glenmore", "nhs-lomond"]));
}

#[test]
fn each_check_refuses_its_file_and_says_what_to_do() {
    let schema = schema();
    let cases = in_folder("tests/golden/agreements/refused");
    assert!(cases.len() > 50);
    for path in cases {
        let case = parsed(&text(&path));
        let of = |key: &str| case[key].as_str().unwrap();
        let whole = golden(of("of"));
        assert!(whole.contains(of("replace")), "{}", path.display());
        let changed = if case.get("every").is_some() {
            whole.replace(of("replace"), of("with"))
        } else {
            whole.replacen(of("replace"), of("with"), 1)
        };
        let said = faults(&changed);
        assert!(said.contains(of("says")), "{}\nsaid: {said}", path.display());
        let takes = schema.is_valid(&as_json(&parsed(&changed)));
        assert_eq!(takes, of("schema") == "takes", "{}: the schema", path.display());
    }
}

#[test]
fn the_page_and_the_schema_are_the_tables() {
    let hint = "write it anew: `tolbooth agreement fields`, with `--schema` for the schema";
    assert!(text(&root("docs/fields.md")) == policy::fields_page(), "docs/fields.md: {hint}");
    let stored: serde_json::Value =
        serde_json::from_str(&text(&root("schemas/agreement.schema.json"))).unwrap();
    assert!(stored == policy::fields_schema(), "schemas/agreement.schema.json: {hint}");
}

#[test]
fn shipped_agreements_are_taken_by_loader_and_schema() {
    let schema = schema();
    let mut shipped = in_folder("policies/agreements");
    for scenario in std::fs::read_dir(root("policies/scenarios")).unwrap().map(|entry| entry.unwrap()) {
        if scenario.file_type().unwrap().is_dir() {
            let name = scenario.file_name().into_string().unwrap();
            shipped.extend(in_folder(&format!("policies/scenarios/{name}/policies/agreements")));
        }
    }
    assert!(shipped.len() >= 16, "{}", shipped.len());
    for path in shipped.into_iter().chain(WHOLE.map(|name| root("tests/golden/agreements").join(name))) {
        let text = text(&path);
        assert_eq!(faults(&text), "", "{}", path.display());
        let errors: Vec<String> =
            schema.iter_errors(&as_json(&parsed(&text))).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", path.display());
    }
}

/// Where a value stands: names, and places in lists.
type Place = Vec<String>;

fn places(value: &Value, at: &Place, out: &mut Vec<Place>) {
    let mut go = |name: String, value: &Value| {
        let place: Place = at.iter().cloned().chain([name]).collect();
        out.push(place.clone());
        places(value, &place, out);
    };
    match value {
        Value::Table(table) => table.iter().for_each(|(key, value)| go(key.clone(), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| go(at.to_string(), value)),
        _ => {}
    }
}

fn parent<'v>(root: &'v mut Value, place: &[String]) -> &'v mut Value {
    place[..place.len() - 1].iter().fold(root, |value, name| match value {
        Value::Array(items) => &mut items[name.parse::<usize>().unwrap()],
        table => &mut table[name.as_str()],
    })
}

/// The row of the table for a place, if it is one of a key and not of something inside a value.
fn row(place: &[String], format: u8) -> Option<&'static Field> {
    let is = |field: &Field| {
        let steps: Vec<&str> = field.path.split('.').collect();
        let mut names: Vec<String> = Vec::new();
        for name in place {
            match names.last_mut() {
                Some(last) if name.parse::<usize>().is_ok() => last.push_str("[]"),
                _ => names.push(name.clone()),
            }
        }
        steps.len() == names.len()
            && steps.iter().zip(&names).enumerate().all(|(at, (step, name))| {
                // The list itself is of the row as each of its tables is.
                let list = at + 1 == names.len() && step.trim_end_matches("[]") == name;
                list || step == name || step.starts_with('<')
            })
    };
    policy::fields().find(|field| field.formats.has(format) && is(field))
}

/// Inside one of these what is wanted hangs on more than the key itself.
fn hangs_on_more(place: &[String], format: u8) -> bool {
    let nearest = (1..=place.len()).rev().find_map(|length| row(&place[..length], format));
    match nearest {
        Some(field) => {
            matches!(field.need, Need::When(_)) || matches!(field.kind, Kind::Rows | Kind::Release(_))
        }
        None => place.first().is_some_and(|first| ["law", "rights", "impact"].contains(&first.as_str())),
    }
}

#[test]
fn loader_and_schema_judge_every_key_alike() {
    let schema = schema();
    let mut judged = 0;
    let formats = WHOLE.map(|name| (golden(name), 2)).into_iter();
    let trials = in_folder("policies/agreements").into_iter().map(|path| (text(&path), 1));
    for (text, format) in formats.chain(trials) {
        let whole = parsed(&text);
        assert_eq!(faults(&file_of(&whole)), "", "written anew it is the same");
        let mut all = Vec::new();
        places(&whole, &Vec::new(), &mut all);
        for place in all {
            let at = place.join(".");
            let mut judge = |what: &str, change: &dyn Fn(&mut Value, &str)| {
                let mut changed = whole.clone();
                change(parent(&mut changed, &place), place.last().unwrap());
                let (taken, valid) =
                    (faults(&file_of(&changed)).is_empty(), schema.is_valid(&as_json(&changed)));
                judged += 1;
                (taken, valid, format!("{what} {at}: the loader takes it: {taken}, the schema: {valid}"))
            };
            let (taken, valid, said) = judge("without", &|above, name| match above {
                Value::Table(table) => drop(table.remove(name)),
                Value::Array(items) => drop(items.remove(name.parse().unwrap())),
                _ => {}
            });
            assert!(valid || !taken, "{said}");
            assert!(
                taken
                    || !valid
                    || hangs_on_more(&place, format)
                    || place.last().unwrap().parse::<usize>().is_ok(),
                "{said}"
            );
            let (taken, valid, said) = judge("another type at", &|above, name| match above {
                Value::Table(table) => drop(table.insert(name.to_owned(), Value::Integer(-1))),
                Value::Array(items) => items[name.parse::<usize>().unwrap()] = Value::Integer(-1),
                _ => {}
            });
            let is_number_of_a_test = at.starts_with("data.rows");
            assert!(!taken && (!valid || is_number_of_a_test), "{said}");
            let (taken, valid, said) = judge("an unknown key beside", &|above, _| {
                if let Value::Table(table) = above {
                    table.insert("no-such-key".to_owned(), Value::Boolean(true));
                }
            });
            let in_table = place.last().unwrap().parse::<usize>().is_err();
            let names_of_parties = place.len() == 2 && place[0] == "law";
            assert!(!in_table || (!taken && (!valid || names_of_parties)), "{said}");
        }
    }
    assert!(judged > 1000, "{judged}");
}

#[test]
fn nothing_is_taken_that_nothing_holds() {
    let whole = golden("child-protection.toml");
    for (key, _) in policy::NOT_YET {
        let (key, value) = key.split_once(" = ").unwrap_or((key, "1"));
        let mut root = parsed(&whole);
        let (section, name) = key.split_once('.').unwrap();
        let value = parsed(&format!("x = {value}"))["x"].clone();
        root[section].as_table_mut().unwrap().insert(name.to_owned(), value);
        let said = faults(&file_of(&root));
        assert!(said.contains(&format!("`{key}`: this Tolbooth does not hold this yet")), "{key}: {said}");
    }
}

#[test]
fn an_emergency_without_a_clause_is_refused() {
    let gateway = Gateway::start("no-emergency");
    assert_eq!(gateway.nhs().ask(CHECK, &NURSE, &asks(CHI)).outcome(), "answered");
    let asked = gateway.system.heard().len();
    let said = gateway.nhs().ask(CHECK, &[NURSE[0], ("tolbooth-emergency", "loss_of_life")], &asks(CHI));
    assert_eq!((said.outcome(), said.code()), ("refused", "not_agreed".to_owned()));
    assert_eq!(gateway.system.heard().len(), asked, "the system behind was asked");
}
