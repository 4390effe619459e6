//! What officers do on their own machines, with the real binary: keys under a passphrase, signatures, and
//! signatures brought back from elsewhere.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tolbooth::crypto::SigningKey;

use support::agreements::{CHILD, edit, file, signatures};
use support::site::{Ran, Site, run, run_with_input};

const PASSPHRASE: &str = "four words of mine\n";

/// A trial whose council's officer is to be another one.
struct Office {
    site: Site,
}

impl Office {
    /// With this line of the council's officer in place of the trial's.
    fn new(name: &str) -> Self {
        let site = Site::new(name);
        std::fs::remove_file(signatures(&site.home, CHILD)).unwrap();
        Self { site }
    }

    fn home(&self) -> &Path {
        &self.site.home
    }

    fn key(&self) -> PathBuf {
        self.site.scratch.path().join("m.macleod.key")
    }

    fn listed(&self, lines: &str) {
        edit(&self.home().join("members.toml"), |text| {
            let at = text.find("[[member.officer]]").unwrap();
            let (before, after) = text.split_at(at);
            format!("{before}{lines}\n\n{after}")
        });
    }

    fn agreement(&self) -> String {
        format!("policies/agreements/{CHILD}.toml")
    }

    fn sign(&self, key: &Path, input: &str) -> Ran {
        let key = key.display().to_string();
        run_with_input(self.home(), &["agreement", "sign", &self.agreement(), "--key", &key], input)
    }

    fn trial_key(&self, member: &str) -> PathBuf {
        self.site.scratch.path().join(format!("keys/{member}/officer.key"))
    }
}

/// What the host adds to the members' file, out of what `agreement key` printed.
fn lines(ran: &Ran) -> String {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let (_, lines) = ran.out.split_once("[[member.officer]]").unwrap();
    format!("[[member.officer]]{}", lines.replace("\"...\"", "\"Data Protection Officer\""))
}

#[test]
fn an_officer_signs_with_a_key_that_only_the_passphrase_opens() {
    let office = Office::new("officers-passphrase");
    let key = office.key().display().to_string();
    let make = ["agreement", "key", "m.macleod.glenmore", "--out", &key];
    let short = run_with_input(office.home(), &make, "short\n");
    assert!(short.code == Some(1) && short.err.contains("at least 12 characters"), "{short:?}");
    assert!(!office.key().exists(), "a key lies there that nobody was told of");
    let made = run_with_input(office.home(), &make, PASSPHRASE);
    office.listed(&lines(&made));
    assert_eq!(office.key().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(office.key()).unwrap();
    assert!(text.starts_with("tolbooth officer key v1\n") && !text.contains("PRIVATE+KEY"), "{text}");
    // It is never written over.
    let again = run_with_input(office.home(), &make, PASSPHRASE);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert_eq!(std::fs::read_to_string(office.key()).unwrap(), text);

    let wrong = office.sign(&office.key(), "four words of yours\n");
    assert!(wrong.code == Some(1) && wrong.err.contains("does not open"), "{wrong:?}");
    assert!(!signatures(office.home(), CHILD).exists());
    let damaged = office.site.scratch.path().join("damaged.key");
    std::fs::write(&damaged, text.replacen("salt: ", "salt: 0", 1)).unwrap();
    let broken = office.sign(&damaged, PASSPHRASE);
    // The same words: whoever tries passphrases learns nothing.
    assert_eq!(broken.err.replace("damaged.key", "m.macleod.key"), wrong.err);
    assert_eq!(office.sign(&office.key(), PASSPHRASE).code, Some(0));
    // From a file, for scripts; and never as an argument.
    let passphrase = office.site.scratch.path().join("passphrase");
    std::fs::write(&passphrase, PASSPHRASE).unwrap();
    let (agreement, passphrase) = (office.agreement(), passphrase.display().to_string());
    let from_file = ["agreement", "sign", &agreement, "--key", &key, "--passphrase-file", &passphrase];
    assert_eq!(run(office.home(), &from_file).code, Some(0));
    let argument = ["agreement", "sign", &agreement, "--key", &key, "--passphrase", "four words of mine"];
    assert_eq!(run(office.home(), &argument).code, Some(2));
    assert_eq!(office.sign(&office.trial_key("nhs-lomond"), "").code, Some(0));
    let verified = run(office.home(), &["agreement", "verify", &agreement]);
    assert!(
        verified.code == Some(0) && verified.out.contains("m.macleod.glenmore for glenmore"),
        "{verified:?}"
    );
}

/// Signatures that cannot be read are not signatures that are not there.
#[test]
fn a_file_of_signatures_that_does_not_read_is_told_as_what_it_is() {
    let office = Office::new("officers-unread");
    let (agreement, beside) = (office.agreement(), signatures(office.home(), CHILD));
    let verify = || run(office.home(), &["agreement", "verify", &agreement]);
    let name = beside.file_name().unwrap().to_str().unwrap().to_owned();
    let unsigned = verify();
    assert!(unsigned.code == Some(1) && unsigned.out.contains("not signed for"), "{unsigned:?}");
    for (bytes, why) in [
        (b"tolbooth\nagreement \xff\n".as_slice(), format!("{name}:2: not UTF-8")),
        (b"hello", format!("{name}: not a signed note")),
        (b"text\n\nno signature\n", format!("{name}: a signature line that is not")),
    ] {
        std::fs::write(&beside, bytes).unwrap();
        let told = verify();
        assert!(told.code == Some(1) && told.err.contains(&why), "{why}: {told:?}");
        assert!(!told.out.contains("not signed") && told.err.contains("ask whoever sent it"), "{told:?}");
        let status = run(office.home(), &["agreement", "status"]);
        assert!(status.out.contains("its signature file cannot be read"), "{status:?}");
    }
    std::fs::remove_file(&beside).unwrap();
    // Whether it is signed nobody can say who may not read it: root may, and so it is a folder here.
    std::fs::create_dir(&beside).unwrap();
    let told = verify();
    assert!(told.code == Some(3) && told.err.contains(&name), "{told:?}");
}

#[test]
fn a_key_without_a_passphrase_signs_no_live_agreement() {
    let office = Office::new("officers-plain");
    edit(&file(office.home(), CHILD), |text| text.replace("stage = \"trial\"", "stage = \"live\"") + LAW);
    let refused = office.sign(&office.trial_key("glenmore"), "");
    assert!(refused.code == Some(1) && refused.err.contains("signs trials alone"), "{refused:?}");
    assert!(!signatures(office.home(), CHILD).exists());
}

const LAW: &str = r#"
[law.glenmore]
regime = "uk_gdpr"
basis = "art6_1_e"
power = [{ statute = "Children (Scotland) Act 1995", section = "22", reading = "promote welfare" }]

[law.nhs-lomond]
regime = "uk_gdpr"
basis = "art6_1_e"
power = [{ statute = "Children (Scotland) Act 1995", section = "22", reading = "promote welfare" }]
"#;

#[test]
fn a_signature_made_with_another_tool_is_brought_back_and_verified() {
    let office = Office::new("officers-elsewhere");
    let (agreement, scratch) = (office.agreement(), office.site.scratch.path().to_path_buf());
    // The officer's own key: the gateway sees its public half, as other tools write it.
    let own = SigningKey::generate().unwrap();
    let spki = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".as_slice(), &own.public().0].concat();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(spki));
    std::fs::write(scratch.join("officer.pem"), pem).unwrap();
    let public = scratch.join("officer.pem").display().to_string();
    let shown = run(office.home(), &["agreement", "key", "m.macleod.glenmore", "--public", &public]);
    office.listed(&lines(&shown));

    let statement = run(office.home(), &["agreement", "statement", &agreement]);
    assert_eq!(statement.code, Some(0), "{statement:?}");
    let brought = scratch.join("signature");
    let path = brought.display().to_string();
    let attach = |bytes: &[u8], more: &[&str]| {
        std::fs::write(&brought, bytes).unwrap();
        run(office.home(), &[&["agreement", "attach", &agreement, "--signature", &path], more].concat())
    };
    let officer = ["--officer", "m.macleod.glenmore"];
    let good = own.sign(statement.out.as_bytes());
    let other = own.sign(statement.out.trim_end().as_bytes());
    let refused = attach(&other, &officer);
    assert!(
        refused.code == Some(1) && refused.err.contains("over the statement as it is now"),
        "{refused:?}"
    );
    let unsaid = attach(&good, &[]);
    assert!(unsaid.code == Some(1) && unsaid.err.contains("--officer"), "{unsaid:?}");
    assert!(!signatures(office.home(), CHILD).exists());
    assert_eq!(attach(&good, &officer).code, Some(0));
    assert_eq!(attach(STANDARD.encode(good).as_bytes(), &officer).code, Some(0));
    let note = std::fs::read_to_string(signatures(office.home(), CHILD)).unwrap();
    assert_eq!(note.matches("m.macleod.glenmore").count(), 1, "{note}");
    assert!(note.starts_with(&statement.out), "what was signed is what the gateway reads");
    // What was signed no longer counts once a byte is another.
    edit(&file(office.home(), CHILD), |text| text.replace("title = \"", "title = \"A "));
    let after = attach(&good, &[&officer[..], &["--anew"]].concat());
    assert!(after.code == Some(1) && after.err.contains("over the statement as it is now"), "{after:?}");
}
