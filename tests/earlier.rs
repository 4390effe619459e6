//! Over a restore: what earlier logs hold is found, counted and proved with what the present one holds, each record
//! once and in the order of time.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use http::Request;
use http_body_util::Full;
use jiff::SignedDuration;
use serde_json::{Value, json};
use support::gateway::CHI;
use support::partner::{Partner, Said};
use support::restored::{Restored, must};
use support::site::run;
use support::{recount, until};
use tolbooth::ledger::verify::verify_receipt;
use tolbooth::merkle::note::VerifierKey;

fn rows(document: &Value) -> &[Value] {
    document["rows"].as_array().unwrap()
}

/// Three logs: two restores, one of a log that had one before it already.
fn three(name: &str) -> Restored {
    let mut restored = Restored::begin(name);
    restored.ask("nurse-1");
    for user in ["nurse-2", "nurse-1"] {
        restored.restore();
        restored.ask(user);
    }
    restored.settled()
}

#[test]
fn every_count_over_all_logs_equals_a_slow_recount() {
    let three = three("earlier-counts");
    let entries: Vec<(Value, Value)> = three.logs.iter().rev().flat_map(|log| three.exported(log)).collect();
    let all = || entries.iter().map(|(envelope, sealed)| (envelope, sealed));
    let both = ["subjects", "users"];
    let activity = three.report(&["activity"], "");
    let wanted = recount::activity(all());
    recount::compare("activity", &recount::ACTIVITY, &both, rows(&activity), &activity["totals"], &wanted);
    assert_eq!(activity["totals"]["exchanges"], 9, "three questions in each log");
    let refusals = three.report(&["refusals"], "");
    let wanted = recount::refusals(all());
    recount::compare("refusals", &recount::REFUSALS, &both, rows(&refusals), &refusals["totals"], &wanted);
    let dataset = three.report(&["recipients", "--dataset", "child-protection"], "");
    let wanted = recount::recipients(all());
    recount::compare("dataset", &recount::RECIPIENTS, &both, rows(&dataset), &dataset["totals"], &wanted);

    // The head says of each log how much of it was read: all.
    let head = &activity["head"];
    assert_eq!((&head["log"], &head["not_searched"]), (&json!(three.logs[0]), &json!([])));
    let read: Vec<&Value> = head["earlier"].as_array().unwrap().iter().collect();
    for (place, log) in three.logs.iter().enumerate().skip(1) {
        let records = entries.iter().filter(|(envelope, _)| envelope["log"] == log.as_str()).count();
        assert_eq!((&read[place - 1]["log"], &read[place - 1]["records"]), (&json!(log), &json!(records)));
    }

    // One log alone, and whoever asks so is told what that leaves out.
    for log in &three.logs {
        let one = three.report(&["activity", "--log", log], "");
        assert_eq!((&one["totals"]["exchanges"], &one["head"]["log"]), (&json!(3), &json!(log)));
        let left_out = one["head"]["not_searched"].as_array().unwrap();
        assert_eq!(left_out.len(), 2, "{left_out:?}");
        assert!(left_out.iter().all(|other| other["log"] != log.as_str()), "{left_out:?}");
    }
    let text = must(three.home(), &["report", "activity", "--purpose", "x", "--log", &three.logs[2]], "");
    assert!(text.out.contains(&format!("Not in this report: the log {}", three.logs[0])), "{text:?}");
    let nowhere = run(three.home(), &["report", "activity", "--purpose", "x", "--log", "glenmore/other"]);
    assert!(nowhere.code == Some(1) && nowhere.err.contains(&three.logs[2]), "{nowhere:?}");
}

#[test]
fn a_person_asked_about_before_and_after_a_restore_is_found_in_one_report() {
    let three = three("earlier-person");
    let wanted: Vec<(String, String)> =
        three.about.iter().map(|(log, said)| (said.exchange().to_owned(), log.clone())).collect();
    let pair = |exchange: &Value, log: &Value| {
        (exchange.as_str().unwrap_or_default().to_owned(), log.as_str().unwrap_or_default().to_owned())
    };
    let answered = |row: &&Value| row["told"] == "information was given";
    for cut in ["full", "releasable"] {
        let person = three.report(&["person", "--subject", "chi", "--cut", cut], CHI);
        let found: Vec<_> =
            rows(&person).iter().filter(answered).map(|row| pair(&row["exchange"], &row["log"])).collect();
        assert_eq!(found, wanted, "{cut}, newest first");
    }
    let search =
        ["ledger", "search", "--json", "--purpose", "again", "--subject", "chi", "--outcome", "answered"];
    let found = must(three.home(), &search, CHI).lines();
    let found: Vec<_> =
        found.iter().map(|one| pair(&one["envelope"]["exchange"], &one["envelope"]["log"])).collect();
    assert_eq!(found, wanted);
    let text = must(three.home(), &["ledger", "search", "--purpose", "again", "--subject", "chi"], CHI);
    assert!(text.out.contains(&format!("of the earlier log {}", three.logs[2])), "{text:?}");
    let text = must(three.home(), &["report", "person", "--purpose", "again", "--subject", "chi"], CHI);
    assert!(text.out.contains(&format!(", in the log {}", three.logs[2])), "{text:?}");
}

#[test]
fn pages_go_on_from_one_log_into_the_one_before_it() {
    let three = three("earlier-pages");
    let search = |more: &[&str]| {
        let of = ["ledger", "search", "--json", "--purpose", "pages", "--kind", "exchange"];
        run(three.home(), &[&of[..], more].concat()).lines()
    };
    let place = |line: &Value| (line["envelope"]["log"].to_string(), line["index"].as_u64().unwrap());
    let is_found = |line: &&Value| line.get("envelope").is_some();
    let all: Vec<_> = search(&[]).iter().filter(is_found).map(place).collect();
    assert_eq!(all.len(), 9);
    for limit in ["1", "2", "4"] {
        let (mut paged, mut after) = (Vec::new(), None::<String>);
        loop {
            let more = after.as_deref().map(|after| vec!["--after", after]).unwrap_or_default();
            let page = search(&[&["--limit", limit], &more[..]].concat());
            paged.extend(page.iter().filter(is_found).map(place));
            let Some(line) = page.iter().find(|line| line["more"] == true) else { break };
            after = Some(match line["after_log"].as_str() {
                Some(log) => format!("{}@{log}", line["after"]),
                None => line["after"].to_string(),
            });
        }
        assert_eq!(paged, all, "{limit} at once");
    }
    let nowhere = run(
        three.home(),
        &["ledger", "search", "--purpose", "x", "--kind", "exchange", "--after", "1@glenmore/other"],
    );
    assert!(nowhere.code == Some(1) && nowhere.err.contains("after_log"), "{nowhere:?}");
}

/// Of a period only the logs that have it are read; what is counted is the same.
#[test]
fn a_period_counts_what_is_of_it_in_whichever_log() {
    let mut restored = Restored::begin("earlier-period");
    restored.ask("nurse-1");
    let first = restored.gateway.clock.today();
    restored.gateway.clock.shift(SignedDuration::from_hours(24 * 40));
    restored.ask("nurse-2");
    let middle = restored.gateway.clock.today();
    restored.restore();
    restored.gateway.clock.shift(SignedDuration::from_hours(24 * 40));
    restored.ask("nurse-2");
    let last = restored.gateway.clock.today();
    let restored = restored.settled();
    let exchanges = |from: Option<String>, to: Option<String>| {
        let mut arguments = vec!["activity"];
        from.iter().for_each(|from| arguments.extend(["--from", from]));
        to.iter().for_each(|to| arguments.extend(["--to", to]));
        restored.report(&arguments, "")["totals"]["exchanges"].as_u64().unwrap()
    };
    let day = |day: jiff::civil::Date| Some(day.to_string());
    assert_eq!(exchanges(None, None), 9);
    assert_eq!(exchanges(None, day(first)), 3);
    assert_eq!(exchanges(day(middle), day(middle)), 3);
    assert_eq!(exchanges(day(middle), None), 6);
    assert_eq!(exchanges(day(last), None), 3);
    assert_eq!(exchanges(day(first), day(last)), 9);
    let since = format!("{middle}T00:00:00Z");
    let found = ["ledger", "search", "--json", "--purpose", "x", "--kind", "exchange", "--from", &since];
    assert_eq!(must(restored.home(), &found, "").lines().len(), 6);
}

fn get(partner: &Partner, path: &str) -> Said {
    partner.send(Request::get(path).header("host", "localhost").body(Full::default()).unwrap())
}

/// What is proved of a record of an earlier log is proved under that log's own key.
#[test]
fn packs_explanations_and_receipts_are_made_of_earlier_logs_too() {
    let three = three("earlier-proved");
    for (place, (log, said)) in three.about.iter().enumerate().skip(1) {
        let key_file = three.folder(place).join("ledger.vkey");
        let key = VerifierKey::parse(std::fs::read_to_string(&key_file).unwrap().trim()).unwrap();
        assert_eq!(key.name(), log);
        let file = format!("{place}.pack");
        let id = said.exchange();
        let pack = ["ledger", "evidence", "--exchange", id, "--purpose", "court", "--sealed", "--out", &file];
        must(three.home(), &pack, "");
        let verify = ["ledger", "verify", &file, "--key", key_file.to_str().unwrap(), "--json"];
        let verified = must(three.home(), &verify, "");
        assert!(!verified.out.contains("\"wrong\""), "{verified:?}");
        let other = ["ledger", "verify", &file, "--key", "data/keys/ledger.vkey"];
        assert_eq!(run(three.home(), &other).code, Some(1), "under another log's key it is not proved");
        let explained = must(three.home(), &["explain", "--exchange", id, "--purpose", "why"], "");
        assert!(explained.out.contains(id), "{explained:?}");

        let path = format!("/receipts/{id}");
        let again = until("the earlier logs are read", || {
            let again = get(&three.gateway.nhs(), &path);
            (again.status == 200).then_some(again)
        });
        let text = String::from_utf8(again.body.to_vec()).unwrap();
        let head = said.head().replace(said.receipt().unwrap(), text.trim());
        let report = verify_receipt(&head, &key, Some(&said.body), &[]).unwrap();
        assert!(report.envelope.contains(id), "{report:?}");
        // Anybody else learns as much as of an exchange that never was.
        assert_eq!(get(&three.gateway.police(), &path).code(), "not_agreed");
    }
}

#[test]
fn an_earlier_log_that_is_gone_or_damaged_is_said_and_never_left_out_unseen() {
    let mut two = Restored::begin("earlier-damaged");
    two.ask("nurse-1");
    two.restore();
    two.ask("nurse-2");
    let two = two.settled();
    let folder = two.folder(1);
    let journal = folder.join("journal");
    let segment = until("a segment is there", || {
        let all = std::fs::read_dir(&journal).ok()?.filter_map(Result::ok).map(|entry| entry.path());
        all.min().filter(|path| path.is_file())
    });
    let whole = std::fs::read(&segment).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&segment, damaged).unwrap();
    let asked = [
        &["report", "activity", "--purpose", "x"][..],
        &["ledger", "search", "--purpose", "x", "--kind", "summary"],
    ];
    for command in asked {
        let ran = run(two.home(), command);
        assert!(ran.code != Some(0) && ran.err.contains(&two.logs[1]), "{command:?}: {ran:?}");
        assert!(ran.err.contains("damage at record"), "{command:?}: {ran:?}");
    }
    let alone = two.report(&["activity", "--log", &two.logs[0]], "");
    assert_eq!(alone["totals"]["exchanges"], 3);

    std::fs::write(&segment, whole).unwrap();
    let away = two.home().join("away");
    std::fs::rename(&folder, &away).unwrap();
    let report = must(two.home(), &["report", "activity", "--purpose", "x"], "");
    assert!(
        report.out.contains(&format!("Not in this report: the earlier log {}", two.logs[1])),
        "{report:?}"
    );
    let search = must(two.home(), &["ledger", "search", "--purpose", "x", "--kind", "exchange"], "");
    assert!(search.out.contains(&format!("not searched: the earlier log {}", two.logs[1])), "{search:?}");
    // And nothing found in what is there is no answer.
    let nothing = run(two.home(), &["ledger", "search", "--purpose", "x", "--kind", "stop"]);
    assert_eq!(nothing.code, Some(3), "{nothing:?}");
    let nothing = run(two.home(), &["report", "activity", "--purpose", "x", "--consumer", "fire-caledonia"]);
    assert_eq!(nothing.code, Some(3), "{nothing:?}");
    // A part of it is not taken for all of it.
    std::fs::rename(&away, &folder).unwrap();
    let last = std::fs::read_dir(&journal).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    std::fs::remove_file(last).unwrap();
    let cut = run(two.home(), &["report", "activity", "--purpose", "x"]);
    assert!(cut.code != Some(0) && cut.err.contains("and the log after it says"), "{cut:?}");
}
