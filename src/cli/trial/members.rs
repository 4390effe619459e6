//! The `members.toml` of a trial.

use super::templates::OFFICE;
use super::{FEDERATION, TrialMember};
use crate::merkle::signer::SignerKey;

const HEAD: &str = "\
# Who is in the federation, until there is a signed directory. Synthetic: these organisations do not exist.
# A member's systems hold certificates that end in one of its anchors; its officers sign agreements.

format = 1
";

/// Name and class of a trial's member.
pub(super) fn about(id: &str) -> (&'static str, &'static str) {
    match id {
        "glenmore" => ("Glenmore Council", "council"),
        "nhs-lomond" => ("NHS Lomond", "health"),
        _ => ("Police Caledonia", "police"),
    }
}

pub(super) fn text(members: &[&TrialMember], office: Option<&SignerKey>) -> String {
    let mut out = format!("{HEAD}federation = \"{FEDERATION}\"\n");
    for member in members {
        let id = &member.id;
        let (name, class) = about(id.as_str());
        let key = member.officer.verifier();
        let officer = key.name();
        out.push_str(&format!(
            "\n[[member]]\nid = \"{id}\"\nname = \"{name}\"\nclass = \"{class}\"\nanchors = [\"certs/{id}-ca.pem\"]\n\
             \n[[member.officer]]\nname = \"{officer}\"\noffice = \"Trial officer\"\nkey = \"{key}\"\n\
             # A trial key was made for everybody at once: it counts for trials, and never for a live agreement.\n\
             trial = true\n"
        ));
        if let Some(key) = member.guardian.as_ref().map(SignerKey::verifier) {
            out.push_str(&format!(
                "\n[[member.officer]]\nname = \"{}\"\noffice = \"Caldicott Guardian\"\nkey = \"{key}\"\ntrial = true\n",
                key.name()
            ));
        }
    }
    if let Some(office) = office {
        let key = office.verifier();
        out.push_str(&format!(
            "\n# Who signs templates: how far agreements that name one may go. It sees no data.\n\
             [[authority]]\nname = \"{OFFICE}\"\nkey = \"{key}\"\ntrial = true\n"
        ));
    }
    out
}
