//! A trial's templates, and the directory authority that signs them, with a key made here and now.

use std::path::PathBuf;

use crate::crypto::SigningKey;
use crate::merkle::signer::SignerKey;
use crate::policy::{load_template, sign_template, signature_file};

use super::super::files::{Readable, write_new};
use super::{Fault, Plan};

/// Whose templates they are.
pub(super) const OFFICE: &str = "digital-office";

/// Writes and signs the templates of the plan's datasets. The authority's key; none where there is no template.
pub(super) fn sign_all(plan: &Plan<'_>) -> Result<Option<SignerKey>, Fault> {
    let templates: Vec<_> = plan.datasets.iter().filter_map(|dataset| dataset.template).collect();
    if templates.is_empty() {
        return Ok(None);
    }
    let office = SignerKey::new(&format!("trial.authority.{OFFICE}"), SigningKey::generate()?)?;
    let key = plan.keys.join(OFFICE).join("authority.key");
    write_new(key, office.reveal().as_bytes(), Readable::ByOwner)?;
    for (name, text) in templates {
        let path = plan.home.join("policies/templates").join(name);
        let shown = path.display().to_string();
        let template = load_template(&shown, text.as_bytes())?;
        let note = sign_template(None, &template, office.verifier().name(), office.key())?;
        write_new(path, text.as_bytes(), Readable::ByAll)?;
        write_new(PathBuf::from(signature_file(&shown)), note.as_bytes(), Readable::ByAll)?;
    }
    Ok(Some(office))
}
