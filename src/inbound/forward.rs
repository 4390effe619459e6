//! Forward: the question goes to the system behind, and what comes back is bounded and parsed. A
//! change is written down as an intent first, so that a crash leaves it visible.

use std::sync::Arc;

use crate::desk::Terms;
use crate::ledger::binding::request_mac;
use crate::ledger::{Intent, Nonce, Record};
use crate::model::{Code, Effect};
use crate::source::Fetched;

use super::accept::Known;
use super::decide::Permitted;
use super::grant::Taken;
use super::refusal::{Refusal, Why};
use super::road::Worker;
use super::route::Target;

/// What the system behind said, read but not yet looked into.
pub struct Answered {
    pub(super) known: Box<Known>,
    pub(super) target: Target,
    pub(super) terms: Arc<Terms>,
    pub(super) fetched: Fetched,
}

pub(super) async fn forward(worker: &Worker, taken: Taken) -> Result<Answered, Refusal> {
    let mut permitted = taken.into_permitted();
    let changes = permitted.target.operation.operation.effect == Effect::Changes;
    if changes && let Err(why) = intend(worker, &mut permitted).await {
        return Err(Refusal::new(permitted.known, why));
    }
    let operation = &permitted.target.operation.operation.id;
    let claims = &permitted.known.claims;
    let question = permitted.question().node();
    let fetched = permitted
        .target
        .offer
        .source
        .fetch(&worker.pool, operation, question, &|name| claims.forwarded(name), worker.road.deadline())
        .await;
    let Permitted { known, target, terms, .. } = permitted;
    match fetched {
        Ok(fetched) => Ok(Answered { known, target, terms, fetched }),
        Err(fault) => Err(Refusal::new(known, Why::new(fault.code()).truth(fault.to_string()))),
    }
}

/// Makes the intent durable before anything is forwarded.
async fn intend(worker: &Worker, permitted: &mut Permitted) -> Result<(), Why> {
    if permitted.known.claims.idempotency_key.is_none() {
        return Err(Why::new(Code::QuestionInvalid).detail("A change needs an Idempotency-Key header."));
    }
    let known = &mut permitted.known;
    let (Some(consumer), Some((dataset, operation)), Some(agreement)) =
        (known.consumer.clone(), known.target.clone(), known.agreement.as_ref())
    else {
        return Err(Why::new(Code::CannotDecide));
    };
    let intent = Intent {
        id: known.exchange,
        consumer,
        provider: worker.road.member.clone(),
        dataset,
        operation,
        agreement: (agreement.reference.clone(), agreement.digest),
        ruleset: known.ruleset.digest,
        nonce: Nonce(known.nonce),
        request_mac: request_digest(known),
        subjects: known.subjects.clone(),
    };
    match worker.append(Record::Intent(Box::new(intent))).await {
        Ok(receipt) => {
            known.intent = true;
            known.recorded += receipt.bytes();
            Ok(())
        }
        // Nothing was forwarded. An intent that comes late is closed by the next start.
        Err(fault) => {
            tracing::error!(exchange = %known.exchange, %fault, "an intent could not be recorded, and nothing was forwarded");
            Err(Why::new(Code::CannotRecord).truth(fault.to_string()))
        }
    }
}

/// The digest of the question as asked (design 5), under the exchange's nonce.
pub(super) fn request_digest(known: &Known) -> [u8; 32] {
    let content_type = known.claims.content_type.as_deref().unwrap_or_default();
    let nonce = Nonce(known.nonce);
    request_mac(&nonce, &known.method, &known.path, content_type, &known.claims.deciding(), &known.body)
}
