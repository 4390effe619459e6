//! `docs/signing.md`, run as it stands: the key that `tolbooth` makes, the table it prints, and the program
//! on the page, which shares no code with the gateway.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::process::Command;

use support::agreements::{CHILD, edit, reword};
use support::gateway::{CHECK, CHI, Gateway, asks};
use support::site::run;
use support::until;

const PAGE: &str = include_str!("../docs/signing.md");

fn block(kind: &str) -> &'static str {
    let fence = format!("```{kind}\n");
    let from = PAGE.split(&fence).nth(1).unwrap_or_else(|| panic!("no {kind} on the page"));
    from.split("\n```").next().unwrap()
}

#[test]
fn the_program_on_the_page_asks_a_signed_question() {
    let mut keyid = String::new();
    let gateway = Gateway::start_changed("signing-page", |home| {
        reword(home, CHILD, |text| text.replace("assurance = \"certificate\"", "assurance = \"signed\""));
        // The command on the page, as it is there.
        let command = PAGE.lines().find(|line| line.contains("certs message-key")).unwrap();
        let arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
        let made = run(home, &arguments);
        assert_eq!(made.code, Some(0), "{made:?}");
        let (_, table) = made.out.split_at(made.out.find("[[member.system_key]]").unwrap());
        keyid = table.split("keyid = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        edit(&home.join("members.toml"), |text| {
            let anchors = "anchors = [\"certs/nhs-lomond-ca.pem\"]\n";
            text.replace(anchors, &format!("{anchors}\n{table}\n"))
        });
    });
    let program = gateway.home.join("ask.py");
    std::fs::write(&program, block("python")).unwrap();
    let address = format!("localhost:{}", gateway.running().partners.port());
    let ask = || {
        let out = Command::new("python3")
            .arg(&program)
            .args([&address, CHECK, &asks(CHI), "ed_nurse", &keyid])
            .arg(gateway.home.join("certs/nhs-lomond-ed-trak-message.key"))
            .args([&gateway.trial.nhs.certificate, &gateway.trial.nhs.key, &gateway.trial.ca])
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    // For its first seconds the gateway cannot know what the process before it has answered.
    let said = until("the gateway remembers", || {
        let said = ask();
        (!said.contains("before this gateway could remember")).then_some(said)
    });
    assert!(said.starts_with("200 answered {"), "{said}");
    assert!(ask().starts_with("200 answered {"), "each question has a nonce of its own");
}

#[test]
fn the_table_on_the_page_is_one_the_directory_reads() {
    let text = format!(
        "format = 1\nfederation = \"caledonia.example\"\n[[member]]\nid = \"nhs-lomond\"\nname = \"NHS Lomond\"\n\
         class = \"health\"\nanchors = []\n{}",
        block("toml")
    );
    let none = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
    let directory = tolbooth::directory::load("members.toml", &text, &none, None)
        .unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(directory.signing_members(), 1);
}
