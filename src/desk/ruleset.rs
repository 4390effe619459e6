//! The ruleset: one immutable compiled snapshot of directory, agreements, guardrails, contracts and
//! source mappings, with one digest. An exchange runs wholly under one.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use jiff::civil::Date;

use crate::config::Gateway;
use crate::contract::{self, Checker};
use crate::directory::{self, Directory};
use crate::model::{
    AgreementId, AgreementRef, Contract, Digest, Fault, Faults, MemberClass, MemberId, Operation, OperationId,
};
use crate::policy::{self, Agreement, Decider, KeyRing, Register, against_members};
use crate::source::{self, OnUnlisted, Source};

use super::compile::{Bench, Source as Coming};
use super::files::{RulesetFile, RulesetFiles};
use super::terms::Terms;

/// Everything an exchange is decided and answered by.
pub struct Ruleset {
    pub digest: Digest,
    /// Counts up with every load, so that a connection knows to ask again who its peer is.
    pub epoch: u64,
    pub directory: Directory,
    pub register: Register,
    pub decider: Decider,
    pub files: RulesetFiles,
    offers: HashMap<String, HashMap<String, Arc<Offer>>>,
    /// Of each agreement a few: one for each operation.
    terms: HashMap<AgreementRef, Box<[Arc<Terms>]>>,
    views: HashMap<AgreementRef, Digest>,
}

/// A dataset this gateway offers, under one major version.
pub struct Offer {
    pub contract: Contract,
    pub source: Arc<Source>,
    pub synthetic: bool,
    pub on_unlisted: OnUnlisted,
    /// Secrets and certificates of the source: no evidence is kept of them, but a change reloads.
    pub secrets: Vec<PathBuf>,
    operations: HashMap<String, Arc<OfferedOperation>>,
}

/// One operation and the validator of its questions, compiled on first use.
pub struct OfferedOperation {
    pub operation: Arc<Operation>,
    checker: OnceLock<Result<Checker, String>>,
}

impl OfferedOperation {
    /// The validator of questions.
    pub fn question_checker(&self) -> Result<&Checker, &str> {
        let made = self.checker.get_or_init(|| Checker::compile(&self.operation.question_schema));
        made.as_ref().map_err(String::as_str)
    }
}

impl Offer {
    /// The operation at a path below `/{dataset}/v{major}`.
    pub fn operation_at(&self, path: &str) -> Option<&Arc<OfferedOperation>> {
        self.operations.get(path)
    }

    pub fn operations(&self) -> impl Iterator<Item = &Arc<OfferedOperation>> {
        self.operations.values()
    }
}

/// What a load needs from outside the files.
pub struct Circumstances<'a> {
    /// The highest version of an agreement the ledger has seen in force.
    pub seen: &'a (dyn Fn(&AgreementId) -> Option<u32> + Sync),
    /// The ruleset a reload replaces: limits go on counting, epochs go on.
    pub before: Option<&'a Ruleset>,
    /// The master key of pseudonyms.
    pub pseudonym_master: &'a [u8; 32],
}

impl Ruleset {
    /// Reads and compiles everything. All faults at once.
    pub fn load(gateway: &Gateway, circumstances: &Circumstances<'_>) -> Result<Self, Faults> {
        let mut files = RulesetFiles::read(gateway)?;
        let mut faults = Faults::default();
        let directory = read_directory(gateway, &mut files).map_err(|more| faults.extend(more)).ok();
        let offers = read_offers(gateway, &mut files, circumstances.before, &mut faults);
        let all_offered = faults.is_empty();
        let Some(directory) = directory else {
            faults.extend(faults_of_agreements(&files.agreements));
            return Err(faults);
        };
        let ring = key_ring(gateway, &directory).unwrap_or_else(|more| {
            faults.extend(more);
            KeyRing::default()
        });
        let material = Material { files, directory, ring, offers, all_offered, before: None };
        material.compile(gateway, circumstances, faults)
    }

    /// The ruleset before with the members' file as it is now, for when other files are at fault: who may
    /// connect and whose signature counts must not wait for a typo elsewhere. What was agreed, offered and
    /// forbidden stays as it was; agreements the new directory has no members for are left out. `None` if
    /// the members' file and the anchors are as before.
    pub fn with_directory(
        gateway: &Gateway,
        circumstances: &Circumstances<'_>,
    ) -> Result<Option<Self>, Faults> {
        let Some(before) = circumstances.before else { return Ok(None) };
        let mut faults = Faults::default();
        let mut members = RulesetFiles::members_alone(gateway, &mut faults);
        faults.into_result()?;
        let directory = read_directory(gateway, &mut members)?;
        if directory.digest() == before.directory.digest() {
            return Ok(None);
        }
        let ring = key_ring(gateway, &directory)?;
        let agreements = before.register.all().iter().map(|entry| Arc::clone(&entry.agreement));
        let agreements = agreements
            .filter(|agreement| against_members(agreement, |member| class_of(&directory, member)).is_empty())
            .collect();
        let files = before.files.with_members(members, before.directory.files());
        let offers = before.offers.clone();
        let material =
            Material { files, directory, ring, offers, all_offered: true, before: Some(agreements) };
        material.compile(gateway, circumstances, Faults::default()).map(Some)
    }

    /// The agreements in force on this day, with the digests of their bytes.
    pub fn in_force(&self, today: Date) -> Vec<(AgreementRef, Digest)> {
        let all = self.register.all().iter().filter(|entry| entry.standing.in_force(today));
        all.map(|entry| (entry.agreement.reference.clone(), entry.agreement.digest)).collect()
    }

    /// The dataset `id` at major version `major`, both as spelt in a path.
    pub fn offer(&self, dataset: &str, major: &str) -> Option<&Arc<Offer>> {
        self.offers.get(dataset)?.get(major)
    }

    pub fn offers(&self) -> impl Iterator<Item = &Arc<Offer>> {
        self.offers.values().flat_map(HashMap::values)
    }

    pub fn terms(&self, agreement: &AgreementRef, operation: &OperationId) -> Option<&Arc<Terms>> {
        self.terms.get(agreement)?.iter().find(|terms| terms.operation().id == *operation)
    }

    /// The view of an agreement as computed now: what `tolbooth agreement seal` seals.
    pub fn view(&self, agreement: &AgreementRef) -> Option<Digest> {
        self.views.get(agreement).copied()
    }

    /// Compiles what is otherwise compiled on first use, for `tolbooth check`.
    pub fn compile_all(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        for offer in self.offers() {
            for operation in offer.operations() {
                if operation.question_checker().is_err() {
                    let message = format!("the question of `{}` does not compile", operation.operation.id);
                    faults.push(Fault::new(offer.contract.version.to_string(), None, message));
                }
            }
        }
        for (agreement, terms) in &self.terms {
            for fault in terms.iter().filter_map(|terms| terms.compiled().err()) {
                faults.push(Fault::new(
                    agreement.to_string(),
                    None,
                    format!("its view does not compile: {fault}"),
                ));
            }
        }
        faults.into_result()
    }
}

/// What a ruleset is compiled from.
struct Material {
    files: RulesetFiles,
    directory: Directory,
    ring: KeyRing,
    offers: Offers,
    /// Whether every dataset file could be read.
    all_offered: bool,
    /// The agreements of the ruleset before; else those of the files.
    before: Option<Vec<Arc<Agreement>>>,
}

impl Material {
    fn compile(
        self,
        gateway: &Gateway,
        circumstances: &Circumstances<'_>,
        mut faults: Faults,
    ) -> Result<Ruleset, Faults> {
        let Self { files, directory, ring, offers, all_offered, before } = self;
        let bench = Bench::new(gateway, &files, (&offers, all_offered), (&directory, &ring), circumstances);
        let agreements = match before {
            Some(before) => before.into_iter().map(Coming::Read).collect(),
            None => files.agreements.iter().map(Coming::File).collect(),
        };
        let compiled = bench.compile(agreements, &mut faults);
        let guardrails: Vec<(String, String)> = guardrails(&files, &mut faults);
        let plain: Vec<Arc<Agreement>> = compiled.iter().map(|one| Arc::clone(&one.agreement)).collect();
        let decider =
            Decider::compile(plain.iter().cloned(), &guardrails).map_err(|more| faults.extend(more)).ok();
        let mut terms = HashMap::new();
        let mut views = HashMap::new();
        let mut judged = Vec::with_capacity(compiled.len());
        for one in compiled {
            views.extend(one.view.map(|view| (one.agreement.reference.clone(), view)));
            terms.insert(one.agreement.reference.clone(), one.terms);
            judged.push((one.agreement, one.standing));
        }
        let before = circumstances.before.map(|before| &before.register);
        let register =
            Register::new(&gateway.member, judged, before).map_err(|more| faults.extend(more)).ok();
        let (Some(decider), Some(register), true) = (decider, register, faults.is_empty()) else {
            return Err(faults);
        };
        let epoch = circumstances.before.map_or(1, |before| before.epoch + 1);
        let digest = files.digest();
        Ok(Ruleset { digest, epoch, directory, register, decider, files, offers, terms, views })
    }
}

/// The officers' keys, in a directory that this gateway's member is in.
fn key_ring(gateway: &Gateway, directory: &Directory) -> Result<KeyRing, Faults> {
    let mut faults = Faults::default();
    if directory.member(&gateway.member).is_none() {
        let message = format!("this gateway's member `{}` is not in it", gateway.member);
        faults.push(Fault::new("members.toml", None, message));
    }
    let ring = KeyRing::new(directory.officers())
        .map_err(|error| faults.push(Fault::new("members.toml", None, error.to_string())));
    faults.into_result().and(ring.map_err(|()| Faults::default()))
}

fn class_of(directory: &Directory, member: &MemberId) -> Option<MemberClass> {
    directory.member(member).map(|member| member.class)
}

fn read_directory(gateway: &Gateway, files: &mut RulesetFiles) -> Result<Directory, Faults> {
    let Some(members) = files.members.clone() else { return Err(Faults::default()) };
    let text = utf8(&members)?;
    let files = std::cell::RefCell::new(files);
    // Paths come relative to the gateway's home, as the name of the file does.
    directory::load(&members.name, text, &|path| files.borrow_mut().named(&gateway.home.join(path)))
}

fn utf8(file: &RulesetFile) -> Result<&str, Faults> {
    let bytes = file.bytes()?;
    std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes.iter().take(error.valid_up_to()).filter(|b| **b == b'\n').count();
        Fault::new(&file.name, Some(line), "is not UTF-8").into()
    })
}

pub(super) type Offers = HashMap<String, HashMap<String, Arc<Offer>>>;

/// What can be read; what cannot is added to `faults`.
fn read_offers(
    gateway: &Gateway,
    files: &mut RulesetFiles,
    before: Option<&Ruleset>,
    faults: &mut Faults,
) -> Offers {
    let mut offers = Offers::new();
    for file in files.datasets.clone() {
        match read_offer(gateway, files, before, &file) {
            Ok(offer) => {
                let version = offer.contract.version.clone();
                let majors = offers.entry(version.dataset.to_string()).or_default();
                if majors.insert(version.major.to_string(), Arc::new(offer)).is_some() {
                    let message = format!("`{version}` is offered by another file too");
                    faults.push(Fault::new(&file.name, None, message));
                }
            }
            Err(more) => faults.extend(more),
        }
    }
    offers
}

fn read_offer(
    gateway: &Gateway,
    files: &mut RulesetFiles,
    before: Option<&Ruleset>,
    file: &RulesetFile,
) -> Result<Offer, Faults> {
    let dataset = source::load(&file.name, utf8(file)?)?;
    let path = gateway.home.join(&dataset.contract);
    let bytes = files.named(&path).map_err(|error| {
        let message = format!("contract `{}` cannot be read: {error}", dataset.contract);
        Faults::from(Fault::new(&file.name, None, message))
    })?;
    let name = dataset.contract.clone();
    // One that has not changed is not compiled again, nor held twice.
    let digest = Digest::of(&bytes);
    let known = before.and_then(|before| before.offers().find(|offer| offer.contract.digest == digest));
    let contract = match known {
        Some(known) => known.contract.clone(),
        None => {
            let not_text = |_| Faults::from(Fault::new(&name, None, "is not UTF-8"));
            contract::load(&name, &String::from_utf8(bytes).map_err(not_text)?)?
        }
    };
    let version = &contract.version;
    let before = before.and_then(|before| before.offer(version.dataset.as_str(), &version.major.to_string()));
    let source =
        Source::build(&dataset, &contract, &gateway.home, before.map(|before| before.source.as_ref()))?;
    let operations = contract
        .operations
        .iter()
        .map(|operation| {
            let offered = OfferedOperation { operation: Arc::clone(operation), checker: OnceLock::new() };
            (operation.path.clone(), Arc::new(offered))
        })
        .collect();
    let (synthetic, on_unlisted) = (dataset.synthetic, dataset.on_unlisted);
    let secrets = dataset.secrets().into_iter().map(|name| gateway.home.join(name)).collect();
    Ok(Offer { contract, source: Arc::new(source), synthetic, on_unlisted, secrets, operations })
}

/// What is wrong with these, whoever the members are.
fn faults_of_agreements(files: &[RulesetFile]) -> Faults {
    let mut faults = Faults::default();
    for file in files {
        let read = file.bytes().and_then(|bytes| policy::load(&file.name, bytes));
        faults.extend(read.err().unwrap_or_default());
    }
    faults
}

fn guardrails(files: &RulesetFiles, faults: &mut Faults) -> Vec<(String, String)> {
    let mut guardrails = Vec::with_capacity(files.guardrails.len());
    for file in &files.guardrails {
        match utf8(file) {
            Ok(text) => guardrails.push((file.name.clone(), text.to_owned())),
            Err(more) => faults.extend(more),
        }
    }
    guardrails
}

/// The member's part of its log's name, such as `glenmore.caledonia.example`.
pub fn log_name(gateway: &Gateway) -> Result<String, Faults> {
    let mut faults = Faults::default();
    let mut files = RulesetFiles::members_alone(gateway, &mut faults);
    faults.into_result()?;
    let directory = read_directory(gateway, &mut files)?;
    Ok(format!("{}.{}", gateway.member, directory.federation()))
}
