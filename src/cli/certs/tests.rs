use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use clap::Parser;
use jiff::SignedDuration;

use super::*;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    certs: CertsArgs,
}

/// A folder of its own that goes away with the test, and the clock the commands see.
struct Desk {
    folder: PathBuf,
    clock: Clock,
}

impl Desk {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("tolbooth-certs-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder, clock: Clock::new().unwrap() }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Runs a command line, in which `@` stands for the folder.
    fn run(&self, line: &str) -> Result<(Exit, String), String> {
        let line = line.replace('@', &self.folder.display().to_string());
        let cli = Cli::try_parse_from(std::iter::once("certs").chain(line.split(' ')));
        let cli = cli.map_err(|error| error.to_string())?;
        let mut out = Vec::new();
        let exit = run(&cli.certs, &mut out, &self.clock).map_err(|faults| faults.to_string())?;
        Ok((exit, String::from_utf8(out).unwrap()))
    }

    fn made(&self, line: &str) -> String {
        self.run(line).unwrap().1
    }

    fn with_ca(name: &str) -> Self {
        let desk = Self::new(name);
        desk.made("ca --member nhs-lomond --federation caledonia.example --name NHS-Lomond --out @");
        desk
    }

    fn mode(&self, name: &str) -> u32 {
        std::fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn the_whole_family_is_made_and_shown_soonest_first() {
    let desk = Desk::with_ca("family");
    let server =
        desk.made("server --ca @/nhs-lomond-ca.pem --dns gw.lomond.test --ip 127.0.0.1 --days 60 --out @");
    assert!(server.contains("nhs-lomond-gateway.key"), "{server}");
    let client = desk.made("client --ca @/nhs-lomond-ca.pem --system ed-trak --out @");
    assert!(client.contains("spiffe://nhs-lomond.caledonia.example/ed-trak"), "{client}");
    assert!(!client.contains("BEGIN"), "a key was printed");

    let (exit, shown) = desk.run("show @").unwrap();
    assert_eq!(exit, Exit::Yes);
    let place = |name: &str| shown.find(name).unwrap_or_else(|| panic!("{name} is not in {shown}"));
    assert!(place("nhs-lomond-ed-trak.pem") < place("nhs-lomond-gateway.pem"));
    assert!(place("nhs-lomond-gateway.pem") < place("nhs-lomond-ca.pem"));
    assert!(shown.contains("in 30 days"), "{shown}");
    for name in ["nhs-lomond-ca", "nhs-lomond-gateway", "nhs-lomond-ed-trak"] {
        assert_eq!(desk.mode(&format!("{name}.key")), 0o600);
    }
}

#[test]
fn show_ends_with_no_once_something_has_expired() {
    let desk = Desk::with_ca("expired");
    desk.made("client --ca @/nhs-lomond-ca.pem --system ed-trak --out @");
    desk.clock.shift(SignedDuration::from_hours(24 * 40));
    let (exit, shown) = desk.run("show @").unwrap();
    assert_eq!(exit, Exit::No);
    assert!(shown.contains("expired ") && shown.contains("10 days ago"), "{shown}");
    let (exit, shown) = desk.run("--json show @").unwrap();
    assert_eq!(exit, Exit::No);
    let json: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(json["certificates"][0]["days_left"], -10);
    assert_eq!(json["certificates"][1]["expired"], false);
}

#[test]
fn nothing_is_overwritten_without_force() {
    let desk = Desk::with_ca("force");
    let line = "client --ca @/nhs-lomond-ca.pem --system ed-trak --out @";
    desk.made(line);
    let before = std::fs::read(desk.path("nhs-lomond-ed-trak.key")).unwrap();
    std::fs::remove_file(desk.path("nhs-lomond-ed-trak.pem")).unwrap();
    let refused = desk.run(line).unwrap_err();
    assert!(refused.contains("nhs-lomond-ed-trak.key: there is a file of this name"), "{refused}");
    assert_eq!(std::fs::read(desk.path("nhs-lomond-ed-trak.key")).unwrap(), before);
    assert!(!std::fs::exists(desk.path("nhs-lomond-ed-trak.pem")).unwrap(), "half was written");
    desk.made(&format!("{line} --force"));
    assert_ne!(std::fs::read(desk.path("nhs-lomond-ed-trak.key")).unwrap(), before);
    let left: Vec<_> =
        std::fs::read_dir(&desk.folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "{left:?}");
}

#[test]
fn a_ca_issues_for_its_own_member() {
    let desk = Desk::with_ca("slip");
    let line = "client --ca @/nhs-lomond-ca.pem --system ed-trak --out @";
    let slip = desk.run(&format!("{line} --trust-domain police.caledonia.example")).unwrap_err();
    assert!(slip.contains("this CA is that of nhs-lomond.caledonia.example"), "{slip}");
    let key = desk.run(&format!("{line} --ca-key @/nhs-lomond-ca.pem")).unwrap_err();
    assert!(key.contains("no private key was found"), "{key}");
    let long = desk.run(&format!("{line} --days 398")).unwrap_err();
    assert!(long.contains("1 to 397 days"), "{long}");
}

#[test]
fn a_request_is_signed_and_only_the_certificate_comes_back() {
    let desk = Desk::with_ca("sign");
    let openssl = std::process::Command::new("openssl")
        .args([
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=x",
        ])
        .args(["-keyout", &desk.path("own.key"), "-out", &desk.path("own.csr")])
        .stderr(std::process::Stdio::null())
        .status();
    if openssl.is_err() {
        return;
    }
    desk.made("sign @/own.csr --ca @/nhs-lomond-ca.pem --system ed-trak --out @");
    assert!(!std::fs::exists(desk.path("nhs-lomond-ed-trak.key")).unwrap());
    let wrong = desk.run("sign @/own.key --ca @/nhs-lomond-ca.pem --system other --out @").unwrap_err();
    assert!(wrong.contains("no signing request was found"), "{wrong}");

    std::fs::write(desk.path("password"), "correct horse\n").unwrap();
    let line =
        "export @/nhs-lomond-ed-trak.pem --key @/own.key --ca @/nhs-lomond-ca.pem --password-file @/password";
    let printed = desk.made(line);
    assert!(!printed.contains("horse"));
    assert_eq!(desk.mode("nhs-lomond-ed-trak.p12"), 0o600);
    assert!(desk.run(line).unwrap_err().contains("--force"));
}

#[test]
fn a_folder_of_other_things_is_looked_through() {
    let desk = Desk::with_ca("folder");
    std::fs::copy(desk.path("nhs-lomond-ca.key"), desk.path("key.pem")).unwrap();
    let key = desk.run("show @").unwrap_err();
    assert!(key.contains("key.pem: a private key lies in a file of certificates"), "{key}");
    std::fs::write(desk.path("key.pem"), "hello").unwrap();
    assert_eq!(desk.run("show @").unwrap().0, Exit::Yes);
    assert!(desk.run("show @/key.pem").unwrap_err().contains("no certificate was found"));
    assert!(desk.run("show @/none.pem").unwrap_err().contains("could not be read"));
}

#[test]
fn show_says_which_system_a_certificate_would_be() {
    let desk = Desk::with_ca("who");
    desk.made("client --ca @/nhs-lomond-ca.pem --system ed-trak --out @");
    desk.made("ca --member other --federation caledonia.example --name Other --out @");
    desk.made("client --ca @/other-ca.pem --system elsewhere --out @");
    let members = |more: &str| {
        let text = format!(
            "format = 1\nfederation = \"caledonia.example\"\n[[member]]\nid = \"nhs-lomond\"\n\
             name = \"NHS Lomond\"\nclass = \"health\"\nanchors = [\"nhs-lomond-ca.pem\"]\n{more}"
        );
        std::fs::write(desk.path("members.toml"), text).unwrap();
    };
    let show = |file: &str| desk.made(&format!("show @/{file} --members @/members.toml"));
    members("");
    assert!(show("nhs-lomond-ed-trak.pem").contains("is the system nhs-lomond/ed-trak"));
    let stranger = show("other-elsewhere.pem");
    assert!(stranger.contains("is nobody: its chain ends in no CA that a member lists"), "{stranger}");
    let ca = show("nhs-lomond-ca.pem");
    assert!(!ca.contains("is the system") && !ca.contains("is nobody"), "{ca}");
    // The key it prints is what a binding wants.
    let shown = show("nhs-lomond-ed-trak.pem");
    let key = shown.lines().find_map(|line| line.trim().strip_prefix("public key ")).unwrap();
    members(&format!("[[member.binding]]\nsystem = \"trak\"\npublic_key = \"{key}\"\n"));
    assert!(show("nhs-lomond-ed-trak.pem").contains("is nobody: it is two systems"));
    let json = desk.made("--json show @/nhs-lomond-ed-trak.pem --members @/members.toml");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["certificates"][0]["system"].is_null());
    assert!(json["certificates"][0]["why_nobody"].as_str().unwrap().contains("two systems"));
}

#[test]
fn a_message_key_is_its_owners_and_its_table_is_read_by_the_directory() {
    let desk = Desk::new("message-key");
    let line = "message-key --member nhs-lomond --system ed-trak --days 30 --out @";
    let said = desk.made(line);
    assert_eq!(desk.mode("nhs-lomond-ed-trak-message.key"), 0o600);
    let (_, table) = said.split_at(said.find("[[member.system_key]]").unwrap());
    let members = format!(
        "format = 1\nfederation = \"caledonia.example\"\n[[member]]\nid = \"nhs-lomond\"\nname = \"NHS Lomond\"\n\
         class = \"health\"\nanchors = []\n{table}"
    );
    let none = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
    let directory = crate::directory::load("members.toml", &members, &none, None).unwrap();
    let (member, system) = (MemberId::new("nhs-lomond").unwrap(), SystemName::new("ed-trak").unwrap());
    let [key] = directory.message_keys(&crate::model::SystemId { member, system }) else { panic!("{said}") };
    assert_eq!(key.id, format!("ed-trak-{}", desk.clock.today()));

    // The file is what others read: OpenSSL gives the same public key.
    let out = std::process::Command::new("openssl")
        .args(["pkey", "-pubout", "-outform", "DER", "-in", &desk.path("nhs-lomond-ed-trak-message.key")])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(out.stdout[out.stdout.len() - 32..], key.public.0);

    // Never over another unasked, and never shown.
    assert!(desk.run(line).unwrap_err().contains("there is a file of this name already"));
    assert!(!said.contains("PRIVATE"), "a private key was shown");
}
