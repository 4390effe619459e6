//! What is found through the index, and counted through it, is what a slow look at every record gives: with the
//! index whole, behind, deleted and damaged, at rest and under way.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::civil::Date;
use serde_json::{Value, json};
use support::gateway::CHI;
use support::here::Here;
use support::site::{Site, run};
use support::{ledger, recount, until};
use tolbooth::desk::report::{Cut, Known, Only, Per, Period, Wanted, report};
use tolbooth::desk::{Chosen, Logs, Page, find};
use tolbooth::ledger::search::{Filter, Found, Query};
use tolbooth::ledger::{Cause, Erasable, In, Ledger, Stored, SubjectRef};
use tolbooth::model::{AgreementId, DatasetId, Digest, ExchangeId, MemberId, SubjectKind};

/// Records of the made-up ledger: some small segments and the beginning of one, since a debug build looks at each of
/// them a hundred times. `TOLBOOTH_INDEX_ENTRIES` says otherwise; what merging does is tested in `store/tests.rs`.
const ENTRIES: &str = "2500";
const NOBODY: &str = "9000000007";

/// A gateway over a made-up ledger.
fn made_up(name: &str) -> Here {
    let site = Site::new(name);
    let data = site.home.join("data");
    let _ = fs::remove_dir_all(&data);
    let out = data.to_str().unwrap();
    let entries = std::env::var_os("TOLBOOTH_INDEX_ENTRIES").and_then(|text| text.into_string().ok());
    let entries = entries.unwrap_or_else(|| ENTRIES.to_owned());
    let made = run(
        &site.home,
        &["ledger", "generate", "--entries", &entries, "--out", out, "--segment-mib", "1", "--years", "3"],
    );
    assert_eq!(made.code, Some(0), "{made:?}");
    Here::start(site)
}

fn store(here: &Here) -> PathBuf {
    here.site.home.join("data/store")
}

fn fold(here: &Here) {
    let app = &here.running().app;
    until("everything is folded", || {
        // Somebody may be looking into what is to be thrown away.
        let _folded = app.fold.fold_sealed(&app.ledger, Duration::ZERO);
        (app.fold.unfolded(&app.ledger).unwrap() == 0).then_some(())
    });
}

/// A record as a slow look sees it.
struct Slow {
    index: u64,
    envelope: Value,
    sealed: Value,
}

impl Slow {
    fn is(&self, key: &str, word: &str) -> bool {
        self.envelope[key] == word
    }

    fn is_exchange(&self) -> bool {
        self.is("kind", "exchange")
    }

    fn begins(&self, key: &str, word: &str) -> bool {
        self.envelope[key].as_str().is_some_and(|text| text.split(['/', '@']).next() == Some(word))
    }

    fn is_about(&self, references: &[SubjectRef]) -> bool {
        let tags: Vec<String> = references.iter().map(|one| Digest(one.tag).hex()).collect();
        self.sealed["subjects"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| tags.iter().any(|tag| one["ref"] == tag.as_str())))
    }
}

fn slow(here: &Here) -> Vec<Slow> {
    let mut all = Vec::new();
    here.ledger()
        .archive()
        .each(&mut |stored| {
            if let Stored::Entry(entry) = stored {
                let json = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap();
                let sealed = entry.sealed_json().map_or(Value::Null, json);
                all.push(Slow { index: entry.index, envelope: json(entry.envelope), sealed });
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    all
}

fn person(here: &Here, identifier: &str) -> Vec<SubjectRef> {
    let kind = SubjectKind::new("chi").unwrap();
    here.ledger().references(&tolbooth::model::Subject { kind, identifier: identifier.to_owned() })
}

/// A question, and what a slow look says is an answer to it.
type Asked<'a> = (Query, Box<dyn Fn(&Slow) -> bool + 'a>);

/// Questions of every kind, alone and together, with answers and without.
fn questions<'a>(here: &Here, all: &'a [Slow]) -> Vec<Asked<'a>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let some = all.iter().filter(|one| one.is_exchange()).nth(444).unwrap();
    let (member, dataset) = (|name: &str| MemberId::new(name).ok(), |name: &str| DatasetId::new(name).ok());
    let times = [all.len() / 4, all.len() / 2].map(|place| text(&all[place].envelope["time"]).unwrap());
    let [from, to] = times.each_ref().map(|time| time.parse().ok());
    let [since, until] = times;
    let time = |one: &Slow| one.envelope["time"].as_str().unwrap().to_owned();
    let (user, system) = (text(&some.sealed["user"]), text(&some.envelope["consumer"]));
    let agreement = some.envelope["agreement"].as_str().unwrap().split('@').next().unwrap().to_owned();
    let known = person(here, NOBODY);
    let about = move |one: &Slow| one.is_about(&known);
    let other = about.clone();
    let id = ExchangeId::parse(some.envelope["exchange"].as_str().unwrap()).unwrap();
    let filter = Filter::default;
    let by = |filter: Filter, met: Box<dyn Fn(&Slow) -> bool + 'a>| (Query::Filter(Box::new(filter)), met);
    let (who, what, words) = (user.clone().unwrap(), system.clone().unwrap(), agreement.clone());
    let (a, b) = (since.clone(), until.clone());
    vec![
        by(filter(), Box::new(|_| true)),
        by(Filter { kind: Some("summary".into()), ..filter() }, Box::new(|one| one.is("kind", "summary"))),
        by(
            Filter { kind: Some("exchange".into()), outcome: Some("answered".into()), ..filter() },
            Box::new(|one| one.is_exchange() && one.is("outcome", "answered")),
        ),
        by(
            Filter { consumer: member("partner-04"), dataset: dataset("dataset-05"), ..filter() },
            Box::new(|one| one.begins("consumer", "partner-04") && one.begins("dataset", "dataset-05")),
        ),
        // It is of no consumer in the envelope's own words.
        by(
            Filter { consumer: member("partner-00"), kind: Some("summary".into()), ..filter() },
            Box::new(|_| false),
        ),
        by(
            Filter { system, truly: Some("answered".into()), ..filter() },
            Box::new(move |one| one.is("consumer", &what) && one.sealed["outcome"] == "answered"),
        ),
        by(
            Filter { user, from, ..filter() },
            Box::new(move |one| one.sealed["user"] == who.as_str() && time(one) >= a),
        ),
        by(
            Filter {
                agreement: AgreementId::new(&agreement).ok(),
                code: Some("limit_reached".into()),
                ..filter()
            },
            Box::new(move |one| one.begins("agreement", &words) && one.is("code", "limit_reached")),
        ),
        by(
            Filter { subjects: Some(person(here, NOBODY)), to, ..filter() },
            Box::new(move |one| about(one) && time(one) < b),
        ),
        by(Filter { code: Some("no_such_code".into()), ..filter() }, Box::new(|_| false)),
        by(
            Filter { provider: member("glenmore"), from, to, ..filter() },
            Box::new(move |one| one.is("provider", "glenmore") && time(one) >= since && time(one) < until),
        ),
        by(Filter { from: to, to: from, ..filter() }, Box::new(|_| false)),
        (Query::Subject(person(here, NOBODY)), Box::new(other)),
        (Query::Exchange(id), Box::new(move |one| one.index == some.index)),
        (Query::Exchange(ExchangeId::new(1_700_000_000_000, [9; 10])), Box::new(|_| false)),
    ]
}

/// Every question through the index, whole and by pages, against a look at every record.
fn finds_the_same(here: &Here, all: &[Slow], state: &str) {
    let app = &here.running().app;
    let archive = app.ledger.archive();
    for (query, met) in questions(here, all) {
        let wanted: Vec<u64> = all.iter().rev().filter(|one| met(one)).map(|one| one.index).collect();
        let led = |below, max| -> Vec<u64> {
            let on = &mut |_| ControlFlow::Continue(());
            let found =
                find(&archive, &app.fold, &query, Page { below, max, bytes_max: usize::MAX }, on).unwrap();
            found.iter().map(|one| one.index).collect()
        };
        let page = &wanted[..wanted.len().min(17)];
        assert_eq!(led(u64::MAX, 17), page, "{state}, first page");
        assert_eq!(led(u64::MAX, usize::MAX), wanted, "{state}: {}", wanted.len());
        // However few bytes a page may have, pages leave nothing out.
        let (mut below, mut all_pages) = (u64::MAX, Vec::new());
        while all_pages.len() < wanted.len().min(60) {
            let on = &mut |_| ControlFlow::Continue(());
            let page = Page { below, max: usize::MAX, bytes_max: 9_000 };
            let found = find(&archive, &app.fold, &query, page, on).unwrap();
            let bytes: Vec<usize> = found.iter().map(Found::bytes).collect();
            assert!(!found.is_empty() && bytes.iter().rev().skip(1).sum::<usize>() < 9_000, "{bytes:?}");
            all_pages.extend(found.iter().map(|one| one.index));
            below = *all_pages.last().unwrap();
        }
        assert_eq!(all_pages, wanted[..all_pages.len()], "{state}, by bytes");
        let next = &wanted[page.len()..wanted.len().min(40)];
        assert_eq!(led(page.last().map_or(0, |last| *last), 23), next, "{state}, next page");
    }
}

fn logs(ledger: &Ledger) -> Logs {
    Chosen::of(ledger, None).unwrap().open(ledger).unwrap()
}

/// Line by line: counts, different subjects and users, first and last.
fn lines_are_recounted(here: &Here, all: &[Slow], state: &str) {
    let made = |wanted: &Wanted| {
        let app = &here.running().app;
        let known = Known::new(app.ruleset.load_full(), app.ledger.clone());
        let on = &mut |_| ControlFlow::Continue(());
        let (logs, always) = (logs(&app.ledger), Period::new(None, None).unwrap());
        let made = report((&logs, &app.fold), app.ledger.verifier(), &known, wanted, &always, on).unwrap();
        let rows: Vec<Value> =
            made.rows.iter().map(|row| serde_json::from_str(row.json()).unwrap()).collect();
        (rows, Value::Object(made.totals))
    };
    let records = || all.iter().map(|one| (&one.envelope, &one.sealed));
    let both = ["subjects", "users"];

    let (rows, totals) = made(&Wanted::Activity { only: Only::default(), per: Per::Period });
    let wanted = recount::activity(records());
    recount::compare(state, &recount::ACTIVITY, &both, &rows, &totals, &wanted);
    let subjects: u64 = rows.iter().map(|row| row["subjects"].as_u64().unwrap()).sum();
    assert!(subjects > totals["subjects"].as_u64().unwrap(), "nobody is asked about in two lines");

    let (rows, totals) = made(&Wanted::Refusals { only: Only::default(), per: Per::Period });
    recount::compare(state, &recount::REFUSALS, &both, &rows, &totals, &recount::refusals(records()));

    let dataset = DatasetId::new("dataset-07").unwrap();
    let (rows, totals) = made(&Wanted::RecipientsOfDataset { dataset });
    let of_set = all.iter().filter(|one| one.begins("dataset", "dataset-07"));
    let wanted = recount::recipients(of_set.map(|one| (&one.envelope, &one.sealed)));
    recount::compare(state, &recount::RECIPIENTS, &both, &rows, &totals, &wanted);

    let known = person(here, NOBODY);
    let (rows, totals) = made(&Wanted::RecipientsOfPerson { subjects: known.clone(), cut: Cut::Full });
    let theirs: Vec<&Slow> = all.iter().filter(|one| one.is_about(&known)).collect();
    let wanted = recount::recipients(theirs.iter().map(|one| (&one.envelope, &one.sealed)));
    recount::compare(state, &recount::RECIPIENTS, &["users"], &rows, &totals, &wanted);

    let (rows, totals) = made(&Wanted::Person { subjects: known, cut: Cut::Full });
    let times = |key: &str, of: &[Value]| -> Vec<Value> { of.iter().map(|one| one[key].clone()).collect() };
    let newest_first: Vec<Value> = theirs.iter().rev().map(|one| one.envelope["time"].clone()).collect();
    assert_eq!(times("time_utc", &rows), newest_first, "{state}");
    let users: BTreeSet<String> =
        theirs.iter().filter_map(|one| one.sealed["user"].as_str()).map(String::from).collect();
    assert_eq!(totals["users"], users.len(), "{state}");
}

fn counts_the_same(here: &Here, all: &[Slow], state: &str) {
    let exchanges = || all.iter().filter(|one| one.is_exchange());
    let days = |from: Option<Date>, to| Period::new(from, to).unwrap();
    let day = |place: usize| {
        all[place].envelope["time"].as_str().unwrap().split('T').next().unwrap().parse::<Date>().ok()
    };
    let always = days(None, None);
    let refused = |one: &&Slow| one.is("outcome", "refused");
    let known = person(here, NOBODY);
    let about: Vec<&Slow> = all.iter().filter(|one| one.is_about(&known)).collect();
    assert!(about.len() > 2, "nobody asked");
    let of = |wanted: &Wanted, period: &Period, sum: &str| {
        let app = &here.running().app;
        let known = Known::new(app.ruleset.load_full(), app.ledger.clone());
        let on = &mut |_| ControlFlow::Continue(());
        let logs = logs(&app.ledger);
        let made = report((&logs, &app.fold), app.ledger.verifier(), &known, wanted, period, on).unwrap();
        assert_eq!(made.checkpoints[0].size, logs.present.unwrap().size);
        assert_eq!(made.erased, 0);
        made.totals[sum].as_u64().unwrap() as usize
    };
    let only = |consumer: Option<&str>, dataset: Option<&str>| Only {
        consumer: consumer.map(|id| MemberId::new(id).unwrap()),
        dataset: dataset.map(|id| DatasetId::new(id).unwrap()),
        agreement: None,
    };
    let activity = |only: Only| Wanted::Activity { only, per: Per::Month };
    let refusals = |only: Only| Wanted::Refusals { only, per: Per::Period };
    let equal = |found: usize, wanted: usize, what: &str| assert_eq!(found, wanted, "{state}: {what}");

    let full = Wanted::Person { subjects: known.clone(), cut: Cut::Full };
    equal(of(&full, &always, "accesses"), about.len(), "accesses of a person");
    let received = about.iter().filter(|one| one.is("outcome", "answered")).count();
    let recipients = Wanted::RecipientsOfPerson { subjects: known, cut: Cut::Full };
    equal(of(&recipients, &always, "with_data"), received, "recipients of a person");
    let set = DatasetId::new("dataset-07").unwrap();
    let of_set =
        exchanges().filter(|one| one.begins("dataset", "dataset-07") && one.is("outcome", "answered"));
    equal(
        of(&Wanted::RecipientsOfDataset { dataset: set }, &always, "with_data"),
        of_set.count(),
        "a dataset",
    );

    equal(of(&activity(only(None, None)), &always, "exchanges"), exchanges().count(), "all activity");
    let partner = |one: &&Slow| one.begins("consumer", "partner-05");
    let theirs = of(&activity(only(Some("partner-05"), None)), &always, "exchanges");
    equal(theirs, exchanges().filter(partner).count(), "a partner's activity");
    let counted = |member: Option<&str>| -> usize {
        let summaries = all.iter().filter(|one| one.is("kind", "summary"));
        let theirs = summaries.filter(|one| member.is_none_or(|member| one.is("member", member)));
        theirs.map(|one| one.envelope["count"].as_u64().unwrap() as usize).sum()
    };
    equal(of(&refusals(only(None, None)), &always, "in_summaries"), counted(None), "refusals in summaries");
    let theirs = refusals(only(Some("partner-00"), None));
    equal(of(&theirs, &always, "in_summaries"), counted(Some("partner-00")), "a partner's, in summaries");
    equal(
        of(&refusals(only(None, None)), &always, "one_by_one"),
        exchanges().filter(refused).count(),
        "refusals",
    );
    let both = refusals(only(Some("partner-00"), Some("dataset-00")));
    let wanted = exchanges().filter(refused).filter(|one| one.begins("consumer", "partner-00"));
    let wanted = wanted.filter(|one| one.begins("dataset", "dataset-00")).count();
    equal(of(&both, &always, "one_by_one"), wanted, "of one partner and dataset");

    let (from, to) = (day(all.len() / 3), day(all.len() / 2));
    let period = days(from, to);
    let within = exchanges().filter(|one| {
        let time: jiff::Timestamp = one.envelope["time"].as_str().unwrap().parse().unwrap();
        let date = time.in_tz("Europe/London").unwrap().date();
        date >= from.unwrap() && date <= to.unwrap()
    });
    equal(of(&activity(only(None, None)), &period, "exchanges"), within.count(), "of some months");
}

fn end_segment(here: &Here) {
    let ended = here.ledger().archive().sealed_segments().unwrap().len();
    while here.ledger().archive().sealed_segments().unwrap().len() == ended {
        let detail = Some("x".repeat(8000));
        let alarm = tolbooth::ledger::Alarm { cause: "drift", dataset: None, detail, dropped: Vec::new() };
        here.ledger().append_blocking(tolbooth::ledger::Record::Alarm(alarm)).unwrap();
    }
}

/// Writes other bytes over a stretch of the store, as it lies there.
fn damage(here: &Here, part: u64) {
    use std::os::unix::fs::FileExt as _;
    let file = fs::OpenOptions::new().write(true).open(store(here).join("db")).unwrap();
    let length = file.metadata().unwrap().len();
    file.write_all_at(&vec![0xa5; 200_000], length * (part % 4) / 5).unwrap();
}

#[test]
fn what_is_found_and_counted_is_what_a_slow_look_gives() {
    let mut here = made_up("index-same");
    for (state, makes) in [
        ("not folded", (|_: &mut Here| {}) as fn(&mut Here)),
        ("folded", |here| fold(here)),
        ("behind", |here| end_segment(here)),
        // The gateway may put a file there meanwhile.
        ("deleted", |here| until("it is deleted", || fs::remove_dir_all(store(here)).ok())),
        ("folded anew, and damaged while open", |here| {
            fold(here);
            damage(here, 1);
        }),
        ("damaged at rest", |here| {
            here.stop();
            damage(here, 3);
            here.restart();
        }),
        ("folded at last", |here| fold(here)),
    ] {
        makes(&mut here);
        let all = slow(&here);
        finds_the_same(&here, &all, state);
        if matches!(state, "folded" | "folded anew, and damaged while open") {
            counts_the_same(&here, &all, state);
            lines_are_recounted(&here, &all, state);
        }
    }
    let fold = &here.running().app.fold;
    assert_eq!(fold.unfolded(here.ledger()).unwrap(), 0);
}

/// Questions and searches go on, whatever becomes of the store meanwhile.
#[test]
fn the_store_may_go_at_any_moment_under_load() {
    let here = Here::start(Site::new("index-load"));
    let over = AtomicBool::new(false);
    let socket = here.running().admin_socket.clone();
    let body = format!("{{\"chi\":\"{CHI}\"}}");
    let id = |said: &support::partner::Said| {
        let receipt = tolbooth::ledger::Presented::parse(said.header("tolbooth-receipt")).unwrap();
        let checked = receipt.check(here.ledger().verifier()).unwrap();
        let envelope: Value = serde_json::from_slice(&checked.envelope).unwrap();
        envelope["exchange"].as_str().unwrap().to_owned()
    };
    let asked = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut asked = 0;
            while !over.load(Ordering::Relaxed) {
                let said = here.nhs().ask("/child-protection/v1/check", &[("tolbooth-role", "ed_nurse")], &body);
                assert_eq!(said.outcome(), "answered", "{said:?}");
                asked += 1;
                // Found by its id and by its person, in the moment it is answered.
                ledger::exchange(&socket, &id(&said));
                let about = json!({ "kind": "exchange", "subject": { "kind": "chi", "identifier": CHI }, "limit": 10_000 });
                assert_eq!(ledger::search(&socket, about).len(), asked, "an access was missed");
            }
            asked
        });
        for round in 0..12 {
            end_segment(&here);
            let app = &here.running().app;
            let _folded = app.fold.fold_sealed(&app.ledger, Duration::ZERO);
            match round % 3 {
                0 => drop(fs::remove_dir_all(store(&here))),
                1 if store(&here).join("db").exists() => damage(&here, round),
                _ => {}
            }
            assert_eq!(here.local("/ready").0, 200);
        }
        over.store(true, Ordering::Relaxed);
        asking.join().unwrap()
    });
    assert!(asked > 1);
    fold(&here);
    let about =
        json!({ "kind": "exchange", "subject": { "kind": "chi", "identifier": CHI }, "limit": 10_000 });
    assert_eq!(ledger::search(&socket, about).len(), asked);
}

#[test]
fn a_rebuild_throws_the_index_away_and_folds_it_anew() {
    let here = made_up("index-rebuild");
    fold(&here);
    let gauge = || {
        let said = here.local("/metrics").1;
        let line =
            said.lines().find(|line| line.starts_with("tolbooth_segments_not_folded ")).map(str::to_owned);
        line.unwrap_or_else(|| panic!("{said}"))
    };
    until("nothing is left to fold", || (gauge() == "tolbooth_segments_not_folded 0").then_some(()));
    // What is wrong and does not show itself.
    fs::remove_file(store(&here).join("db")).unwrap();
    let rebuilt = run(&here.site.home, &["ledger", "rebuild", "--json"]);
    assert_eq!(rebuilt.code, Some(0), "{rebuilt:?}");
    let segments = here.ledger().archive().sealed_segments().unwrap().len();
    assert_eq!(rebuilt.lines()[0]["rebuilt"]["segments"], segments);
    assert!(store(&here).join("db").exists());
    finds_the_same(&here, &slow(&here), "rebuilt");
    let told = run(&here.site.home, &["ledger", "rebuild"]);
    assert!(told.out.contains("were folded anew"), "{told:?}");
}

/// Whether a term of these subjects lies in the store's files. While another store takes this one's place it is
/// not known to be gone.
fn lies_in_store(here: &Here, references: &[SubjectRef]) -> bool {
    let Ok(folder) = fs::read_dir(store(here)) else { return true };
    let files: Vec<Vec<u8>> =
        folder.flatten().map(|file| fs::read(file.path()).unwrap_or_default()).collect();
    let is_there = |one: &SubjectRef| {
        let term = [b"s", &one.tag[25..]].concat();
        files.iter().any(|bytes| bytes.windows(term.len()).any(|window| window == term))
    };
    references.iter().any(is_there)
}

/// Erases the sealed parts of these records; not before the whole journal has been read.
fn erase(here: &Here, indexes: &[u64]) {
    let mut records = Vec::new();
    let each = here.ledger().archive().each(&mut |stored| {
        if let Stored::Entry(entry) = stored
            && indexes.contains(&entry.index)
        {
            records.push(Erasable { index: entry.index, at: entry.at });
        }
        ControlFlow::Continue(())
    });
    each.unwrap();
    until("they are erased", || {
        here.ledger().erase(In::Present, Cause::Order, ("uid 1000", "an order"), &records).ok()
    });
}

#[test]
fn what_is_erased_is_forgotten_by_the_index_and_its_files() {
    use std::os::unix::fs::MetadataExt as _;
    let mut here = made_up("index-erased");
    fold(&here);
    let all = slow(&here);
    let known = person(&here, NOBODY);
    let theirs: Vec<u64> = all.iter().filter(|one| one.is_about(&known)).map(|one| one.index).collect();
    let (last, others) = theirs.split_first().unwrap();
    assert!(!others.is_empty() && lies_in_store(&here, &known), "the person is filed");
    // Written once, when a store begins.
    let begun = |here: &Here| {
        let about = fs::metadata(store(here).join("conf")).ok()?;
        Some((about.ino(), about.ctime(), about.ctime_nsec()))
    };
    let before = begun(&here);
    erase(&here, others);
    until("another store begins", || begun(&here).filter(|begun| Some(*begun) != before));
    fold(&here);
    assert!(lies_in_store(&here, &known), "one is left");
    finds_the_same(&here, &slow(&here), "erased");
    // What is folded anew once is not again, after a start neither.
    let before = begun(&here);
    here.restart();
    until("the journal is read", || here.ledger().erased_at_rest());
    let app = &here.running().app;
    assert_eq!(app.fold.fold_sealed(&app.ledger, Duration::ZERO).unwrap(), 0);
    assert_eq!(begun(&here), before);
    // A stop between the erasure and the folding: the next start finds out by itself.
    erase(&here, &[*last]);
    here.restart();
    until("nothing of them is left", || (!lies_in_store(&here, &known)).then_some(()));
    fold(&here);
    assert!(!lies_in_store(&here, &known) && store(&here).join("db").exists());
    finds_the_same(&here, &slow(&here), "erased, and restarted");
}
