//! `docs/partners.md` walked as a partner's developer and their host would: each command on the page is
//! run as it stands there, in a folder `tolbooth init` made, and says what the page says.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};

use tolbooth::{app, clock::Clock, config};

use support::binary::TOLBOOTH;
use support::scratch::Scratch;
use support::site;

const PAGE: &str = include_str!("../docs/partners.md");

/// The commands of the page, in order; what stands under one is what it says.
fn commands() -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in PAGE.lines().filter_map(|line| line.strip_prefix("    ")) {
        let begins = line.starts_with("tolbooth ") || line.starts_with("curl ");
        if begins {
            commands.push(line.to_owned());
        } else if goes_on {
            commands.last_mut().unwrap().push_str(&format!("\n{line}"));
        }
        goes_on = (begins || goes_on) && line.ends_with('\\');
    }
    commands
}

/// Runs a line of the page in a shell, `tolbooth` being the one built here.
fn run(home: &Path, command: &str) -> (bool, String) {
    let mut path = std::ffi::OsString::from(Path::new(TOLBOOTH).parent().unwrap());
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let mut shell = Command::new("sh");
    for name in ["HTTPS_PROXY", "https_proxy"] {
        shell.env_remove(name);
    }
    let ended = shell
        .args(["-c", command])
        .current_dir(home)
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn the_page_leads_to_answers() {
    let scratch = Scratch::new("partners-page");
    assert_eq!(site::run(scratch.path(), &["init", "glenmore"]).code, Some(0));
    let home = scratch.path().join("glenmore");
    // Tests run side by side, so ports are whatever is free.
    let configuration = home.join("tolbooth.toml");
    let text = std::fs::read_to_string(&configuration).unwrap().replace(":8443", ":0").replace(":9464", ":0");
    let sandbox = "\n[sandbox]\naddress = \"127.0.0.1:0\"\nlocal = \"127.0.0.1:0\"\n";
    std::fs::write(&configuration, text + sandbox).unwrap();
    let all = commands();
    let serve = all.iter().position(|command| command == "tolbooth serve --sandbox").unwrap();
    for command in &all[..serve] {
        let (good, said) = run(&home, command);
        assert!(good, "{command}\n{said}");
    }
    let gateway = config::load(&configuration).unwrap().into_sandbox().unwrap();
    let running = app::start(gateway, Clock::new().unwrap()).unwrap();
    let mut said_of: Vec<(String, String)> = Vec::new();
    for command in &all[serve + 1..] {
        let command = command.replace("localhost:8444", &format!("localhost:{}", running.partners.port()));
        let (good, said) = run(&home, &command);
        assert!(good, "{command}\n{said}");
        said_of.push((command, said));
    }
    running.stop();
    running.join();
    let of = |word: &str| &said_of.iter().find(|(command, _)| command.contains(word)).unwrap().1;
    assert!(of("openapi.json").contains("\"openapi\":\"3.1.0\""));
    assert!(of("dataset examples").contains("requests.post("));
    // What the page shows is what was said.
    let explained = of("/explain");
    for shown in [
        "\"would_be\":\"refused\"",
        "\"code\":\"user_missing\"",
        "\"fixer\":\"caller or officers\",\"retry\":false}",
    ] {
        assert!(explained.contains(shown) && PAGE.contains(shown), "{shown}\n{explained}");
    }
    let doctor = of("doctor");
    for step in doctor.lines().filter(|line| line.starts_with("ok ") || line.starts_with("- ")) {
        let name = step.get(..24).unwrap();
        assert!(PAGE.contains(&format!("    {name}")), "the page lacks `{name}`\n{doctor}");
    }
    assert!(doctor.contains("nothing is wrong between here and there"), "{doctor}");
}
