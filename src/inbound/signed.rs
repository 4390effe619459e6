//! A signed question: what of its head the signature covers is kept until the body is read, because the
//! digest is covered too. A signature that is there counts or refuses, whatever the agreement wants.

use http::request::Parts;
use http::{HeaderMap, Method, Uri};

use crate::model::Code;
use crate::signature::{Asker, Message, SignatureFault};

use super::accept::Known;
use super::refusal::{Why, sentence};
use super::road::Worker;

/// Partners come over TLS alone.
const SCHEME: &str = "https";

pub(super) struct SignedHead {
    method: Method,
    target: Uri,
    headers: HeaderMap,
}

impl SignedHead {
    /// The head of a question that has a signature, or half of one.
    pub(super) fn of(parts: Parts) -> Option<Self> {
        let Parts { method, uri: target, headers, .. } = parts;
        let signed = headers.contains_key("signature-input") || headers.contains_key("signature");
        signed.then_some(Self { method, target, headers })
    }

    /// Verifies the signature with the keys of the system whose certificate asked, under the ruleset of
    /// this exchange: a key that was taken from the directory is no key.
    pub(super) fn verify(self, worker: &Worker, known: &mut Known) -> Result<(), Why> {
        let system = known.consumer.as_ref().ok_or(Code::CannotDecide)?;
        let directory = &known.ruleset.directory;
        let asker = Asker {
            system,
            keys: directory.message_keys(system),
            signing_members: directory.signing_members(),
        };
        let question = Message::request(self.method.as_str(), SCHEME, &self.target, &self.headers);
        let now = worker.road.clock.london();
        worker.road.signatures.verify(&question, &known.body, &asker, &now).map_err(|fault| told(&fault))?;
        known.assurance = known.assurance.with_signature();
        Ok(())
    }
}

/// The caller signed it, so the caller is told what is wrong with it.
fn told(fault: &SignatureFault) -> Why {
    let why = match fault {
        SignatureFault::Full => {
            return Why::new(Code::LimitReached).detail(sentence(&fault.to_string())).retry_after(60);
        }
        _ => Why::new(Code::SignatureNotAccepted).detail(sentence(&fault.to_string())),
    };
    match fault {
        SignatureFault::BeforeStart { wait_seconds } => why.retry_after(*wait_seconds),
        _ => why,
    }
}
