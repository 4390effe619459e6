//! The rules a record ran under, read again from the bytes that were kept: no file of today is looked at.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::contract;
use crate::desk::view::{self, OperationView};
use crate::directory::{self, Directory};
use crate::minimise;
use crate::model::{Contract, Digest, Faults};
use crate::policy::{self, Agreement, Decider, KeyRing, Scope, signature_file};
use crate::source::{self, Source};

use super::record::Manifest;

/// The files of a ruleset by name.
pub(super) struct Rules<'p>(BTreeMap<&'p str, &'p [u8]>);

/// A contract and the mapping its answers were made by.
pub(super) struct Offered {
    pub contract: Contract,
    mappings: source::Mappings,
    pub synthetic: bool,
}

impl<'p> Rules<'p> {
    /// The files a manifest names, as far as they are what it names.
    pub fn of(manifest: &'p Manifest, evidence: &'p BTreeMap<Digest, Vec<u8>>) -> Self {
        let file = |(name, digest): &'p (String, String)| {
            let digest = Digest::parse(digest)?;
            let bytes = evidence.get(&digest).filter(|bytes| Digest::of(bytes) == digest)?;
            Some((name.as_str(), bytes.as_slice()))
        };
        Self(manifest.files.iter().filter_map(file).collect())
    }

    /// Files in a folder of this name, with this ending.
    fn of_kind(&self, folder: &str, ending: &str) -> impl Iterator<Item = (&'p str, &'p [u8])> {
        let is = move |name: &str| {
            let mut steps = name.rsplit('/');
            steps.next().is_some_and(|file| file.ends_with(ending)) && steps.next() == Some(folder)
        };
        self.0.iter().map(|(name, bytes)| (*name, *bytes)).filter(move |(name, _)| is(name))
    }

    /// The members, from the members' file and the files it names: the one list of TOML that lies in no folder
    /// of policies.
    pub fn directory(&self) -> Result<Directory, String> {
        const FOLDERS: [&str; 5] = ["agreements", "grants", "templates", "datasets", "issuers"];
        let is_policy = |name: &str| name.rsplit('/').nth(1).is_some_and(|folder| FOLDERS.contains(&folder));
        let mut lists = self.0.iter().filter(|(name, _)| name.ends_with(".toml") && !is_policy(name));
        let (Some((name, bytes)), None) = (lists.next(), lists.next()) else {
            return Err("the ruleset has not one members' file".to_owned());
        };
        let read = |path: &Path| {
            let bytes = path.to_str().and_then(|name| self.0.get(name));
            bytes.map(|bytes| bytes.to_vec()).ok_or(io::Error::from(io::ErrorKind::NotFound))
        };
        let text = text(name, bytes)?;
        directory::load(name, text, &read, None).map_err(|faults| first(&faults))
    }

    /// The agreement of these exact bytes.
    pub fn agreement(&self, digest: &Digest) -> Result<Agreement, String> {
        let mut files = self.of_kind("agreements", ".toml").chain(self.of_kind("grants", ".toml"));
        let (name, bytes) = files
            .find(|(_, bytes)| Digest::of(bytes) == *digest)
            .ok_or("no agreement of the ruleset has the digest the record names")?;
        policy::load(name, bytes).map_err(|faults| first(&faults))
    }

    /// The signatures that lay beside an agreement.
    pub fn note(&self, agreement: &Agreement) -> Option<&'p str> {
        std::str::from_utf8(self.0.get(&*signature_file(&agreement.file))?).ok()
    }

    /// The contract of an agreement's dataset and how its source was read.
    pub fn offered(&self, agreement: &Agreement) -> Result<Offered, String> {
        for (name, bytes) in self.of_kind("datasets", ".toml") {
            let file = source::load(name, text(name, bytes)?).map_err(|faults| first(&faults))?;
            let contract = self.0.get(&*file.contract).ok_or("a contract of the ruleset is not in it")?;
            let contract = contract::load(&file.contract, text(&file.contract, contract)?);
            let contract = contract.map_err(|faults| first(&faults))?;
            if contract.version == agreement.dataset {
                let mappings = Source::mappings(&file, &contract).map_err(|faults| first(&faults))?;
                return Ok(Offered { contract, mappings, synthetic: file.synthetic });
            }
        }
        Err(format!("no dataset file of the ruleset offers {}", agreement.dataset))
    }

    /// The agreement's permit and every guardrail, compiled.
    pub fn decider(&self, agreement: &Agreement) -> Result<(Decider, usize), String> {
        let mut guardrails = Vec::new();
        for (name, bytes) in self.of_kind("guardrails", ".cedar") {
            guardrails.push((name.to_owned(), text(name, bytes)?.to_owned()));
        }
        let decider = Decider::compile([Arc::new(agreement.clone())], &guardrails);
        Ok((decider.map_err(|faults| first(&faults))?, guardrails.len()))
    }
}

impl Offered {
    /// The view of an agreement, computed as when it was sealed.
    pub fn view(&self, agreement: &Agreement) -> Result<Digest, String> {
        let mut parts = Vec::new();
        for id in &agreement.operations {
            let operation = self.contract.operation(id).ok_or("the contract lacks an operation")?;
            let view = minimise::view(operation, &agreement.release)
                .map_err(|faults| faults.into_iter().next().unwrap_or_default())?;
            parts.push((id, view.schema, self.mappings.get(id).cloned().unwrap_or_default()));
        }
        let views: Vec<OperationView<'_>> = parts
            .iter()
            .map(|(operation, schema, mapping)| OperationView { operation, schema, mapping })
            .collect();
        Ok(view::digest(&agreement.dataset, &agreement.release, &views))
    }

    /// What guardrails were told of the agreement and an operation.
    pub fn scope(&self, agreement: &Agreement, operation: &str) -> Option<Scope> {
        let operation = self.contract.operations.iter().find(|known| known.id.as_str() == operation)?;
        Some(Scope::new(agreement, operation))
    }
}

/// The officers' keys of all members.
pub(super) fn ring(directory: &Directory) -> Result<KeyRing, String> {
    KeyRing::new(directory.officers()).map_err(|fault| fault.to_string())
}

fn text<'b>(name: &str, bytes: &'b [u8]) -> Result<&'b str, String> {
    std::str::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8"))
}

fn first(faults: &Faults) -> String {
    faults.0.first().map(ToString::to_string).unwrap_or_default()
}
