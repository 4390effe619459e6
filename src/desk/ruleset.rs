//! The ruleset: one immutable compiled snapshot of directory, agreements, guardrails, contracts and
//! source mappings, with one digest. An exchange runs wholly under one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use jiff::civil::Date;

use crate::config::Gateway;
use crate::contract::{self, Checker};
use crate::directory::{self, Directory};
use crate::model::{
    AgreementId, AgreementRef, Contract, Digest, Fault, Faults, Life, MemberClass, MemberId, Operation,
    OperationId,
};
use crate::policy::{self, Agreement, CountedAct, Decider, KeyRing, Register};
use crate::source::{self, OnUnlisted, Source};
use crate::token::Outsiders;

use super::compile::{Bench, Source as Coming, faults_of_agreements, guardrails, guardrails_gone, read_acts};
use super::files::{RulesetFile, RulesetFiles};
use super::issuers;
use super::synthetic::Sandbox;
use super::templates;
use super::terms::Terms;

/// Everything an exchange is decided and answered by. What only a change of policies makes anew is shared by
/// pointer with the ruleset before.
pub struct Ruleset {
    pub digest: Digest,
    /// Counts up with every load, so that a connection knows to ask again who its peer is.
    pub epoch: u64,
    pub directory: Directory,
    pub register: Arc<Register>,
    pub decider: Arc<Decider>,
    pub files: RulesetFiles,
    pub(super) offers: Arc<Offers>,
    /// Of each agreement a few: one for each operation.
    pub(super) terms: Arc<HashMap<AgreementRef, Box<[Arc<Terms>]>>>,
    pub(super) views: Arc<HashMap<AgreementRef, Digest>>,
    /// What officers did to these agreements, as far as files say: on the record before the ruleset is in force.
    pub acts: Arc<[CountedAct]>,
    /// Issuers of others whose tokens are accepted.
    pub outsiders: Arc<Outsiders>,
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
    /// The highest version of an agreement the ledger has seen in force, and the digest of its bytes.
    pub seen: &'a (dyn Fn(&AgreementId) -> Option<(u32, Digest)> + Sync),
    /// What the ledger knows of acts on agreements.
    pub life: &'a Life,
    /// The ruleset a reload replaces: limits go on counting, epochs go on.
    pub before: Option<&'a Ruleset>,
    /// The master key of pseudonyms.
    pub pseudonym_master: &'a [u8; 32],
    /// The day rows of a sandbox are made for.
    pub today: Date,
}

impl Ruleset {
    /// Reads and compiles everything. All faults at once.
    pub fn load(gateway: &Gateway, circumstances: &Circumstances<'_>) -> Result<Self, Faults> {
        let mut files = RulesetFiles::read(gateway)?;
        let mut faults = Faults::default();
        faults.extend(guardrails_gone(gateway, circumstances.before.map(|before| &before.files)));
        let before = circumstances.before.map(|before| &before.directory);
        let directory = read_directory(gateway, &mut files, before).map_err(|more| faults.extend(more)).ok();
        // A sandbox makes rows that its agreements admit; what is wrong with one is told when it is compiled.
        let read = |file: &RulesetFile| policy::load(&file.name, file.bytes().ok()?).ok();
        let agreements: Vec<Agreement> =
            if gateway.in_sandbox { files.agreements.iter().filter_map(read).collect() } else { Vec::new() };
        let sandbox =
            gateway.in_sandbox.then_some(Sandbox { agreements: &agreements, today: circumstances.today });
        let offers = read_offers(gateway, &mut files, circumstances.before, sandbox, &mut faults);
        let all_offered = faults.is_empty();
        let outsiders = Arc::new(issuers::read(gateway, &mut files, circumstances.before, &mut faults));
        let Some(directory) = directory else {
            faults.extend(faults_of_agreements(&files.agreements));
            return Err(faults);
        };
        let ring = key_ring(gateway, &directory).unwrap_or_else(|more| {
            faults.extend(more);
            KeyRing::default()
        });
        faults.extend(issuers::against_members(&outsiders, &directory));
        let offers = Arc::new(offers);
        let material = Material { files, directory, ring, offers, outsiders, all_offered, before: None };
        material.compile(gateway, circumstances, faults)
    }

    /// The digest a ruleset of the files as they are would have, as far as they can be read: what is refused is
    /// named by it.
    pub fn digest_of(gateway: &Gateway) -> Option<Digest> {
        let mut files = RulesetFiles::read(gateway).ok()?;
        let _unread = read_directory(gateway, &mut files, None);
        for file in files.datasets.clone() {
            let named = utf8(&file).ok().and_then(|text| source::load(&file.name, text).ok());
            if let Some(dataset) = named {
                let _unread = files.named(&gateway.home.join(&dataset.contract));
            }
        }
        Some(files.digest())
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
        for (agreement, terms) in self.terms.iter() {
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
pub(super) struct Material {
    pub(super) files: RulesetFiles,
    pub(super) directory: Directory,
    pub(super) ring: KeyRing,
    pub(super) offers: Arc<Offers>,
    pub(super) outsiders: Arc<Outsiders>,
    /// Whether every dataset file could be read.
    pub(super) all_offered: bool,
    /// The agreements of the ruleset before; else those of the files.
    pub(super) before: Option<Vec<Arc<Agreement>>>,
}

impl Material {
    pub(super) fn compile(
        self,
        gateway: &Gateway,
        circumstances: &Circumstances<'_>,
        mut faults: Faults,
    ) -> Result<Ruleset, Faults> {
        let Self { files, directory, ring, offers, outsiders, all_offered, before } = self;
        let templates = templates::read(&files, &directory, &mut faults);
        let keys = (&directory, &ring, &templates);
        let acts = read_acts(&files, &mut faults);
        let bench = Bench::new(gateway, &files, (&offers, all_offered), keys, circumstances);
        let bench = bench.with_acts(acts);
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
        let mut acts = Vec::new();
        for mut one in compiled {
            acts.append(&mut one.acts);
            views.extend(one.view.map(|view| (one.agreement.reference.clone(), view)));
            terms.insert(one.agreement.reference.clone(), one.terms);
            judged.push((one.agreement, one.standing));
        }
        let before = circumstances.before.map(|before| before.register.as_ref());
        let register =
            Register::new(&gateway.member, judged, before).map_err(|more| faults.extend(more)).ok();
        let (Some(decider), Some(register), true) = (decider, register, faults.is_empty()) else {
            return Err(faults);
        };
        let epoch = circumstances.before.map_or(1, |before| before.epoch + 1);
        let digest = files.digest();
        let (register, decider) = (Arc::new(register), Arc::new(decider));
        let (terms, views, acts) = (Arc::new(terms), Arc::new(views), acts.into());
        Ok(Ruleset {
            digest,
            epoch,
            directory,
            register,
            decider,
            files,
            outsiders,
            offers,
            terms,
            views,
            acts,
        })
    }
}

/// The officers' keys, in a directory that this gateway's member is in.
pub(super) fn key_ring(gateway: &Gateway, directory: &Directory) -> Result<KeyRing, Faults> {
    let mut faults = Faults::default();
    if directory.member(&gateway.member).is_none() {
        let message = format!("this gateway's member `{}` is not in it", gateway.member);
        faults.push(Fault::new("members.toml", None, message));
    }
    let ring = KeyRing::new(directory.officers())
        .map_err(|error| faults.push(Fault::new("members.toml", None, error.to_string())));
    faults.into_result().and(ring.map_err(|()| Faults::default()))
}

pub(super) fn class_of(directory: &Directory, member: &MemberId) -> Option<MemberClass> {
    directory.member(member).map(|member| member.class)
}

pub(super) fn read_directory(
    gateway: &Gateway,
    files: &mut RulesetFiles,
    before: Option<&Directory>,
) -> Result<Directory, Faults> {
    let Some(members) = files.members.clone() else { return Err(Faults::default()) };
    let text = utf8(&members)?;
    let shelf = std::cell::RefCell::new(&mut *files);
    // Paths come relative to the gateway's home, as the name of the file does.
    let read = |path: &Path| shelf.borrow_mut().named(&gateway.home.join(path));
    let directory = directory::load(&members.name, text, &read, before)?;
    // What is on the record is what is in force: of a list that could not be taken, the one before.
    for (path, bytes) in directory.files().iter().skip(1) {
        files.hold(&gateway.home.join(path), bytes);
    }
    if !gateway.in_sandbox {
        return Ok(directory);
    }
    let ca = &gateway.sandbox.ca;
    let name = ca.display().to_string();
    let bytes = files.named(ca).map_err(|error| {
        Fault::new(&name, None, format!("the sandbox's CA cannot be read: {error}"))
            .with_help("`tolbooth certs sandbox` makes one")
    })?;
    directory.into_sandbox(&name, bytes)
}

pub(super) fn utf8(file: &RulesetFile) -> Result<&str, Faults> {
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
    sandbox: Option<Sandbox<'_>>,
    faults: &mut Faults,
) -> Offers {
    let mut offers = Offers::new();
    for file in files.datasets.clone() {
        match read_offer(gateway, files, before, sandbox, &file) {
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
    sandbox: Option<Sandbox<'_>>,
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
    let source = match sandbox {
        // The source the file names is neither connected to nor read.
        Some(sandbox) => sandbox.source(&name, &contract)?,
        None => {
            Source::build(&dataset, &contract, &gateway.home, before.map(|before| before.source.as_ref()))?
        }
    };
    let operations = contract
        .operations
        .iter()
        .map(|operation| {
            let offered = OfferedOperation { operation: Arc::clone(operation), checker: OnceLock::new() };
            (operation.path.clone(), Arc::new(offered))
        })
        .collect();
    let (synthetic, on_unlisted) = (dataset.synthetic || sandbox.is_some(), dataset.on_unlisted);
    let secrets = dataset
        .secrets()
        .into_iter()
        .filter(|_| sandbox.is_none())
        .map(|name| gateway.home.join(name))
        .collect();
    Ok(Offer { contract, source: Arc::new(source), synthetic, on_unlisted, secrets, operations })
}

/// The member's part of its log's name, such as `glenmore.caledonia.example`.
pub fn log_name(gateway: &Gateway) -> Result<String, Faults> {
    let mut faults = Faults::default();
    let mut files = RulesetFiles::members_alone(gateway, &mut faults);
    faults.into_result()?;
    let directory = read_directory(gateway, &mut files, None)?;
    Ok(format!("{}.{}", gateway.member, directory.federation()))
}
