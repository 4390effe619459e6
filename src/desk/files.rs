//! The files a ruleset is made of, read once, so that what is compiled, digested and kept as
//! evidence are the same bytes.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::config::Gateway;
use crate::model::{Digest, Fault, Faults, Secret};
use crate::policy::subject_key_file;

use super::spread::spread;

/// Bytes of a file: above the longest that any kind may have, a revocation list's.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The folders of what was agreed, below the policies.
const AGREED: [&str; 2] = ["agreements", "grants"];

/// One file: its name relative to the gateway's home, and its bytes.
#[derive(Debug, Clone)]
pub struct RulesetFile {
    pub name: String,
    /// `None` once they are kept as evidence and nobody here needs them any more.
    bytes: Option<Vec<u8>>,
    pub digest: Digest,
}

impl RulesetFile {
    fn new(name: String, bytes: Vec<u8>) -> Self {
        Self { name, digest: Digest::of(&bytes), bytes: Some(bytes) }
    }

    /// The bytes, unless they were let go: a fault of this program, told as one.
    pub fn bytes(&self) -> Result<&[u8], Faults> {
        self.held().ok_or_else(|| Fault::new(&self.name, None, "was let go: please report this").into())
    }

    /// The bytes, unless they are evidence already.
    pub fn held(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }
}

/// All files of one load, by kind, each kind in order of name.
#[derive(Debug, Default)]
pub struct RulesetFiles {
    home: PathBuf,
    pub members: Option<RulesetFile>,
    pub agreements: Vec<RulesetFile>,
    pub signatures: Vec<RulesetFile>,
    pub templates: Vec<RulesetFile>,
    /// What officers did since they signed.
    pub acts: Vec<RulesetFile>,
    pub datasets: Vec<RulesetFile>,
    pub guardrails: Vec<RulesetFile>,
    pub issuers: Vec<RulesetFile>,
    /// Contracts, anchors, revocation lists and issuers' keys, which other files name.
    pub named: Vec<RulesetFile>,
    /// Keys of grants' commitments by file: secrets, and so neither evidence nor part of the digest.
    subject_keys: BTreeMap<String, Secret>,
}

impl RulesetFiles {
    /// Reads `members.toml` and the folders of `policies`. A folder that is not there is empty.
    pub fn read(gateway: &Gateway) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mut files = Self::members_alone(gateway, &mut faults);
        for folder in AGREED {
            let folder = gateway.policies.join(folder);
            files.agreements.extend(files.folder(&folder, "toml", &mut faults));
            files.signatures.extend(files.folder(&folder, "sig", &mut faults));
        }
        files.acts = Self::acts_alone(gateway, &mut faults);
        let folder = gateway.policies.join("templates");
        files.templates = files.folder(&folder, "toml", &mut faults);
        files.signatures.extend(files.folder(&folder, "sig", &mut faults));
        files.subject_keys = files.secrets(&gateway.policies.join("grants"), &mut faults);
        files.datasets = files.folder(&gateway.policies.join("datasets"), "toml", &mut faults);
        files.guardrails = files.folder(&gateway.policies.join("guardrails"), "cedar", &mut faults);
        files.issuers = files.folder(&gateway.policies.join("issuers"), "toml", &mut faults);
        faults.into_result().map(|()| files)
    }

    /// Reads what officers did and nothing else.
    pub(super) fn acts_alone(gateway: &Gateway, faults: &mut Faults) -> Vec<RulesetFile> {
        let files = Self { home: gateway.home.clone(), ..Self::default() };
        let folders = AGREED.iter().map(|folder| gateway.policies.join(folder));
        folders.flat_map(|folder| files.folder(&folder, "act", faults)).collect()
    }

    /// Files that lie beside those of a ruleset and are none of it, in order of name: what they say is not in force.
    pub(super) fn beside(
        gateway: &Gateway,
        folder: &Path,
        extension: &str,
        faults: &mut Faults,
    ) -> Vec<RulesetFile> {
        let files = Self { home: gateway.home.clone(), ..Self::default() };
        files.folder(folder, extension, faults)
    }

    /// Reads `members.toml` and nothing else.
    pub(super) fn members_alone(gateway: &Gateway, faults: &mut Faults) -> Self {
        let mut files = Self { home: gateway.home.clone(), ..Self::default() };
        files.members = files.one(&gateway.members, faults);
        files
    }

    /// A members' file that was read before, and nothing else.
    pub(super) fn of_members(gateway: &Gateway, members: RulesetFile) -> Self {
        Self { home: gateway.home.clone(), members: Some(members), ..Self::default() }
    }

    /// These files with another members' file and the anchors it names, in place of those that were read
    /// for the directory before.
    pub(super) fn with_members(&self, members: Self, before: &[(PathBuf, Vec<u8>)]) -> Self {
        let replaced: Vec<String> = before.iter().map(|(path, _)| path.display().to_string()).collect();
        let kept = self.named.iter().filter(|file| !replaced.contains(&file.name)).cloned();
        Self {
            home: self.home.clone(),
            members: members.members,
            agreements: self.agreements.clone(),
            signatures: self.signatures.clone(),
            templates: self.templates.clone(),
            acts: self.acts.clone(),
            datasets: self.datasets.clone(),
            guardrails: self.guardrails.clone(),
            issuers: self.issuers.clone(),
            subject_keys: self.subject_keys.clone(),
            named: kept.chain(members.named).collect(),
        }
    }

    /// Reads a file that another file names, once, and keeps it.
    pub fn named(&mut self, path: &Path) -> std::io::Result<Vec<u8>> {
        let name = self.name_of(path);
        if let Some(bytes) = self.named.iter().find(|file| file.name == name).and_then(RulesetFile::held) {
            return Ok(bytes.to_vec());
        }
        let bytes = read_bounded(path)?;
        self.named.push(RulesetFile::new(name, bytes.clone()));
        Ok(bytes)
    }

    /// Every file is kept as evidence: what is not read again by [`with_members`](Self::with_members) is let
    /// go of.
    pub fn are_kept(&mut self) {
        for file in self.agreements.iter_mut().chain(&mut self.datasets).chain(&mut self.named) {
            file.bytes = None;
        }
    }

    /// Keeps a file that another file names with these bytes, whatever was read.
    pub(super) fn hold(&mut self, path: &Path, bytes: &[u8]) {
        let file = RulesetFile::new(self.name_of(path), bytes.to_vec());
        match self.named.iter_mut().find(|held| held.name == file.name) {
            Some(held) if held.digest == file.digest => {}
            Some(held) => *held = file,
            None => self.named.push(file),
        }
    }

    /// Every file, in order of name.
    pub fn all(&self) -> Vec<&RulesetFile> {
        let policies = [&self.agreements, &self.signatures, &self.acts, &self.datasets, &self.guardrails];
        let kinds = policies.into_iter().chain([&self.templates, &self.issuers, &self.named]);
        let mut all: Vec<_> = self.members.iter().chain(kinds.flatten()).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// One digest for them all: over the lines `digest name` in order of name.
    pub fn digest(&self) -> Digest {
        let lines: String =
            self.all().iter().map(|file| format!("{} {}\n", file.digest.hex(), file.name)).collect();
        Digest::of(lines.as_bytes())
    }

    fn one(&self, path: &Path, faults: &mut Faults) -> Option<RulesetFile> {
        self.read_one(path).map_err(|fault| faults.push(fault)).ok()
    }

    fn read_one(&self, path: &Path) -> Result<RulesetFile, Fault> {
        let name = self.name_of(path);
        match read_bounded(path) {
            Ok(bytes) => Ok(RulesetFile::new(name, bytes)),
            Err(error) => Err(Fault::new(name, None, format!("cannot be read: {error}"))),
        }
    }

    fn folder(&self, path: &Path, extension: &str, faults: &mut Faults) -> Vec<RulesetFile> {
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                faults.push(Fault::new(self.name_of(path), None, format!("cannot be read: {error}")));
                return Vec::new();
            }
        };
        // A file that is not seen could be a guardrail.
        let listed: std::io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
        let unlisted =
            |error| faults.push(Fault::new(self.name_of(path), None, format!("cannot be read: {error}")));
        let mut paths: Vec<PathBuf> = listed
            .map_err(unlisted)
            .unwrap_or_default()
            .into_iter()
            .filter(|path| path.extension().is_some_and(|found| found == extension))
            // Editors leave hidden files beside the ones they write.
            .filter(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')))
            .collect();
        paths.sort();
        let mut files = Vec::with_capacity(paths.len());
        for (path, read) in paths.iter().zip(spread(paths.iter().collect(), |path| self.read_one(path))) {
            match read {
                Some(Ok(file)) => files.push(file),
                Some(Err(fault)) => faults.push(fault),
                None => faults.push(Fault::new(self.name_of(path), None, "was not read: please report this")),
            }
        }
        files
    }

    /// Keys of grants' commitments. What is no text is no key, and is found missing when it is needed.
    fn secrets(&self, path: &Path, faults: &mut Faults) -> BTreeMap<String, Secret> {
        let files = self.folder(path, "subject-key", faults).into_iter();
        let text = |file: RulesetFile| Some((file.name, Secret::new(String::from_utf8(file.bytes?).ok()?)));
        files.filter_map(text).collect()
    }

    /// The key of a grant's commitments, if it lies beside the grant.
    pub fn subject_key(&self, grant: &str) -> Option<&Secret> {
        self.subject_keys.get(&subject_key_file(grant))
    }

    fn name_of(&self, path: &Path) -> String {
        path.strip_prefix(&self.home).unwrap_or(path).display().to_string()
    }
}

/// Reads a regular file: a pipe would hold up every reload until somebody wrote to it.
pub fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(std::io::Error::other("it is longer than any such file may be"));
    }
    Ok(bytes)
}
