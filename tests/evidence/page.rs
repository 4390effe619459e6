//! `docs/evidence.md`, run as it stands.

use super::support::here::Here;
use super::support::site::{Site, run};
use super::{ask, python};

const PAGE: &str = include_str!("../../docs/evidence.md");

/// The command on the page that holds these words, for this exchange.
fn command(holds: &str, exchange: &str) -> Vec<String> {
    let lines = PAGE.lines().filter_map(|line| line.strip_prefix("    "));
    let found = lines.into_iter().find(|line| line.contains(holds)).unwrap_or_else(|| panic!("no {holds}"));
    let mut words = Vec::new();
    for (at, part) in found.replace("ID", exchange).split('"').enumerate() {
        // What stands between quotes is one word.
        if at % 2 == 1 {
            words.push(part.to_owned())
        } else {
            words.extend(part.split_whitespace().map(str::to_owned))
        }
    }
    words.remove(0);
    words
}

#[test]
fn the_commands_on_the_page_do_what_it_says() {
    let here = Here::start(Site::new("evidence-page"));
    let said = ask(&here);
    let home = &here.site.home;
    std::fs::copy(here.site.key_file(), home.join("log.vkey")).unwrap();
    let ours = |holds: &str| {
        let words = command(holds, said.exchange());
        let ran = run(home, &words.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.out
    };
    let made = ours("ledger evidence");
    assert!(made.contains("case-17.pack"), "{made}");
    assert!(ours("ledger verify").starts_with(&format!("VERIFIED: exchange {}\n", said.exchange())));
    assert!(ours("--kind rules").contains("rules"));
    assert!(ours("explain --exchange").contains("What decided"));
    let words = command("verifier.py", said.exchange());
    let beside = |word: &String| home.join(word).display().to_string();
    let (code, judged) = python(&[&beside(&words[1]), &words[2], &beside(&words[3])]);
    assert_eq!(code, Some(0), "{judged}");
    // Every word either of them prints is on the page.
    for finding in judged["findings"].as_array().unwrap() {
        assert!(PAGE.contains(&format!("`{}`", finding["what"].as_str().unwrap())), "{finding}");
    }
    // What the page says of by hand.
    let unpacked = home.join("unpacked");
    std::fs::create_dir(&unpacked).unwrap();
    let tar = std::process::Command::new("tar")
        .arg("-xf")
        .arg(home.join("case-17.pack"))
        .arg("-C")
        .arg(&unpacked)
        .status();
    assert!(tar.unwrap().success());
    let sealed = std::fs::read(unpacked.join("record/sealed")).unwrap();
    let envelope = std::fs::read_to_string(unpacked.join("record/envelope.json")).unwrap();
    assert!(envelope.contains(&tolbooth::model::Digest::of(&sealed).to_string()), "{envelope}");
    let readme = std::fs::read_to_string(unpacked.join("README.txt")).unwrap();
    assert!(
        readme.contains(said.exchange()) && readme.contains("Nothing in this page proves anything"),
        "{readme}"
    );
}
