//! The auditor's commands through the real binary: looking leaves a record, and verifying needs nobody.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::gateway::CHI;
use support::here::Here;
use support::partner::Said;
use support::site::{Ran, Site, run, run_with_input};
use tolbooth::clock::Clock;
use tolbooth::crypto::SigningKey;
use tolbooth::ledger::verify::held;
use tolbooth::ledger::{Alarm, Ledger, LedgerConfig, Record};
use tolbooth::merkle::signer::SignerKey;

/// A child whom the register knows, and whom no contract names as an example.
const ZOE: &str = "1910130713";
/// A child nobody knows.
const UNKNOWN: &str = "0101010009";

fn ask(here: &Here, chi: &str) -> Said {
    let body = format!("{{\"chi\":\"{chi}\"}}");
    let said = here.nhs().ask("/child-protection/v1/check", &[("tolbooth-role", "ed_nurse")], &body);
    assert!(!said.header("tolbooth-receipt").is_empty(), "{said:?}");
    said
}

fn id(said: &Said, here: &Here) -> String {
    let receipt = tolbooth::ledger::Presented::parse(said.header("tolbooth-receipt")).unwrap();
    let checked = receipt.check(here.ledger().verifier()).unwrap();
    let envelope: Value = serde_json::from_slice(&checked.envelope).unwrap();
    envelope["exchange"].as_str().unwrap().to_owned()
}

fn search(here: &Here, arguments: &[&str]) -> Ran {
    run(&here.site.home, &[&["ledger", "search", "--json"], arguments].concat())
}

/// The looks on the record so far: envelope and sealed part, found by a look that is not among them.
fn looks(here: &Here) -> Vec<Value> {
    let ran = search(here, &["--purpose", "who looked", "--kind", "read", "--sealed"]);
    let own = |look: &Value| look["sealed"]["purpose"] == "who looked";
    // As they came: what is newest is shown first.
    ran.lines().into_iter().rev().filter(|look| !own(look)).collect()
}

fn exchanges(ran: &Ran) -> Vec<String> {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let id = |line: &Value| line["envelope"]["exchange"].as_str().unwrap().to_owned();
    ran.lines().iter().map(id).collect()
}

#[test]
fn a_search_finds_and_is_itself_on_the_record() {
    let here = Here::start(Site::new("audit-search"));
    let (known, unknown) = (ask(&here, CHI), ask(&here, UNKNOWN));
    let (known, unknown) = (id(&known, &here), id(&unknown, &here));

    let by_id = search(&here, &["--purpose", "one", "--exchange", &known]);
    assert_eq!(exchanges(&by_id), [known.as_str()]);
    // Sealed parts only where asked for.
    assert!(by_id.lines()[0]["sealed"].is_null());
    let arguments = ["ledger", "search", "--json", "--purpose", "two", "--subject", "chi", "--sealed"];
    let by_subject = run_with_input(&here.site.home, &arguments, &format!(" {CHI}\n"));
    assert_eq!(exchanges(&by_subject), [known.as_str()]);
    assert_eq!(by_subject.lines()[0]["sealed"]["outcome"], "answered");
    let by_outcome = search(&here, &["--purpose", "three", "--outcome", "no_match"]);
    assert_eq!(exchanges(&by_outcome), [unknown.as_str()]);
    let all = ["--purpose", "four", "--consumer", "nhs-lomond", "--dataset", "child-protection"];
    assert_eq!(exchanges(&search(&here, &all)), [unknown.as_str(), known.as_str()]);
    assert!(!search(&here, &all).out.contains("{\"more\""), "everything was shown");
    // The newest, and that there is more.
    let newest = search(&here, &[&all[..], &["--limit", "1"]].concat());
    let lines = newest.lines();
    assert_eq!(lines[0]["envelope"]["exchange"], unknown.as_str());
    assert_eq!(lines[1..], [json!({ "more": true, "after": lines[0]["index"] })]);
    let after = lines[0]["index"].to_string();
    let next = search(&here, &[&all[..], &["--limit", "1", "--after", &after]].concat());
    assert_eq!(exchanges(&next), [known.as_str()]);
    let told = run(&here.site.home, &[&["ledger", "search"], &all[..], &["--limit", "1"]].concat());
    assert!(told.out.contains("the newest 1 found") && told.out.contains("there is more"), "{told:?}");
    // Finding nothing is an answer too, and as much a look.
    let nothing = search(&here, &["--purpose", "five", "--consumer", "police-caledonia"]);
    assert_eq!((nothing.code, nothing.out.as_str()), (Some(1), ""), "{nothing:?}");

    let uid = format!("uid {}", std::fs::metadata(&here.site.home).unwrap().uid());
    let looks = looks(&here);
    let purposes: Vec<&str> = looks.iter().map(|look| look["sealed"]["purpose"].as_str().unwrap()).collect();
    assert_eq!(purposes, ["one", "two", "three", "four", "four", "four", "four", "four", "five"]);
    for look in &looks {
        assert_eq!(look["envelope"]["action"], "search");
        assert_eq!(look["sealed"]["by"], uid.as_str());
        assert!(look["envelope"].get("purpose").is_none(), "a purpose is for some eyes only");
    }
    let shown: Vec<u64> = looks.iter().map(|look| look["envelope"]["shown"].as_u64().unwrap()).collect();
    assert_eq!(shown, [1, 1, 1, 2, 2, 1, 1, 1, 0]);
    // The look about a person can be found by whoever looks for that person.
    let again = run_with_input(&here.site.home, &arguments, CHI);
    assert!(again.lines().iter().any(|line| line["envelope"]["kind"] == "read"), "{again:?}");
}

/// Who asked about this child? Also where the register knows no such child, and nothing left.
#[test]
fn whoever_asked_about_somebody_is_found_though_nothing_left() {
    let here = Here::start(Site::new("audit-subject"));
    let unknown = id(&ask(&here, UNKNOWN), &here);
    let arguments = ["ledger", "search", "--json", "--purpose", "who asked", "--subject", "chi"];
    let found = run_with_input(&here.site.home, &arguments, &format!("{UNKNOWN}\n"));
    assert_eq!(exchanges(&found), [unknown]);
    let nobody = run_with_input(&here.site.home, &arguments, &format!("{ZOE}\n"));
    assert_eq!(nobody.code, Some(1), "{nobody:?}");
}

#[test]
fn an_identifier_is_no_argument_and_lies_nowhere() {
    let here = Here::start(Site::new("audit-identifier"));
    ask(&here, ZOE);
    for arguments in [
        &["--subject", "chi", ZOE][..],
        &["--subject", "chi", "--identifier", ZOE],
        &["--chi", ZOE],
        &["--subject", "chi", "--subject", ZOE],
    ] {
        let ran = search(&here, &[&["--purpose", "a complaint"], arguments].concat());
        assert_eq!(ran.code, Some(2), "{ran:?}");
    }
    // The identifier in the place of its kind is refused as a kind.
    let ran = run_with_input(
        &here.site.home,
        &["ledger", "search", "--purpose", "a complaint", "--subject", ZOE],
        ZOE,
    );
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(!ran.err.contains(ZOE), "{ran:?}");
    let look = ["ledger", "search", "--purpose", "a complaint", "--subject", "chi"];
    let found = run_with_input(&here.site.home, &look, ZOE);
    assert_eq!(found.code, Some(0), "{found:?}");
    assert!(!found.out.contains(ZOE) && !found.err.contains(ZOE), "{found:?}");
    let nobody = run_with_input(&here.site.home, &look, "\n");
    assert_eq!(nobody.code, Some(3), "{nobody:?}");
    let mut folders = vec![here.site.home.join("data")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                let bytes = std::fs::read(&path).unwrap();
                let holds = bytes.windows(ZOE.len()).any(|window| window == ZOE.as_bytes());
                assert!(!holds, "{}", path.display());
            }
        }
    }
}

#[test]
fn a_look_without_a_purpose_or_without_a_gateway_shows_nothing() {
    let mut here = Here::start(Site::new("audit-purpose"));
    ask(&here, CHI);
    let size = here.ledger().size();
    let none = search(&here, &["--consumer", "nhs-lomond"]);
    assert_eq!((none.code, none.out.as_str()), (Some(2), ""), "{none:?}");
    for empty in ["", "  "] {
        let ran = search(&here, &["--consumer", "nhs-lomond", "--purpose", empty]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
        assert!(ran.err.contains("purpose"), "{ran:?}");
        let file = here.site.scratch.path().join("none.export");
        let export = ["ledger", "export", "--purpose", empty, "--out", file.to_str().unwrap()];
        assert_eq!(run(&here.site.home, &export).code, Some(1));
        assert!(!file.exists());
    }
    assert_eq!(search(&here, &["--purpose", "x", "--exchange", "not-an-id"]).code, Some(2));
    assert_eq!(here.ledger().size(), size, "what was refused is no look");
    here.stop();
    let stopped = search(&here, &["--purpose", "x", "--consumer", "nhs-lomond"]);
    assert_eq!((stopped.code, stopped.out.as_str()), (Some(3), ""), "{stopped:?}");
}

/// A gateway's log as it lies on the disk after a few questions, and what a partner holds of it.
struct Log {
    here: Here,
    answers: Vec<Said>,
    /// A copy of the journal, to be tampered with.
    copy: PathBuf,
}

impl Log {
    fn of(name: &str, questions: usize) -> Self {
        let mut here = Here::start(Site::new(name));
        let answers: Vec<Said> = (0..questions).map(|_| ask(&here, CHI)).collect();
        here.stop();
        let copy = here.site.scratch.path().join("copy");
        let log = Self { here, answers, copy };
        log.copy_anew();
        log
    }

    fn copy_anew(&self) {
        let _ = std::fs::remove_dir_all(&self.copy);
        std::fs::create_dir(&self.copy).unwrap();
        for entry in std::fs::read_dir(self.here.site.journal()).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, self.copy.join(path.file_name().unwrap())).unwrap();
        }
    }

    fn segment(&self) -> PathBuf {
        self.copy.join("00000001.segment")
    }

    fn change(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = std::fs::read(self.segment()).unwrap();
        change(&mut bytes);
        std::fs::write(self.segment(), bytes).unwrap();
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.here.site.scratch.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The `n`th answer's receipt as a file.
    fn receipt(&self, n: usize) -> String {
        self.file(&format!("receipt-{n}"), self.answers[n].header("tolbooth-receipt"))
    }

    fn key(&self) -> String {
        self.here.site.key_file().to_str().unwrap().to_owned()
    }

    fn verify(&self, what: &Path, against: &[&str]) -> Ran {
        let key = self.key();
        let mut arguments = vec!["ledger", "verify", what.to_str().unwrap(), "--key", &key];
        against.iter().for_each(|file| arguments.extend(["--against", *file]));
        run(&self.here.site.home, &arguments)
    }

    /// Where in the segment the checkpoint of the `n`th answer stands, with its header and padding.
    fn checkpoint(&self, bytes: &[u8], n: usize) -> std::ops::Range<usize> {
        let key = self.here.site.key();
        let size = held(self.answers[n].header("tolbooth-receipt"), &key).unwrap().size;
        let title = format!("{}\n{size}\n", key.name());
        let body = bytes.windows(title.len()).position(|window| window == title.as_bytes()).unwrap();
        let start = body - 32;
        let length = u32::from_le_bytes(bytes[start..start + 4].try_into().unwrap()) as usize;
        start..(body + length).next_multiple_of(8)
    }
}

fn refused(ran: &Ran, why: &str) {
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("NOT VERIFIED") && ran.err.contains(why), "{ran:?}");
}

#[test]
fn verify_ends_with_yes_no_usage_or_undecided() {
    let log = Log::of("audit-verify", 3);
    // As it lies there, with the key beside it; and as an auditor does it, with a key of their own.
    let beside = run(&log.here.site.home, &["ledger", "verify", "data/ledger"]);
    assert_eq!(beside.code, Some(0), "{beside:?}");
    assert!(beside.out.contains("VERIFIED") && beside.out.contains("not proven"), "{beside:?}");
    let ran = log.verify(&log.copy, &[&log.receipt(0), &log.receipt(2)]);
    assert_eq!(ran.code, Some(0), "{ran:?}");

    let json = run(&log.here.site.home, &["ledger", "verify", "data/ledger", "--json"]);
    assert_eq!(json.lines()[0]["verified"], true);
    // The checkpoint to keep is one that the log can be held against.
    let kept = log.file("kept", json.lines()[0]["checkpoint"].as_str().unwrap());
    assert_eq!(log.verify(&log.copy, &[&kept]).code, Some(0));

    log.change(|bytes| {
        let at = bytes.windows(8).position(|window| window == b"ed_nurse").unwrap();
        bytes[at] ^= 1;
    });
    refused(&log.verify(&log.copy, &[]), "segment 1");
    let key = log.key();
    let json =
        run(&log.here.site.home, &["ledger", "verify", log.copy.to_str().unwrap(), "--key", &key, "--json"]);
    assert_eq!((json.code, &json.lines()[0]["verified"]), (Some(1), &Value::Bool(false)), "{json:?}");

    for usage in [&["ledger", "verify"][..], &["ledger", "verify", "a", "--receipt", "b"], &["ledger"]] {
        assert_eq!(run(&log.here.site.home, usage).code, Some(2), "{usage:?}");
    }
    let nowhere = log.verify(Path::new("nowhere"), &[]);
    assert_eq!((nowhere.code, nowhere.out.as_str()), (Some(3), ""), "{nowhere:?}");
    assert_eq!(log.verify(&log.copy, &["nowhere"]).code, Some(3));
    // Somebody else's key.
    let other = SignerKey::new(log.here.site.key().name(), SigningKey::generate().unwrap()).unwrap();
    let other = log.file("other.vkey", other.verifier().to_string());
    let ran = run(&log.here.site.home, &["ledger", "verify", "data/ledger", "--key", &other]);
    refused(&ran, "");
}

#[test]
fn records_cut_off_the_end_are_missed_as_soon_as_anybody_holds_a_later_receipt() {
    let log = Log::of("audit-cut", 4);
    // The last record gone, its checkpoint left.
    log.change(|bytes| {
        let (before, last) = (log.checkpoint(bytes, 2), log.checkpoint(bytes, 3));
        let length = bytes.len();
        bytes.drain(before.end..last.start);
        bytes.resize(length, 0);
    });
    refused(&log.verify(&log.copy, &[]), "");

    // The last two gone with their checkpoints.
    log.copy_anew();
    log.change(|bytes| {
        let last = log.checkpoint(bytes, 1);
        bytes[last.end..].fill(0);
    });
    let alone = log.verify(&log.copy, &[]);
    assert_eq!(alone.code, Some(0), "{alone:?}");
    assert!(alone.out.contains("were cut off together with their checkpoint"), "it says so: {alone:?}");
    let earlier = log.verify(&log.copy, &[&log.receipt(1)]);
    assert_eq!(earlier.code, Some(0), "{earlier:?}");
    refused(&log.verify(&log.copy, &[&log.receipt(2)]), "the rest was cut off");
    // A checkpoint somebody kept shows the same.
    let whole = run(&log.here.site.home, &["ledger", "verify", "data/ledger", "--json"]);
    let kept = log.file("kept", whole.lines()[0]["checkpoint"].as_str().unwrap());
    refused(&log.verify(&log.copy, &[&kept]), "the rest was cut off");
}

#[test]
fn a_log_rebuilt_with_the_real_key_is_told_apart_by_one_receipt() {
    let log = Log::of("audit-rebuilt", 3);
    let seed = std::fs::read_to_string(log.here.site.home.join("data/keys/ledger.key")).unwrap();
    let signer = SignerKey::parse(&seed).unwrap();
    // The host's own key and name, other records, and more of them.
    let rebuilt = log.here.site.scratch.path().join("rebuilt");
    let config = LedgerConfig {
        directory: rebuilt.clone(),
        origin: signer.verifier().name().to_owned(),
        key: SigningKey::from_seed(signer.key().seed()).unwrap(),
        segment_bytes: 1 << 20,
        waiting_max: 100,
        recovery_keys: Vec::new(),
    };
    let (ledger, _) = Ledger::open(config, Clock::new().unwrap()).unwrap();
    let mut theirs = Vec::new();
    for _ in 0..9 {
        let alarm = Alarm { cause: "drift", dataset: None, detail: None, dropped: Vec::new() };
        theirs.push(ledger.append_blocking(Record::Alarm(alarm)).unwrap().header().to_owned());
    }
    ledger.close();

    assert_eq!(log.verify(&rebuilt, &[]).code, Some(0), "by itself it is sound");
    for n in 0..3 {
        refused(&log.verify(&rebuilt, &[&log.receipt(n)]), "held by others");
    }
    // Two logs with one name: two receipts of one size show it without either log.
    let key = log.here.site.key();
    let size = |receipt: &str| held(receipt, &key).unwrap().size;
    let ours = log.answers[1].header("tolbooth-receipt");
    let twin = theirs.iter().find(|receipt| size(receipt) == size(ours)).unwrap();
    let (ours, twin) = (log.receipt(1), log.file("twin", twin));
    let verify = ["ledger", "verify", "--receipt", &ours, "--against", &twin, "--key", &log.key()];
    refused(&run(&log.here.site.home, &verify), "the log was rewritten");
    refused(&log.verify(&log.copy, &[&ours, &twin]), "the log was rewritten");
}

/// Whoever loses the journal and keeps the key must not be able to contradict what was signed with it.
#[test]
fn a_log_that_is_gone_is_not_begun_again_under_its_name() {
    let mut log = Log::of("audit-gone", 1);
    let (before, keys) = (log.here.site.key(), log.here.site.home.join("data/keys"));
    let secret = std::fs::read(keys.join("ledger.key")).unwrap();
    std::fs::remove_dir_all(log.here.site.ledger()).unwrap();
    log.here.restart();
    let after = log.here.ledger().verifier().clone();
    assert_ne!(after.name(), before.name());
    assert_eq!(after.to_string(), log.here.site.key().to_string(), "the public key beside it is the new one");
    refused(&log.verify(&log.here.site.ledger(), &[&log.receipt(0)]), "");
    let set_aside = std::fs::read_dir(&keys).unwrap().map(|entry| entry.unwrap().path());
    let set_aside = set_aside.filter(|path| path.to_str().unwrap().contains("ledger.key.before-"));
    assert_eq!(set_aside.map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>(), [secret]);
    // And with its journal there, a key stays what it is.
    log.here.restart();
    assert_eq!(log.here.ledger().verifier().name(), after.name());
    // Nor is another made where it is lost: what was signed with it would look damaged.
    log.here.stop();
    let (key, public) = (keys.join("ledger.key"), std::fs::read(keys.join("ledger.vkey")).unwrap());
    let secret = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let ran = run(&log.here.site.home, &["serve"]);
    assert!(ran.code == Some(1) && ran.err.contains("`ledger.key` is not there"), "{ran:?}");
    assert!(!key.exists(), "nothing was made in its place");
    assert_eq!(std::fs::read(keys.join("ledger.vkey")).unwrap(), public);
    std::fs::write(&key, secret).unwrap();
    log.here.restart();
    assert_eq!(log.here.ledger().verifier().name(), after.name());
}

/// A start that was killed while it made keys, wherever that was, is no obstacle to the next.
#[test]
fn keys_half_made_by_a_killed_start_are_made_anew() {
    let site = Site::new("audit-keys");
    let keys = site.home.join("data/keys");
    std::fs::create_dir_all(&keys).unwrap();
    for name in ["ledger.new", "pseudonym.new", "ledger.vkey"] {
        std::fs::write(keys.join(name), "half").unwrap();
    }
    let here = Here::start(site);
    ask(&here, CHI);
    assert_eq!(here.site.key().to_string(), here.ledger().verifier().to_string());
    assert!(!keys.join("ledger.new").exists() && !keys.join("pseudonym.new").exists());
}

#[test]
fn a_receipt_verifies_with_its_answer_and_with_no_other() {
    let log = Log::of("audit-receipt", 1);
    let said = &log.answers[0];
    let mut head = format!("HTTP/1.1 {} OK\r\n", said.status);
    for (name, value) in &said.headers {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    let (head, body) = (log.file("head", head + "\r\n"), log.file("body", &said.body));
    let other = log.file("other", said.body.iter().map(|byte| byte ^ 1).collect::<Vec<u8>>());
    let (home, key) = (&log.here.site.home, &log.key());
    let bare = run(home, &["ledger", "verify", "--receipt", &log.receipt(0), "--key", key]);
    assert_eq!(bare.code, Some(0), "{bare:?}");
    let whole = run(home, &["ledger", "verify", "--receipt", &head, "--body", &body, "--key", key]);
    assert_eq!(whole.code, Some(0), "{whole:?}");
    assert!(whole.out.contains("exactly this status, outcome, content type and body"), "{whole:?}");
    let changed = run(home, &["ledger", "verify", "--receipt", &head, "--body", &other, "--key", key]);
    refused(&changed, "not given for this answer");
    // Without the head it cannot be told.
    let headless =
        run(home, &["ledger", "verify", "--receipt", &log.receipt(0), "--body", &body, "--key", key]);
    assert_eq!(headless.code, Some(3), "{headless:?}");
    let keyless = run(home, &["ledger", "verify", "--receipt", &head]);
    assert_eq!(keyless.code, Some(3), "{keyless:?}");
    let nonsense = log.file("nonsense", "bm9uc2Vuc2U");
    refused(&run(home, &["ledger", "verify", "--receipt", &nonsense, "--key", key]), "not a receipt");
}

#[test]
fn an_export_verifies_and_shows_each_what_is_theirs() {
    let mut log = Log::of("audit-export", 2);
    log.here.restart();
    let copies: [(&str, &[&str]); 4] = [
        ("envelopes", &[]),
        ("sealed", &["--sealed"]),
        ("nhs", &["--party", "nhs-lomond"]),
        ("police", &["--party", "police-caledonia"]),
    ];
    for (name, options) in copies {
        let file = log.here.site.scratch.path().join(format!("{name}.export"));
        let export = ["ledger", "export", "--purpose", name, "--json", "--out", file.to_str().unwrap()];
        let ran = run(&log.here.site.home, &[&export, options].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let verified = log.verify(&file, &[&log.receipt(0), &log.receipt(1)]);
        assert_eq!(verified.code, Some(0), "{name}: {verified:?}");
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text.contains("ed-trak"), name != "police", "{name}");
        assert_eq!(text.contains("\"sealed\":\""), name == "sealed", "{name}");
        assert_eq!(text.contains("\\\"kind\\\":\\\"read\\\""), !["nhs", "police"].contains(&name), "{name}");

        // A line changed, or the end gone: refused. Once more over a file that is there: not done.
        let lines: Vec<&str> = text.lines().collect();
        let cut = log.file("cut", lines[..lines.len() - 2].join("\n"));
        refused(&log.verify(Path::new(&cut), &[]), "");
        let mut swapped = lines.clone();
        swapped.swap(2, 3);
        let swapped = log.file("swapped", swapped.join("\n"));
        refused(&log.verify(Path::new(&swapped), &[]), "line 3");
        assert_eq!(run(&log.here.site.home, &export).code, Some(3));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
    let looks = looks(&log.here);
    let purposes: Vec<&str> = looks.iter().map(|look| look["sealed"]["purpose"].as_str().unwrap()).collect();
    assert_eq!(purposes, ["envelopes", "sealed", "nhs", "police"]);
    assert!(looks.iter().all(|look| look["envelope"]["action"] == "export"));
}
