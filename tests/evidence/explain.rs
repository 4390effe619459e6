//! Explaining a past exchange from the evidence kept then.

use serde_json::{Value, json};

use super::ask;
use super::support::agreements::{CHILD, file, signatures, text};
use super::support::here::Here;
use super::support::ledger::search;
use super::support::site::{Ran, Site, run};

fn explain(here: &Here, exchange: &str) -> Ran {
    run(&here.site.home, &["explain", "--exchange", exchange, "--purpose", "a complaint", "--json"])
}

fn verdict<'v>(explained: &'v Value, what: &str) -> (&'v str, &'v str) {
    let decided = explained["decided"].as_array().unwrap().iter().find(|found| found["what"] == what);
    let found = decided.unwrap_or_else(|| panic!("{what}: {explained}"));
    (found["verdict"].as_str().unwrap(), found["says"].as_str().unwrap())
}

#[test]
fn a_past_exchange_is_explained_after_its_files_were_deleted() {
    let here = Here::start(Site::new("evidence-explain"));
    let answered = ask(&here);
    let headers = [("tolbooth-role", "ed_nurse"), ("tolbooth-purpose", "research")];
    let refused = here.nhs().ask("/child-protection/v1/check", &headers, "{}");
    assert_eq!(refused.code(), "purpose_not_allowed");
    let home = &here.site.home;
    let words = text(home, CHILD);
    std::fs::remove_file(signatures(home, CHILD)).unwrap();
    std::fs::remove_file(file(home, CHILD)).unwrap();
    let guardrails = std::fs::read_dir(home.join("policies/guardrails")).unwrap();
    guardrails.for_each(|entry| std::fs::remove_file(entry.unwrap().path()).unwrap());
    super::support::until("nothing is agreed any more", || {
        here.running()
            .app
            .ruleset
            .load()
            .register
            .all()
            .iter()
            .all(|entry| entry.agreement.reference.id.as_str() != CHILD)
            .then_some(())
    });

    let ran = explain(&here, answered.exchange());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let explained = &ran.lines()[0];
    assert_eq!(explained["facts"]["agreement"], format!("{CHILD}@1"));
    assert_eq!(explained["facts"]["role"], "ed_nurse (claimed)");
    for what in
        ["agreement", "signatures", "dates", "seal", "parties", "purpose", "role", "fields", "guardrails"]
    {
        assert_eq!(verdict(explained, what).0, "proven", "{what}: {explained:#}");
    }
    // The clauses are those of the deleted file, line by line.
    let clauses = explained["clauses"].as_array().unwrap();
    let own = clauses.iter().find(|clause| clause["table"] == "[[party.system]]").unwrap();
    let (from, to) = (own["from"].as_u64().unwrap(), own["to"].as_u64().unwrap());
    let lines: Vec<&str> = words.lines().collect();
    let (from, to) = (usize::try_from(from).unwrap(), usize::try_from(to).unwrap());
    assert_eq!(own["text"].as_str().unwrap(), lines[from - 1..to].join("\n"));
    assert!(own["text"].as_str().unwrap().contains("\"ed_nurse\""), "{own}");

    let ran = explain(&here, refused.exchange());
    let explained = &ran.lines()[0];
    assert_eq!(explained["facts"]["told"], "refused (purpose_not_allowed)");
    assert_eq!(
        verdict(explained, "purpose"),
        ("wrong", "the agreement does not let the system ask for research")
    );
    assert_eq!(verdict(explained, "signatures").0, "proven");

    let told = run(home, &["explain", "--exchange", answered.exchange(), "--purpose", "a complaint"]);
    assert!(told.out.contains("held: purpose: it lets the system ask for safeguarding_child"), "{told:?}");
    assert!(told.out.contains(&format!("policies/agreements/{CHILD}.toml, lines ")), "{told:?}");
    let nobody = explain(&here, "01939c3e-0000-7000-8000-000000000000");
    assert_eq!((nobody.code, nobody.lines()), (Some(1), vec![json!({ "found": 0 })]), "{nobody:?}");
    assert_eq!(explain(&here, "1").code, Some(1), "no id at all");
    let reads = search(&here.running().admin_socket, json!({ "kind": "read" }));
    let looks: Vec<_> = reads.iter().filter(|read| read["envelope"]["action"] == "explain").collect();
    assert_eq!(looks.iter().map(|look| &look["envelope"]["shown"]).collect::<Vec<_>>(), [1, 1, 1, 0]);
    assert!(looks.iter().all(|look| look["sealed"]["purpose"] == "a complaint"), "{looks:?}");
}

#[test]
fn what_would_have_to_change_is_said_with_its_lines_and_who_can_change_it() {
    let here = Here::start(Site::new("evidence-remedy"));
    let answered = ask(&here);
    let headers = [("tolbooth-role", "ed_nurse"), ("tolbooth-purpose", "research")];
    let refused = here.nhs().ask("/child-protection/v1/check", &headers, "{}");
    // Of a child whose registration ended years ago, which looks to the caller as one nobody knows.
    let excluded = here.nhs().ask("/child-protection/v1/check", &headers[..1], r#"{"chi":"0505110639"}"#);
    assert_eq!(excluded.outcome(), "no_match");
    let words = text(&here.site.home, CHILD);
    let line = 1 + words.lines().position(|line| line.starts_with("purposes =")).unwrap();
    let file = format!("policies/agreements/{CHILD}.toml");
    let remedy = |exchange: &str| explain(&here, exchange).lines()[0]["remedy"].clone();

    let of_refused = remedy(refused.exchange());
    let stands =
        json!([{ "file": file, "line": line, "key": "party.system.purposes", "says": "safeguarding_child" }]);
    assert_eq!((&of_refused["stands_on"], &of_refused["fixer"]), (&stands, &"caller or officers".into()));
    assert!(of_refused["change"].as_str().unwrap().contains("a purpose the agreement lists"), "{of_refused}");
    let of_excluded = remedy(excluded.exchange());
    let told = |clause: &Value| clause["says"].as_str().unwrap().to_owned();
    let fields: Vec<String> = of_excluded["stands_on"].as_array().unwrap().iter().map(told).collect();
    assert_eq!((fields.join(" "), &of_excluded["fixer"]), ("status ended_on".to_owned(), &"officers".into()));
    assert_eq!(remedy(answered.exchange()), Value::Null);

    let arguments = ["explain", "--exchange", refused.exchange(), "--purpose", "a complaint"];
    let told = run(&here.site.home, &arguments);
    let stands = format!("It stands on {file}:{line}: party.system.purposes: safeguarding_child");
    assert!(told.out.contains(&stands), "{told:?}");
    assert!(told.out.contains("Who can change that: caller or officers."), "{told:?}");
}

#[test]
fn no_evidence_leaves_that_is_not_on_the_record() {
    let here = Here::start(Site::new("evidence-unrecorded"));
    let said = ask(&here);
    // Nothing can be recorded any more; everything can still be read.
    here.ledger().stop();
    let gathered = super::gather(&here, said.exchange(), "case.pack", &["--sealed"]);
    assert_eq!(gathered.code, Some(3), "{gathered:?}");
    assert!(gathered.err.contains("could not be recorded"), "{gathered:?}");
    assert!(!here.site.home.join("case.pack").exists());
    let explained = explain(&here, said.exchange());
    assert_eq!((explained.code, explained.out.as_str()), (Some(3), ""), "{explained:?}");
}
