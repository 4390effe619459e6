//! External issuers: what a real OAuth 2.0 server says of a partner's user is proven, for the members that
//! list it, and nothing else is believed.
#![cfg(test)]

mod support;

use std::path::Path;

use jiff::SignedDuration;
use support::agreements::{CHILD, edit, replace, reword};
use support::gateway::{CHECK, CHI, Gateway, asks};
use support::issuer::{
    GATEWAY_KEY, GATEWAY_TLS, Issuer, JWT, KEY_CLIENT, NURSE_CLIENT, OPAQUE, POLICE_CLIENT,
};
use support::partner::{Partner, Said};
use support::{ledger, until};
use tolbooth::cli::trial;
use tolbooth::config;
use tolbooth::desk::{Circumstances, Ruleset};

const INTROSPECTION: &str = "POST /token/introspection";
const MEMBERS: [&str; 2] = ["nhs-lomond", "police-caledonia"];

/// How a gateway checks the issuer's tokens.
#[derive(Clone, Copy)]
enum How {
    Fetched,
    AskedByCertificate,
    AskedByKey,
}

impl How {
    fn audience(self) -> &'static str {
        match self {
            Self::Fetched => JWT,
            Self::AskedByCertificate | Self::AskedByKey => OPAQUE,
        }
    }

    fn table(self, issuer: &Issuer) -> String {
        let (url, name) = (issuer.url(), |path: &Path| path.display().to_string());
        let asked =
            format!("[introspection]\nurl = \"{url}/token/introspection\"\nca = \"certs/issuer-ca.pem\"\n");
        match self {
            Self::Fetched => format!(
                "[keys]\nurl = \"{url}/jwks\"\nca = \"certs/issuer-ca.pem\"\nalgorithms = [\"ES256\"]\n\
                 lifetime_seconds_max = 86400\n"
            ),
            Self::AskedByCertificate => format!(
                "{asked}client = \"{GATEWAY_TLS}\"\ncertificate = \"{}\"\nkey = \"{}\"\n",
                name(&issuer.client.certificate),
                name(&issuer.client.key)
            ),
            Self::AskedByKey => {
                format!("{asked}client = \"{GATEWAY_KEY}\"\nsigning_key = \"{}\"\n", name(&issuer.key))
            }
        }
    }

    fn file(self, issuer: &Issuer) -> String {
        let kind = if matches!(self, Self::Fetched) { "jwt" } else { "opaque" };
        format!(
            "format = 1\n[issuer]\nname = \"{}\"\naudience = \"{}\"\ntokens = \"{kind}\"\n{}\
             [clients]\n{NURSE_CLIENT} = \"nhs-lomond/ed-trak\"\n{KEY_CLIENT} = \"nhs-lomond/ed-trak\"\n\
             {POLICE_CLIENT} = \"police-caledonia/control-room\"\n\
             [claims]\nuser = \"/nhs/uid\"\nrole = \"/nhs/roles\"\n[claims.roles]\nR8003 = \"ed_nurse\"\n",
            issuer.url(),
            self.audience(),
            self.table(issuer)
        )
    }
}

/// A gateway that hears an issuer, whose tokens live for `seconds`.
fn start(name: &str, how: How, seconds: u32) -> (Gateway, Issuer) {
    let mut issuer = None;
    let gateway = Gateway::start_changed(name, |home| {
        let started = Issuer::start(home, seconds);
        std::fs::copy(&started.ca, home.join("certs/issuer-ca.pem")).unwrap();
        std::fs::create_dir_all(home.join("policies/issuers")).unwrap();
        std::fs::write(home.join("policies/issuers/nhs.toml"), how.file(&started)).unwrap();
        MEMBERS.iter().for_each(|member| lists(home, member, &started));
        reword(home, CHILD, |text| {
            text.replace(
                "assurance = \"certificate\"\nuser = \"none\"",
                "assurance = \"token\"\nuser = \"required\"",
            )
            .replace("per_minute = 30", "per_minute = 100000")
            .replace("per_day = 400", "per_day = 100000")
        });
        issuer = Some(started);
    });
    let issuer = issuer.unwrap();
    if matches!(how, How::Fetched) {
        lit(&gateway, &issuer, "green");
    }
    (gateway, issuer)
}

fn anchors(member: &str) -> String {
    format!("anchors = [\"certs/{member}-ca.pem\"]\n")
}

/// Writes the issuer into the member's entry.
fn lists(home: &Path, member: &str, issuer: &Issuer) {
    let anchors = anchors(member);
    let listed = format!("{anchors}issuers = [\"{}\"]\n", issuer.url());
    edit(&home.join("members.toml"), |text| text.replace(&anchors, &listed));
}

fn lists_no_more(home: &Path, member: &str, issuer: &Issuer) {
    let anchors = anchors(member);
    let listed = format!("{anchors}issuers = [\"{}\"]\n", issuer.url());
    edit(&home.join("members.toml"), |text| text.replace(&listed, &anchors));
}

/// Waits until the issuer's light is of that colour.
fn lit(gateway: &Gateway, issuer: &Issuer, colour: &str) {
    let condition = format!("issuer {}", issuer.url());
    until(&format!("{condition} is {colour}"), || (gateway.light(&condition) == colour).then_some(()));
}

fn ask(partner: &Partner, token: &str, headers: &[(&str, &str)]) -> Said {
    let bearer = format!("Bearer {token}");
    let headers: Vec<_> = headers.iter().copied().chain([("authorization", bearer.as_str())]).collect();
    partner.ask(CHECK, &headers, &asks(CHI))
}

fn later(gateway: &Gateway, seconds: i64) {
    gateway.clock.shift(SignedDuration::from_secs(seconds));
}

/// Refused, and which check failed.
fn refused(said: &Said, code: &str, detail: &str) {
    let told = said.json();
    assert_eq!((told["code"].as_str(), told["detail"].as_str()), (Some(code), Some(detail)), "{told}");
    let undecided = code == "cannot_decide";
    assert_eq!(said.header("www-authenticate").is_empty(), undecided);
    assert_eq!(said.header("retry-after").is_empty(), !undecided);
}

const INACTIVE: &str = "The token is not active.";

fn nurse(gateway: &Gateway, issuer: &Issuer, how: How) -> String {
    issuer.token(&gateway.trial.nhs, NURSE_CLIENT, how.audience())
}

/// What is said with the token is answered, and its user and role are proven on the record.
fn proves(gateway: &Gateway, token: &str, user: &str) {
    let said = ask(&gateway.nhs(), token, &[]);
    assert_eq!(said.outcome(), "answered", "{:?}", said.body);
    let record = ledger::exchange(&gateway.running().admin_socket, said.exchange());
    let envelope = &record["envelope"];
    assert_eq!(envelope["assurance"], "token");
    let role = (envelope["role"].as_str(), envelope["role_origin"].as_str());
    assert_eq!(role, (Some("ed_nurse"), Some("proven")), "{envelope}");
    let stated = (record["sealed"]["user"].as_str(), record["sealed"]["user_origin"].as_str());
    assert_eq!(stated, (Some(user), Some("proven")), "{record}");
}

#[test]
fn a_jwt_of_an_issuer_proves_user_and_role() {
    let (gateway, issuer) = start("issuer-jwt", How::Fetched, 600);
    proves(&gateway, &nurse(&gateway, &issuer, How::Fetched), "nurse-7");
    proves(&gateway, &issuer.token_by_key(&gateway.trial.nhs, JWT), "nurse-8");
    // Without one the agreement is not met.
    let stated = [("tolbooth-user", "nurse-7"), ("tolbooth-role", "ed_nurse")];
    assert_eq!(gateway.nhs().ask(CHECK, &stated, &asks(CHI)).code(), "token_missing");
    assert_eq!(issuer.heard(INTROSPECTION), 0);
    assert_eq!(issuer.heard("GET /jwks"), 1, "no question fetched keys");
}

#[test]
fn an_opaque_token_proves_what_its_issuer_says() {
    for (name, how) in [("asked-cert", How::AskedByCertificate), ("asked-key", How::AskedByKey)] {
        let (gateway, issuer) = start(name, how, 600);
        let token = nurse(&gateway, &issuer, how);
        for _ in 0..3 {
            proves(&gateway, &token, "nurse-7");
        }
        assert_eq!(issuer.heard(INTROSPECTION), 1, "asked once and remembered");
        proves(&gateway, &issuer.token_by_key(&gateway.trial.nhs, OPAQUE), "nurse-8");
        refused(&ask(&gateway.nhs(), "never-given-out", &[]), "token_not_accepted", INACTIVE);
        refused(&ask(&gateway.nhs(), "never-given-out", &[]), "token_not_accepted", INACTIVE);
        assert_eq!(issuer.heard(INTROSPECTION), 3, "that one is not active is remembered too");
    }
}

#[test]
fn a_header_says_nothing_in_the_place_of_a_token() {
    let how = How::Fetched;
    let (gateway, mut issuer) = start("issuer-headers", how, 600);
    let token = nurse(&gateway, &issuer, how);
    let same = [("tolbooth-user", "nurse-7"), ("tolbooth-role", "ed_nurse")];
    assert_eq!(ask(&gateway.nhs(), &token, &same).outcome(), "answered");
    for (header, name) in
        [(("tolbooth-user", "nurse-9"), "User"), (("tolbooth-role", "ed_clinician"), "Role")]
    {
        let said = ask(&gateway.nhs(), &token, &[header]);
        refused(
            &said,
            "token_insufficient",
            &format!("The header Tolbooth-{name} says other than the token."),
        );
    }
    // Also where the issuer is silent: a system that stands for a nurse stands for nobody else.
    issuer.change(|configuration| configuration["claims"][NURSE_CLIENT] = serde_json::json!({}));
    issuer.restart();
    later(&gateway, 11);
    let token = nurse(&gateway, &issuer, how);
    let detail = "The header Tolbooth-Role says other than the token.";
    until("the new keys are there", || {
        let said = ask(&gateway.nhs(), &token, &[("tolbooth-role", "ed_nurse")]);
        (said.json()["detail"] == detail).then_some(())
    });
    assert_eq!(ask(&gateway.nhs(), &token, &[]).code(), "role_not_allowed");
}

#[test]
fn a_new_key_is_taken_up_and_the_old_one_is_gone() {
    let (gateway, mut issuer) = start("issuer-rotation", How::Fetched, 3000);
    let old = nurse(&gateway, &issuer, How::Fetched);
    proves(&gateway, &old, "nurse-7");
    issuer.rotate(true);
    let beside = nurse(&gateway, &issuer, How::Fetched);
    let detail = "The token names no key of its issuer.";
    // It waits for nobody: refused now, and the next is answered.
    refused(&ask(&gateway.nhs(), &beside, &[]), "token_not_accepted", detail);
    later(&gateway, 11);
    until("the new key is there", || (ask(&gateway.nhs(), &beside, &[]).status == 200).then_some(()));
    proves(&gateway, &old, "nurse-7");
    issuer.rotate(false);
    // What it said is fresh is over: the keys are fetched though nobody missed one.
    later(&gateway, 301);
    until("the old keys are gone", || (ask(&gateway.nhs(), &old, &[]).status == 401).then_some(()));
    refused(&ask(&gateway.nhs(), &beside, &[]), "token_not_accepted", detail);
    proves(&gateway, &nurse(&gateway, &issuer, How::Fetched), "nurse-7");
}

#[test]
fn key_ids_that_are_made_up_do_not_make_the_gateway_ask() {
    let (gateway, mut issuer) = start("issuer-missed", How::Fetched, 3000);
    issuer.rotate(true);
    let beside = nurse(&gateway, &issuer, How::Fetched);
    let line = issuer.heard("GET /jwks");
    for _ in 0..20 {
        assert_eq!(ask(&gateway.nhs(), &beside, &[]).status, 401);
    }
    assert!(issuer.heard("GET /jwks") <= line + 1, "at most one attempt in ten seconds");
}

#[test]
fn a_token_ends() {
    for (name, how) in [("issuer-jwt-ends", How::Fetched), ("issuer-opaque-ends", How::AskedByCertificate)] {
        let (gateway, issuer) = start(name, how, 10);
        let token = nurse(&gateway, &issuer, how);
        proves(&gateway, &token, "nurse-7");
        // Past its end by more than honest clocks are apart, while what was said of it is remembered.
        later(&gateway, 29);
        until("it has expired", || (ask(&gateway.nhs(), &token, &[]).status == 401).then_some(()));
    }
}

#[test]
fn a_revoked_token_works_no_longer_than_thirty_seconds() {
    let how = How::AskedByCertificate;
    let (gateway, issuer) = start("issuer-revoked", how, 600);
    let token = nurse(&gateway, &issuer, how);
    proves(&gateway, &token, "nurse-7");
    issuer.revoke(&gateway.trial.nhs, NURSE_CLIENT, &token);
    later(&gateway, 30);
    refused(&ask(&gateway.nhs(), &token, &[]), "token_not_accepted", INACTIVE);
}

#[test]
fn keys_are_kept_for_a_time_while_the_issuer_is_down() {
    let (gateway, mut issuer) = start("issuer-down", How::Fetched, 20_000);
    let token = nurse(&gateway, &issuer, How::Fetched);
    issuer.stop();
    later(&gateway, 301);
    lit(&gateway, &issuer, "amber");
    proves(&gateway, &token, "nurse-7");
    later(&gateway, 3600);
    let detail = "The keys of the issuer are not known at the moment.";
    let said = until("the keys are too old", || {
        Some(ask(&gateway.nhs(), &token, &[])).filter(|said| said.status != 200)
    });
    refused(&said, "cannot_decide", detail);
    assert!(gateway.local("/ready").1.contains("no token of it is accepted"));
    issuer.restart();
    later(&gateway, 11);
    lit(&gateway, &issuer, "green");
    let said = ask(&gateway.nhs(), &token, &[]);
    refused(&said, "token_not_accepted", "The token names no key of its issuer.");
}

#[test]
fn nothing_is_decided_while_an_issuer_cannot_be_asked() {
    let how = How::AskedByKey;
    let (gateway, mut issuer) = start("issuer-silent", how, 600);
    let token = nurse(&gateway, &issuer, how);
    proves(&gateway, &token, "nurse-7");
    issuer.stop();
    later(&gateway, 31);
    let detail = "The issuer of the token could not be asked.";
    refused(&ask(&gateway.nhs(), &token, &[]), "cannot_decide", detail);
    issuer.restart();
    // That it did not answer was not remembered; the server has forgotten the token.
    refused(&ask(&gateway.nhs(), &token, &[]), "token_not_accepted", INACTIVE);
    proves(&gateway, &nurse(&gateway, &issuer, how), "nurse-7");
}

#[test]
fn a_token_for_another_audience_is_refused() {
    let detail = "The token is for another audience.";
    let (gateway, issuer) = start("issuer-jwt-aud", How::Fetched, 600);
    let other = issuer.token(&gateway.trial.nhs, NURSE_CLIENT, "https://elsewhere.example/jwt");
    refused(&ask(&gateway.nhs(), &other, &[]), "token_not_accepted", detail);
    let (gateway, issuer) = start("issuer-opaque-aud", How::AskedByCertificate, 600);
    let other = issuer.token(&gateway.trial.nhs, NURSE_CLIENT, &format!("{OPAQUE}-elsewhere"));
    refused(&ask(&gateway.nhs(), &other, &[]), "token_not_accepted", detail);
}

#[test]
fn a_stolen_token_is_of_no_use() {
    for (name, how) in
        [("issuer-jwt-stolen", How::Fetched), ("issuer-opaque-stolen", How::AskedByCertificate)]
    {
        let (gateway, issuer) = start(name, how, 600);
        let token = nurse(&gateway, &issuer, how);
        let thief = gateway.police();
        let detail = "The token is bound to another certificate.";
        refused(&ask(&thief, &token, &[]), "token_not_accepted", detail);
        proves(&gateway, &token, "nurse-7");
        // Remembered by now.
        refused(&ask(&thief, &token, &[]), "token_not_accepted", detail);
    }
}

#[test]
fn an_issuer_speaks_for_no_member_that_does_not_list_it() {
    for (name, how) in [("issuer-jwt-heard", How::Fetched), ("issuer-opaque-heard", How::AskedByCertificate)]
    {
        let (gateway, issuer) = start(name, how, 600);
        let token = issuer.token(&gateway.trial.police, POLICE_CLIENT, how.audience());
        let mut line = gateway.police().connect().unwrap();
        let bearer = format!("Bearer {token}");
        let mut police = || line.ask(CHECK, &[("authorization", &bearer)], &asks(CHI));
        assert_eq!(police().code(), "not_agreed", "the token is good; there is no agreement");
        lists_no_more(&gateway.home, "police-caledonia", &issuer);
        let said = until("the police hear it no more", || Some(police()).filter(|said| said.status == 401));
        let detail = match how {
            How::Fetched => "The issuer of the token does not speak for this member.",
            // Nobody is asked about it, and here it is no JWT.
            _ => "The token is not three parts in base64url without padding.",
        };
        refused(&said, "token_not_accepted", detail);
        let before = issuer.heard(INTROSPECTION);
        let other = issuer.token(&gateway.trial.police, POLICE_CLIENT, how.audience());
        refused(&ask(&gateway.police(), &other, &[]), "token_not_accepted", detail);
        assert_eq!(
            issuer.heard(INTROSPECTION),
            before,
            "it is shown no token of a member that does not list it"
        );
        proves(&gateway, &nurse(&gateway, &issuer, how), "nurse-7");
    }
}

#[test]
fn an_issuer_that_is_taken_away_is_gone() {
    for (name, how) in [("issuer-jwt-gone", How::Fetched), ("issuer-opaque-gone", How::AskedByKey)] {
        let (gateway, issuer) = start(name, how, 600);
        let token = nurse(&gateway, &issuer, how);
        proves(&gateway, &token, "nurse-7");
        std::fs::remove_file(gateway.home.join("policies/issuers/nhs.toml")).unwrap();
        let said =
            until("it is gone", || Some(ask(&gateway.nhs(), &token, &[])).filter(|said| said.status == 401));
        assert_eq!(said.code(), "token_not_accepted");
        // It is no issuer with the ruleset; what fetches its keys follows.
        let light = || gateway.light(&format!("issuer {}", issuer.url()));
        until("its light is gone with it", || light().is_empty().then_some(()));
    }
}

#[test]
fn members_and_issuers_have_to_agree() {
    let (gateway, issuer) = start("issuer-files", How::AskedByKey, 600);
    let home = &gateway.home;
    let faults = || {
        let gateway = config::load(&gateway.trial.configuration).unwrap();
        let circumstances = Circumstances {
            seen: &|_| None,
            life: &Default::default(),
            before: None,
            pseudonym_master: &[0; 32],
            today: jiff::civil::Date::MIN,
        };
        Ruleset::load(&gateway, &circumstances).map_or_else(|faults| faults.to_string(), |_| String::new())
    };
    assert_eq!(faults(), "");
    let url = issuer.url();
    lists_no_more(home, "police-caledonia", &issuer);
    let told = faults();
    let wanted = format!("members.toml: `{url}` knows systems of `police-caledonia`, which does not list it");
    assert!(told.contains(&wanted), "{told}");
    lists(home, "police-caledonia", &issuer);
    let file = home.join("policies/issuers/nhs.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let checked = std::process::Command::new(support::binary::TOLBOOTH)
        .args(["check", "--config"])
        .arg(&gateway.trial.configuration)
        .output()
        .unwrap();
    let told = String::from_utf8(checked.stdout).unwrap();
    let warned = format!("warning: members.toml: `nhs-lomond` lists `{url}`, which no file");
    assert!(told.contains(&warned), "{told}");
    replace(&file, text.as_bytes());
    let second = home.join("policies/issuers/second.toml");
    replace(&second, text.as_bytes());
    assert!(faults().contains(&format!("second.toml: another file describes the issuer `{url}` too")));
    // Two that would be asked about one token.
    let renamed = text.replace(&format!("name = \"{url}\""), "name = \"https://second.example\"");
    replace(&second, renamed.as_bytes());
    let listed = format!("issuers = [\"{url}\"]");
    edit(&home.join("members.toml"), |text| {
        text.replace(&listed, &format!("issuers = [\"{url}\", \"https://second.example\"]"))
    });
    assert!(faults().contains("`nhs-lomond` lists two issuers of opaque tokens"));
    let unknown =
        renamed.replace("nhs-lomond/ed-trak", "nhs-loch/ed-trak").replace("signing_key", "signing_keys");
    replace(&second, unknown.as_bytes());
    assert!(
        faults().contains("unknown key `signing_keys` in [introspection]\n    did you mean `signing_key`?")
    );
    replace(&second, renamed.replace("nhs-lomond/ed-trak", "nhs-loch/ed-trak").as_bytes());
    assert!(faults().contains("knows systems of `nhs-loch`, which is no member"));
    let absent = text.replace("certs/issuer-ca.pem", "certs/absent.pem");
    replace(&second, absent.as_bytes());
    assert!(faults().contains("`certs/absent.pem`: "));
}

#[test]
fn keys_may_lie_in_a_file() {
    let how = How::Fetched;
    let (gateway, mut issuer) = start("issuer-file", how, 600);
    let jwks = |issuer: &Issuer| issuer.get(&gateway.trial.nhs, "/jwks").body;
    replace(&gateway.home.join("keys.json"), &jwks(&issuer));
    let table = "[keys]\nfile = \"keys.json\"\nalgorithms = [\"ES256\"]\n";
    let file = how.file(&issuer).replace(&how.table(&issuer), table);
    replace(&gateway.home.join("policies/issuers/nhs.toml"), file.as_bytes());
    until("the file is in force", || {
        gateway.metric("tolbooth_reloads_total{cause=\"loaded\"}").checked_sub(1)
    });
    let token = nurse(&gateway, &issuer, how);
    proves(&gateway, &token, "nurse-7");
    issuer.rotate(false);
    let new = nurse(&gateway, &issuer, how);
    assert_eq!(ask(&gateway.nhs(), &new, &[]).status, 401);
    replace(&gateway.home.join("keys.json"), &jwks(&issuer));
    until("the new keys are in force", || (ask(&gateway.nhs(), &new, &[]).status == 200).then_some(()));
    assert_eq!(ask(&gateway.nhs(), &token, &[]).status, 401, "the old key is gone");
}

#[test]
fn a_certificate_of_the_same_system_is_another_certificate() {
    let how = How::Fetched;
    let (gateway, issuer) = start("issuer-renewed", how, 600);
    let token = nurse(&gateway, &issuer, how);
    let key = rcgen::KeyPair::generate().unwrap();
    let renewed: trial::Partner =
        support::forge::client(&gateway.home, "nhs-lomond", "renewed", &key, |_| {});
    let said = ask(&gateway.partner(&renewed), &token, &[]);
    refused(&said, "token_not_accepted", "The token is bound to another certificate.");
}
