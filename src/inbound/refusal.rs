//! A refusal has two faces: what the caller is told, and what only the record may hold. Both are
//! chosen here and nowhere else.

use crate::model::Code;

use super::accept::Known;

/// Why a stage did not go on, with everything known by then, so that it can be recorded.
pub struct Refusal {
    pub(super) known: Box<Known>,
    pub(super) why: Why,
}

/// The reason alone, before it is joined to an exchange.
pub(super) struct Why {
    pub(super) code: Code,
    /// Added to the code's own sentence for the caller. Names files, fields and rules; never a value.
    pub(super) detail: Option<String>,
    /// The true outcome where it is more than the code: for the sealed part only.
    pub(super) truth: Option<String>,
    /// Seconds until asking again makes sense.
    pub(super) retry_after: Option<u64>,
}

impl Why {
    pub(super) fn new(code: Code) -> Self {
        Self { code, detail: None, truth: None, retry_after: None }
    }

    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub(super) fn truth(mut self, truth: impl Into<String>) -> Self {
        self.truth = Some(truth.into());
        self
    }

    pub(super) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl From<Code> for Why {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl Refusal {
    pub(super) fn new(known: Box<Known>, why: impl Into<Why>) -> Self {
        let mut why = why.into();
        // Once an intent is on the record the change may have been made, whatever went wrong at which
        // stage; only a question the system behind could not be asked never left.
        if known.intent && why.code != Code::QuestionInvalid {
            why.code = Code::OutcomeUnknown;
        }
        Self { known, why }
    }

    /// The stable code the caller is told.
    pub fn code(&self) -> Code {
        self.why.code
    }
}

/// The problem document (RFC 9457 section 3) for a refusal. Members in a fixed order.
pub(super) fn problem(code: Code, detail: Option<&str>, exchange: &str) -> Vec<u8> {
    let sentence = code.sentence();
    let detail = detail.map_or_else(|| sentence.to_owned(), |more| format!("{sentence} {more}"));
    let document = serde_json::json!({
        "type": format!("urn:tolbooth:refusal:{code}"),
        "title": sentence,
        "status": code.status(),
        "detail": detail,
        "code": code.as_str(),
        "retry": code.retry(),
        "fixer": code.fixer().as_str(),
        "exchange": exchange,
    });
    let mut body = document.to_string().into_bytes();
    body.push(b'\n');
    body
}
