//! What is asked of a command and cannot be meant is told as such, and what others wrote is shown as it is: words
//! mistyped, files of another kind, characters that hide.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::agreements::CHILD;
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::site::{Ran, run, run_with_input};

fn ended(ran: &Ran, code: i32, part: &str) {
    assert_eq!(ran.code, Some(code), "{ran:?}");
    assert!(ran.err.contains(part), "{part}: {ran:?}");
}

#[test]
fn a_word_mistyped_finds_nothing_by_saying_so_and_not_by_an_empty_answer() {
    let gateway = Gateway::start("asked-words");
    let search =
        |words: &[&str]| run(&gateway.home, &[&["ledger", "search", "--purpose", "p"], words].concat());
    for (words, part) in [
        (["--system", "control-room"], "MEMBER/SYSTEM"),
        (["--code", "limit_reachd"], "did you mean `limit_reached`?"),
        (["--truly", "row_exclude"], "did you mean `row_excluded`?"),
        (["--subject", "badgeno"], "did you mean `badge_no`?"),
        (["--from", "yesterday"], "2026-12-04T09:00:00Z"),
        (["--to", "31/12/2026"], "2026-12-04T09:00:00Z"),
        (["--exchange", "foo"], "the id of an exchange"),
        (["--consumer", "NHS Lomond"], "--consumer"),
        (["--limit", "0"], "1..=10000"),
    ] {
        ended(&search(&words), 2, part);
    }
    ended(
        &run(&gateway.home, &["report", "activity", "--purpose", "p", "--from", "31/12/2026"]),
        2,
        "2026-12-04",
    );
    // Nothing of it was a look.
    assert_eq!(gateway.search(serde_json::json!({ "kind": "read", "purpose": "count" })).len(), 0);
    for word in ["row_excluded", "would be answered", "not_agreed", "answered"] {
        assert_eq!(search(&["--truly", word]).code, Some(1), "{word}");
    }
}

#[test]
fn what_others_wrote_cannot_reorder_or_hide_what_stands_beside_it() {
    let gateway = Gateway::start("asked-hidden");
    let said = gateway.nhs().ask(CHECK, &[NURSE[0], ("tolbooth-user", "pc\u{202e}4321\u{200b}")], &asks(CHI));
    assert_eq!(said.status, 200, "{said:?}");
    let found = run(&gateway.home, &["ledger", "search", "--purpose", "p", "--kind", "exchange", "--sealed"]);
    let words = ["report", "person", "--purpose", "p", "--subject", "chi"];
    let report = run_with_input(&gateway.home, &words, &format!("{CHI}\n"));
    let words = ["explain", "--purpose", "p", "--exchange", said.exchange()];
    let explained = run(&gateway.home, &words);
    for ran in [found, report, explained] {
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.out.contains("pc[U+202E]4321[U+200B]"), "{ran:?}");
        assert!(!ran.out.contains(['\u{202e}', '\u{200b}']), "{ran:?}");
    }
}

#[test]
fn a_record_of_an_act_or_a_stop_says_of_what_it_is() {
    let gateway = Gateway::start("asked-acts");
    let key = gateway.home.parent().unwrap().join("keys/glenmore/officer.key");
    let (file, key) = (format!("policies/agreements/{CHILD}.toml"), key.display().to_string());
    let act = |action: &str| {
        run(&gateway.home, &["agreement", action, &file, "--key", &key, "--reason", "An account was misused"])
    };
    for _ in 0..2 {
        assert_eq!(act("suspend").code, Some(0));
    }
    let other = gateway.home.parent().unwrap().join("keys/nhs-lomond/officer.key").display().to_string();
    let resumed = run(&gateway.home, &["agreement", "resume", &file, "--key", &other, "--reason", "r"]);
    ended(&resumed, 1, "(it is, by glenmore)");
    assert_eq!(act("withdraw").code, Some(0));
    ended(
        &run(&gateway.home, &["agreement", "resume", &file, "--key", &other, "--reason", "r"]),
        1,
        "was withdrawn for good by glenmore",
    );
    let stop = |verb: &str| run(&gateway.home, &[verb, "--dataset", "taxi-licence", "--purpose", "p"]).code;
    assert_eq!((stop("stop"), stop("start")), (Some(0), Some(0)));
    let shown = |kind: &str| run(&gateway.home, &["ledger", "search", "--purpose", "p", "--kind", kind]).out;
    assert!(shown("act").contains(&format!("act  withdraw {CHILD}@1 glenmore sha256:")), "{}", shown("act"));
    let stops = shown("stop");
    assert!(stops.contains("stop  stopped dataset:taxi-licence"), "{stops}");
    assert!(stops.contains("stop  started dataset:taxi-licence"), "{stops}");
}

#[test]
fn the_wrong_file_is_no_wrong_log() {
    let gateway = Gateway::start("asked-files");
    assert_eq!(gateway.check(CHI).status, 200);
    let verify = |words: &[&str]| run(&gateway.home, &[&["ledger", "verify"], words].concat());
    ended(
        &verify(&["data/ledger", "--against", "members.toml"]),
        3,
        "members.toml: neither a checkpoint nor a receipt",
    );
    ended(&verify(&["nosuch"]), 3, "nosuch: there is no such file or folder");
    ended(
        &verify(&["data/ledger", "--key", "nosuch"]),
        3,
        "--key nosuch: neither a file that is there nor a key",
    );
    assert_eq!(verify(&["data/ledger"]).code, Some(0));
    let seal = format!("policies/agreements/{CHILD}.toml");
    let sealed = run(&gateway.home, &["agreement", "seal", &seal, "--json"]);
    assert!(sealed.lines()[0]["view"].as_str().unwrap().starts_with("sha256:"), "{sealed:?}");
}

#[test]
fn nothing_is_offered_that_a_command_does_not_have() {
    let gateway = Gateway::start("asked-force");
    let words = ["agreement", "key", "m.macleod", "--out", "members.toml"];
    let made = run_with_input(&gateway.home, &words, "four words of mine\n");
    ended(&made, 1, "it is never overwritten");
    assert!(!made.err.contains("--force"), "{made:?}");
}

#[test]
fn an_hour_that_london_has_twice_or_not_at_all_is_refused() {
    let gateway = Gateway::start("asked-hours");
    let stop = |until: &str| run(&gateway.home, &["stop", "--all", "--purpose", "p", "--until", until]);
    for until in ["2027-03-28 01:30", "2027-10-31 01:30"] {
        ended(&stop(until), 2, "not at all or twice");
    }
    assert_eq!(stop("2027-10-31 02:30").code, Some(0));
}
