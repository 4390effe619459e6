//! Check: what is about to leave is read again and held against the view officers signed.

use std::sync::Arc;

use bytes::Bytes;

use crate::desk::{self, Content, Terms};
use crate::model::Code;

use super::accept::Known;
use super::minimise::Minimised;
use super::refusal::{Refusal, Why};

/// An answer that may leave once it is recorded.
pub struct Checked {
    pub(super) known: Box<Known>,
    pub(super) content: Fit,
}

/// Content that fits the view.
pub(super) enum Fit {
    Document {
        body: Bytes,
        rows: u64,
        fields: Arc<[String]>,
    },
    NoMatch,
    /// What an answer would be under, or why there would be none: nothing of a record.
    Explanation {
        body: Bytes,
        code: Option<Code>,
    },
}

pub(super) fn check(minimised: Minimised) -> Result<Checked, Refusal> {
    let Minimised { known, terms, content } = minimised;
    match fit(&terms, content) {
        Ok(content) => Ok(Checked { known, content }),
        Err(why) => Err(Refusal::new(known, why)),
    }
}

fn fit(terms: &Terms, content: Content) -> Result<Fit, Why> {
    let Content::Document { body, rows } = content else { return Ok(Fit::NoMatch) };
    let body = Bytes::from(body);
    let fields = desk::fit(terms, body.clone())?;
    Ok(Fit::Document { body, rows, fields })
}
