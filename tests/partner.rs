//! What a partner's developer is told before the first real question: their own view, whether a question
//! would be answered, and examples that run as they are.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;
use std::process::Command;

use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use support::agreements::{self, CHILD, agree, reword, text, unsealed};
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::ledger;
use support::partner::{Partner, Said};
use support::until;

const VIEW: &str = "/child-protection/v1/openapi.json";

fn get(partner: &Partner, gateway: &Gateway, path: &str) -> Said {
    let host = format!("localhost:{}", gateway.running().partners.port());
    partner.send(Request::get(path).header("host", host).body(Full::default()).unwrap())
}

fn explain(partner: &Partner, headers: &[(&str, &str)], body: &Value) -> Said {
    partner.ask("/explain", headers, &body.to_string())
}

fn about(chi: &str) -> Value {
    json!({ "dataset": "child-protection/v1", "operation": "check", "question": { "chi": chi } })
}

/// What differs from exchange to exchange, taken out.
fn without_ids(said: &Said) -> Value {
    let mut problem = said.json();
    problem["exchange"] = Value::Null;
    problem
}

#[test]
fn a_systems_own_view_is_what_it_may_ask_and_no_more() {
    let gateway = Gateway::start("own-view");
    let said = get(&gateway.nhs(), &gateway, VIEW);
    assert_eq!((said.status, said.outcome(), said.receipt()), (200, "own_view", None), "{said:?}");
    assert_eq!(said.header("content-type"), "application/json");
    let view = said.json();
    assert_eq!(view["openapi"], "3.1.0");
    let post = &view["paths"]["/check"]["post"];
    // The answer is the view: what is withheld is not in it, and what is transformed is of its new type.
    let released = &post["responses"]["200"]["content"]["application/json"]["schema"];
    let names: Vec<&str> = released["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let asked = gateway.check(CHI).json();
    let left: Vec<&str> = asked.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, left, "the view is what leaves");
    assert_eq!(released["properties"]["date_of_birth"]["type"], json!(["number", "null"]));
    assert!(!said.json()["paths"].to_string().contains("family_name"));
    // Only what the agreement leaves open has to be sent.
    let headers: Vec<&str> =
        post["parameters"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(headers, ["Tolbooth-Role"]);
    assert_eq!(post["parameters"][0]["required"], true);
    let agreement = &view["x-tolbooth-agreements"][0];
    assert_eq!(agreement["agreement"], format!("{CHILD}@1"));
    assert_eq!(agreement["per_minute"], 30);
    let codes = view["x-tolbooth-refusals"].as_array().unwrap();
    assert_eq!(codes.len(), tolbooth::model::Code::ALL.len());
    // A question as the view says is answered.
    let role = post["parameters"][0]["example"].as_str().unwrap();
    let question = post["requestBody"]["content"]["application/json"]["example"].to_string();
    assert_eq!(gateway.nhs().ask(CHECK, &[("tolbooth-role", role)], &question).outcome(), "answered");
}

#[test]
fn without_an_agreement_in_force_there_is_no_view_and_nothing_tells_why() {
    let gateway = Gateway::start("no-view");
    let told: Vec<Said> = [VIEW, "/no-such-dataset/v1/openapi.json", "/child-protection/v2/openapi.json"]
        .iter()
        .map(|path| get(&gateway.police(), &gateway, path))
        .collect();
    let question = gateway.police().ask(CHECK, &[], &asks(CHI));
    for said in told.iter().chain([&question]) {
        assert_eq!((said.status, said.outcome(), said.code().as_str()), (403, "refused", "not_agreed"));
        assert_eq!(without_ids(said), without_ids(&question));
        let envelope = ledger::envelope(&gateway.home, said);
        assert_eq!((&envelope["dataset"], &envelope["operation"]), (&Value::Null, &Value::Null));
    }
    // One that has ended shows no more than one that never was.
    let ended = Gateway::start_changed("ended-view", |home| {
        std::fs::remove_file(agreements::signatures(home, CHILD)).unwrap();
    });
    let said = get(&ended.nhs(), &ended, VIEW);
    assert_eq!((said.status, without_ids(&said)), (403, without_ids(&question)));
    // Another method or a query is another request.
    let posted = gateway.nhs().ask(VIEW, &NURSE, "{}");
    assert_eq!(posted.code(), "not_agreed");
    assert_eq!(get(&gateway.nhs(), &gateway, &format!("{VIEW}?x=1")).code(), "not_agreed");
}

#[test]
fn reads_of_ones_own_view_are_counted_and_bounded_and_not_recorded_one_by_one() {
    let mut gateway = Gateway::start("view-rate");
    let nhs = gateway.nhs();
    let beyond = until("a minute is used up", || {
        let said = get(&nhs, &gateway, VIEW);
        (said.status != 200).then_some(said)
    });
    assert_eq!(
        (beyond.status, beyond.outcome(), beyond.code().as_str()),
        (429, "unrecorded", "limit_reached")
    );
    assert!(!beyond.header("retry-after").is_empty());
    assert_eq!(gateway.search(json!({ "kind": "exchange" })).len(), 0, "an exchange was recorded for a read");
    // Counts become summaries when it stops.
    gateway.restart();
    let summaries = gateway.search(json!({ "kind": "summary" }));
    let counted: u64 = summaries
        .iter()
        .map(|found| &found["envelope"])
        .filter(|envelope| envelope["cause"] == "own_view_read" && envelope["member"] == "nhs-lomond")
        .map(|envelope| envelope["count"].as_u64().unwrap())
        .sum();
    assert!(counted > 60, "{counted}");
}

#[test]
fn several_agreements_are_told_apart_and_each_says_what_is_its_own() {
    let gateway = Gateway::start_changed("two-agreements", |home| {
        let other = unsealed(&text(home, CHILD)).replace(CHILD, "second").replace("    \"status\",\n", "");
        let other = other.replace("withhold = [", "withhold = [\"status\", ");
        agree(home, "second", &other);
    });
    let view = get(&gateway.nhs(), &gateway, VIEW).json();
    let post = &view["paths"]["/check"]["post"];
    let named = &post["parameters"][0];
    assert_eq!((&named["name"], &named["required"]), (&json!("Tolbooth-Agreement"), &json!(true)), "{post}");
    assert_eq!(named["schema"]["enum"], json!([CHILD, "second"]));
    let any = post["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"].as_array().unwrap();
    assert_eq!(any[0]["title"], format!("{CHILD}@1"));
    assert!(any[0]["properties"].get("status").is_some() && any[1]["properties"].get("status").is_none());
    for sample in post["x-codeSamples"].as_array().unwrap() {
        assert!(sample["source"].as_str().unwrap().contains("Tolbooth-Agreement"), "{sample}");
    }
}

#[test]
fn an_explanation_says_what_would_be_and_the_source_hears_nothing() {
    let gateway = Gateway::start("explain");
    let nhs = gateway.nhs();
    let said = explain(&nhs, &NURSE, &about(CHI));
    assert_eq!((said.status, said.outcome()), (200, "explained"), "{said:?}");
    let told = said.json();
    assert_eq!((&told["would_be"], &told["per_minute"]), (&json!("answered"), &json!(30)));
    assert_eq!(told["role"], json!({ "value": "ed_nurse", "origin": "claimed" }));
    assert!(!String::from_utf8_lossy(&said.body).contains(CHI));
    assert!(gateway.system.heard().is_empty(), "the system behind was asked");
    // On the record, with its receipt, as something that released nothing.
    let envelope = ledger::envelope(&gateway.home, &said);
    assert_eq!((&envelope["outcome"], &envelope["rows"]), (&json!("explained"), &json!(0)));
    assert_eq!((&envelope["fields"], &envelope["code"]), (&json!([]), &Value::Null));
    assert_eq!(envelope["operation"], "check");
    assert_eq!(gateway.search(json!({ "outcome": "answered" })).len(), 0);
    assert_eq!(gateway.search(json!({ "outcome": "explained" })).len(), 1);
}

#[test]
fn an_explanation_names_the_code_the_fact_and_who_can_change_it() {
    let gateway = Gateway::start_changed("explain-why", |home| {
        reword(home, CHILD, |text| text.replace("user = \"none\"", "user = \"required\""));
    });
    let nhs = gateway.nhs();
    let why = |headers: &[(&str, &str)], body: &Value| {
        let said = explain(&nhs, headers, body);
        assert_eq!((said.status, said.outcome()), (200, "explained"), "{said:?}");
        let told = said.json();
        assert_eq!(told["would_be"], "refused");
        assert_eq!(ledger::envelope(&gateway.home, &said)["code"], told["code"]);
        // The question itself is refused just so.
        let asked = nhs.ask(CHECK, headers, &body["question"].to_string());
        assert_eq!(asked.json()["code"], told["code"]);
        assert_eq!(asked.json()["fixer"], told["fixer"]);
        assert!(!told["change"].as_str().unwrap().is_empty(), "{told}");
        (told["code"].as_str().unwrap().to_owned(), told["fact"].as_str().unwrap().to_owned())
    };
    let user = ("tolbooth-user", "somebody");
    let (code, fact) = why(&[user], &about(CHI));
    assert_eq!(code, "role_not_allowed");
    assert!(fact.contains("ed_nurse"), "{fact}");
    let (code, fact) = why(&[user, NURSE[0], ("tolbooth-purpose", "crime_prevention")], &about(CHI));
    assert_eq!(code, "purpose_not_allowed");
    assert!(fact.contains("The purposes allowed for this system are: "), "{fact}");
    assert_eq!(why(&NURSE, &about(CHI)).0, "user_missing");
    let told = explain(&nhs, &NURSE, &about(CHI)).json();
    assert_eq!(told["stands_on"], json!(["access.user"]));
    let (code, fact) = why(&[user, NURSE[0]], &about("not a chi"));
    assert_eq!(code, "question_invalid");
    assert!(fact.contains("/chi") && !fact.contains("not a chi"), "{fact}");
    assert!(gateway.system.heard().is_empty(), "the system behind was asked");
}

#[test]
fn an_agreement_that_is_not_in_force_says_why_to_its_parties_alone() {
    let gateway = Gateway::start_changed("explain-not-in-force", |home| {
        std::fs::remove_file(agreements::signatures(home, CHILD)).unwrap();
    });
    let told = explain(&gateway.nhs(), &NURSE, &about(CHI)).json();
    assert_eq!(told["code"], "agreement_not_in_force");
    assert!(told["fact"].as_str().unwrap().contains("not signed for glenmore"), "{told}");
    let police = explain(&gateway.police(), &[], &about(CHI));
    assert_eq!((police.status, police.outcome(), police.code().as_str()), (403, "refused", "not_agreed"));
}

#[test]
fn a_stranger_learns_nothing_from_explanations() {
    let gateway = Gateway::start("explain-stranger");
    let police = gateway.police();
    let question = police.ask(CHECK, &[], &asks(CHI));
    let unknown = json!({ "dataset": "no-such/v1", "operation": "check", "question": {} });
    let bad = json!({ "dataset": "child-protection/v1", "operation": "check", "question": { "x": 1 } });
    for body in [about(CHI), unknown, bad] {
        let said = explain(&police, &[], &body);
        assert_eq!((said.status, said.outcome()), (403, "refused"));
        assert_eq!(without_ids(&said), without_ids(&question));
        let envelope = ledger::envelope(&gateway.home, &said);
        assert_eq!((&envelope["dataset"], &envelope["operation"]), (&Value::Null, &Value::Null));
    }
    // What is wrong with the form is told to any member: it says nothing of datasets.
    for body in [
        json!([]),
        json!({ "dataset": "child-protection/v1" }),
        json!({ "dataset": 1, "operation": "check", "question": {} }),
    ] {
        let said = explain(&police, &[], &body);
        assert_eq!((said.status, said.code().as_str()), (422, "question_invalid"), "{body}");
    }
}

#[test]
fn explanations_count_against_the_agreements_limit() {
    let gateway = Gateway::start_changed("explain-limit", |home| {
        reword(home, CHILD, |text| text.replace("per_minute = 30", "per_minute = 1"));
    });
    assert_eq!(explain(&gateway.nhs(), &NURSE, &about(CHI)).json()["would_be"], "answered");
    assert_eq!(explain(&gateway.nhs(), &NURSE, &about(CHI)).json()["code"], "limit_reached");
    assert_eq!(gateway.check(CHI).code(), "limit_reached");
}

/// Runs what a developer would paste, in a folder with the files it names.
fn run(folder: &Path, lang: &str, source: &str) -> String {
    let (program, flag) = if lang == "Shell" { ("sh", "-c") } else { ("python3", "-c") };
    let ended = Command::new(program)
        .args([flag, source])
        .current_dir(folder)
        .env_remove("HTTPS_PROXY")
        .env_remove("https_proxy")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{source}\n{said}\n{}", String::from_utf8_lossy(&ended.stderr));
    said
}

/// `.ci/run` sees to it; elsewhere it may not be there.
fn has_requests() -> bool {
    Command::new("python3").args(["-c", "import requests"]).output().unwrap().status.success()
}

#[test]
fn every_example_runs_as_it_is_and_is_answered() {
    let gateway = Gateway::start("samples");
    let asked = [
        (gateway.nhs(), &gateway.trial.nhs, VIEW),
        (gateway.police(), &gateway.trial.police, "/taxi-licence/v1/openapi.json"),
    ];
    for (partner, files, view) in asked {
        let folder = support::scratch::Scratch::new("samples-of");
        let put = |from: &Path, name: &str| std::fs::copy(from, folder.path().join(name)).unwrap();
        put(&files.certificate, "client.pem");
        put(&files.key, "client.key");
        put(&gateway.trial.ca, "gateway-ca.pem");
        let view = get(&partner, &gateway, view).json();
        for (path, item) in view["paths"].as_object().unwrap() {
            let samples = item["post"]["x-codeSamples"].as_array().unwrap();
            assert_eq!(samples.len(), 3, "{path}");
            for sample in samples {
                let source = sample["source"].as_str().unwrap();
                if source.starts_with("import requests") && !has_requests() {
                    continue;
                }
                let said = run(folder.path(), sample["lang"].as_str().unwrap(), source);
                assert!(said.contains("200") && said.contains("answered"), "{path}: {sample}\n{said}");
            }
        }
    }
}
