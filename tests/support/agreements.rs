//! Agreements of a test's own: written, sealed over their view and signed by every party's officer.

use std::path::{Path, PathBuf};

use tolbooth::config;
use tolbooth::crypto::SigningKey;
use tolbooth::desk::{Circumstances, Ruleset};
use tolbooth::merkle::signer::SignerKey;
use tolbooth::policy;

use super::scratch::Scratch;

pub const CHILD: &str = "glenmore-nhs-lomond-child-protection";
pub const TAXI: &str = "glenmore-police-caledonia-taxi-licence";

/// Where an agreement lies.
pub fn file(home: &Path, name: &str) -> PathBuf {
    home.join(format!("policies/agreements/{name}.toml"))
}

pub fn signatures(home: &Path, name: &str) -> PathBuf {
    home.join(format!("policies/agreements/{name}.sig"))
}

pub fn text(home: &Path, name: &str) -> String {
    std::fs::read_to_string(file(home, name)).unwrap()
}

/// The text with its seal taken off, as an officer begins a new version.
pub fn unsealed(text: &str) -> String {
    text.split("[seal]").next().unwrap().to_owned()
}

/// Puts an agreement's words into `name.toml`, sealed and signed, as two whole files.
pub fn agree(home: &Path, name: &str, text: &str) {
    put(home, &format!("policies/agreements/{name}"), text);
}

/// As [`agree`], for a file of any folder of the policies, named without its ending.
pub fn put(home: &Path, place: &str, text: &str) {
    let (sealed, note) = signed(home, &format!("{place}.toml"), text);
    replace(&home.join(format!("{place}.sig")), note.as_bytes());
    replace(&home.join(format!("{place}.toml")), sealed.as_bytes());
}

/// As [`agree`], over the words that are there, changed.
pub fn reword(home: &Path, name: &str, change: impl FnOnce(String) -> String) {
    let before = unsealed(&text(home, name));
    let after = change(before.clone());
    assert_ne!(before, after, "nothing was reworded");
    agree(home, name, &after);
}

/// Replaces a file in one step, so that a gateway that watches sees the old bytes or the new.
pub fn replace(path: &Path, bytes: &[u8]) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes).unwrap();
    std::fs::rename(&beside, path).unwrap();
}

/// Changes a file in one step.
pub fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    let before = std::fs::read_to_string(path).unwrap();
    let after = change(before.clone());
    assert_ne!(before, after, "nothing was edited in {}", path.display());
    replace(path, after.as_bytes());
}

/// Seals and signs in a copy of the gateway's folder, which a running gateway does not watch.
fn signed(home: &Path, place: &str, text: &str) -> (String, String) {
    let scratch = Scratch::new("signing");
    let copy = scratch.path().join("gateway");
    copy_tree(home, &copy);
    let path = copy.join(place);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    let shown = path.display().to_string();
    let reference = policy::load(&shown, text.as_bytes()).unwrap().reference;
    let gateway = config::load(&copy.join("tolbooth.toml")).unwrap();
    let circumstances = Circumstances {
        seen: &|_| None,
        life: &Default::default(),
        before: None,
        pseudonym_master: &[0; 32],
        today: jiff::civil::Date::MIN,
    };
    let ruleset = Ruleset::load(&gateway, &circumstances).unwrap_or_else(|faults| panic!("{faults}"));
    let sealed = policy::seal(text, ruleset.view(&reference).unwrap()).unwrap();
    let agreement = policy::load(&shown, sealed.as_bytes()).unwrap();
    let mut note: Option<String> = None;
    for controller in agreement.controllers() {
        let key = home.parent().unwrap().join(format!("keys/{controller}/officer.key"));
        let officer = SignerKey::parse(&std::fs::read_to_string(key).unwrap()).unwrap();
        let name = officer.verifier().name();
        note = Some(policy::add_signature(note.as_deref(), &agreement, name, officer.key()).unwrap());
    }
    for (member, office) in agreement.guardians() {
        let officer = guardian(home, member.as_str(), office);
        let name = officer.verifier().name();
        note = Some(policy::add_signature(note.as_deref(), &agreement, name, officer.key()).unwrap());
    }
    (sealed, note.unwrap())
}

/// A member's officer of an office its agreement names, listed when first asked for.
fn guardian(home: &Path, member: &str, office: &str) -> SignerKey {
    let path = home.parent().unwrap().join(format!("keys/{member}/guardian.key"));
    if let Ok(text) = std::fs::read_to_string(&path) {
        return SignerKey::parse(&text).unwrap();
    }
    let name = format!("guardian.{member}");
    let key = SignerKey::new(&name, SigningKey::generate().unwrap()).unwrap();
    std::fs::write(&path, key.reveal().as_bytes()).unwrap();
    edit(&home.join("members.toml"), |text| {
        let entry = text.find(&format!("id = \"{member}\"")).unwrap();
        let at = entry + text.get(entry..).unwrap().find("[[member.officer]]").unwrap();
        let (before, after) = text.split_at(at);
        let key = key.verifier();
        format!(
            "{before}[[member.officer]]\nname = \"{name}\"\noffice = \"{office}\"\nkey = \"{key}\"\n\n{after}"
        )
    });
    key
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (kind, there) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if entry.file_name() == "data" {
            continue;
        }
        if kind.is_dir() {
            copy_tree(&entry.path(), &there);
        } else {
            std::fs::copy(entry.path(), there).unwrap();
        }
    }
}
