//! What is printed is whole, or the command says that it is not: standard output on a full disk, and a reader who
//! leaves early.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use support::agreements::{CHILD, TAXI};
use support::gateway::{CHI, Gateway};
use support::site::tolbooth;

/// Runs a command whose standard output has no room: its exit code and what it complained of.
fn on_a_full_disk(home: &Path, words: &[&str]) -> (Option<i32>, String) {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = tolbooth(home);
    command.args(words).stdin(Stdio::piped()).stdout(full).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Whoever reads no identifier may have ended before this.
    let _typed = child.stdin.take().unwrap().write_all(format!("{CHI}\n").as_bytes());
    let ended = child.wait_with_output().unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

/// One line of words for each command that prints, and each form it prints in. `C` and `T` stand for the files of
/// agreements, `ID` for an exchange.
const PRINT: &str = "
--help
--version
ledger search --help
demo --exit --json
init new-folder
check
check --json
certs show certs/server.pem
certs --json show certs/server.pem
dataset examples child-protection/v1 --for nhs-lomond/ed-trak
dataset openapi child-protection/v1 --for nhs-lomond/ed-trak
doctor https://127.0.0.1:1/child-protection/v1 --cacert certs/ca.crt
agreement status
agreement status --json
agreement page C
agreement page C --html
agreement page C --json
agreement changes C T
agreement fields
agreement fields --schema
agreement statement C
agreement verify C
agreement sign C --key ../keys/glenmore/officer.key
agreement key somebody.glenmore --public ../officer.pem
agreement register --format dea
agreement register --format art30 --json
agreement seal C
template sign policies/templates/child-protection-check.toml --key ../keys/digital-office/authority.key
template verify policies/templates/child-protection-check.toml
policy test
policy explain --consumer nhs-lomond/ed-trak --dataset child-protection/v1 --operation check
ledger verify data/ledger
ledger verify data/ledger --json
ledger search --purpose p
ledger search --purpose p --json
ledger search --purpose p --sealed --subject chi
ledger export --purpose p --out copy.export
report person --purpose p --subject chi
report person --purpose p --subject chi --format csv
report person --purpose p --subject chi --format json
report recipients --purpose p --subject chi
report recipients --purpose p --subject chi --format csv
report activity --purpose p
report activity --purpose p --format csv
report activity --purpose p --json
report refusals --purpose p --format csv
explain --exchange ID --purpose p
explain --exchange ID --purpose p --json
stop --list
stop --list --json
start --list
stop --all --purpose p
start --all --purpose p
";

#[test]
fn no_command_that_could_not_print_ends_as_though_it_had() {
    let gateway = Gateway::start("output-full");
    let said = gateway.check(CHI);
    assert_eq!(said.status, 200);
    assert_eq!(gateway.nhs().ask("/child-protection/v1/check", &[], "{}").status, 403);
    let found = gateway.search(serde_json::json!({ "purpose": "to name one", "kind": "exchange" }));
    let exchange = found[0]["envelope"]["exchange"].as_str().unwrap();
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    std::fs::write(gateway.home.join("../officer.pem"), pem).unwrap();
    let mut wrong = String::new();
    for line in PRINT.lines().filter(|line| !line.is_empty()) {
        let file = |name: &str| format!("policies/agreements/{name}.toml");
        let words: Vec<String> = line
            .split(' ')
            .map(|word| match word {
                "C" => file(CHILD),
                "T" => file(TAXI),
                "ID" => exchange.to_owned(),
                other => other.to_owned(),
            })
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (code, complaint) = on_a_full_disk(&gateway.home, &words);
        if code != Some(3) || !complaint.contains("what was printed is not whole") {
            wrong.push_str(&format!("{line}: {code:?} {complaint}\n"));
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn every_noun_of_the_help_is_tried_on_a_full_disk() {
    let help = tolbooth(Path::new("/")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let nouns: Vec<&str> =
        listed.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    assert!(nouns.len() > 10, "{nouns:?}");
    // These print nothing that is read afterwards: a log on standard error, files, and this help.
    let silent = ["serve", "grant", "help"];
    for noun in nouns.into_iter().filter(|noun| !noun.is_empty() && !silent.contains(noun)) {
        assert!(PRINT.lines().any(|line| line.starts_with(&format!("{noun} ")) || line == noun), "{noun}");
    }
}

#[test]
fn a_reader_who_leaves_is_no_fault() {
    let mut child = tolbooth(Path::new("/"));
    let mut child =
        child.args(["agreement", "fields"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap()), (Some(0), String::new()));
}
