//! Files change while the gateway runs: what is good takes the old one's place in one step, what is not
//! leaves it standing and says so, and nothing that was taken away comes back.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::{Value, json};

use support::agreements::{self, CHILD, agree, edit, replace, reword, text, unsealed};
use support::binary::Served;
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::partner::{Partner, Said};
use support::{forge, ledger, until};

const LOADED: &str = "tolbooth_reloads_total{cause=\"loaded\"}";
const REFUSED: &str = "tolbooth_reloads_total{cause=\"refused\"}";

/// Waits until the gateway has looked at what was changed.
fn loaded(gateway: &Gateway, change: impl FnOnce()) {
    let before = gateway.metric(LOADED);
    change();
    until("the change is loaded", || (gateway.metric(LOADED) > before).then_some(()));
}

fn refused(gateway: &Gateway, change: impl FnOnce()) {
    let before = gateway.metric(REFUSED);
    change();
    until("the change is refused", || (gateway.metric(REFUSED) > before).then_some(()));
}

/// Waits until the question about the child is answered so.
fn until_told(gateway: &Gateway, outcome: &str, code: &str) -> Said {
    until(&format!("{outcome} {code}"), || {
        let said = gateway.check(CHI);
        let told = said.json()["code"].as_str().unwrap_or_default().to_owned();
        (said.outcome() == outcome && told == code).then_some(said)
    })
}

fn alarms(gateway: &Gateway, cause: &str) -> Vec<Value> {
    let all = gateway.search(json!({ "kind": "alarm" }));
    all.into_iter().filter(|found| found["envelope"]["cause"] == cause).collect()
}

fn guardrail(gateway: &Gateway, name: &str) -> PathBuf {
    gateway.home.join(format!("policies/guardrails/{name}.cedar"))
}

const NO_HEALTH: &str = "@id(\"no-health\")\nforbid (principal, action, resource) when { context.class == Tolbooth::Class::\"health\" };\n";

#[test]
fn a_guardrail_and_a_limit_act_without_a_restart_and_on_the_record() {
    let gateway = Gateway::start("reload");
    let mut line = gateway.nhs().connect().unwrap();
    let before = line.ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!(before.status, 200);
    let path = guardrail(&gateway, "no-health");
    loaded(&gateway, || replace(&path, NO_HEALTH.as_bytes()));
    // On the connection that was open already, too.
    let forbidden = line.ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!(forbidden.code(), "guardrail");
    loaded(&gateway, || std::fs::remove_file(&path).unwrap());
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).status, 200);
    loaded(&gateway, || {
        reword(&gateway.home, CHILD, |text| text.replace("per_minute = 30", "per_minute = 1"));
    });
    // The new limit counts what was asked before it.
    until_told(&gateway, "refused", "limit_reached");
    // Each exchange says under which ruleset it ran, and each of those is on the record.
    let rulesets: Vec<Value> = gateway
        .search(json!({ "kind": "ruleset" }))
        .into_iter()
        .map(|found| found["envelope"]["ruleset"].clone())
        .collect();
    let of = |said: &Said| ledger::envelope(&gateway.home, said)["ruleset"].clone();
    assert_ne!(of(&before), of(&forbidden));
    assert!(rulesets.contains(&of(&before)) && rulesets.contains(&of(&forbidden)), "{rulesets:?}");
}

/// No record, no release: what was done under a ruleset nobody can look up could not be explained.
#[test]
fn a_ruleset_that_cannot_be_recorded_does_not_come_into_force() {
    let gateway = Gateway::start("off-record");
    let in_force = || gateway.running().app.ruleset.load().digest;
    let looks = || gateway.metric(LOADED) + gateway.metric(REFUSED);
    let (before, looked) = (in_force(), looks());
    gateway.running().app.ledger.stop();
    replace(&guardrail(&gateway, "no-health"), NO_HEALTH.as_bytes());
    until("the change is looked at", || (looks() > looked).then_some(()));
    assert_eq!(in_force(), before);
    until("the light is red: nothing leaves", || (gateway.light("ruleset") == "red").then_some(()));
}

#[test]
fn a_broken_file_changes_nothing_but_the_light_and_mending_it_turns_green() {
    let gateway = patient("broken");
    let path = guardrail(&gateway, "safe-address");
    let good = std::fs::read(&path).unwrap();
    // One good change beside the broken one: all or nothing.
    refused(&gateway, || {
        replace(&path, b"forbid (principal");
        replace(&guardrail(&gateway, "no-health"), NO_HEALTH.as_bytes());
    });
    until("the light is amber", || (gateway.light("ruleset") == "amber").then_some(()));
    assert_eq!(gateway.local("/ready").0, 200, "it still answers by the old rules");
    assert_eq!(gateway.check(CHI).status, 200);
    let alarm = until("the alarm is on the record", || alarms(&gateway, "ruleset_refused").pop());
    assert!(alarm["sealed"]["detail"].as_str().unwrap().contains("safe-address.cedar"), "{alarm}");
    loaded(&gateway, || replace(&path, &good));
    assert_eq!(gateway.light("ruleset"), "green");
    until_told(&gateway, "refused", "guardrail");
}

/// A pipe would be read for ever, and a folder that is not mounted just now is not one without guardrails.
#[test]
fn what_is_no_file_holds_nothing_up_and_guardrails_do_not_go_all_at_once() {
    let gateway = patient("no-file");
    let pipe = agreements::file(&gateway.home, "pipe");
    refused(&gateway, || {
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
    });
    assert_eq!(gateway.check(CHI).status, 200);
    loaded(&gateway, || std::fs::remove_file(&pipe).unwrap());
    replace(&guardrail(&gateway, "no-health"), NO_HEALTH.as_bytes());
    until_told(&gateway, "refused", "guardrail");
    let (there, away) = (gateway.home.join("policies/guardrails"), gateway.home.join("policies/moved"));
    refused(&gateway, || std::fs::rename(&there, &away).unwrap());
    assert_eq!(gateway.check(CHI).code(), "guardrail", "what was forbidden still is");
    loaded(&gateway, || std::fs::rename(&away, &there).unwrap());
    loaded(&gateway, || std::fs::remove_file(guardrail(&gateway, "no-health")).unwrap());
    assert_eq!(gateway.check(CHI).status, 200);
}

#[test]
fn a_revocation_acts_on_an_open_connection() {
    let gateway = Gateway::start("revoke");
    let mut line = gateway.nhs().connect().unwrap();
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).status, 200);
    loaded(&gateway, || forge::revoke(&gateway.home, "nhs-lomond", "ed-trak"));
    let said = line.ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!((said.status, said.code().as_str()), (403, "certificate_revoked"));
    // And a new one fares no better.
    assert_eq!(gateway.check(CHI).code(), "certificate_revoked");
}

#[test]
fn a_changed_secret_is_used_without_a_restart() {
    let gateway = Gateway::start_changed("secret", |home| {
        std::fs::write(home.join("records.secret"), "Bearer one").unwrap();
        edit(&home.join("policies/datasets/child-protection.toml"), |text| {
            let headers = "headers = [{ name = \"authorization\", file = \"records.secret\" }]";
            text.replace("timeout_ms = 3000", &format!("timeout_ms = 3000\n{headers}"))
        });
    });
    let shown = || {
        assert_eq!(gateway.check(CHI).status, 200);
        let heard = gateway.system.heard().pop().unwrap();
        heard.headers.into_iter().find(|(name, _)| name == "authorization").unwrap().1
    };
    assert_eq!(shown(), "Bearer one");
    loaded(&gateway, || replace(&gateway.home.join("records.secret"), b"Bearer two"));
    assert_eq!(shown(), "Bearer two");
}

/// Somebody drafts an agreement and leaves a typo in it; a system is lost in the same minute.
#[test]
fn a_revocation_acts_whatever_is_wrong_with_other_files() {
    let mut gateway = patient("revoke-beside");
    let mut line = gateway.nhs().connect().unwrap();
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).status, 200);
    refused(&gateway, || {
        std::fs::write(agreements::file(&gateway.home, "draft"), "format = 1\nid = ").unwrap();
        forge::revoke(&gateway.home, "nhs-lomond", "ed-trak");
    });
    let said = line.ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!((said.status, said.code().as_str()), (403, "certificate_revoked"));
    assert_eq!(gateway.light("ruleset"), "amber");
    let alarm = until("the alarm is on the record", || alarms(&gateway, "ruleset_refused").pop());
    assert!(alarm["sealed"]["detail"].as_str().unwrap().contains("draft"), "{alarm}");
    // Others are answered, under a ruleset that is on the record with the members' file it holds.
    let police = gateway.police().ask(CHECK, &NURSE, &asks(CHI));
    let ruleset = ledger::envelope(&gateway.home, &police)["ruleset"].clone();
    let recorded = gateway.search(json!({ "kind": "ruleset" }));
    assert!(recorded.iter().any(|found| found["envelope"]["ruleset"] == ruleset), "{ruleset}");
    // The typo is mended: everything is in force.
    loaded(&gateway, || std::fs::remove_file(agreements::file(&gateway.home, "draft")).unwrap());
    assert_eq!(gateway.light("ruleset"), "green");
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).code(), "certificate_revoked");
    gateway.restart();
    assert_eq!(gateway.check(CHI).code(), "certificate_revoked");
}

#[test]
fn a_member_or_officer_taken_out_acts_whatever_is_wrong_with_other_files() {
    let gateway = patient("officer-beside");
    let members = gateway.home.join("members.toml");
    let before = std::fs::read_to_string(&members).unwrap();
    let entries: Vec<&str> = before.split("\n[[member]]").collect();
    let is_theirs = |entry: &str| entry.contains("id = \"nhs-lomond\"");
    // Their officer is no officer any more: nothing is signed for them.
    let unsigned = |entry: &&str| match is_theirs(entry) {
        true => entry.split("\n[[member.officer]]").next().unwrap().to_owned(),
        false => (*entry).to_owned(),
    };
    let without = entries.iter().map(unsigned).collect::<Vec<_>>().join("\n[[member]]");
    assert_ne!(without, before);
    refused(&gateway, || {
        std::fs::write(guardrail(&gateway, "draft"), "forbid (principal").unwrap();
        replace(&members, without.as_bytes());
    });
    assert_eq!(gateway.check(CHI).code(), "agreement_not_in_force");
    // Nobody knows them any more, and an agreement that names them stays behind as a fault.
    let others: Vec<&str> = entries.iter().copied().filter(|entry| !is_theirs(entry)).collect();
    refused(&gateway, || replace(&members, others.join("\n[[member]]").as_bytes()));
    let question = support::partner::question(CHECK, &NURSE, &asks(CHI));
    assert!(gateway.nhs().try_send(question).is_err(), "a handshake under a CA that nobody lists");
    let taxi = gateway.police().ask(
        "/taxi-licence/v1/check",
        &[("tolbooth-user", "n.macleod")],
        r#"{"licence_no":"TX-1042"}"#,
    );
    assert_eq!(taxi.status, 200, "others are answered: {taxi:?}");
}

#[test]
fn a_ca_taken_out_of_its_members_entry_acts_on_an_open_connection() {
    let gateway = Gateway::start("anchor");
    let mut line = gateway.nhs().connect().unwrap();
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).status, 200);
    let other = forge::authority(&gateway.home, "nhs-lomond");
    loaded(&gateway, || {
        edit(&gateway.home.join("members.toml"), |text| text.replace("certs/nhs-lomond-ca.pem", &other));
    });
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).code(), "certificate_not_accepted");
    let question = support::partner::question(CHECK, &NURSE, &asks(CHI));
    assert!(gateway.nhs().try_send(question).is_err(), "a new handshake under the old CA");
}

#[test]
fn taking_a_signature_away_acts_at_the_next_exchange() {
    let gateway = Gateway::start("unsign");
    let mut line = gateway.nhs().connect().unwrap();
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).status, 200);
    let path = agreements::signatures(&gateway.home, CHILD);
    let note = std::fs::read(&path).unwrap();
    loaded(&gateway, || std::fs::remove_file(&path).unwrap());
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).code(), "agreement_not_in_force");
    loaded(&gateway, || replace(&path, &note));
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).status, 200);
    // One party's line alone is not enough.
    let text = String::from_utf8(note).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.pop();
    loaded(&gateway, || replace(&path, format!("{}\n", lines.join("\n")).as_bytes()));
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).code(), "agreement_not_in_force");
}

/// The agreement's files as they are now, to be put back later.
fn kept(gateway: &Gateway) -> [(PathBuf, Vec<u8>); 2] {
    // Signatures first, so that at no moment the words are there without them.
    [agreements::signatures(&gateway.home, CHILD), agreements::file(&gateway.home, CHILD)]
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
}

fn put_back(files: &[(PathBuf, Vec<u8>)]) {
    files.iter().for_each(|(path, bytes)| replace(path, bytes));
}

fn second_version(gateway: &Gateway) {
    let second = unsealed(&text(&gateway.home, CHILD))
        .replace("version = 1\n", "version = 2\n")
        .replace("\"ed_clinician\", ", "");
    agree(&gateway.home, CHILD, &second);
}

/// Waits until a ruleset with this version of the agreement in force is on the record.
fn in_force(gateway: &Gateway, version: &str) {
    let reference = format!("{CHILD}@{version}");
    until("the version is in force", || {
        let rulesets = gateway.search(json!({ "kind": "ruleset" }));
        let last = rulesets.last()?["envelope"]["agreements"].to_string();
        last.contains(&reference).then_some(())
    });
}

#[test]
fn an_older_version_put_back_is_not_in_force_ever_again() {
    let mut gateway = patient("older");
    let first = kept(&gateway);
    second_version(&gateway);
    in_force(&gateway, "2");
    // With two roles in the first version and one in the second, a role unstated tells them apart.
    let unstated = gateway.nhs().ask(CHECK, &[], &asks(CHI));
    assert_eq!(unstated.status, 200, "{unstated:?}");
    put_back(&first);
    until_told(&gateway, "refused", "agreement_not_in_force");
    gateway.restart();
    assert_eq!(gateway.check(CHI).code(), "agreement_not_in_force", "after a restart");
    // No segment has been filled, so that there is no store yet: the journal alone knows.
    assert!(!gateway.home.join("data/store").exists());
}

#[test]
fn an_older_version_does_not_come_back_by_way_of_none() {
    let gateway = patient("detour");
    let first = kept(&gateway);
    second_version(&gateway);
    in_force(&gateway, "2");
    loaded(&gateway, || first.iter().for_each(|(path, _)| std::fs::remove_file(path).unwrap()));
    until_told(&gateway, "refused", "not_agreed");
    put_back(&first);
    until_told(&gateway, "refused", "agreement_not_in_force");
}

/// Officers sign the next version before it begins; the one in force stays so until then.
#[test]
fn a_version_that_begins_later_leaves_the_one_in_force_alone() {
    let mut gateway = patient("successor");
    let today = gateway.clock.today();
    let tomorrow = today.tomorrow().unwrap();
    let second = unsealed(&text(&gateway.home, CHILD))
        .replace("version = 1\n", "version = 2\n")
        .replace(&format!("from = {today}"), &format!("from = {tomorrow}"))
        .replace("\"ed_clinician\", ", "");
    assert!(second.contains(&format!("from = {tomorrow}")));
    loaded(&gateway, || agree(&gateway.home, "child-protection-2", &second));
    assert_eq!(gateway.check(CHI).status, 200);
    // Another load, and another life: what was signed for later was never in force.
    let path = guardrail(&gateway, "never");
    let never = NO_HEALTH.replace("no-health", "never").replace("health", "fire");
    loaded(&gateway, || replace(&path, never.as_bytes()));
    assert_eq!(gateway.check(CHI).status, 200, "after a reload");
    gateway.restart();
    assert_eq!(gateway.check(CHI).status, 200, "after a restart");
    // Its day comes, and is noticed with nothing else changed but a file that is at fault.
    refused(&gateway, || replace(&path, b"forbid nonsense"));
    gateway.clock.shift(jiff::SignedDuration::from_hours(25));
    in_force(&gateway, "2");
    std::fs::remove_file(&path).unwrap();
    std::fs::remove_file(agreements::file(&gateway.home, "child-protection-2")).unwrap();
    until_told(&gateway, "refused", "agreement_not_in_force");
}

#[test]
fn a_changed_agreement_is_out_of_force_until_it_is_signed_again() {
    let gateway = Gateway::start("changed");
    let path = agreements::file(&gateway.home, CHILD);
    loaded(&gateway, || edit(&path, |text| text.replace("per_minute = 30", "per_minute = 3000")));
    assert_eq!(gateway.check(CHI).code(), "agreement_not_in_force");
}

/// A change of the contract changes the view that officers signed.
#[test]
fn a_changed_contract_suspends_its_agreement() {
    let gateway = Gateway::start("contract");
    let path = gateway.home.join("schemas/child-protection.v1.json");
    loaded(&gateway, || {
        edit(&path, |text| text.replace("Where the child stands.", "Where the child stood."));
    });
    assert_eq!(gateway.check(CHI).code(), "agreement_not_in_force");
}

const TAXI: &str = "/taxi-licence/v1/check";
const CONSTABLE: [(&str, &str); 1] = [("tolbooth-user", "c.synthetic")];

/// The file as a clumsy hand leaves it: one row has a cell too many.
fn bad(good: &str) -> String {
    let bad = good.replacen("TX-1042,", "TX-1042,perhaps,", 1);
    assert_ne!(bad, good);
    bad
}

/// A gateway whose limits are far above what a waiting test asks.
fn patient(name: &str) -> Gateway {
    Gateway::start_changed(name, |home| {
        reword(home, agreements::TAXI, |text| {
            text.replace("per_minute = 60", "per_minute = 100000")
                .replace("per_day = 200", "per_day = 100000")
        });
        reword(home, CHILD, |text| {
            text.replace("per_minute = 30", "per_minute = 100000")
                .replace("per_day = 400", "per_day = 100000")
        });
    })
}

fn licence(gateway: &Gateway) -> Said {
    gateway.police().ask(TAXI, &CONSTABLE, r#"{"licence_no":"TX-1042"}"#)
}

#[test]
fn a_replaced_csv_file_answers_and_a_bad_one_keeps_the_old_answers() {
    let gateway = patient("csv");
    let path = gateway.home.join("licences.csv");
    let before = licence(&gateway);
    assert_eq!((before.status, before.json()["status"].as_str()), (200, Some("current")));
    let good = std::fs::read_to_string(&path).unwrap().replacen("TX-1042,current", "TX-1042,suspended", 1);
    replace(&path, good.as_bytes());
    until("the new file answers", || (licence(&gateway).json()["status"] == "suspended").then_some(()));
    replace(&path, bad(&good).as_bytes());
    until("the light is amber", || (gateway.light("source taxi-licence/v1") == "amber").then_some(()));
    assert_eq!(gateway.local("/ready").0, 200);
    assert_eq!(licence(&gateway).json()["status"], "suspended");
    let alarm = until("the alarm is on the record", || alarms(&gateway, "file_refused").pop());
    assert_eq!(alarm["envelope"]["dataset"], "taxi-licence/v1");
    assert!(!alarm.to_string().contains("perhaps"), "a value is in the record: {alarm}");
    let raised = "tolbooth_alarms_total{alarm=\"file_refused\",dataset=\"taxi-licence\"}";
    assert_eq!(gateway.metric(raised), 1);
    // Without its line of headers the first is somebody's record, and is told to nobody.
    let (_, rows) = good.split_once('\n').unwrap();
    let first = rows.lines().next().unwrap().split(',').next().unwrap();
    replace(&path, rows.as_bytes());
    let alarm = until("the alarm is on the record", || {
        let alarms = alarms(&gateway, "file_refused");
        alarms.into_iter().find(|alarm| alarm["sealed"].to_string().contains("no column"))
    });
    let ready = gateway.local("/ready").1;
    assert!(!alarm.to_string().contains(first) && !ready.contains(first), "{alarm} {ready}");
    // The very bytes that answer already: there is nothing new in them but that all is well again.
    replace(&path, good.as_bytes());
    until("the light is green", || (gateway.light("source taxi-licence/v1") == "green").then_some(()));
    assert_eq!(licence(&gateway).json()["status"], "suspended");
}

#[test]
fn a_csv_file_that_lost_more_than_half_of_its_rows_is_used_and_alarmed() {
    let gateway = patient("csv-shrank");
    let path = gateway.home.join("licences.csv");
    let all = std::fs::read_to_string(&path).unwrap();
    let (header, rows) = all.split_once('\n').unwrap();
    let kept: Vec<&str> = rows.lines().filter(|row| row.starts_with("TX-1042,")).collect();
    assert!(kept.len() == 1 && rows.lines().count() > 2);
    replace(&path, format!("{header}\n{}\n", kept.join("\n")).as_bytes());
    let alarm = until("the alarm is on the record", || alarms(&gateway, "file_shrank").pop());
    assert_eq!(alarm["envelope"]["dataset"], "taxi-licence/v1");
    assert!(alarm["sealed"]["detail"].as_str().unwrap().ends_with(" rows, now 1"), "{alarm}");
    assert_eq!(licence(&gateway).status, 200);
}

#[test]
fn a_source_that_was_refused_turns_green_with_the_ruleset_that_reads_it_anew() {
    let gateway = patient("csv-rules");
    let path = gateway.home.join("licences.csv");
    let good = std::fs::read_to_string(&path).unwrap();
    replace(&path, bad(&good).as_bytes());
    until("the light is amber", || (gateway.light("source taxi-licence/v1") == "amber").then_some(()));
    // Both at once: whichever watch looks first, the light must not stay.
    loaded(&gateway, || {
        replace(&path, good.as_bytes());
        replace(&guardrail(&gateway, "no-health"), NO_HEALTH.as_bytes());
    });
    until("the light is gone", || (gateway.light("source taxi-licence/v1") != "amber").then_some(()));
}

/// The binary: its log warns, and SIGHUP reloads what a look at times and sizes would miss.
#[test]
fn sighup_reloads_and_a_bad_file_is_warned_of() {
    let mut gateway = patient("sighup");
    gateway.stop();
    let served = Served::start(&gateway.trial.configuration);
    let nhs = Partner::new(&gateway.trial.ca, &gateway.trial.nhs, served.partners);
    let mut line = nhs.connect().unwrap();
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).status, 200);
    let count = || {
        let (_, text) = support::gateway::local(served.local, "/metrics");
        text.lines().find_map(|line| line.strip_prefix(LOADED)?.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    let before = count();
    // Nothing changed, so that no look would reload: SIGHUP does.
    served.signal(Signal::HUP);
    until("SIGHUP reloads", || (count() > before).then_some(()));
    replace(&guardrail(&gateway, "no-health"), NO_HEALTH.as_bytes());
    served.signal(Signal::HUP);
    until("the guardrail acts", || {
        (line.ask(CHECK, &NURSE, &asks(CHI)).outcome() == "refused").then_some(())
    });
    replace(&guardrail(&gateway, "no-health"), b"forbid (");
    until("the log warns", || {
        let log = served.log();
        let warned = |line: &str| line.contains("WARN") && line.contains("the ruleset before stays in force");
        log.lines().any(warned).then_some(())
    });
    let licences = gateway.home.join("licences.csv");
    edit(&licences, |text| bad(&text));
    until("the log warns of the source", || {
        let log = served.log();
        let warned = |line: &str| line.contains("WARN") && line.contains("the old one stays");
        log.lines().any(warned).then_some(())
    });
    assert!(!served.log().contains("perhaps"), "a value is in the log");
    assert_eq!(support::gateway::local(served.local, "/ready").0, 200);
}

#[test]
fn a_file_at_fault_is_watched_though_nothing_in_force_names_it() {
    let gateway = Gateway::start("file-at-fault");
    let dataset = std::fs::read_to_string(gateway.home.join("policies/datasets/taxi-licence.toml")).unwrap();
    let dataset = dataset.replace("schemas/taxi-licence.v1.json", "schemas/new.json");
    refused(&gateway, || {
        std::fs::write(gateway.home.join("schemas/new.json"), "{").unwrap();
        std::fs::write(gateway.home.join("policies/datasets/new.toml"), dataset).unwrap();
    });
    let (_, ready) = gateway.local("/ready");
    assert!(ready.contains("schemas/new.json"), "{ready}");
    refused(&gateway, || std::fs::write(gateway.home.join("schemas/new.json"), "{}").unwrap());
    assert_eq!(licence(&gateway).status, 200, "the ruleset before stays in force");
}
