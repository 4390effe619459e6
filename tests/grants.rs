//! Single-use grants: one disclosure, once, about whom they name, whatever happens meanwhile.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::sync::Barrier;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use support::agreements::{edit, replace};
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks, records as register};
use support::grants::{GRANT, file, grant, named, open_from, words};
use support::held::each;
use support::ledger;
use support::partner::Said;
use support::served::Served;
use support::site::{Site, run, run_with_input};
use support::steady::Steady;
use support::system::Reply;
use tolbooth::clock::{Clock, moment_in_words};

/// Another child whom the register knows.
const OTHER: &str = "0211210253";

fn start(name: &str) -> Gateway {
    Gateway::start_changed(name, |home| {
        grant(home, GRANT, &words(GRANT, &Clock::new().unwrap()), &[CHI]);
    })
}

/// Asks under the grant.
fn ask(gateway: &Gateway, chi: &str) -> Said {
    gateway.nhs().ask(CHECK, &[NURSE[0], named(GRANT)], &asks(chi))
}

fn is_spent(said: &Said) {
    assert_eq!((said.status, said.code().as_str()), (403, "grant_spent"), "{said:?}");
}

#[test]
fn a_grant_is_answered_once_and_its_use_is_on_the_record_before_the_answer() {
    let gateway = start("grant-once");
    let said = ask(&gateway, CHI);
    assert_eq!((said.status, said.outcome()), (200, "answered"), "{said:?}");
    assert_eq!(said.json(), json!({ "given_name": "Eilidh", "status": "registered" }));
    let envelope = ledger::envelope(&gateway.home, &said);
    assert_eq!(envelope["agreement"], format!("{GRANT}@1"));
    let used = gateway.search(json!({ "kind": "grant" }));
    assert_eq!(used.len(), 1, "{used:?}");
    assert_eq!(used[0]["envelope"]["exchange"], said.exchange());
    assert!(used[0]["envelope"]["index"].as_u64() < envelope["index"].as_u64());
    // Under the standing agreement they go on as before.
    is_spent(&ask(&gateway, CHI));
    assert_eq!(gateway.check(CHI).status, 200);
}

#[test]
fn of_several_questions_at_once_one_is_answered_and_the_source_is_asked_once() {
    let gateway = start("grant-at-once");
    gateway.system.now_says(|heard| {
        // All are there before the first answer is.
        std::thread::sleep(Duration::from_millis(500));
        register(heard)
    });
    let asking = Barrier::new(6);
    let told: Vec<Said> = std::thread::scope(|scope| {
        let one = || {
            asking.wait();
            ask(&gateway, CHI)
        };
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let answered = told.iter().filter(|said| said.status == 200).count();
    assert_eq!(answered, 1, "{told:?}");
    let rest = told.iter().filter(|said| said.status != 200);
    for said in rest {
        assert!(["limit_reached", "grant_spent"].contains(&said.code().as_str()), "{said:?}");
    }
    assert_eq!(gateway.system.heard().len(), 1);
}

#[test]
fn a_grant_is_for_whom_it_names_and_nobody_else() {
    let gateway = start("grant-about");
    let said = ask(&gateway, OTHER);
    assert_eq!((said.status, said.code().as_str()), (403, "not_agreed"), "{said:?}");
    assert!(gateway.system.heard().is_empty(), "nothing was asked behind");
    // That did not use it; and neither does what is asked without naming it.
    assert_eq!(gateway.check(CHI).status, 200);
    assert_eq!(ask(&gateway, CHI).status, 200);
}

#[test]
fn a_source_that_fails_leaves_the_grant_unused_and_an_absent_record_uses_it() {
    let gateway = start("grant-source");
    gateway.system.now_says(|_| Reply::Json(500, "{}".to_owned()));
    assert_eq!(ask(&gateway, CHI).status, 502);
    // That somebody is not known is an answer.
    gateway.system.now_says(|_| Reply::Json(200, "{\"clients\":[]}".to_owned()));
    let said = ask(&gateway, CHI);
    assert_eq!((said.status, said.outcome()), (404, "no_match"), "{said:?}");
    is_spent(&ask(&gateway, CHI));
}

#[test]
fn an_explanation_uses_nothing_and_says_what_would_be() {
    let gateway = start("grant-explained");
    let explain = |chi: &str| {
        let body =
            json!({ "dataset": "child-protection/v1", "operation": "check", "question": { "chi": chi } });
        gateway.nhs().ask("/explain", &[NURSE[0], named(GRANT)], &body.to_string()).json()
    };
    assert_eq!(explain(CHI)["would_be"], "answered");
    assert_eq!(explain(OTHER)["code"], "not_agreed");
    assert_eq!(ask(&gateway, CHI).status, 200);
    assert_eq!(explain(CHI)["code"], "grant_spent");
}

#[test]
fn a_grant_is_open_between_two_moments() {
    let clock = Clock::new().unwrap();
    let decided = clock.now() + SignedDuration::from_hours(1);
    let words = open_from(GRANT, decided, decided + SignedDuration::from_hours(1));
    let (from, until) = (decided, decided + SignedDuration::from_hours(1));
    let gateway = Gateway::start_changed("grant-open", |home| grant(home, GRANT, &words, &[CHI]));
    let is_shut = |gateway: &Gateway| {
        let said = ask(gateway, CHI);
        assert_eq!((said.status, said.code().as_str()), (403, "agreement_not_in_force"), "{said:?}");
        // From when and until when, with the zone: an hour comes twice in autumn.
        let open = format!("from {} until {}", moment_in_words(from), moment_in_words(until));
        assert!(said.json()["detail"].as_str().unwrap().contains(&open), "{said:?}");
    };
    is_shut(&gateway);
    gateway.clock.shift(SignedDuration::from_mins(90));
    let opened = gateway.nhs().ask("/explain", &[NURSE[0], named(GRANT)], &explain_body());
    assert_eq!(opened.json()["would_be"], "answered", "{opened:?}");
    gateway.clock.shift(SignedDuration::from_mins(40));
    is_shut(&gateway);
    // On another day than its own as well.
    gateway.clock.shift(SignedDuration::from_hours(24));
    is_shut(&gateway);
}

fn explain_body() -> String {
    json!({ "dataset": "child-protection/v1", "operation": "check", "question": { "chi": CHI } }).to_string()
}

#[test]
fn a_used_grant_stays_used_whatever_is_put_back() {
    let mut gateway = start("grant-put-back");
    let (home, store) = (gateway.home.clone(), gateway.home.join("data/store"));
    let before: Vec<_> = ["toml", "sig", "subject-key"]
        .map(|ending| file(&home, GRANT, ending))
        .map(|path| (std::fs::read(&path).unwrap(), path))
        .into();
    assert_eq!(ask(&gateway, CHI).status, 200);
    gateway.restart();
    is_spent(&ask(&gateway, CHI));
    // The store as it was before, which is nothing; and the files taken out and put back.
    gateway.stop();
    let _ = std::fs::remove_dir_all(&store);
    before.iter().for_each(|(_, path)| std::fs::remove_file(path).unwrap());
    gateway.restart();
    assert_eq!(ask(&gateway, CHI).code(), "not_agreed");
    before.iter().for_each(|(bytes, path)| replace(path, bytes));
    gateway.restart();
    is_spent(&ask(&gateway, CHI));
    // The same words under the same id, decided and signed anew, are the same grant.
    grant(&home, GRANT, &words(GRANT, &gateway.clock), &[CHI]);
    gateway.restart();
    is_spent(&ask(&gateway, CHI));
}

#[test]
fn a_grant_whose_key_is_gone_or_whose_words_were_changed_answers_nobody() {
    let mut gateway = start("grant-keyless");
    let key = file(&gateway.home, GRANT, "subject-key");
    let bytes = std::fs::read(&key).unwrap();
    for wrong in [None, Some("0".repeat(64)), Some("no key".to_owned())] {
        std::fs::remove_file(&key).unwrap();
        wrong.iter().for_each(|text| replace(&key, text.as_bytes()));
        gateway.restart();
        let said = ask(&gateway, CHI);
        let whole = wrong.as_ref().is_some_and(|text| text.len() == 64);
        let code = if whole { "not_agreed" } else { "cannot_decide" };
        assert_eq!(said.code(), code, "{said:?}");
        replace(&key, &bytes);
    }
    edit(&file(&gateway.home, GRANT, "toml"), |text| {
        text.replace("\"status\", \"given_name\"", "\"status\"")
    });
    edit(&file(&gateway.home, GRANT, "toml"), |text| {
        text.replace("withhold = [", "withhold = [\"given_name\", ")
    });
    gateway.restart();
    assert_eq!(ask(&gateway, CHI).code(), "agreement_not_in_force");
}

/// Twenty grants, each asked under from two connections while the gateway is killed, and once more by the next.
#[test]
fn a_kill_at_any_instant_never_gives_a_second_answer() {
    const ROUNDS: usize = 20;
    let site = Site::new("grant-kill");
    let clock = Clock::new().unwrap();
    let ids: Vec<String> = (0..ROUNDS).map(|round| format!("grant-{round}")).collect();
    ids.iter().for_each(|id| grant(&site.home, id, &words(id, &clock), &[CHI]));
    let mut answers = vec![0; ROUNDS];
    for round in 0..=ROUNDS {
        let served = Served::start(&site);
        if let Some(last) = round.checked_sub(1) {
            let said = served.nhs(&site).ask(CHECK, &[NURSE[0], named(&ids[last])], &asks(CHI));
            match said.status {
                200 => answers[last] += 1,
                _ => is_spent(&said),
            }
        }
        let Some(id) = ids.get(round) else { break };
        answers[round] += killed_while_asked(&site, served, id, Duration::from_micros(700 * round as u64));
    }
    assert!(answers.iter().all(|answers| *answers <= 1), "{answers:?}");
    // Nor was any used twice: where no answer came it was lost with the process, and no other followed.
    let mut used = Vec::new();
    each(&site, |_, envelope, _| {
        let envelope: serde_json::Value = serde_json::from_slice(envelope).unwrap();
        if envelope["kind"] == "grant" {
            used.push(envelope["agreement"].as_str().unwrap().to_owned());
        }
    });
    used.sort();
    let mut once: Vec<_> = ids.iter().map(|id| format!("{id}@1")).collect();
    once.sort();
    assert_eq!(used, once);
}

/// How many answers came before the gateway was gone.
fn killed_while_asked(site: &Site, served: Served, id: &str, after: Duration) -> usize {
    let asking = Barrier::new(3);
    std::thread::scope(|scope| {
        let one = || {
            let mut partner = Steady::connect(&site.trial.ca, &site.trial.nhs, served.partners).unwrap();
            asking.wait();
            let said = partner.ask(CHECK, &[NURSE[0], named(id)], &asks(CHI));
            usize::from(said.is_ok_and(|said| said.status == 200))
        };
        let threads = [scope.spawn(one), scope.spawn(one)];
        asking.wait();
        std::thread::sleep(after);
        rustix::process::kill_process(pid(&served), rustix::process::Signal::KILL).unwrap();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn pid(served: &Served) -> rustix::process::Pid {
    rustix::process::Pid::from_raw(i32::try_from(served.pid()).unwrap()).unwrap()
}

#[test]
fn officers_say_whom_a_grant_is_about_without_naming_them_and_can_see_it() {
    let site = Site::new("grant-cli");
    std::fs::create_dir_all(site.home.join("policies/grants")).unwrap();
    let path = file(&site.home, GRANT, "toml");
    std::fs::write(&path, words(GRANT, &Clock::new().unwrap())).unwrap();
    let shown = path.to_str().unwrap();
    let told = |command: &str, chi: &str| {
        run_with_input(&site.home, &["grant", command, shown, "--kind", "chi"], &format!("{chi}\n"))
    };
    let check = run(&site.home, &["check"]);
    assert!(check.err.contains("0 [[subject]]"), "{check:?}");
    let said = told("subject", CHI);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(![said.out, said.err].concat().contains(CHI));
    assert!(!std::fs::read_to_string(&path).unwrap().contains(CHI));
    assert_eq!(told("subject", CHI).code, Some(1), "they are named already");
    assert_eq!(told("about", CHI).code, Some(0));
    assert_eq!(told("about", "140317 0129").code, Some(0), "one spelling");
    assert_eq!(told("about", OTHER).code, Some(1));
    // From here on it is an agreement like any other.
    let sealed = run(&site.home, &["agreement", "seal", shown]);
    assert_eq!(sealed.code, Some(0), "{sealed:?}");
    for party in ["glenmore", "nhs-lomond"] {
        let key = site.scratch.path().join(format!("keys/{party}/officer.key"));
        let signed = run(&site.home, &["agreement", "sign", shown, "--key", key.to_str().unwrap()]);
        assert_eq!(signed.code, Some(0), "{signed:?}");
    }
    let served = Served::start(&site);
    let ask = || served.nhs(&site).ask(CHECK, &[NURSE[0], named(GRANT)], &asks(CHI));
    assert_eq!(ask().status, 200);
    is_spent(&ask());
}

#[test]
fn commands_say_of_a_spent_grant_that_it_is_spent() {
    let gateway = start("grant-told");
    let words = [
        "policy",
        "explain",
        "--consumer",
        "nhs-lomond/ed-trak",
        "--dataset",
        "child-protection/v1",
        "--operation",
        "check",
        "--role",
        "ed_nurse",
        "--agreement",
        GRANT,
    ];
    let told = |command: &[&str]| run(&gateway.home, command);
    assert_eq!((told(&["agreement", "status"]).code, told(&words).code), (Some(0), Some(0)));
    assert_eq!(ask(&gateway, CHI).status, 200);
    let (status, check, explained) = (told(&["agreement", "status"]), told(&["check"]), told(&words));
    assert!(status.code == Some(1) && status.out.contains("next: officers decide on another"), "{status:?}");
    assert!(explained.code == Some(1) && explained.out.contains("grant_spent"), "{explained:?}");
    assert!(check.out.contains(&format!("{GRANT}@1: NOT in force (spent")), "{check:?}");
}
