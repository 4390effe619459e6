//! Minimise: rows first, then fields; what nobody listed cannot leave, whatever came.

use std::sync::Arc;

use crate::desk::Terms;
use crate::minimise::Context;
use crate::model::{Cardinality, Code};
use crate::source::{Fetched, OnUnlisted};

use super::accept::Known;
use super::drift;
use super::forward::Answered;
use super::refusal::{Refusal, Why};
use super::road::Worker;

/// What may leave, not yet held against the view.
pub struct Minimised {
    pub(super) known: Box<Known>,
    pub(super) terms: Arc<Terms>,
    pub(super) content: Content,
}

/// What an answer says.
pub(super) enum Content {
    /// A released document.
    Document { body: Vec<u8>, rows: u64 },
    /// Nothing that may leave: absent and excluded are the same from here on.
    NoMatch,
}

pub(super) fn minimise(worker: &Worker, answered: Answered) -> Result<Minimised, Refusal> {
    let Answered { mut known, target, terms, fetched } = answered;
    let found = match fetched {
        Fetched::NoMatch => {
            return Ok(Minimised { known, terms, content: nothing(&target.operation.operation.cardinality) });
        }
        Fetched::Document(found) => found,
    };
    let clock = &worker.road.clock;
    let agreement = &terms.agreement().reference.id;
    let context =
        Context { today: clock.today(), zone: clock.zone(), agreement, pseudonyms: &terms.pseudonyms };
    let projection = match terms.compiled() {
        Ok(compiled) => &compiled.projection,
        Err(fault) => {
            let why = Why::new(Code::CannotDecide).truth(fault.to_owned());
            return Err(Refusal::new(known, why));
        }
    };
    let minimised = match projection.apply(found.node(), &context) {
        Ok(minimised) => minimised,
        Err(fault) => {
            return Err(Refusal::new(known, Why::new(Code::SourceInvalid).truth(fault.to_string())));
        }
    };
    known.subjects.extend(minimised.subjects);
    known.rows_excluded = minimised.rows_excluded;
    if !minimised.dropped.is_empty() {
        let dataset = &target.offer.contract.version;
        let cause = if minimised.safe_address_dropped { "safe_address_dropped" } else { "drift" };
        drift::alarm(&worker.road, known.exchange, dataset, cause, &minimised.dropped);
        known.dropped = minimised.dropped;
        if target.offer.on_unlisted == OnUnlisted::Refuse {
            return Err(Refusal::new(known, Why::new(Code::SourceInvalid).truth("drift")));
        }
    }
    let content = if minimised.no_row {
        nothing(&target.operation.operation.cardinality)
    } else {
        Content::Document { body: minimised.body, rows: minimised.rows_released }
    };
    Ok(Minimised { known, terms, content })
}

/// Absent, in the one form the operation has for it.
fn nothing(cardinality: &Cardinality) -> Content {
    match cardinality {
        Cardinality::Single => Content::NoMatch,
        Cardinality::List => Content::Document { body: b"[]".to_vec(), rows: 0 },
    }
}
