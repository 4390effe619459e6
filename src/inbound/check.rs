//! Check: what is about to leave is read again and held against the view officers signed.

use std::sync::Arc;

use bytes::Bytes;

use crate::desk::Terms;
use crate::json::Document;
use crate::model::Code;
use crate::model::limits::JSON_DEPTH_MAX;

use super::accept::Known;
use super::minimise::{Content, Minimised};
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
    let document = Document::parse(body.clone(), JSON_DEPTH_MAX).map_err(|fault| {
        Why::new(Code::SourceInvalid).truth(format!("the minimised answer is not JSON: {fault}"))
    })?;
    let compiled = terms.compiled().map_err(|fault| Why::new(Code::CannotDecide).truth(fault.to_owned()))?;
    let checker = &compiled.checker;
    if checker.is_valid(document.root()) {
        let fields = Arc::clone(compiled.projection.released_fields());
        return Ok(Fit::Document { body, rows, fields });
    }
    let violations = checker.violations(document.root());
    let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
    Err(Why::new(Code::SourceInvalid).truth(format!("the answer does not fit the view: {}", told.join("; "))))
}
