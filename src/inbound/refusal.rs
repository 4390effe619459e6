//! A refusal has two faces: what the caller is told, and what only the record may hold. Both are
//! chosen here and nowhere else.

use crate::desk::Denied;
use crate::model::Code;

use super::accept::Known;

/// Why a stage did not go on, with everything known by then, so that it can be recorded.
pub struct Refusal {
    pub(super) known: Box<Known>,
    pub(super) why: Why,
    /// What stopped it, whatever the caller is told after an intent.
    pub(super) cause: Code,
}

/// The reason alone, before it is joined to an exchange.
pub(super) struct Why {
    pub(super) code: Code,
    /// What the caller is told beside the code's own sentence, as sentences. Names files, fields and rules;
    /// never a value.
    pub(super) detail: Option<String>,
    /// The true outcome where it is more than the code: for the sealed part only.
    pub(super) truth: Option<String>,
    /// Seconds until asking again makes sense.
    pub(super) retry_after: Option<u64>,
    /// `WWW-Authenticate` (RFC 9110 section 11.6.1): what would be let in.
    pub(super) challenge: Option<String>,
}

impl Why {
    pub(super) fn new(code: Code) -> Self {
        Self { code, detail: None, truth: None, retry_after: None, challenge: None }
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

    pub(super) fn challenge(mut self, challenge: impl Into<String>) -> Self {
        self.challenge = Some(challenge.into());
        self
    }
}

impl From<Code> for Why {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<Denied> for Why {
    fn from(denied: Denied) -> Self {
        let Denied { code, detail, truth, retry_after } = denied;
        Self { code, detail, truth, retry_after, challenge: None }
    }
}

impl Refusal {
    pub(super) fn new(known: Box<Known>, why: impl Into<Why>) -> Self {
        let mut why = why.into();
        let cause = why.code;
        if known.intent {
            why.code = after_intent(cause);
        }
        Self { known, why, cause }
    }

    /// The stable code the caller is told.
    pub fn code(&self) -> Code {
        self.why.code
    }
}

/// Once a change was forwarded, whatever stops its answer leaves open whether it was made; asking
/// again could make it twice.
fn after_intent(code: Code) -> Code {
    match code {
        Code::SourceUnavailable
        | Code::SourceTimeout
        | Code::SourceInvalid
        | Code::TooManyMatches
        | Code::CannotDecide => Code::OutcomeUnknown,
        told => told,
    }
}

/// What an error says, as a sentence for the caller.
pub(super) fn sentence(told: &str) -> String {
    let mut letters = told.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// The problem document (RFC 9457 section 3) for a refusal. Members in a fixed order; `detail` only where
/// there is more to say than the title says.
pub(super) fn problem(code: Code, detail: Option<&str>, exchange: &str) -> Vec<u8> {
    let mut document = serde_json::Map::new();
    let mut put = |name: &str, value: serde_json::Value| drop(document.insert(name.to_owned(), value));
    put("type", format!("urn:tolbooth:refusal:{code}").into());
    put("title", code.sentence().into());
    put("status", code.status().into());
    if let Some(detail) = detail {
        put("detail", detail.into());
    }
    put("code", code.as_str().into());
    put("retry", code.retry().into());
    put("fixer", code.fixer().as_str().into());
    put("exchange", exchange.into());
    let mut body = serde_json::Value::Object(document).to_string().into_bytes();
    body.push(b'\n');
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_to_repeat_a_change_that_may_have_been_made() {
        // The question never went out, or the code says already that nobody knows.
        let stays = [Code::QuestionInvalid, Code::OutcomeUnknown, Code::CannotRecord];
        for code in [
            Code::SourceUnavailable,
            Code::SourceTimeout,
            Code::SourceInvalid,
            Code::TooManyMatches,
            Code::CannotDecide,
        ] {
            assert_eq!(after_intent(code), Code::OutcomeUnknown, "{code}");
        }
        stays.iter().for_each(|code| assert_eq!(after_intent(*code), *code));
    }
}
