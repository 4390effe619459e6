//! Rules on the record: everything a gateway works by, as it was taken into use or refused.

use serde_json::{Value, json};
use tolbooth::model::Digest;

use super::support::agreements::{CHILD, edit, file, replace};
use super::support::gateway::Gateway;
use super::support::{forge, lists, until};

/// What is on the record of rules, oldest first.
fn rules(gateway: &Gateway) -> Vec<Value> {
    gateway.search(json!({ "kind": "rules" }))
}

fn of_file(gateway: &Gateway, name: &str) -> Value {
    Digest::of(&std::fs::read(gateway.home.join(name)).unwrap()).to_string().into()
}

/// The item of what something is.
fn item<'v>(record: &'v Value, what: &str) -> Option<&'v Value> {
    record["envelope"]["items"].as_array().unwrap().iter().find(|item| item[0] == what)
}

fn refusal(gateway: &Gateway, what: &str) -> Value {
    until(what, || {
        let refused = |record: &Value| record["envelope"]["taken"] == false && item(record, what).is_some();
        rules(gateway).into_iter().rfind(refused)
    })
}

#[test]
fn what_a_start_works_by_is_on_the_record_with_what_it_replaces() {
    let mut gateway = Gateway::start("evidence-start");
    let first = rules(&gateway);
    assert_eq!(first.len(), 1, "{first:?}");
    let words =
        ["configuration", "ledger_key", "pseudonym_key", "subject_keys", "token_keys", "server_certificate"];
    for what in words {
        let item = item(&first[0], what).unwrap_or_else(|| panic!("{what}"));
        assert!(item[1].is_null() && item[2].as_str().unwrap().starts_with("sha256:"), "{item}");
    }
    assert_eq!(item(&first[0], "configuration").unwrap()[2], of_file(&gateway, "tolbooth.toml"));
    assert_eq!(item(&first[0], "ledger_key").unwrap()[2], of_file(&gateway, "data/keys/ledger.vkey"));
    assert_eq!(item(&first[0], "server_certificate").unwrap()[2], of_file(&gateway, "certs/server.pem"));
    // No digest of what is secret is of its bytes, nor of the key alone.
    let secret = std::fs::read_to_string(gateway.home.join("data/keys/pseudonym.key")).unwrap();
    let key = Digest::from_hex(secret.trim()).unwrap();
    let shown = item(&first[0], "pseudonym_key").unwrap()[2].as_str().unwrap().to_owned();
    assert!(
        ![Digest::of(secret.as_bytes()), Digest::of(&key.0)].iter().any(|digest| digest.to_string() == shown)
    );

    gateway.stop();
    let ruleset = |gateway: &Gateway| gateway.search(json!({ "kind": "ruleset" })).pop().unwrap();
    edit(&gateway.home.join("tolbooth.toml"), |text| format!("{text}\n# another line\n"));
    gateway.restart();
    let second = rules(&gateway).pop().unwrap();
    for what in words {
        let (before, after) = (item(&first[0], what).unwrap(), item(&second, what).unwrap());
        assert_eq!(after[1], before[2], "{what}");
        assert_eq!(after[2] == before[2], what != "configuration", "{what}");
    }
    let entry = ruleset(&gateway);
    assert_eq!(
        entry["envelope"]["before"], entry["envelope"]["ruleset"],
        "the start knows what was in force"
    );
}

#[test]
fn what_is_refused_is_on_the_record_by_its_digest_and_without_values() {
    let mut gateway = Gateway::start("evidence-refused");
    let in_force =
        || gateway.search(json!({ "kind": "ruleset" })).pop().unwrap()["envelope"]["ruleset"].clone();
    let before = in_force();
    let good = std::fs::read(file(&gateway.home, CHILD)).unwrap();
    edit(&file(&gateway.home, CHILD), |text| text.replace("stage = \"trial\"", "stage = \"PORRIDGE\""));
    let refused = refusal(&gateway, "ruleset");
    let of_ruleset = item(&refused, "ruleset").unwrap();
    assert_eq!(of_ruleset[1], before);
    assert!(
        of_ruleset[2].as_str().unwrap().starts_with("sha256:") && of_ruleset[2] != before,
        "{of_ruleset}"
    );
    let detail = refused["sealed"]["detail"].as_str().unwrap();
    assert!(
        detail.contains(&format!("agreements/{CHILD}.toml:")) && !detail.contains("PORRIDGE"),
        "{detail}"
    );
    assert_eq!(in_force(), before);

    // By the digest of its bytes, too.
    let of_agreement = item(&refused, "file").unwrap();
    assert_eq!(of_agreement[1], Value::from(Digest::of(&good).to_string()));
    let agreement = file(&gateway.home, CHILD);
    assert_eq!(of_agreement[2], Value::from(Digest::of(&std::fs::read(&agreement).unwrap()).to_string()));

    // The gateway's own certificate.
    replace(&file(&gateway.home, CHILD), &good);
    let server = gateway.home.join("certs/server.pem");
    let certificate = std::fs::read(&server).unwrap();
    replace(&server, b"none");
    let refused = refusal(&gateway, "server_certificate");
    let of_server = item(&refused, "server_certificate").unwrap();
    assert_eq!(of_server[1], Value::from(Digest::of(&certificate).to_string()));
    assert_eq!(of_server[2], Value::from(Digest::of(b"none").to_string()));
    replace(&server, &certificate);

    // Keys of tokens that do not read are named by nothing: half a secret is one.
    replace(&gateway.home.join("data/keys/token.key"), b"none\n");
    let refused = refusal(&gateway, "token_keys");
    let of_tokens = item(&refused, "token_keys").unwrap();
    assert!(of_tokens[1].is_string() && of_tokens[2].is_null(), "{of_tokens}");

    // Taken away, they are made anew, and that is on the record too.
    std::fs::remove_file(gateway.home.join("data/keys/token.key")).unwrap();
    until("new keys are on the record", || {
        let last = rules(&gateway).pop().unwrap();
        let changed = item(&last, "token_keys").is_some_and(|item| item[2].is_string() && item[1] != item[2]);
        (last["envelope"]["taken"] == true && changed).then_some(())
    });

    // A start that is refused is told once, however often it is tried.
    gateway.stop();
    edit(&file(&gateway.home, CHILD), |text| text.replace("stage = \"trial\"", "stage = \"PORRIDGE\""));
    for _ in 0..2 {
        let configuration = tolbooth::config::load(&gateway.trial.configuration).unwrap();
        assert!(tolbooth::app::start(configuration, gateway.clock.clone()).is_err());
    }
    replace(&file(&gateway.home, CHILD), &good);
    gateway.restart();
    let refusals = rules(&gateway);
    let refusals = refusals.iter().filter(|record| item(record, "ruleset").is_some());
    assert_eq!(refusals.count(), 2);
}

/// As bytes that are no text, without an end, with a key nobody knows, and not there at all.
#[test]
fn a_configuration_that_does_not_read_is_on_the_record_before_a_start_fails_by_it() {
    let gateway = Gateway::start("evidence-configuration");
    let path = gateway.home.join("tolbooth.toml");
    let good = std::fs::read(&path).unwrap();
    let in_use = Value::from(Digest::of(&good).to_string());
    let text = String::from_utf8(good.clone()).unwrap();
    let unknown = format!("{text}\n[porridge]\nwith = \"SALT\"\n");
    for (bad, words) in [
        (&b"\xff\xfe"[..], "is not UTF-8 text"),
        (b"[gateway", "tolbooth.toml:1"),
        (unknown.as_bytes(), "unknown"),
    ] {
        replace(&path, bad);
        let refused = until("the refusal", || {
            let bad = Value::from(Digest::of(bad).to_string());
            let refused = refusal(&gateway, "configuration");
            (item(&refused, "configuration").unwrap()[2] == bad).then_some(refused)
        });
        assert_eq!(item(&refused, "configuration").unwrap()[1], in_use);
        let detail = refused["sealed"]["detail"].as_str().unwrap();
        assert!(detail.contains("tolbooth.toml") && detail.contains(words), "{detail}");
        assert!(!detail.contains("SALT") && !detail.contains("porridge"), "{detail}");
        until("the light is amber", || (gateway.light("configuration") == "amber").then_some(()));
        assert_eq!(gateway.local("/ready").0, 200, "it answers as before");
    }
    std::fs::remove_file(&path).unwrap();
    until("that it is gone", || {
        let refused = refusal(&gateway, "configuration");
        item(&refused, "configuration").unwrap()[2].is_null().then_some(())
    });
    // Another that reads is no refusal, and none of what was there before is one again.
    let refusals = || rules(&gateway).iter().filter(|record| record["envelope"]["taken"] == false).count();
    let before = refusals();
    replace(&path, format!("{text}\n# another line\n").as_bytes());
    until("the light is green", || (gateway.light("configuration") == "green").then_some(()));
    replace(&path, &good);
    assert_eq!(refusals(), before);
}

#[test]
fn members_that_do_not_read_are_on_the_record_by_the_digest_of_their_bytes() {
    let gateway = Gateway::start("evidence-members");
    let path = gateway.home.join("members.toml");
    let good = std::fs::read(&path).unwrap();
    replace(&path, b"[[member");
    let refused = refusal(&gateway, "ruleset");
    let of_file = item(&refused, "file").unwrap();
    assert_eq!(of_file[1], Value::from(Digest::of(&good).to_string()));
    assert_eq!(of_file[2], Value::from(Digest::of(b"[[member").to_string()));

    // The key of the gateway's certificate is at fault, and is named by nothing but its file's name.
    replace(&path, &good);
    replace(&gateway.home.join("certs/server.key"), b"half a secret");
    let refused = refusal(&gateway, "server_certificate");
    assert!(refused["sealed"]["detail"].as_str().unwrap().contains("server.key"), "{refused}");
    let secret = Digest::of(b"half a secret").to_string();
    assert!(!refused.to_string().contains(&secret), "{refused}");
}

#[test]
fn a_refused_revocation_list_is_on_the_record_with_the_one_that_stays() {
    let gateway = Gateway::start_changed("evidence-lists", |home| {
        lists::put(home, "nhs-lomond", 1, &[]);
        let line = lists::line("nhs-lomond");
        edit(&home.join("members.toml"), |text| forge::with_member(&text, "nhs-lomond", &line));
    });
    let list = gateway.home.join(lists::file("nhs-lomond"));
    let taken = std::fs::read(&list).unwrap();
    replace(&list, b"none");
    let refused = refusal(&gateway, "revocation_list");
    let of_list = item(&refused, "revocation_list").unwrap();
    assert_eq!(of_list[1], Value::from(Digest::of(&taken).to_string()));
    assert_eq!(of_list[2], Value::from(Digest::of(b"none").to_string()));
}
