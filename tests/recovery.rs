//! Subject keys that survive: a gateway loses them, says what it cannot see, and finds all again once they are
//! recovered with a key that was never on it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};

use serde_json::Value;
use support::agreements;
use support::gateway::{CHECK, CHI, NURSE, asks};
use support::here::Here;
use support::served::Served;
use support::site::{Ran, Site, run, run_with_input};

const PASSPHRASE: &str = "four words of mine";
const SEARCH: [&str; 6] = ["ledger", "search", "--purpose", "SAR 2026-041", "--subject", "chi"];

/// What a live agreement says beside a trial's words.
const LAW: &str = "
[law.glenmore]
regime = \"uk_gdpr\"
basis = \"art6_1_e\"
power = [{ statute = \"Civic Government (Scotland) Act 1982\", section = \"s.13\", reading = \"licensing of drivers\" }]
[law.police-caledonia]
regime = \"dpa_part3\"
basis = \"s35_necessary_for_task\"
power = [{ statute = \"Police and Fire Reform (Scotland) Act 2012\", section = \"s.32\", reading = \"preventing crime\" }]
";

/// Makes a recovery key as its keeper would, and gives its file and its line for the configuration.
fn recovery_key(site: &Site, name: &str) -> (PathBuf, String) {
    let file = site.scratch.path().join(name);
    let arguments = ["ledger", "recovery-key", "make", "--json", "--out", file.to_str().unwrap()];
    let made = run_with_input(&site.home, &arguments, &format!("{PASSPHRASE}\n"));
    assert_eq!(made.code, Some(0), "{made:?}");
    (file, made.lines()[0]["key"].as_str().unwrap().to_owned())
}

fn configure(site: &Site, keys: &[&str]) {
    let path = &site.trial.configuration;
    let text = std::fs::read_to_string(path).unwrap();
    let keys: Vec<String> = keys.iter().map(|key| format!("{key:?}")).collect();
    let with = format!("segment_mib = 1\nrecovery_keys = [{}]", keys.join(", "));
    std::fs::write(path, text.replace("\nsegment_mib = 1\n", &format!("\n{with}\n"))).unwrap();
}

fn keys_in(site: &Site) -> PathBuf {
    site.ledger().join("subject-keys")
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = all.filter(|path| path.to_str().unwrap().ends_with(ending)).collect();
    all.sort();
    all
}

fn lose_keys(site: &Site) {
    let keys = files(&keys_in(site), ".key");
    assert!(!keys.is_empty());
    keys.iter().for_each(|key| std::fs::remove_file(key).unwrap());
}

fn person_search(here: &Here) -> Ran {
    run_with_input(&here.site.home, &SEARCH, &format!("{CHI}\n"))
}

fn recover(site: &Site, key: &Path, passphrase: &str) -> Ran {
    let arguments = ["ledger", "recover-subject-keys", "--key", key.to_str().unwrap()];
    run_with_input(&site.home, &arguments, &format!("{passphrase}\n"))
}

fn ask(here: &Here) {
    let said = here.nhs().ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!(said.status, 200, "{said:?}");
}

#[test]
fn lost_subject_keys_are_told_of_and_recovered() {
    let site = Site::new("recovery-rehearsal");
    let (_, first_line) = recovery_key(&site, "first.key");
    let (second, second_line) = recovery_key(&site, "second.key");
    configure(&site, &[&first_line, &second_line]);
    let mut here = Here::start(site);
    ask(&here);
    assert_eq!(files(&keys_in(&here.site), ".wrapped").len(), 2, "one for each recovery key");
    assert_eq!(person_search(&here).code, Some(0));

    // Nobody recovers into a gateway that runs.
    let running = recover(&here.site, &second, PASSPHRASE);
    assert_eq!(running.code, Some(1), "{running:?}");
    assert!(running.err.contains("the gateway is running: stop it"), "{running:?}");

    here.stop();
    lose_keys(&here.site);
    here.restart();
    // What is recorded from now on is found; what was before is not, and the answer says so.
    let blind = person_search(&here);
    assert_eq!(blind.code, Some(3), "nothing found is no answer here: {blind:?}");
    assert!(blind.out.contains("this is not all: there are records under the subject key 20"), "{blind:?}");
    assert!(blind.out.contains("recover-subject-keys"), "{blind:?}");
    let report = ["report", "person", "--purpose", "SAR", "--subject", "chi", "--cut", "releasable"];
    let report = run_with_input(&here.site.home, &report, CHI);
    assert_eq!(report.code, Some(3), "{report:?}");
    assert!(report.out.contains("this is not all"), "{report:?}");
    ask(&here);
    let half = run_with_input(&here.site.home, &[&SEARCH[..], &["--json"]].concat(), CHI);
    let half = half.lines();
    assert!(half.last().unwrap()["not_whole"].as_str().unwrap().contains("is missing here"), "{half:?}");
    let exchanges =
        |lines: &[Value]| lines.iter().filter(|line| line["envelope"]["kind"] == "exchange").count();
    assert_eq!(exchanges(&half), 1);

    here.stop();
    let recovered = recover(&here.site, &second, PASSPHRASE);
    assert_eq!(recovered.code, Some(0), "{recovered:?}");
    assert!(recovered.out.contains(": recovered") && recovered.out.contains(": was there already"));
    here.restart();
    let whole = run_with_input(&here.site.home, &[&SEARCH[..], &["--json"]].concat(), CHI);
    assert_eq!(whole.code, Some(0), "{whole:?}");
    assert_eq!(exchanges(&whole.lines()), 2, "from before the loss and after it");
    assert!(!whole.out.contains("not_whole"), "{whole:?}");
}

/// Every part as it is run: the binary, killed, its keys gone with its disk but for the wrapped copies, and the key
/// that was never on it. What a search found before is found again, record for record, and goes on from there.
#[test]
fn a_killed_gateway_finds_again_what_it_found_before_its_keys_were_lost() {
    let site = Site::new("recovery-killed");
    let (offline, line) = recovery_key(&site, "offline.key");
    configure(&site, &[&line]);
    let found = || {
        let ran = run_with_input(&site.home, &[&SEARCH[..], &["--json", "--kind", "exchange"]].concat(), CHI);
        let lines = ran.lines();
        let id = |line: &Value| line["envelope"]["exchange"].as_str().map(str::to_owned);
        (ran.code, lines.iter().filter_map(id).collect::<Vec<_>>())
    };
    let asks_once = |served: &Served| {
        let said = served.nhs(&site).ask(CHECK, &NURSE, &asks(CHI));
        assert_eq!(said.status, 200, "{said:?}");
    };
    let served = Served::start(&site);
    (0..3).for_each(|_| asks_once(&served));
    let (code, before) = found();
    assert_eq!((code, before.len()), (Some(0), 3));
    served.kill();
    lose_keys(&site);
    assert!(!files(&keys_in(&site), ".wrapped").is_empty());

    let served = Served::start(&site);
    assert_eq!(found(), (Some(3), Vec::new()), "nothing is no answer");
    served.kill();
    let recovered = recover(&site, &offline, PASSPHRASE);
    assert_eq!(recovered.code, Some(0), "{recovered:?}");
    let served = Served::start(&site);
    assert_eq!(found(), (Some(0), before.clone()));
    asks_once(&served);
    let (_, after) = found();
    assert_eq!((after.len(), &after[1..]), (4, &before[..]), "the newest first");
    served.kill();
}

#[test]
fn each_thing_that_is_wrong_has_its_own_sentence() {
    let site = Site::new("recovery-faults");
    let (first, first_line) = recovery_key(&site, "first.key");
    let (other, _) = recovery_key(&site, "other.key");
    configure(&site, &[&first_line]);
    let mut here = Here::start(site);
    ask(&here);
    here.stop();
    let site = &here.site;
    lose_keys(site);
    let says = |ran: Ran, words: &str| {
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.err.contains(words) || ran.out.contains(words), "{words}: {ran:?}");
        assert!(files(&keys_in(site), ".key").is_empty(), "nothing is put back: {ran:?}");
    };
    says(recover(site, &first, "four words of yours"), "the passphrase is not the one");
    says(recover(site, &other, PASSPHRASE), "no subject key was wrapped to this recovery key");
    let changed = site.scratch.path().join("changed.key");
    let text = std::fs::read_to_string(&first).unwrap();
    std::fs::write(&changed, text.replacen("salt: ", "salt:  ", 1)).unwrap();
    says(recover(site, &changed, PASSPHRASE), "it is damaged, or another file");
    says(recover(site, Path::new("nowhere.key"), PASSPHRASE), "nowhere.key: No such file");

    // One byte of the wrapped copy is another: told by its sum, and with the sum put right by the seal.
    let copy = files(&keys_in(site), ".wrapped").remove(0);
    let whole = std::fs::read_to_string(&copy).unwrap();
    let sealed = whole.lines().find(|line| line.starts_with("sealed: ")).unwrap();
    let broken = sealed.replacen("sealed: ", "sealed: A", 1).replacen("=", "", 1);
    let body = whole.split("sum: ").next().unwrap().replace(sealed, &broken);
    std::fs::write(&copy, whole.replace(sealed, &broken)).unwrap();
    says(recover(site, &first, PASSPHRASE), "this wrapped copy is damaged");
    let sum = tolbooth::model::Digest::of(body.as_bytes()).hex();
    std::fs::write(&copy, format!("{body}sum: {sum}\n")).unwrap();
    says(recover(site, &first, PASSPHRASE), "this wrapped copy is damaged");
    std::fs::remove_file(&copy).unwrap();
    says(recover(site, &first, PASSPHRASE), "there is no wrapped copy here");

    std::fs::write(&copy, whole).unwrap();
    let recovered = recover(site, &first, PASSPHRASE);
    assert_eq!(recovered.code, Some(0), "{recovered:?}");
    assert_eq!(files(&keys_in(site), ".key").len(), 1);
    let short =
        run_with_input(&site.home, &["ledger", "recovery-key", "make", "--out", "short.key"], "short\n");
    assert_eq!(short.code, Some(1), "{short:?}");
    assert!(short.err.contains("at least 12 characters"), "{short:?}");
}

/// A gateway that ran without recovery keys gets them: what it made before is wrapped as it starts.
#[test]
fn keys_made_before_there_was_a_recovery_key_are_wrapped_at_the_start() {
    let site = Site::new("recovery-later");
    let (key, line) = recovery_key(&site, "first.key");
    let mut here = Here::start(site);
    ask(&here);
    assert!(files(&keys_in(&here.site), ".wrapped").is_empty());
    here.stop();
    configure(&here.site, &[&line]);
    here.restart();
    here.stop();
    lose_keys(&here.site);
    let recovered = recover(&here.site, &key, PASSPHRASE);
    assert_eq!(recovered.code, Some(0), "{recovered:?}");
    here.restart();
    assert_eq!(person_search(&here).code, Some(0));
}

#[test]
fn no_key_lies_in_a_file_it_is_wrapped_in() {
    let site = Site::new("recovery-sealed");
    let (file, line) = recovery_key(&site, "first.key");
    configure(&site, &[&line]);
    let here = Here::start(site);
    let key = std::fs::read_to_string(files(&keys_in(&here.site), ".key").remove(0)).unwrap();
    let key = key.lines().last().unwrap();
    let wrapped = std::fs::read_to_string(files(&keys_in(&here.site), ".wrapped").remove(0)).unwrap();
    assert!(!wrapped.contains(key));
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&files(&keys_in(&here.site), ".wrapped")[0]), 0o600);
}

#[test]
fn check_is_red_without_recovery_keys_unless_all_is_a_trial() {
    let site = Site::new("recovery-check");
    let trial = run(&site.home, &["check"]);
    assert_eq!(trial.code, Some(0), "{trial:?}");
    assert!(trial.out.contains("`recovery_keys` is missing in [ledger]"), "{trial:?}");
    agreements::reword(&site.home, agreements::TAXI, |text| text.replace("\"trial\"", "\"live\"") + LAW);
    let live = run(&site.home, &["check"]);
    assert_eq!(live.code, Some(1), "{live:?}");
    assert!(live.err.contains("`recovery_keys` is missing in [ledger]"), "{live:?}");
    assert!(live.err.contains("recovery-key make"), "{live:?}");
    let (_, line) = recovery_key(&site, "first.key");
    configure(&site, &[&line]);
    let kept = run(&site.home, &["check"]);
    assert_eq!(kept.code, Some(0), "{kept:?}");
    assert!(!kept.out.contains("recovery_keys"), "{kept:?}");
}
