//! What the JSON stages cost: reading a source's document, minimising it, reading what leaves and
//! checking it against the view. 100 records of 10 fields, about 100 KiB, 8 fields released.
#![expect(clippy::unwrap_used, reason = "a bench that cannot set up has nothing to measure")]

use bytes::Bytes;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use jiff::civil::date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tolbooth::contract::{Checker, load};
use tolbooth::json::Document;
use tolbooth::minimise::{Context, Projection, Pseudonyms, view};
use tolbooth::model::{AgreementId, Check, FieldPath, Literal, Mapping, Release, Rows, Test, Transform};

fn main() {
    divan::main();
}

struct Setting {
    document: Bytes,
    projection: Projection,
    checker: Checker,
    zone: TimeZone,
    agreement: AgreementId,
    pseudonyms: Pseudonyms,
}

fn contract() -> String {
    let text = json!({"type": "string", "maxLength": 400});
    let row = json!({
        "type": "object", "additionalProperties": false,
        "required": ["id", "status", "name", "dob", "score", "notes"],
        "properties": {
            "id": {"type": "string", "x-tolbooth-subject": "local_id"},
            "status": {"type": "string", "enum": ["open", "closed", "sealed"]},
            "name": text, "dob": {"type": "string", "format": "date"}, "score": {"type": "number"},
            "active": {"type": "boolean"}, "street": text, "town": text, "notes": text, "plan": text
        }
    });
    json!({
        "openapi": "3.1.0", "info": {"title": "Bench", "version": "1.0.0"}, "x-tolbooth-dataset": "bench",
        "paths": {"/list": {"post": {
            "operationId": "list", "summary": "Bench", "x-tolbooth-effect": "reads",
            "requestBody": {"content": {"application/json": {"schema":
                {"type": "object", "additionalProperties": false}}}},
            "responses": {"200": {"content": {"application/json": {"schema": {"type": "array", "items": row}}}}}
        }}}
    })
    .to_string()
}

fn setting() -> Setting {
    let rows: Value = (0..100)
        .map(|n| {
            json!({
                "id": format!("L{n:06}"), "status": "open", "name": format!("Person Number {n}"),
                "dob": "2014-06-16", "score": 12.5, "active": true, "street": format!("{n} Test Street"),
                "town": "Glenmore", "notes": "a plain word ".repeat(30), "plan": "another word ".repeat(30)
            })
        })
        .collect();
    let operation = load("bench.json", &contract()).unwrap().operations.first().unwrap().clone();
    let path = |name: &str| FieldPath::parse(name).unwrap();
    let released = ["id", "status", "name", "dob", "score", "active", "notes", "plan"];
    let sealed = Check::NotIn(vec![Literal::Text("sealed".into())]);
    let release = Release {
        fields: released.map(|name| (path(name), Transform::None)).into(),
        withhold: ["street", "town"].map(path).into(),
        rows: Rows::All(vec![Test { field: path("status"), check: sealed }]),
    };
    Setting {
        document: rows.to_string().into(),
        projection: Projection::compile(&operation, &release, &Mapping::default()).unwrap(),
        checker: Checker::compile(&view(&operation, &release).unwrap().schema).unwrap(),
        zone: TimeZone::UTC,
        agreement: AgreementId::new("bench").unwrap(),
        pseudonyms: Pseudonyms::new([0; 32], 0),
    }
}

impl Setting {
    fn minimised(&self, document: &Document) -> Bytes {
        let context = Context {
            today: date(2026, 6, 15),
            zone: &self.zone,
            agreement: &self.agreement,
            pseudonyms: &self.pseudonyms,
        };
        self.projection.apply(document.root(), &context).unwrap().body.into()
    }
}

fn read(bytes: &Bytes) -> Document {
    Document::parse(bytes.clone(), 64).unwrap()
}

#[divan::bench]
fn read_the_source(bencher: Bencher<'_, '_>) {
    let setting = setting();
    bencher.counter(BytesCount::new(setting.document.len())).bench(|| read(black_box(&setting.document)));
}

#[divan::bench]
fn minimise(bencher: Bencher<'_, '_>) {
    let setting = setting();
    let document = read(&setting.document);
    bencher
        .counter(BytesCount::new(setting.document.len()))
        .bench(|| setting.minimised(black_box(&document)));
}

#[divan::bench]
fn check(bencher: Bencher<'_, '_>) {
    let setting = setting();
    let body = read(&setting.minimised(&read(&setting.document)));
    bencher
        .counter(BytesCount::new(body.bytes().len()))
        .bench(|| setting.checker.is_valid(black_box(body.root())));
}

#[divan::bench]
fn minimise_read_and_check(bencher: Bencher<'_, '_>) {
    let setting = setting();
    let document = read(&setting.document);
    bencher.counter(BytesCount::new(setting.document.len())).bench(|| {
        let body = read(&setting.minimised(black_box(&document)));
        setting.checker.is_valid(body.root())
    });
}
