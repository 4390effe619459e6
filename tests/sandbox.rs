//! The sandbox: the same road over made-up rows, at the same time as the gateway proper, and nothing of
//! one taken for the other.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tolbooth::app::{self, Running};
use tolbooth::cli::trial;
use tolbooth::config;

use support::agreements::{self, CHILD, TAXI, edit};
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::partner::Partner;
use support::{ledger, site, until};

/// A sandbox beside a gateway, made with the commands a host has.
struct Sandbox {
    gateway: Gateway,
    running: Option<Running>,
    nhs: trial::Partner,
    ca: PathBuf,
}

impl Sandbox {
    fn start(name: &str, change: impl FnOnce(&Path)) -> Self {
        let gateway = Gateway::start_changed(name, |home| {
            edit(&home.join("tolbooth.toml"), |text| {
                text + "\n[sandbox]\naddress = \"127.0.0.1:0\"\nlocal = \"127.0.0.1:0\"\n"
            });
            must(home, &["certs", "sandbox", "--federation", "caledonia.example", "--dns", "localhost"]);
            let of = ["--ca", "sandbox/sandbox-ca.pem", "--member", "nhs-lomond", "--system", "ed-trak"];
            must(home, &[&["certs", "client", "--out", "sandbox/clients"], &of[..]].concat());
            change(home);
        });
        let home = &gateway.home;
        let client = |ending: &str| home.join(format!("sandbox/clients/nhs-lomond-ed-trak.{ending}"));
        let nhs = trial::Partner { certificate: client("pem"), key: client("key") };
        let ca = home.join("sandbox/sandbox-ca.pem");
        let mut sandbox = Self { gateway, running: None, nhs, ca };
        let configuration =
            config::load(&sandbox.gateway.trial.configuration).unwrap().into_sandbox().unwrap();
        let running = app::start(configuration, sandbox.gateway.clock.clone());
        sandbox.running = Some(running.unwrap_or_else(|fault| panic!("{fault}")));
        sandbox
    }

    fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    fn nhs(&self) -> Partner {
        Partner::new(&self.ca, &self.nhs, self.running().partners)
    }

    fn view(&self, dataset: &str) -> Value {
        let path = format!("/{dataset}/v1/openapi.json");
        let request =
            http::Request::get(path).header("host", "localhost").body(http_body_util::Full::default());
        self.nhs().send(request.unwrap()).json()
    }

    fn home_of_ledger(&self) -> PathBuf {
        self.gateway.home.join("sandbox")
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
            running.join();
        }
    }
}

fn must(home: &Path, words: &[&str]) {
    let ran = site::run(home, words);
    assert_eq!(ran.code, Some(0), "{words:?}: {ran:?}");
}

#[test]
fn the_sandbox_answers_made_up_rows_by_the_same_road_and_never_asks_the_source() {
    let sandbox = Sandbox::start("sandbox", |_| {});
    let example = sandbox.view("child-protection")["paths"]["/check"]["post"]["requestBody"]["content"]
        ["application/json"]["example"]
        .to_string();
    let said = sandbox.nhs().ask(CHECK, &NURSE, &example);
    assert_eq!((said.status, said.outcome()), (200, "answered"), "{said:?}");
    assert_eq!(said.header("tolbooth-synthetic"), "true");
    // What is withheld is not there, what is transformed is of its new type, and the row meets the condition.
    let row = said.json();
    assert!(row.get("family_name").is_none() && row.get("chi").is_none(), "{row}");
    assert!(row["date_of_birth"].is_number() || row["date_of_birth"].is_null(), "{row}");
    // Its own log under its own name, with a receipt for this very answer.
    let envelope = ledger::envelope(&sandbox.home_of_ledger(), &said);
    assert!(envelope["log"].as_str().unwrap().starts_with("glenmore.sandbox.caledonia.example/ledger/"));
    assert_eq!(envelope["outcome"], "answered");
    // Others find other people, or nobody; all by the rules.
    let outcomes: std::collections::BTreeSet<String> = (0..40)
        .map(|number| {
            let said = sandbox.nhs().ask(CHECK, &NURSE, &asks(&format!("01019000{number:02}")));
            assert_eq!(said.header("tolbooth-synthetic"), "true");
            said.outcome().to_owned()
        })
        .collect();
    assert!(outcomes.contains("no_match") && outcomes.contains("answered"), "{outcomes:?}");
    // A refusal says so too.
    let refused = sandbox.nhs().ask(CHECK, &[], &asks(CHI));
    assert_eq!((refused.code().as_str(), refused.header("tolbooth-synthetic")), ("role_not_allowed", "true"));
    assert!(sandbox.gateway.system.heard().is_empty(), "the real source was asked");
    // The gateway proper is as it was, and says nothing of being made up.
    let real = sandbox.gateway.check(CHI);
    assert_eq!((real.outcome(), real.header("tolbooth-synthetic")), ("answered", ""));
    assert_eq!(sandbox.gateway.system.heard().len(), 1);
}

#[test]
fn neither_takes_the_others_certificates() {
    let sandbox = Sandbox::start("sandbox-certificates", |_| {});
    let gateway = &sandbox.gateway;
    let refused = |ca: &Path, partner: &trial::Partner, at: std::net::SocketAddr| {
        let ended =
            Partner::new(ca, partner, at).try_send(support::partner::question(CHECK, &NURSE, &asks(CHI)));
        ended.err().is_some()
    };
    let (real, made_up) = (gateway.running().partners, sandbox.running().partners);
    assert!(refused(&gateway.trial.ca, &sandbox.nhs, real), "the gateway took a sandbox's certificate");
    assert!(refused(&sandbox.ca, &gateway.trial.nhs, made_up), "the sandbox took a real certificate");
    // Nor does a client that trusts one mistake the other for it.
    assert!(refused(&gateway.trial.ca, &gateway.trial.nhs, made_up));
    assert!(refused(&sandbox.ca, &sandbox.nhs, real));
}

#[test]
fn nobody_can_list_a_sandboxs_ca_as_a_members_or_a_members_as_a_sandboxs() {
    let sandbox = Sandbox::start("sandbox-ca", |_| {});
    let home = &sandbox.gateway.home;
    edit(&home.join("members.toml"), |text| {
        text.replace("certs/nhs-lomond-ca.pem", "sandbox/sandbox-ca.pem")
    });
    let check = site::run(home, &["check"]);
    assert_eq!(check.code, Some(1));
    assert!(check.err.contains("is the CA of a sandbox"), "{check:?}");
    edit(&home.join("members.toml"), |text| {
        text.replace("sandbox/sandbox-ca.pem", "certs/nhs-lomond-ca.pem")
    });
    edit(&home.join("tolbooth.toml"), |text| text + "ca = \"certs/nhs-lomond-ca.pem\"\n");
    let configuration = config::load(&home.join("tolbooth.toml")).unwrap().into_sandbox().unwrap();
    let fault = app::start(configuration, sandbox.gateway.clock.clone()).err().unwrap().to_string();
    assert!(fault.contains("not the CA of a sandbox of this federation"), "{fault}");
}

#[test]
fn a_draft_can_be_tried_in_the_sandbox_and_nowhere_else() {
    let sandbox = Sandbox::start("sandbox-draft", |home| {
        let draft = agreements::unsealed(&agreements::text(home, TAXI))
            .replace(TAXI, "draft")
            .replace("member = \"police-caledonia\"", "member = \"nhs-lomond\"")
            .replace("id = \"control-room\"", "id = \"ed-trak\"");
        std::fs::write(agreements::file(home, "draft"), draft).unwrap();
    });
    let view = sandbox.view("taxi-licence");
    assert_eq!(view["x-tolbooth-synthetic"], true);
    assert_eq!(view["x-tolbooth-agreements"][0]["agreement"], "draft@1", "{view}");
    let ask = (
        "/taxi-licence/v1/check",
        [("tolbooth-user", "somebody")],
        json!({ "licence_no": "TX-1042" }).to_string(),
    );
    let said = sandbox.nhs().ask(ask.0, &ask.1, &ask.2);
    assert_eq!((said.outcome(), said.header("tolbooth-synthetic")), ("answered", "true"), "{said:?}");
    let real = sandbox.gateway.nhs().ask(ask.0, &ask.1, &ask.2);
    assert_eq!(real.code(), "agreement_not_in_force");
}

#[test]
fn a_ledger_is_a_sandboxs_or_a_gateways_and_never_both() {
    let mut sandbox = Sandbox::start("sandbox-ledger", |_| {});
    let _answered = sandbox.nhs().ask(CHECK, &NURSE, &asks(CHI));
    let running = sandbox.running.take().unwrap();
    running.stop();
    running.join();
    sandbox.gateway.stop();
    let mut real = config::load(&sandbox.gateway.trial.configuration).unwrap();
    real.data = sandbox.gateway.home.join("sandbox/data");
    let fault = app::start(real, sandbox.gateway.clock.clone()).err().unwrap().to_string();
    assert!(fault.contains("a sandbox's"), "{fault}");
    let mut made_up = config::load(&sandbox.gateway.trial.configuration).unwrap().into_sandbox().unwrap();
    made_up.data = sandbox.gateway.home.join("data");
    let fault = app::start(made_up, sandbox.gateway.clock.clone()).err().unwrap().to_string();
    assert!(fault.contains("the gateway's own"), "{fault}");
}

#[test]
fn a_reload_keeps_a_sandbox_a_sandbox() {
    let sandbox = Sandbox::start("sandbox-reload", |_| {});
    let before = sandbox.running().app.ruleset.load().epoch;
    edit(&agreements::file(&sandbox.gateway.home, CHILD), |text| {
        text.replace("per_minute = 30", "per_minute = 31")
    });
    until("the sandbox has reloaded", || (sandbox.running().app.ruleset.load().epoch > before).then_some(()));
    let example = json!({ "chi": CHI }).to_string();
    let said = sandbox.nhs().ask(CHECK, &NURSE, &example);
    assert_eq!((said.outcome(), said.header("tolbooth-synthetic")), ("answered", "true"), "{said:?}");
    assert!(sandbox.gateway.system.heard().is_empty());
}

#[test]
fn a_sandboxs_ca_issues_for_a_named_member_and_other_cas_for_their_own() {
    let sandbox = Sandbox::start("sandbox-issues", |_| {});
    let home = &sandbox.gateway.home;
    let keys = home.parent().unwrap().join("keys/nhs-lomond/ca.pem").display().to_string();
    let refused = |words: &[&str], why: &str| {
        let ran = site::run(home, words);
        assert!(ran.code == Some(1) && ran.err.contains(why), "{words:?}: {ran:?}");
    };
    let client = ["certs", "client", "--system", "x", "--out", "scratch", "--ca"];
    refused(&[&client[..], &["sandbox/sandbox-ca.pem"]].concat(), "--member <member>");
    refused(&[&client[..], &[&keys, "--member", "glenmore"]].concat(), "issues for no other member");
    must(home, &[&client[..], &[&keys, "--member", "nhs-lomond"]].concat());
    let ca = [
        "certs",
        "ca",
        "--member",
        "sandbox",
        "--federation",
        "caledonia.example",
        "--name",
        "x",
        "--out",
        "scratch",
    ];
    refused(&ca, "kept for the CAs of sandboxes");
    edit(&home.join("members.toml"), |text| {
        text.replace("federation = \"caledonia.example\"", "federation = \"sandbox.example\"")
    });
    refused(&["check"], "kept for sandboxes");
}

#[test]
fn what_a_host_prints_is_what_the_partner_is_shown() {
    let sandbox = Sandbox::start("sandbox-printed", |_| {});
    let home = &sandbox.gateway.home;
    let words = [
        "dataset",
        "openapi",
        "child-protection/v1",
        "--for",
        "nhs-lomond/ed-trak",
        "--at",
        "localhost",
        "--sandbox",
    ];
    let printed = site::run(home, &words);
    let printed: Value = serde_json::from_str(&printed.out).unwrap_or_else(|_| panic!("{printed:?}"));
    assert_eq!(printed, sandbox.view("child-protection"));
    let words = ["dataset", "examples", "child-protection/v1", "--for", "nhs-lomond/ed-trak", "--json"];
    assert_eq!(site::run(home, &words).lines().len(), 3);
    let nothing = site::run(home, &["dataset", "openapi", "taxi-licence/v1", "--for", "nhs-lomond/ed-trak"]);
    assert!(nothing.code == Some(1) && nothing.err.contains("may ask nothing of it today"), "{nothing:?}");
}

#[test]
fn check_says_where_no_example_can_be_made_and_the_sandbox_does_not_start_with_it() {
    let sandbox = Sandbox::start("sandbox-no-example", |_| {});
    let home = &sandbox.gateway.home;
    edit(&home.join("schemas/taxi-licence.v1.json"), |text| {
        text.replace("\"description\": \"Last day of the licence.\",", "\"pattern\": \"^20[0-9]{2}/\",")
    });
    let check = site::run(home, &["check"]);
    assert!(
        check.code == Some(0) && check.out.contains("no example of `expires` could be made"),
        "{check:?}"
    );
    let check = site::run(home, &["check", "--sandbox"]);
    assert!(
        check.code == Some(1) && check.err.contains("no example of `expires` could be made"),
        "{check:?}"
    );
}
