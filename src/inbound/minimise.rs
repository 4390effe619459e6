//! Minimise: rows first, then fields; what nobody listed cannot leave, whatever came.

use std::sync::Arc;

use crate::desk::{Content, Terms, few_enough, minimised};
use crate::source::Fetched;

use super::accept::Known;
use super::drift;
use super::forward::Answered;
use super::refusal::Refusal;
use super::road::Worker;

/// What may leave, not yet held against the view.
pub struct Minimised {
    pub(super) known: Box<Known>,
    pub(super) terms: Arc<Terms>,
    pub(super) content: Content,
}

pub(super) fn minimise(worker: &Worker, answered: Answered) -> Result<Minimised, Refusal> {
    let Answered { mut known, target, terms, fetched } = answered;
    let found = match fetched {
        Fetched::NoMatch => {
            return Ok(Minimised {
                known,
                terms,
                content: Content::nothing(&target.operation.operation.cardinality),
            });
        }
        Fetched::Document(found) => found,
    };
    let clock = &worker.road.clock;
    let minimised = match minimised(&terms, found.node(), clock.today(), clock.zone()) {
        Ok(minimised) => minimised,
        Err(denied) => return Err(Refusal::new(known, denied)),
    };
    // Before whom they are about is noted: nothing of them leaves, and nobody's data was told.
    if let Err(denied) = few_enough(terms.agreement(), &minimised) {
        known.rows_excluded = minimised.rows_excluded;
        return Err(Refusal::new(known, denied));
    }
    known.subjects.extend_from_slice(&minimised.subjects);
    known.rows_excluded = minimised.rows_excluded;
    if !minimised.dropped.is_empty() {
        let dataset = &target.offer.contract.version;
        let cause = if minimised.safe_address_dropped { "safe_address_dropped" } else { "drift" };
        drift::alarm(&worker.road, known.exchange, dataset, cause, &minimised.dropped);
        known.dropped.clone_from(&minimised.dropped);
    }
    match Content::of(minimised, target.offer.on_unlisted, &target.operation.operation.cardinality) {
        Ok(content) => Ok(Minimised { known, terms, content }),
        Err(denied) => Err(Refusal::new(known, denied)),
    }
}
