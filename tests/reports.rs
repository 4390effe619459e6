//! Reports through the real binary and a real gateway: every count equals a slow recount made from the
//! export, the look is on the record, and the person's cut tells nothing of the police.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeMap;

use base64::Engine as _;
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use support::gateway::{CHECK, CHI, NURSE, asks};
use support::here::Here;
use support::site::{Ran, Site, run, run_with_input};
use support::{recount, until};

/// A child nobody knows.
const UNKNOWN: &str = "0101010009";
const PLATE_CHECK: &str = "/taxi-licence/v1/check";
/// What a spreadsheet would run.
const FORMULA: &str = "=HYPERLINK(\"http://x\")";

/// A record of the export: envelope and sealed part.
struct Entry {
    envelope: Value,
    sealed: Value,
}

impl Entry {
    fn is(&self, key: &str, word: &str) -> bool {
        self.envelope[key] == word
    }
}

/// The whole record as `ledger export` gives it, with sealed parts.
fn exported(here: &Here, name: &str) -> Vec<Entry> {
    let file = here.site.scratch.path().join(name);
    let path = file.to_str().unwrap();
    let ran = run(&here.site.home, &["ledger", "export", "--purpose", "recount", "--sealed", "--out", path]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let text = std::fs::read_to_string(file).unwrap();
    let entries = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let entries = entries.filter(|line| line["envelope"].is_string());
    entries
        .map(|line| {
            let sealed = line["sealed"].as_str().unwrap();
            let bytes = base64::engine::general_purpose::STANDARD.decode(sealed).unwrap();
            Entry {
                envelope: serde_json::from_str(line["envelope"].as_str().unwrap()).unwrap(),
                sealed: serde_json::from_slice(&bytes[32..]).unwrap(),
            }
        })
        .collect()
}

fn report(here: &Here, arguments: &[&str], input: &str) -> Ran {
    run_with_input(&here.site.home, &[&["report"], arguments].concat(), input)
}

fn document(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"))
}

fn rows(document: &Value) -> &[Value] {
    document["rows"].as_array().unwrap()
}

/// Answered, not found, excluded, refused, and refused beyond the rate, by two members for two purposes.
fn drive(name: &str) -> (Here, Vec<String>) {
    let site = Site::new(name);
    let configuration = &site.trial.configuration;
    let text = std::fs::read_to_string(configuration).unwrap();
    std::fs::write(configuration, format!("{text}\n[limits]\nrecorded_refusals_per_minute = 3\n")).unwrap();
    let mut here = Here::start(site);
    let all: Value = serde_json::from_str(include_str!("../src/cli/demo/clients.json")).unwrap();
    let people = all["clients"].as_array().unwrap().iter();
    let people: Vec<String> = people.map(|one| one["person"]["chi"].as_str().unwrap().to_owned()).collect();
    for chi in people.iter().map(String::as_str).chain([CHI, CHI, UNKNOWN]) {
        let user = ("tolbooth-user", if chi == CHI { "nurse-1" } else { "nurse-2" });
        let said = here.nhs().ask(CHECK, &[NURSE[0], user], &asks(chi));
        assert!(matches!(said.status, 200 | 404), "{said:?}");
    }
    let licences = include_str!("../src/cli/demo/licences.csv");
    let licence = licences.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    let user = [("tolbooth-user", FORMULA), ("tolbooth-case", "@SUM(1)")];
    for _ in 0..2 {
        let said = here.police().ask(PLATE_CHECK, &user, &format!("{{\"licence_no\":\"{licence}\"}}"));
        assert_eq!(said.status, 200, "{said:?}");
    }
    for _ in 0..8 {
        let said = here.nhs().ask(CHECK, &[("tolbooth-role", "porter")], &asks(CHI));
        assert!(said.status >= 400, "{said:?}");
    }
    here.police().ask(CHECK, &[], &asks(CHI));
    // Reads of the log are counted beside refusals, and are none.
    let checkpoint = Request::get("/checkpoint").header("host", "localhost").body(Full::default()).unwrap();
    assert_eq!(here.police().send(checkpoint).status, 200);
    // A stop writes the summaries of what was only counted.
    here.restart();
    (here, vec![licence])
}

#[test]
fn every_count_equals_a_slow_recount() {
    let (here, _) = drive("reports-recount");
    let entries = exported(&here, "all.export");
    let exchanges: Vec<&Entry> = entries.iter().filter(|entry| entry.is("kind", "exchange")).collect();
    let count = |of: &dyn Fn(&Entry) -> bool| exchanges.iter().filter(|entry| of(entry)).count() as u64;
    let sum = |of: &dyn Fn(&Entry) -> u64| exchanges.iter().map(|entry| of(entry)).sum::<u64>();
    let with_data = |entry: &Entry| entry.is("outcome", "answered") && entry.envelope["rows"] != 0;
    let summaries =
        || entries.iter().filter(|entry| entry.is("kind", "summary") && !entry.is("cause", "log_read"));
    assert!(entries.iter().any(|entry| entry.is("cause", "log_read")), "a read of the log is counted too");
    let counted: u64 = summaries().map(|entry| entry.envelope["count"].as_u64().unwrap()).sum();
    assert!(counted > 0, "something was beyond the rate");

    let activity = document(&report(&here, &["activity", "--purpose", "review", "--json"], ""));
    let totals = &activity["totals"];
    assert_eq!(totals["exchanges"], exchanges.len());
    assert_eq!(totals["with_data"], count(&with_data));
    assert_eq!(totals["nothing_found"], count(&|entry| entry.is("outcome", "no_match")));
    let excluded = count(&|entry| entry.sealed["outcome"] == "row_excluded");
    assert!(excluded > 0, "somebody's row is excluded");
    assert_eq!(totals["excluded"], excluded);
    assert_eq!(totals["refused"], count(&|entry| entry.is("outcome", "refused")));
    assert_eq!(totals["rows"], sum(&|entry| entry.envelope["rows"].as_u64().unwrap()));
    assert_eq!(totals["rows_excluded"], sum(&|entry| entry.sealed["rows_excluded"].as_u64().unwrap()));
    assert_eq!(totals["refused_in_summaries"], counted);
    // Line by line, by everything a line is over.
    let mut lines: BTreeMap<Vec<String>, u64> = BTreeMap::new();
    for entry in &exchanges {
        let key = ["consumer", "dataset", "agreement", "purpose"];
        let key = key.map(|key| entry.envelope[key].as_str().unwrap_or_default().to_owned());
        *lines.entry(key.to_vec()).or_default() += 1;
    }
    assert_eq!(rows(&activity).len(), lines.len());
    for row in rows(&activity) {
        let consumer = format!("{}/{}", row["member_id"].as_str().unwrap(), row["system"].as_str().unwrap());
        let rest = ["dataset", "agreement", "purpose_code"].map(|key| row[key].as_str().unwrap().to_owned());
        assert_eq!(row["exchanges"], lines[&[vec![consumer], rest.to_vec()].concat()], "{row}");
    }

    let refusals =
        document(&report(&here, &["refusals", "--purpose", "review", "--json", "--per", "day"], ""));
    let one_by_one = count(&|entry| entry.is("outcome", "refused"));
    assert_eq!(refusals["totals"]["one_by_one"], one_by_one);
    assert_eq!(refusals["totals"]["in_summaries"], counted);
    assert_eq!(refusals["totals"]["refusals"], one_by_one + counted);
    for row in rows(&refusals) {
        let (member, code) = (row["member_id"].as_str().unwrap(), row["code"].as_str().unwrap());
        let system = format!("{member}/{}", row["system"].as_str().unwrap());
        let told = count(&|entry| {
            let dataset = entry.envelope["dataset"].as_str().unwrap_or_default();
            entry.is("consumer", &system) && entry.is("code", code) && row["dataset"] == dataset
        });
        assert_eq!(row["one_by_one"], told, "{row}");
    }

    let recipients = document(&report(
        &here,
        &["recipients", "--dataset", "child-protection", "--purpose", "x", "--json"],
        "",
    ));
    let of_children = |entry: &Entry| entry.is("dataset", "child-protection/v1");
    assert_eq!(recipients["totals"]["with_data"], count(&|entry| of_children(entry) && with_data(entry)));
    assert_eq!(rows(&recipients)[0]["member"], "NHS Lomond");

    let person = document(&report(&here, &["person", "--subject", "chi", "--purpose", "SAR", "--json"], CHI));
    let theirs = rows(&person).iter().filter(|row| row.get("look").is_none());
    let found: Vec<&str> = theirs.map(|row| row["exchange"].as_str().unwrap()).collect();
    let search = ["ledger", "search", "--json", "--purpose", "again", "--subject", "chi"];
    let searched = run_with_input(&here.site.home, &search, CHI).lines();
    let again: Vec<&str> = searched.iter().filter_map(|line| line["envelope"]["exchange"].as_str()).collect();
    assert_eq!(found, again, "newest first");
    assert!(found.len() >= 2);
    assert!(rows(&person).iter().any(|row| row["role_as"] == "as stated by NHS Lomond"), "{person}");
}

/// One report in its three forms: they say the same of every line, and of all lines together.
fn in_three_forms(here: &Here, arguments: &[&str], input: &str, counts: &[&str]) -> Value {
    let with = |format: &str| {
        let ran =
            report(here, &[arguments, &["--purpose", "three forms", "--format", format]].concat(), input);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.out
    };
    let mut json: Value = serde_json::from_str(&with("json")).unwrap();
    // Each form is a look of its own, and the next shows it.
    json["rows"].as_array_mut().unwrap().retain(|row| row.get("look").is_none());
    let (sheet, text) = (with("csv"), with("text"));
    let mut lines = recount::sheet(&sheet);
    lines.retain(|line| line.get("look").is_none_or(String::is_empty));
    assert_eq!(lines.len(), rows(&json).len(), "{sheet}");
    for (row, line) in rows(&json).iter().zip(&lines) {
        for (key, value) in row.as_object().unwrap() {
            let as_text = match value {
                Value::String(text) => text.clone(),
                Value::Array(all) => {
                    all.iter().map(|one| one.as_str().unwrap()).collect::<Vec<_>>().join("; ")
                }
                Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
                number => number.to_string(),
            };
            assert_eq!(line[key].trim_start_matches('\''), as_text, "{key}: {line:?}");
        }
    }
    // Each line as it is printed: its counts are the same numbers, in the order they are told in.
    let (_, printed) = text.split_once("\n\n").unwrap();
    let (printed, sums) = printed.rsplit_once("\n\n").unwrap();
    let said: Vec<u64> = printed.lines().filter(|line| counts_of(line)).flat_map(recount::numbers).collect();
    let wanted = rows(&json).iter().flat_map(|row| counts.iter().filter_map(|key| row[*key].as_u64()));
    assert_eq!(said, wanted.collect::<Vec<_>>(), "{printed}");
    for times in rows(&json).iter().filter(|row| row.get("first").is_some()) {
        let span =
            format!("first {}, last {}", times["first"].as_str().unwrap(), times["last"].as_str().unwrap());
        assert!(printed.contains(&span), "{span}: {printed}");
    }
    let total = json["totals"].as_object().unwrap().iter();
    let totals = without_looks(total.map(|(name, sum)| (name.clone(), sum.as_u64().unwrap())).collect());
    let in_sheet = sheet.lines().last().unwrap().trim_matches(['"', '#', ' ']);
    assert_eq!(printed_sums(sums), totals, "{text}");
    assert_eq!(printed_sums(in_sheet), totals, "{sheet}");
    json
}

fn printed_sums(line: &str) -> BTreeMap<String, u64> {
    let all = line.trim().strip_prefix("In all: ").unwrap().split_once('.').unwrap().0;
    let sums = all.split(", ").map(|sum| sum.rsplit_once(' ').unwrap());
    without_looks(sums.map(|(name, count)| (name.replace(' ', "_"), count.parse().unwrap())).collect())
}

/// The sums of the accesses of others.
fn without_looks(mut sums: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let own = sums.remove("own_looks").unwrap_or(0);
    for name in ["accesses", "held_back"] {
        sums.entry(name.to_owned()).and_modify(|sum| *sum -= own);
    }
    sums
}

/// Whether a printed line is one of counts.
fn counts_of(line: &str) -> bool {
    let told =
        [" questions: ", " rows excluded, ", "different ", "given information ", " recorded one by one, "];
    line.starts_with("    ") && told.iter().any(|words| line.contains(words))
}

#[test]
fn every_report_says_the_same_in_every_form_as_a_slow_recount() {
    let (here, _) = drive("reports-forms");
    let entries = exported(&here, "all.export");
    let all = || entries.iter().map(|entry| (&entry.envelope, &entry.sealed));
    let both = ["subjects", "users"];

    let activity = in_three_forms(
        &here,
        &["activity"],
        "",
        &[
            "exchanges",
            "with_data",
            "rows",
            "nothing_found",
            "refused",
            "explained",
            "rows_excluded",
            "excluded",
            "subjects",
            "users",
        ],
    );
    let wanted = recount::activity(all());
    recount::compare("activity", &recount::ACTIVITY, &both, rows(&activity), &activity["totals"], &wanted);
    assert!(activity["totals"]["users"].as_u64().unwrap() > 2, "{activity}");

    let refusals =
        in_three_forms(&here, &["refusals"], "", &["one_by_one", "in_summaries", "subjects", "users"]);
    let wanted = recount::refusals(all());
    recount::compare("refusals", &recount::REFUSALS, &both, rows(&refusals), &refusals["totals"], &wanted);

    let told = ["with_data", "rows", "nothing_found", "subjects", "users"];
    let dataset = in_three_forms(&here, &["recipients", "--dataset", "child-protection"], "", &told);
    let of_children = entries.iter().filter(|entry| entry.is("dataset", "child-protection/v1"));
    let wanted = recount::recipients(of_children.map(|entry| (&entry.envelope, &entry.sealed)));
    recount::compare("dataset", &recount::RECIPIENTS, &both, rows(&dataset), &dataset["totals"], &wanted);
}

#[test]
fn a_persons_reports_say_the_same_in_every_form_as_a_slow_recount() {
    let (here, _) = drive("reports-forms-person");
    let entries = exported(&here, "all.export");
    let person = in_three_forms(&here, &["person", "--subject", "chi"], CHI, &[]);
    let found: Vec<&str> = rows(&person).iter().filter_map(|row| row["exchange"].as_str()).collect();
    let searched =
        ["ledger", "search", "--json", "--purpose", "again", "--subject", "chi", "--kind", "exchange"];
    let searched = run_with_input(&here.site.home, &searched, CHI).lines();
    let searched: Vec<&str> =
        searched.iter().filter_map(|line| line["envelope"]["exchange"].as_str()).collect();
    assert_eq!(found, searched);
    let theirs: Vec<&Entry> =
        entries.iter().filter(|entry| found.iter().any(|id| entry.is("exchange", id))).collect();
    let about = &theirs[0].sealed["subjects"];
    let slowly =
        entries.iter().filter(|entry| entry.is("kind", "exchange") && entry.sealed["subjects"] == *about);
    assert_eq!(theirs.len(), slowly.count());
    for ending in ["with_data", "nothing_found", "refused", "explained"] {
        let count = theirs.iter().filter(|entry| recount::ending(&entry.envelope) == ending).count();
        assert_eq!(person["totals"][ending], count, "{ending}");
    }
    let wanted = recount::recipients(theirs.iter().map(|entry| (&entry.envelope, &entry.sealed)));
    let recipients = in_three_forms(
        &here,
        &["recipients", "--subject", "chi"],
        CHI,
        &["with_data", "rows", "nothing_found", "users"],
    );
    recount::compare(
        "person",
        &recount::RECIPIENTS,
        &["users"],
        rows(&recipients),
        &recipients["totals"],
        &wanted,
    );

    // What the person can be given is what the full cut says can be given.
    let releasable = in_three_forms(&here, &["person", "--subject", "chi", "--cut", "releasable"], CHI, &[]);
    let can: Vec<&Value> =
        rows(&person).iter().filter(|row| row["releasable"] == true).map(|row| &row["exchange"]).collect();
    assert_eq!(rows(&releasable).iter().map(|row| &row["exchange"]).collect::<Vec<_>>(), can);
    assert_eq!(releasable["totals"]["accesses"], can.len());
    assert!(!can.is_empty() && releasable["totals"].get("users").is_none(), "{releasable}");
    let given = in_three_forms(
        &here,
        &["recipients", "--subject", "chi", "--cut", "releasable"],
        CHI,
        &["with_data", "rows", "nothing_found"],
    );
    let can = theirs.iter().filter(|entry| can.iter().any(|id| entry.envelope["exchange"] == **id));
    let wanted = recount::recipients(can.map(|entry| (&entry.envelope, &entry.sealed)));
    recount::compare("given", &recount::RECIPIENTS, &[], rows(&given), &given["totals"], &wanted);
}

#[test]
fn the_look_is_on_the_record_and_the_identifier_nowhere() {
    let (here, _) = drive("reports-look");
    let ran =
        report(&here, &["person", "--subject", "chi", "--purpose", "SAR 41", "--cut", "releasable"], CHI);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.out.contains(CHI) && !ran.err.contains(CHI), "{ran:?}");
    assert!(ran.out.contains("may not be complete") && ran.out.contains("NHS Lomond"), "{ran:?}");
    let looks = exported(&here, "looks.export");
    let look = looks.iter().find(|entry| entry.sealed["purpose"] == "SAR 41").unwrap();
    assert!(look.is("action", "report") && look.envelope["shown"].as_u64().unwrap() > 0);
    assert_eq!(look.sealed["asked"], "person cut=releasable about=chi");
    assert_eq!(look.sealed["subjects"].as_array().unwrap().len(), 1);
    for arguments in [
        &["person", "--purpose", "x", "--subject", "chi", CHI][..],
        &["person", "--purpose", "x", "--chi", CHI],
    ] {
        assert_eq!(report(&here, arguments, "").code, Some(2));
    }
    let kind = report(&here, &["person", "--purpose", "x", "--subject", CHI], CHI);
    assert!(kind.code == Some(1) && !kind.err.contains(CHI), "{kind:?}");
    let none = report(&here, &["activity", "--purpose", " "], "");
    assert_eq!((none.code, none.out.as_str()), (Some(1), ""), "{none:?}");
    for (arguments, code) in [
        (&["--from", "2026-13-01"][..], 2),
        (&["--from", "2026-12-02", "--to", "2026-12-01"], 1),
        (&["--to", "2026-12-01T10:00"], 2),
    ] {
        let ran = report(&here, &[&["activity", "--purpose", "x"], arguments].concat(), "");
        assert_eq!((ran.code, ran.out.as_str()), (Some(code), ""), "{ran:?}");
    }
}

#[test]
fn the_persons_cut_tells_nothing_of_the_police() {
    let (here, known) = drive("reports-police");
    let person = |cut: &str, identifier: &str| {
        let arguments = ["person", "--subject", "licence_no", "--purpose", "SAR", "--json", "--cut", cut];
        report(&here, &arguments, identifier)
    };
    let full = document(&person("full", &known[0]));
    let held = rows(&full).iter().filter(|row| row["member_id"] == "police-caledonia");
    let held: Vec<&Value> = held.map(|row| &row["held_back"]).collect();
    assert_eq!(held, ["law enforcement", "law enforcement"]);
    // As for somebody of whom there is nothing.
    let cut = |identifier: &str| {
        let ran = person("releasable", identifier);
        let mut said: Value = serde_json::from_str(&ran.out).unwrap();
        for changing in ["made", "records", "root"] {
            said["head"][changing] = Value::Null;
        }
        (ran.code, said)
    };
    let (theirs, nobodys) = (cut(&known[0]), cut("ZZ-NOBODY-1"));
    assert_eq!(theirs, nobodys);
    assert!(!theirs.1.to_string().to_lowercase().contains("police"), "{theirs:?}");
    let recipients =
        ["recipients", "--subject", "licence_no", "--purpose", "SAR", "--json", "--cut", "releasable"];
    let ran = report(&here, &recipients, &known[0]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(!ran.out.contains("olice"), "{ran:?}");
    // An excluded row reads as what the caller was told.
    let child = report(
        &here,
        &["person", "--subject", "chi", "--purpose", "SAR", "--json", "--cut", "releasable"],
        CHI,
    );
    for word in ["excluded", "held_back", "\"user\"", "\"record\"", "\"system\""] {
        assert!(!child.out.contains(word), "{word}: {child:?}");
    }
}

#[test]
fn a_spreadsheet_runs_nothing_of_a_report() {
    let (here, known) = drive("reports-csv");
    let ran = report(
        &here,
        &["person", "--subject", "licence_no", "--purpose", "SAR", "--format", "csv"],
        &known[0],
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("\"'=HYPERLINK(\"\"http://x\"\")\""), "{ran:?}");
    assert!(ran.out.contains("\"'@SUM(1)\""), "{ran:?}");
    assert!(!ran.out.contains(",=") && !ran.out.contains(",\"=") && !ran.out.contains(",@"), "{ran:?}");
}

#[test]
fn a_report_of_a_stopped_gateway_is_not_decided() {
    let mut here = Here::start(Site::new("reports-stopped"));
    let first = until("a report", || Some(report(&here, &["activity", "--purpose", "x"], "")));
    assert_eq!(first.code, Some(1), "nothing to report: {first:?}");
    here.stop();
    let stopped = report(&here, &["activity", "--purpose", "x"], "");
    assert_eq!((stopped.code, stopped.out.as_str()), (Some(3), ""), "{stopped:?}");
}
