use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::json::Document;
use crate::model::{Cardinality, Contract, Effect, OperationId, ScalarKind, Shape};

/// A legal contract; tests spoil a copy.
fn sample() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Child protection", "version": "2.4.0", "description": "Who is on the register."},
        "x-tolbooth-dataset": "child-protection",
        "paths": {"/check": {"post": {
            "operationId": "check",
            "summary": "Is a child on the register?",
            "x-tolbooth-effect": "reads",
            "requestBody": {"required": true, "content": {"application/json": {"schema": {
                "type": "object", "additionalProperties": false, "required": ["chi"],
                "properties": {
                    "chi": {"$ref": "#/components/schemas/Chi", "x-tolbooth-key": true},
                    "siblings": {"type": "array", "maxItems": 3, "items": {"type": "string"},
                        "x-tolbooth-subject": "local_id"},
                    "since": {"type": "string", "format": "date"}
                }
            }}}},
            "responses": {"200": {"description": "The record.", "content": {"application/json": {"schema": {
                "type": "object", "additionalProperties": false, "required": ["status"],
                "properties": {
                    "status": {"type": "string", "enum": ["registered", "not_registered"]},
                    "worker": {"$ref": "#/components/schemas/Worker", "description": "Who to ring."},
                    "risk": {"type": ["integer", "null"], "minimum": 0, "x-tolbooth-special": "health"}
                }
            }}}}}
        }}},
        "components": {"schemas": {
            "Chi": {"type": "string", "pattern": "^[0-9]{10}$", "x-tolbooth-subject": "chi"},
            "Worker": {"type": "object", "additionalProperties": false, "properties": {
                "name": {"type": "string"}, "phone": {"type": "string", "maxLength": 20}
            }}
        }}
    })
}

fn load_value(value: &Value) -> Result<Contract, crate::model::Faults> {
    load("contracts/cp.json", &serde_json::to_string_pretty(value).unwrap())
}

fn checked(contract: &Contract) -> (std::sync::Arc<crate::model::Operation>, Checker) {
    let operation = contract.operation(&OperationId::new("check").unwrap()).unwrap().clone();
    let checker = Checker::compile(&operation.question_schema).unwrap();
    (operation, checker)
}

#[test]
fn a_contract_is_loaded_with_its_references_inlined() {
    let contract = load_value(&sample()).unwrap();
    assert_eq!(
        (contract.version.to_string(), &*contract.title),
        ("child-protection/v2".into(), "Child protection")
    );
    let operation = &contract.operations[0];
    assert_eq!(
        (operation.effect, operation.cardinality, &*operation.path),
        (Effect::Reads, Cardinality::Single, "/check")
    );
    assert!(!operation.question_schema.to_string().contains("$ref"));
    let Shape::Object(question) = &operation.question else { panic!("an object") };
    let chi = question.property("chi").unwrap();
    assert!(chi.required && chi.marks.key);
    assert_eq!(chi.marks.subject.as_ref().unwrap().as_str(), "chi");
    let Shape::Object(answer) = &operation.answer else { panic!("an object") };
    let names: Vec<&str> = answer.properties.iter().map(|property| &*property.name).collect();
    assert_eq!(names, ["status", "worker", "risk"]);
    let Shape::Scalar(risk) = &answer.property("risk").unwrap().shape else { panic!("a scalar") };
    assert!(risk.nullable && risk.kind == ScalarKind::Integer);
    let worker = operation.answer_schema.pointer("/properties/worker").unwrap();
    assert_eq!((&worker["type"], &worker["description"]), (&json!("object"), &json!("Who to ring.")));
}

/// Where (`Q` and `A` are the schemas of question and answer), what is put there (null takes it
/// away), and what the fault says.
const SPOILT: &[(&str, &str, &str)] = &[
    ("/openapi", r#""3.0.3""#, "OpenAPI 3.1"),
    ("/servers", "[]", "unknown key `servers`"),
    ("/info/version", r#""1""#, "/info/version: not a version"),
    ("/info/version", r#""01.0.0""#, "not a version"),
    ("/x-tolbooth-dataset", r#""receipts""#, "means something else"),
    ("/x-tolbooth-dataset", r#""Child Protection""#, "is not a dataset id"),
    ("/paths/~1check/get", "{}", "unknown key `get`"),
    ("/paths/~1a~1{chi}", "{}", "not a path"),
    ("/paths/~1check/post/x-tolbooth-effect", r#""read""#, "`reads` or `changes`"),
    ("/paths/~1check/post/x-tolbooth-effect", "null", "`x-tolbooth-effect` is missing"),
    ("/paths/~1check/post/parameters", "[]", "unknown key `parameters`"),
    ("/paths/~1check/post/responses/404", "{}", "unknown key `404`"),
    ("Q/additionalProperties", "null", "an object must be closed"),
    ("A/additionalProperties", "true", "an object must be closed"),
    ("Q/properties/since/format", r#""hostname""#, "not a format"),
    ("Q/properties/since/default", r#""x""#, "unknown key `default`"),
    ("Q/properties/a.b", r#"{"type": "string"}"#, "a property's name"),
    ("Q/properties/x", r#"{"oneOf": []}"#, "`type` is missing"),
    ("Q/properties/x", "true", "a schema is an object"),
    ("Q/properties/x", r#"{"type": ["string", "integer"]}"#, "one with `null`"),
    ("Q/properties/x", r#"{"type": "string", "maximum": 1}"#, "unknown key `maximum`"),
    ("Q/properties/x", r#"{"type": "string", "pattern": "(?=a)"}"#, "linear"),
    ("Q/properties/x", r#"{"type": "string", "minLength": 3, "maxLength": 2}"#, "is above"),
    ("Q/properties/x", r#"{"type": "number", "minimum": 3, "exclusiveMaximum": 2}"#, "within"),
    ("Q/properties/x", r#"{"type": "integer", "enum": [1, "2"]}"#, "not of type integer"),
    ("Q/properties/x", r#"{"type": "string", "enum": []}"#, "cannot be empty"),
    ("Q/properties/x", r#"{"type": "array"}"#, "`items` is missing"),
    ("Q/properties/x", r#"{"type": "array", "items": [{"type": "string"}]}"#, "not a list"),
    ("Q/properties/x", r#"{"$ref": "https://elsewhere.example/x.json"}"#, "local"),
    ("Q/properties/x", r##"{"$ref": "#/components/schemas/None"}"##, "nowhere"),
    ("Q/properties/x", r##"{"$ref": "#/components/schemas/Chi", "minLength": 1}"##, "unknown key"),
    (
        "Q/properties/x",
        r#"{"type": "object", "additionalProperties": false, "x-tolbooth-key": true}"#,
        "a key or subject",
    ),
    ("Q/properties/chi/x-tolbooth-subject", r#""chii""#, "not a kind of identifier"),
    ("A/properties/risk/x-tolbooth-special", r#""helth""#, "not a special category"),
    ("A/properties/risk/x-tolbooth-safe", "true", "unknown key `x-tolbooth-safe`"),
    ("A/x-tolbooth-personal", "true", "marks go on properties"),
    ("A/required/0", r#""statuss""#, "no such property"),
    ("A/type", r#"["object", "null"]"#, "never null"),
    ("Q/type", r#"["object", "null"]"#, "a question is an object"),
    ("A", r#"{"type": "array", "items": {"type": "string"}}"#, "list of objects"),
    ("/components/schemas/Unused", r#"{"type": "text"}"#, "not a type"),
    (
        "/components/schemas/Worker/properties/boss",
        r##"{"$ref": "#/components/schemas/Worker"}"##,
        "leads back to itself",
    ),
];

#[test]
fn what_is_not_in_the_closed_subset_is_a_fault_that_says_where() {
    let question = "/paths/~1check/post/requestBody/content/application~1json/schema";
    let answer = "/paths/~1check/post/responses/200/content/application~1json/schema";
    for (at, value, says) in SPOILT {
        let mut contract = sample();
        let pointer = match at.split_at(1) {
            ("Q", rest) => format!("{question}{rest}"),
            ("A", rest) => format!("{answer}{rest}"),
            _ => (*at).to_owned(),
        };
        set(&mut contract, &pointer, serde_json::from_str(value).unwrap());
        let faults = load_value(&contract).expect_err(&format!("{at} {value}")).to_string();
        assert!(faults.contains(says), "{at} {value}: {faults}");
    }
}

fn set(root: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    match root.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        Value::Object(members) if value.is_null() => drop(members.shift_remove(&name)),
        Value::Object(members) => drop(members.insert(name, value)),
        _ => panic!("{parent} holds nothing"),
    }
}

#[test]
fn all_faults_are_told_at_once_each_with_its_line() {
    let text =
        "{\n \"openapi\": \"3.1.0\",\n \"info\": {\"title\": \"x\", \"version\": \"1\"},\n \"paths\": {}\n}";
    let faults = load("c.json", text).unwrap_err();
    let lines: Vec<Option<usize>> = faults.0.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [Some(1), Some(3), Some(4)], "{faults}");
    let doubled = load("c.json", "{\n\"openapi\": \"3.1.0\",\n\"openapi\": \"3.1.0\"}").unwrap_err();
    assert_eq!((doubled.0[0].line, &*doubled.0[0].message), (Some(3), "a name twice in one object"));
}

#[test]
fn references_that_multiply_are_stopped() {
    let mut contract = sample();
    for level in 0..15 {
        let next = json!({"$ref": format!("#/components/schemas/L{}", level + 1)});
        let properties: serde_json::Map<String, Value> =
            (0..10).map(|n| (format!("p{n}"), next.clone())).collect();
        let schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
        set(&mut contract, &format!("/components/schemas/L{level}"), schema);
    }
    set(&mut contract, "/components/schemas/L15", json!({"type": "string"}));
    assert!(load_value(&contract).unwrap_err().to_string().contains("references counted each time"));
}

#[test]
fn a_question_is_read_with_its_subjects_and_prints_none() {
    let contract = load_value(&sample()).unwrap();
    let (operation, checker) = checked(&contract);
    let body = Bytes::from_static(br#"{"siblings":["S1","S\u0032"],"chi":"0101019999"}"#);
    let question = read_question(&operation, &checker, body).unwrap();
    assert_eq!(question.node().get("chi").unwrap().text().unwrap(), "0101019999");
    let subjects: Vec<(&str, &str)> =
        question.subjects().iter().map(|subject| (subject.kind.as_str(), &*subject.identifier)).collect();
    assert_eq!(subjects, [("chi", "0101019999"), ("local_id", "S1"), ("local_id", "S2")]);
    assert!(!format!("{question:?}").contains("0101"));
}

/// To JSON Schema 7.0 is the integer 7, but nobody who is kept as 7 is found by it.
#[test]
fn a_whole_number_has_one_spelling_in_a_question() {
    let mut value = sample();
    let question =
        &mut value["paths"]["/check"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    question["properties"]["case"] = json!({"type": "integer", "x-tolbooth-subject": "local_id"});
    let contract = load_value(&value).unwrap();
    let (operation, checker) = checked(&contract);
    let read = |number: &str| {
        let body = format!(r#"{{"chi":"0101019999","case":{number}}}"#);
        read_question(&operation, &checker, Bytes::from(body))
    };
    for number in ["7", "-7", "0"] {
        assert_eq!(read(number).unwrap().subjects().len(), 2, "{number}");
    }
    for number in ["7.0", "7e0", "70E-1", "-0"] {
        assert!(read(number).unwrap_err().to_string().contains("without fraction or exponent"), "{number}");
    }
}

#[test]
fn a_bad_question_is_refused_without_repeating_it() {
    let contract = load_value(&sample()).unwrap();
    let (operation, checker) = checked(&contract);
    let long = format!(r#"{{"chi":"0101019999","{}":1}}"#, "n".repeat(200));
    let huge = format!(r#"{{"chi":"{}"}}"#, "1".repeat(70_000));
    let cases: &[(&str, &str)] = &[
        ("", "is empty"),
        ("[]", "not a JSON object"),
        ("{", "not a JSON document"),
        (r#"{"chi":"0101019999","chi":"0101019998"}"#, "a name twice"),
        (r#"{"chi":"0101019999","\u0063hi":"0101019998"}"#, "a name twice"),
        ("{}", "has no `chi`"),
        (r#"{"chi":101019999}"#, "/chi is not of type string"),
        (r#"{"chi":"01010199991"}"#, "/chi does not match its pattern"),
        (r#"{"chi":"0101019999","since":"01/02/2020"}"#, "/since is not a date"),
        (r#"{"chi":"0101019999","siblings":["a","b","c","d"]}"#, "/siblings has more than 3 items"),
        (r#"{"chi":"0101019999","siblings":[null]}"#, "/siblings/0 is not of type string"),
        (&long, "the contract does not know"),
        (&huge, "is above 65536 bytes"),
    ];
    for (body, says) in cases {
        let fault = read_question(&operation, &checker, Bytes::copy_from_slice(body.as_bytes())).unwrap_err();
        assert!(fault.to_string().contains(says), "{fault}");
        assert!(!format!("{fault} {fault:?}").contains("01010199"), "{fault}");
        assert!(fault.to_string().len() < 200, "{fault}");
    }
    let many = Bytes::from(json!({"chi": "", "siblings": [1, 2, 3, 4, 5, 6, 7, 8, 9]}).to_string());
    assert_eq!(read_question(&operation, &checker, many).unwrap_err().violations().len(), VIOLATIONS_MAX);
}

fn is_valid(schema: &Value, text: &str) -> bool {
    let document = Document::parse(Bytes::copy_from_slice(text.as_bytes()), 64).unwrap();
    let checker = Checker::compile(schema).unwrap();
    let valid = checker.is_valid(document.root());
    assert_eq!(valid, checker.violations(document.root()).is_empty(), "{schema} {text}");
    valid
}

#[test]
fn formats_are_held_to_their_rfcs() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        (
            "date",
            &["2024-02-29", "1911-01-01"],
            &[
                "2023-02-29",
                "2024-2-9",
                "20240229",
                "2024-02-29T00:00:00Z",
                "2024-02-30",
                "+024-01-01",
                "2024-13-01",
                "",
            ],
        ),
        (
            "date-time",
            &["2024-02-29T12:00:00Z", "2024-02-29T12:00:00.5+01:00"],
            &["2024-02-29 12:00:00Z", "2024-02-29T12:00:00", "2024-02-29T25:00:00Z", "2024-02-29"],
        ),
        ("time", &["12:00:00Z"], &["12:00Z", "12:00:00", "24:00:00Z"]),
        ("email", &["a.b@example.scot"], &["a.b", "@example.scot", "a b@example.scot"]),
        ("uri", &["https://example.scot/x"], &["/x", "not a uri"]),
        ("uuid", &["01923456-789a-7fff-bfff-ffffffffffff"], &["01923456789a7fffbfffffffffffffff", "x"]),
    ];
    for (format, good, bad) in cases {
        let schema = json!({"type": "string", "format": format});
        for text in *good {
            assert!(is_valid(&schema, &json!(text).to_string()), "{format} {text}");
        }
        for text in *bad {
            assert!(!is_valid(&schema, &json!(text).to_string()), "{format} {text}");
        }
    }
}

#[test]
fn the_tape_validates_as_values_do() {
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["n", "s"],
        "properties": {
            "n": {"type": "integer", "maximum": 9_007_199_254_740_993_i64},
            "s": {"type": "string", "minLength": 2, "maxLength": 3},
            "e": {"type": ["string", "null"], "enum": ["a", "é", null]},
            "c": {"type": "number", "const": 1.5},
            "m": {"type": "number", "multipleOf": 0.01},
            "l": {"type": "array", "minItems": 1, "items": {"type": "boolean"}}
        }
    });
    let values = jsonschema::draft202012::new(&schema).unwrap();
    let cases = [
        (r#"{"n":1,"s":"ab"}"#, true),
        (r#"{"n":1.0,"s":"ab"}"#, true),
        (r#"{"n":1e2,"s":"ab"}"#, true),
        (r#"{"n":1.5,"s":"ab"}"#, false),
        (r#"{"n":9007199254740994,"s":"ab"}"#, false),
        (r#"{"n":123456789012345678901234567890,"s":"ab"}"#, false),
        (r#"{"n":-0,"s":"\u00e9\ud83d\ude00"}"#, true),
        (r#"{"n":1,"s":"\u00e9"}"#, false),
        (r#"{"n":1,"\u0073":"ab"}"#, true),
        (r#"{"n":1,"s":"ab","e":"\u00e9"}"#, true),
        (r#"{"n":1,"s":"ab","e":null}"#, true),
        (r#"{"n":1,"s":"ab","e":"E"}"#, false),
        (r#"{"n":1,"s":"ab","c":15e-1}"#, true),
        (r#"{"n":1,"s":"ab","c":1.50001}"#, false),
        (r#"{"n":1,"s":"ab","m":0.07}"#, true),
        (r#"{"n":1,"s":"ab","m":0.075}"#, false),
        (r#"{"n":1,"s":"ab","l":[true,false]}"#, true),
        (r#"{"n":1,"s":"ab","l":[]}"#, false),
        (r#"{"n":1,"s":"ab","l":[0]}"#, false),
        (r#"{"n":1,"s":"ab","x":0}"#, false),
        (r#"{"s":"ab"}"#, false),
        ("[]", false),
        ("null", false),
    ];
    for (text, expected) in cases {
        assert_eq!(is_valid(&schema, text), expected, "{text}");
        assert_eq!(values.is_valid(&serde_json::from_str(text).unwrap()), expected, "{text}");
    }
}
