//! Issuers of others in a ruleset: from their files, held against the members that are to hear them.

use std::path::Path;
use std::sync::Arc;

use crate::config::Gateway;
use crate::directory::Directory;
use crate::model::{Fault, Faults};
use crate::token::{Outsider, Outsiders};

use super::files::RulesetFiles;
use super::ruleset::{Ruleset, utf8};

/// Reads `policies/issuers/`; what is wrong is added to `faults`.
pub(super) fn read(
    gateway: &Gateway,
    files: &mut RulesetFiles,
    before: Option<&Ruleset>,
    faults: &mut Faults,
) -> Outsiders {
    let before = before.map(|before| before.outsiders.all()).unwrap_or_default();
    let mut all: Vec<Arc<Outsider>> = Vec::new();
    for file in files.issuers.clone() {
        let mut read = |path: &Path| files.named(path);
        let made =
            utf8(&file).and_then(|text| Outsider::load(&file.name, text, &gateway.home, &mut read, before));
        match made {
            Ok(made) if all.iter().any(|known| known.issuer().name == made.issuer().name) => {
                let message = format!("another file describes the issuer `{}` too", made.issuer().name);
                faults.push(Fault::new(&file.name, None, message));
            }
            Ok(made) => all.push(made),
            Err(more) => faults.extend(more),
        }
    }
    Outsiders::new(all)
}

/// Whether every member an issuer knows systems of lists that issuer, and none lists two that would be
/// asked about one token.
pub(super) fn against_members(outsiders: &Outsiders, directory: &Directory) -> Faults {
    let mut faults = Faults::default();
    for member in directory.members() {
        for one in outsiders.all() {
            let name = &one.issuer().name;
            if one.members().any(|known| *known == member.id) && !member.hears(name) {
                let message = format!("`{name}` knows systems of `{}`, which does not list it", member.id);
                let help = format!("add `issuers = [\"{name}\"]` to the member, if it agrees");
                faults.push(Fault::new("members.toml", None, message).with_help(help));
            }
        }
        let asked = |name: &&String| outsiders.get(name).is_some_and(|one| one.asked().is_some());
        if member.issuers().iter().filter(asked).count() > 1 {
            let message = format!("`{}` lists two issuers of opaque tokens", member.id);
            let help = "such a token does not say whose it is, and must not be shown to another issuer";
            faults.push(Fault::new("members.toml", None, message).with_help(help));
        }
    }
    for one in outsiders.all() {
        let known: Vec<_> = one.members().filter(|member| directory.member(member).is_none()).collect();
        if let Some(member) = known.first() {
            let message = format!("`{}` knows systems of `{member}`, which is no member", one.issuer().name);
            faults.push(Fault::new("members.toml", None, message));
        }
    }
    faults
}

/// What is not wrong but does nothing: a member that lists an issuer no file describes. An issuer that no
/// member lists knows nobody's systems, and is a fault.
pub fn issuer_warnings(ruleset: &Ruleset) -> Vec<Fault> {
    let mut warnings = Vec::new();
    for member in ruleset.directory.members() {
        for name in member.issuers().iter().filter(|name| ruleset.outsiders.get(name).is_none()) {
            let why = "which no file in policies/issuers describes: no token of it counts";
            warnings.push(Fault::new("members.toml", None, format!("`{}` lists `{name}`, {why}", member.id)));
        }
    }
    warnings
}
