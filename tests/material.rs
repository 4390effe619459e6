//! What `init` and `demo` ship holds together and is nobody's: contracts close every object,
//! agreements cover every field, mappings lead somewhere, and no name, number or address could be
//! a person's. The loaders of the rooms check the rest.

use std::collections::BTreeSet;

use serde_json::Value;

const CHILD: &str = include_str!("../schemas/child-protection.v1.json");
const CHILD_SOURCE: &str = include_str!("../policies/datasets/child-protection.toml");
const CHILD_AGREEMENT: &str =
    include_str!("../policies/agreements/glenmore-nhs-lomond-child-protection.toml");
const CLIENTS: &str = include_str!("../src/cli/demo/clients.json");
const TAXI: &str = include_str!("../schemas/taxi-licence.v1.json");
const TAXI_SOURCE: &str = include_str!("../policies/datasets/taxi-licence.toml");
const TAXI_AGREEMENT: &str =
    include_str!("../policies/agreements/glenmore-police-caledonia-taxi-licence.toml");
const LICENCES: &str = include_str!("../src/cli/demo/licences.csv");

const QUESTION: &str = "/paths/~1check/post/requestBody/content/application~1json/schema";
const ANSWER: &str = "/paths/~1check/post/responses/200/content/application~1json/schema";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn toml(text: &str) -> Value {
    toml::from_str::<toml::Table>(text)
        .ok()
        .and_then(|table| serde_json::to_value(table).ok())
        .unwrap_or_default()
}

fn schema(contract: &str, at: &str) -> Value {
    json(contract).pointer(at).cloned().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Every leaf of a schema, as agreements name it; objects that are not closed go to `open`.
fn leaves(schema: &Value, at: &str, out: &mut BTreeSet<String>, open: &mut Vec<String>) {
    if let Some(items) = schema.get("items") {
        leaves(items, &format!("{at}[]"), out, open);
    } else if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        if schema["additionalProperties"] != Value::Bool(false) {
            open.push(at.to_owned());
        }
        for (name, below) in properties {
            let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            leaves(below, &path, out, open);
        }
    } else {
        out.insert(at.to_owned());
    }
}

fn leaves_of(contract: &str) -> BTreeSet<String> {
    let (mut out, mut open) = (BTreeSet::new(), Vec::new());
    leaves(&schema(contract, ANSWER), "", &mut out, &mut open);
    assert!(out.len() >= 10 && open.is_empty(), "not closed: {open:?}");
    out
}

/// The fields a release names, with or without a transform.
fn released(agreement: &Value) -> Vec<String> {
    let items = agreement.pointer("/data/release").and_then(Value::as_array).into_iter().flatten();
    items
        .filter_map(|item| item.as_str().or_else(|| item.get("field")?.as_str()))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_leaf_is_released_or_withheld_and_never_both() {
    for (contract, agreement) in [(CHILD, CHILD_AGREEMENT), (TAXI, TAXI_AGREEMENT)] {
        let agreement = toml(agreement);
        let (release, withhold) = (released(&agreement), texts(&agreement["data"]["withhold"]));
        assert!(!release.is_empty() && !withhold.is_empty());
        let below = |leaf: &str, held: &str| {
            leaf == held || leaf.starts_with(&format!("{held}.")) || leaf.starts_with(&format!("{held}[]"))
        };
        for leaf in leaves_of(contract) {
            let times = release.iter().filter(|name| **name == leaf).count()
                + withhold.iter().filter(|held| below(&leaf, held)).count();
            assert_eq!(times, 1, "{leaf}");
        }
    }
}

#[test]
fn a_row_condition_names_what_the_contract_requires() {
    let required = texts(&schema(CHILD, ANSWER)["required"]);
    let agreement = toml(CHILD_AGREEMENT);
    let tests = agreement["data"]["rows"]["any"].as_array().unwrap();
    assert_eq!(tests.len(), 2);
    for test in tests {
        assert!(required.iter().any(|name| *name == test["field"]), "{test}");
    }
}

#[test]
fn the_safe_address_comes_as_a_surprise() {
    for known in [CHILD, CHILD_SOURCE, CHILD_AGREEMENT, CLIENTS] {
        assert!(!known.contains("safe_address") && !known.contains("safe-address"));
    }
}

/// A client as the contract has it, by the renames: a slow reading of what the source room does.
fn mapped(schema: &Value, at: &str, source: &Value, renames: &Value) -> Option<Value> {
    if let Some(items) = schema.get("items") {
        let rows = source.as_array()?;
        return rows.iter().map(|row| mapped(items, &format!("{at}[]"), row, renames)).collect();
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Some(source.clone());
    };
    let read = properties.iter().filter_map(|(name, below)| {
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        let own = format!("/{name}");
        let pointer = renames.get(&path).and_then(Value::as_str).unwrap_or(&own);
        Some((name.clone(), mapped(below, &path, source.pointer(pointer)?, renames)?))
    });
    Some(Value::Object(read.collect()))
}

#[test]
fn every_client_reads_as_the_contract_says() {
    let answer = schema(CHILD, ANSWER);
    let question = schema(CHILD, QUESTION);
    let renames = &toml(CHILD_SOURCE)["operation"][0]["rename"];
    for path in renames.as_object().unwrap().keys() {
        let known = leaves_of(CHILD).into_iter().any(|leaf| leaf.starts_with(path.as_str()));
        assert!(known, "`{path}` is renamed but not in the contract");
    }
    let check = jsonschema::draft202012::options().should_validate_formats(true).build(&answer).unwrap();
    let ask = jsonschema::draft202012::options().build(&question).unwrap();
    let clients = json(CLIENTS);
    let clients = clients["clients"].as_array().unwrap();
    assert_eq!(clients.len(), 12);
    for client in clients {
        let document = mapped(&answer, "", client, renames).unwrap();
        assert!(check.is_valid(&document), "{:?}", check.iter_errors(&document).next());
        assert!(ask.is_valid(&serde_json::json!({ "chi": document["chi"] })));
        // Nobody leads where there is no entry; all else is there in every record.
        assert_eq!(document.get("lead_officer").is_none(), document["status"] == "not-registered");
        let kept: BTreeSet<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(kept.is_superset(&["siblings", "address", "category", "case_notes"].into()), "{kept:?}");
    }
}

#[test]
fn every_state_of_a_child_is_there_to_be_asked_for() {
    let clients = json(CLIENTS);
    let states: BTreeSet<&str> = clients["clients"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|client| client["cp"]["state"].as_str())
        .collect();
    assert_eq!(states, ["ended", "looked-after", "not-registered", "pre-birth", "registered"].into());
}

#[test]
fn every_licence_reads_as_the_contract_says() {
    let answer = schema(TAXI, ANSWER);
    let dataset = toml(TAXI_SOURCE);
    let columns = dataset["source"]["columns"].as_object().unwrap();
    let mapped: BTreeSet<String> = columns.keys().cloned().collect();
    assert_eq!(mapped, leaves_of(TAXI));
    let check = jsonschema::draft202012::options().should_validate_formats(true).build(&answer).unwrap();
    let mut reader = csv::Reader::from_reader(LICENCES.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let at = |header: &Value| headers.iter().position(|known| *header == known).unwrap();
    let mut numbers = BTreeSet::new();
    for row in reader.records() {
        let row = row.unwrap();
        let cells = columns.iter().filter_map(|(field, header)| {
            let cell = row.get(at(header)).filter(|cell| !cell.is_empty())?;
            let number = answer["properties"][field]["type"] == "integer";
            Some((field.clone(), if number { json(cell) } else { Value::from(cell) }))
        });
        let document = Value::Object(cells.collect());
        assert!(check.is_valid(&document), "{:?}", check.iter_errors(&document).next());
        assert_eq!(row.get(at(&"Synthetic".into())), Some("synthetic"));
        numbers.insert(document["licence_no"].as_str().unwrap().to_owned());
    }
    assert_eq!(numbers.len(), 20);
    let key = dataset["operation"][0]["lookup"]["licence_no"].clone();
    assert_eq!(headers.iter().filter(|header| key == *header).count(), 1);
    assert!(LICENCES.contains("19:00\nReview"), "a quoted newline is part of what is shown");
}

/// Whether a CHI number carries the check digit a real one would (modulus 11, weights 10 to 2).
fn could_be_real(chi: &str) -> bool {
    let digits: Vec<u32> = chi.chars().filter_map(|c| c.to_digit(10)).collect();
    let Some((last, first)) = digits.split_last() else { return false };
    let sum: u32 = first.iter().zip((2..=10).rev()).map(|(digit, weight)| digit * weight).sum();
    (11 - sum % 11) % 11 == *last
}

#[test]
fn nobody_is_in_the_material() {
    // The 99th of the 99th month has a right check digit and is nobody.
    assert!(could_be_real("9999990002") && !could_be_real("9999990003"));
    let all = [CLIENTS, LICENCES, CHILD, TAXI].concat();
    let (mut chis, mut phones, mut postcodes) = (0, 0, 0);
    for word in all.split(|c: char| !c.is_ascii_alphanumeric()) {
        if word.len() == 10 && word.bytes().all(|b| b.is_ascii_digit()) {
            assert!(!could_be_real(word), "{word} has the check digit of a real CHI number");
            chis += 1;
        }
    }
    for after in all.split("01632 ").skip(1) {
        assert!(after.starts_with("960"), "a phone number outside the range kept for drama");
        phones += 1;
    }
    for after in all.split("ZZ99 ").skip(1) {
        postcodes += usize::from(after.starts_with(|c: char| c.is_ascii_digit()));
    }
    assert_eq!((chis, postcodes), (13, 32));
    assert!(phones >= 20);
    assert!(json(CLIENTS)["synthetic"].as_str().is_some_and(|banner| banner.contains("invented")));
}
