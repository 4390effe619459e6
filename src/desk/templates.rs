//! The templates of a ruleset: read from its files, and verified with the keys of its directory's authorities.

use std::collections::BTreeMap;

use crate::directory::Directory;
use crate::model::Faults;
use crate::policy::{self, Template, Templates, signature_file};

use super::Ruleset;
use super::files::RulesetFiles;

impl Ruleset {
    /// The newest version of each template that counts, by its name.
    pub fn newest_templates(&self) -> BTreeMap<String, u32> {
        // They were read when the ruleset was, and are without fault.
        read(&self.files, &self.directory, &mut Faults::default()).newest()
    }
}

/// All templates among the files; what cannot be read is added to `faults`, and so is named by whoever needs it.
pub(super) fn read(files: &RulesetFiles, directory: &Directory, faults: &mut Faults) -> Templates {
    let mut read: Vec<(Template, Option<&str>)> = Vec::with_capacity(files.templates.len());
    for file in &files.templates {
        match file.bytes().and_then(|bytes| policy::load_template(&file.name, bytes)) {
            Ok(template) => read.push((template, note(files, &file.name))),
            Err(more) => faults.extend(more),
        }
    }
    Templates::new(read, directory.authorities()).unwrap_or_else(|more| {
        faults.extend(more);
        Templates::default()
    })
}

/// The signatures beside a template, if they are text.
fn note<'f>(files: &'f RulesetFiles, template: &str) -> Option<&'f str> {
    let name = signature_file(template);
    let file = files.signatures.iter().find(|file| file.name == name)?;
    std::str::from_utf8(file.held()?).ok()
}
