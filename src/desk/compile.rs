//! Compiling agreements against the contracts and mappings they speak of: terms to answer under,
//! and the standing they have. Spread over the machine's cores, since a gateway with a thousand
//! agreements should be ready at once.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::config::Gateway;
use crate::minimise::{self, Projection, Pseudonyms};
use crate::model::{Digest, Fault, Faults, Mapping, Operation, OperationId};
use crate::policy::{Agreement, Grounds, KeyRing, Standing, signature_file, standing};

use super::files::RulesetFiles;
use super::ruleset::{Circumstances, Offer, Offers};
use super::terms::Terms;
use super::view::{self, OperationView};

/// Counts up when the pseudonym master is made anew.
const GENERATION: u32 = 1;

/// Where agreements are compiled.
pub(super) struct Bench<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) files: &'a RulesetFiles,
    pub(super) offers: &'a Offers,
    /// Whether every dataset file could be read: else one that is missing is no fault of an agreement.
    pub(super) all_offered: bool,
    pub(super) ring: &'a KeyRing,
    pub(super) circumstances: &'a Circumstances<'a>,
}

/// An agreement ready for the register.
pub(super) struct Compiled {
    pub(super) agreement: Arc<Agreement>,
    pub(super) standing: Standing,
    /// The view as computed now, which a seal must be over.
    pub(super) view: Option<Digest>,
    pub(super) terms: HashMap<OperationId, Arc<Terms>>,
}

/// One operation of an agreement, compiled.
struct Part {
    operation: Arc<Operation>,
    mapping: Mapping,
    schema: Value,
}

impl Bench<'_> {
    /// Compiles them all; what is wrong with any is added to `faults`.
    pub(super) fn compile(&self, agreements: Vec<Agreement>, faults: &mut Faults) -> Vec<Compiled> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = agreements.len().div_ceil(cores).max(1);
        let mut shares = Vec::new();
        let mut rest = agreements;
        while !rest.is_empty() {
            let next = rest.split_off(rest.len().min(share));
            shares.push(std::mem::replace(&mut rest, next));
        }
        let done: Vec<(Vec<Compiled>, Faults)> = std::thread::scope(|scope| {
            let threads: Vec<_> = shares.into_iter().map(|share| scope.spawn(|| self.share(share))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| broken())).collect()
        });
        let mut compiled = Vec::new();
        for (some, more) in done {
            compiled.extend(some);
            faults.extend(more);
        }
        compiled
    }

    fn share(&self, agreements: Vec<Agreement>) -> (Vec<Compiled>, Faults) {
        let mut compiled = Vec::with_capacity(agreements.len());
        let mut faults = Faults::default();
        for agreement in agreements {
            match self.one(agreement) {
                Ok(one) => compiled.push(one),
                Err(more) => faults.extend(more),
            }
        }
        (compiled, faults)
    }

    fn one(&self, agreement: Agreement) -> Result<Compiled, Faults> {
        let provider_here = agreement.provider() == Some(&self.gateway.member);
        let (parts, synthetic) = if provider_here {
            let offer = self.offer(&agreement)?;
            (self.parts(&agreement, offer)?, offer.synthetic)
        } else {
            (Vec::new(), false)
        };
        let views: Vec<OperationView<'_>> = parts
            .iter()
            .map(|part| OperationView {
                operation: &part.operation.id,
                schema: &part.schema,
                mapping: &part.mapping,
            })
            .collect();
        let view = provider_here.then(|| view::digest(&agreement, &views));
        let note = self.note(&agreement);
        let grounds = Grounds {
            note: note.as_deref(),
            ring: self.ring,
            view,
            highest_seen: (self.circumstances.seen)(&agreement.reference.id),
            source_synthetic: synthetic,
        };
        let standing = if self.gateway.in_sandbox {
            Standing::rehearsed(&agreement)
        } else {
            standing(&agreement, &grounds)
        };
        let agreement = Arc::new(agreement);
        let terms = parts.into_iter().map(|part| self.terms(&agreement, part)).collect();
        Ok(Compiled { agreement, standing, view, terms })
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

    /// The signatures beside the agreement's file, if they are text.
    fn note(&self, agreement: &Agreement) -> Option<String> {
        let name = signature_file(&agreement.file);
        let file = self.files.signatures.iter().find(|file| file.name == name)?;
        String::from_utf8(file.bytes.clone()).ok()
    }

    fn terms(&self, agreement: &Arc<Agreement>, part: Part) -> (OperationId, Arc<Terms>) {
        let pseudonyms = Pseudonyms::new(*self.circumstances.pseudonym_master, GENERATION);
        let id = part.operation.id.clone();
        (id, Arc::new(Terms::new(pseudonyms, part.operation, Arc::clone(agreement), part.mapping)))
    }
}

/// A compiling thread panicked: a fault of this program, told as one.
fn broken() -> (Vec<Compiled>, Faults) {
    (
        Vec::new(),
        Fault::new("policies", None, "an agreement could not be compiled: please report this").into(),
    )
}
