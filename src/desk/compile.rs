//! Compiling agreements against the contracts and mappings they speak of: terms to answer under,
//! and the standing they have. Spread over the machine's cores, since a gateway with a thousand
//! agreements should be ready at once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::config::Gateway;
use crate::directory::Directory;
use crate::minimise::{self, Projection, Pseudonyms};
use crate::model::{AgreementRef, Digest, Fault, Faults, Life, LifeEvent, Mapping, Operation};
use crate::policy::{
    self, Agreement, CountedAct, Grounds, KeyRing, SignedAct, Standing, Templates, against_grant,
    against_members, against_operation, signature_file, standing,
};

use super::files::{RulesetFile, RulesetFiles};
use super::leaving::{Alike, Leaving, Outflow, Outflows};
use super::ruleset::{Circumstances, Offer, Offers, class_of, utf8};
use super::spread::spread;
use super::terms::Terms;
use super::view::{self, OperationView};

/// Counts up when the pseudonym master is made anew.
const GENERATION: u32 = 1;

/// An agreement on its way into a ruleset.
pub(super) enum Source<'a> {
    File(&'a RulesetFile),
    /// Of the ruleset before.
    Read(Arc<Agreement>),
}

/// Where agreements are compiled.
pub(super) struct Bench<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) offers: &'a Offers,
    /// Whether every dataset file could be read: else one that is missing is no fault of an agreement.
    pub(super) all_offered: bool,
    pub(super) directory: &'a Directory,
    pub(super) ring: &'a KeyRing,
    pub(super) templates: &'a Templates,
    pub(super) circumstances: &'a Circumstances<'a>,
    pseudonyms: Arc<Pseudonyms>,
    /// The files of signatures by name.
    signatures: HashMap<&'a str, &'a RulesetFile>,
    /// The agreements of the ruleset before by the digest of their bytes: what has not changed is not read
    /// again, nor held twice.
    before: HashMap<Digest, &'a Arc<Agreement>>,
    outflows: Outflows,
    /// What files say that officers did.
    acts: Acts,
}

/// Acts by the agreement they are on.
pub(super) type Acts = HashMap<AgreementRef, Vec<SignedAct>>;

/// Reads every file of an act; one that does not read is a fault.
pub(super) fn read_acts(files: &RulesetFiles, faults: &mut Faults) -> Acts {
    let mut acts = Acts::new();
    for file in &files.acts {
        match file.bytes().and_then(|bytes| SignedAct::read(&file.name, bytes)) {
            Ok(signed) => acts.entry(signed.act.agreement.clone()).or_default().push(signed),
            Err(more) => faults.extend(more),
        }
    }
    acts
}

/// An agreement ready for the register.
pub(super) struct Compiled {
    pub(super) agreement: Arc<Agreement>,
    pub(super) standing: Standing,
    /// The view as computed now, which a seal must be over.
    pub(super) view: Option<Digest>,
    pub(super) terms: Box<[Arc<Terms>]>,
    /// What officers did to it.
    pub(super) acts: Vec<CountedAct>,
}

/// One operation of an agreement, compiled.
struct Part {
    operation: Arc<Operation>,
    mapping: Mapping,
    schema: Value,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        gateway: &'a Gateway,
        files: &'a RulesetFiles,
        (offers, all_offered): (&'a Offers, bool),
        (directory, ring, templates): (&'a Directory, &'a KeyRing, &'a Templates),
        circumstances: &'a Circumstances<'a>,
    ) -> Self {
        let signatures = files.signatures.iter().map(|file| (&*file.name, file)).collect();
        let pseudonyms = Arc::new(Pseudonyms::new(*circumstances.pseudonym_master, GENERATION));
        let before = circumstances.before.map(|before| before.register.all()).unwrap_or_default();
        let before = before.iter().map(|entry| (entry.agreement.digest, &entry.agreement)).collect();
        let outflows = Outflows::default();
        Self {
            gateway,
            offers,
            all_offered,
            directory,
            ring,
            templates,
            circumstances,
            pseudonyms,
            signatures,
            before,
            outflows,
            acts: Acts::default(),
        }
    }

    pub(super) fn with_acts(self, acts: Acts) -> Self {
        Self { acts, ..self }
    }

    /// Reads and compiles them all; what is wrong with any is added to `faults`.
    pub(super) fn compile(&self, agreements: Vec<Source<'_>>, faults: &mut Faults) -> Vec<Compiled> {
        let mut compiled = Vec::with_capacity(agreements.len());
        for done in spread(agreements, |source| self.one(source)) {
            match done {
                Some(Ok(one)) => compiled.push(one),
                Some(Err(more)) => faults.extend(more),
                // A fault of this program, told as one.
                None => faults.push(Fault::new(
                    "policies",
                    None,
                    "an agreement could not be compiled: please report this",
                )),
            }
        }
        compiled
    }

    fn one(&self, source: Source<'_>) -> Result<Compiled, Faults> {
        let agreement = match source {
            Source::File(file) => self.read(file)?,
            Source::Read(agreement) => agreement,
        };
        let mut faults = against_members(&agreement, |member| class_of(self.directory, member));
        faults.extend(self.templates.judge(&agreement));
        let compiled = self.compiled(agreement).map_err(|more| faults.extend(more));
        faults.into_result().and(compiled.map_err(|()| Faults::default()))
    }

    fn read(&self, file: &RulesetFile) -> Result<Arc<Agreement>, Faults> {
        match self.before.get(&file.digest).filter(|known| known.file == file.name) {
            Some(known) => Ok(Arc::clone(known)),
            None => policy::load(&file.name, file.bytes()?).and_then(in_its_folder).map(Arc::new),
        }
    }

    fn compiled(&self, mut agreement: Arc<Agreement>) -> Result<Compiled, Faults> {
        let provider_here = agreement.provider() == Some(&self.gateway.member);
        let outflow = if provider_here { Some(self.outflow(&agreement)?) } else { None };
        // Not with what is shared: agreements that release alike may call it otherwise.
        let mut faults = Faults::default();
        for leaving in outflow.iter().flat_map(|outflow| &outflow.operations) {
            faults.extend(against_operation(&agreement, &leaving.operation));
            faults.extend(against_grant(&agreement, &leaving.operation));
        }
        faults.into_result()?;
        let note = self.note(&agreement)?;
        let grounds = Grounds {
            note,
            ring: self.ring,
            view: outflow.as_ref().map(|outflow| outflow.view),
            highest_seen: (self.circumstances.seen)(&agreement.reference.id),
            source_synthetic: outflow.as_ref().is_some_and(|outflow| outflow.synthetic),
        };
        let acts = self.counted(&agreement);
        let standing = if self.gateway.in_sandbox {
            Standing::rehearsed(&agreement)
        } else {
            standing(&agreement, &grounds)
                .against(&self.life(&agreement, &acts).against(&agreement.reference))
        };
        let Some(outflow) = outflow else {
            return Ok(Compiled { agreement, standing, view: None, terms: Box::default(), acts });
        };
        // All that release alike hold one release.
        if !Arc::ptr_eq(&agreement.release, &outflow.release) {
            Arc::make_mut(&mut agreement).release = Arc::clone(&outflow.release);
        }
        let terms = |leaving: &Arc<Leaving>| {
            Arc::new(Terms::new(Arc::clone(&self.pseudonyms), Arc::clone(&agreement), Arc::clone(leaving)))
        };
        let terms = outflow.operations.iter().map(terms).collect();
        Ok(Compiled { agreement, standing, view: Some(outflow.view), terms, acts })
    }

    /// The acts on this agreement that count.
    fn counted(&self, agreement: &Agreement) -> Vec<CountedAct> {
        let signed = self.acts.get(&agreement.reference).map(Vec::as_slice).unwrap_or_default();
        let judged = signed.iter().map(|signed| (signed, signed.judged(agreement, self.ring)));
        let counts = |(signed, judged): (&SignedAct, Result<CountedAct, _>)| {
            judged
                .inspect_err(|why| tracing::warn!(file = signed.file, %why, "an act counts for nothing"))
                .ok()
        };
        judged.filter_map(counts).collect()
    }

    /// What was recorded of this version, and what files say beside it.
    fn life(&self, agreement: &Agreement, acts: &[CountedAct]) -> Life {
        let mut life = Life::default();
        let recorded = self.circumstances.life.of(&agreement.reference).iter();
        let done = recorded.chain(acts.iter().map(|act| &act.done));
        done.for_each(|act| life.note(LifeEvent::Act(act.clone())));
        life
    }

    fn outflow(&self, agreement: &Agreement) -> Result<Arc<Outflow>, Faults> {
        let (dataset, operations) = (agreement.dataset.clone(), agreement.operations.clone());
        let alike = Alike { dataset, operations, release: Arc::clone(&agreement.release) };
        self.outflows.of(alike, |alike| {
            let offer = self.offer(agreement)?;
            let parts = self.parts(agreement, offer)?;
            let views: Vec<OperationView<'_>> = parts
                .iter()
                .map(|part| OperationView {
                    operation: &part.operation.id,
                    schema: &part.schema,
                    mapping: &part.mapping,
                })
                .collect();
            let view = view::digest(&alike.dataset, &alike.release, &views);
            let release = Arc::clone(&alike.release);
            let leaving =
                |part: Part| Arc::new(Leaving::new(part.operation, Arc::clone(&release), part.mapping));
            let operations = parts.into_iter().map(leaving).collect();
            Ok(Outflow { view, operations, synthetic: offer.synthetic, release })
        })
    }

    fn offer(&self, agreement: &Agreement) -> Result<&Offer, Faults> {
        let version = &agreement.dataset;
        let majors = self.offers.get(version.dataset.as_str());
        majors.and_then(|majors| majors.get(&version.major.to_string())).map(Arc::as_ref).ok_or_else(|| {
            if !self.all_offered {
                return Faults::default();
            }
            let known = self.offers.keys().map(String::as_str);
            let help = crate::model::suggestion(version.dataset.as_str(), known);
            let message = format!("dataset `{version}` is not offered here");
            Fault { help, ..Fault::new(&agreement.file, None, message) }.into()
        })
    }

    fn parts(&self, agreement: &Agreement, offer: &Offer) -> Result<Vec<Part>, Faults> {
        let mut faults = Faults::default();
        let mut parts = Vec::with_capacity(agreement.operations.len());
        for id in &agreement.operations {
            let Some(operation) = offer.contract.operation(id) else {
                let known = offer.contract.operations.iter().map(|operation| operation.id.as_str());
                let help = crate::model::suggestion(id.as_str(), known);
                let message = format!("`{}` has no operation `{id}`", agreement.dataset);
                faults.push(Fault { help, ..Fault::new(&agreement.file, None, message) });
                continue;
            };
            let mapping = offer.source.mapping(id).cloned().unwrap_or_default();
            let made = minimise::view(operation, &agreement.release).and_then(|view| {
                // For its faults alone: terms compile it again when they are first asked under.
                Projection::compile(operation, &agreement.release, &mapping)?;
                Ok(view.schema)
            });
            match made {
                Ok(schema) => {
                    parts.push(Part { operation: Arc::clone(operation), mapping, schema });
                }
                Err(wrong) => {
                    wrong.into_iter().for_each(|wrong| faults.push(Fault::new(&agreement.file, None, wrong)))
                }
            }
        }
        if faults.is_empty() { Ok(parts) } else { Err(faults) }
    }

    /// The signatures beside the agreement's file. What is no text is no note, and is told as one that does not read.
    fn note(&self, agreement: &Agreement) -> Result<Option<&'a str>, Faults> {
        let Some(file) = self.signatures.get(&*signature_file(&agreement.file)) else { return Ok(None) };
        Ok(Some(std::str::from_utf8(file.bytes()?).unwrap_or_default()))
    }
}

/// Grants and agreements lie apart, so that whoever looks into a folder knows what is in it.
fn in_its_folder(agreement: Agreement) -> Result<Agreement, Faults> {
    let folder = if agreement.grant.is_some() { "grants" } else { "agreements" };
    let lies_there = Path::new(&agreement.file).parent().is_some_and(|parent| parent.ends_with(folder));
    if lies_there {
        return Ok(agreement);
    }
    let fault = Fault::new(&agreement.file, None, "lies in the wrong folder of the policies");
    Err(fault.with_help(format!("move it, with its signatures, to `{folder}`")).into())
}

/// What is wrong with these, whoever the members are.
pub(super) fn faults_of_agreements(files: &[RulesetFile]) -> Faults {
    let mut faults = Faults::default();
    for file in files {
        let read = file.bytes().and_then(|bytes| policy::load(&file.name, bytes));
        faults.extend(read.err().unwrap_or_default());
    }
    faults
}

pub(super) fn guardrails(files: &RulesetFiles, faults: &mut Faults) -> Vec<(String, String)> {
    let mut guardrails = Vec::with_capacity(files.guardrails.len());
    for file in &files.guardrails {
        match utf8(file) {
            Ok(text) => guardrails.push((file.name.clone(), text.to_owned())),
            Err(more) => faults.extend(more),
        }
    }
    guardrails
}

/// Guardrails go one by one: a folder that is gone at once was moved, or is not mounted just now.
pub(super) fn guardrails_gone(gateway: &Gateway, before: Option<&RulesetFiles>) -> Faults {
    let folder = gateway.policies.join("guardrails");
    if folder.is_dir() || before.is_none_or(|before| before.guardrails.is_empty()) {
        return Faults::default();
    }
    let name = folder.strip_prefix(&gateway.home).unwrap_or(&folder).display().to_string();
    let fault = Fault::new(name, None, "is not there, and there were guardrails in it");
    fault.with_help("put it back; where none are wanted any more, leave it there, empty").into()
}
