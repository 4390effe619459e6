//! That the files in the pack are those of the record's ruleset, and whose log it is.

use crate::model::Digest;

use super::super::finding::{Found, not_proven, wrong};
use super::super::record::Manifest;
use super::{Case, Law};

impl Case<'_> {
    /// The list of the ruleset's files, if it is the one the entry names.
    pub(super) fn manifest(&self) -> Option<Manifest> {
        let digest = Digest::parse(&self.entry.as_ref()?.manifest)?;
        let bytes = self.pack.evidence.get(&digest).filter(|bytes| Digest::of(bytes) == digest)?;
        Manifest::read(bytes)
    }

    pub(super) fn files(&self, manifest: Option<&Manifest>) -> Found {
        if self.entry.is_none() {
            return not_proven("anything of the ruleset's files: its entry is not there or does not read");
        }
        let Some(manifest) = manifest else {
            return wrong("the list of the ruleset's files is not in the pack as its entry names it");
        };
        let digest = manifest.digest().to_string();
        if manifest.ruleset != self.exchange.ruleset || digest != self.exchange.ruleset {
            return wrong("the list of files is of another ruleset than the record names");
        }
        for (name, digest) in &manifest.files {
            let digest = Digest::parse(digest).ok_or_else(|| format!("{name} has no digest"))?;
            match self.pack.evidence.get(&digest) {
                None => return wrong(format!("{name} is not in the pack")),
                Some(bytes) if Digest::of(bytes) != digest => {
                    return wrong(format!("{name} is not the file the ruleset was made of"));
                }
                Some(_) => {}
            }
        }
        Ok(format!("all {} files of the ruleset are here as they were", manifest.files.len()))
    }

    pub(super) fn members(&self, law: &Law<'_>) -> Found {
        let directory = law.directory.as_ref().map_err(Clone::clone)?;
        let log = format!("{}.{}/", self.exchange.provider, directory.federation());
        if !self.key.name().starts_with(&log) {
            return wrong(
                "the log is not one of the member that answered, in the federation of the members' file",
            );
        }
        Ok(format!("the log is one of {} in {}", self.exchange.provider, directory.federation()))
    }

    pub(super) fn nothing_agreed(&self) -> Found {
        if self.exchange.rows > 0 || self.exchange.fields.as_ref().is_none_or(|fields| !fields.is_empty()) {
            return wrong("the record says that something was released, and names no agreement");
        }
        Ok(format!("nothing was released: the caller was told {}", self.told()))
    }

    pub(in crate::desk::evidence) fn told(&self) -> String {
        match &self.exchange.code {
            Some(code) => format!("{} ({code})", self.exchange.outcome),
            None => self.exchange.outcome.clone(),
        }
    }
}
