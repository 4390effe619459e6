//! A grant's one use. *Decide* asks whether it is open, unused and about whom the question asks; before *forward*
//! the question takes it, so that of two at once one goes on; and after *check*, when an answer is ready, the use
//! is made durable. Only then can the answer be recorded and leave.
//!
//! What stops a question before that point (a source that fails, an answer that does not fit) leaves the grant
//! unused: nothing was disclosed. What stops it after leaves it used: whoever could not be told asks for another
//! grant. An agreement that is no grant passes through here as it came.

use std::sync::Arc;

use crate::ledger::{GrantUse, Record, Unrecorded};
use crate::model::Code;
use crate::policy::{Agreement, Grant, SubjectMac, Unusable, Use};

use super::accept::Known;
use super::check::Checked;
use super::decide::Permitted;
use super::refusal::{Refusal, Why};
use super::road::Worker;

/// Seconds after which asking again makes sense while another question under the grant is under way.
const UNDER_WAY_SECONDS: u64 = 1;

/// A permitted question that may be forwarded: under a grant, the one that has taken it.
pub struct Taken(Permitted);

impl Taken {
    pub(super) fn into_permitted(self) -> Permitted {
        self.0
    }
}

/// An answer that may be recorded: under a grant, the one whose use is durable.
pub struct Spent(Checked);

impl Spent {
    pub(super) fn into_checked(self) -> Checked {
        self.0
    }
}

/// Whether a grant may be used at all now. Asked of every question, and never remembered.
pub(super) fn is_usable(worker: &Worker, agreement: &Agreement) -> Result<(), Why> {
    let Some(grant) = &agreement.grant else { return Ok(()) };
    if worker.road.uses.is_spent(&agreement.reference.id) {
        return Err(Code::GrantSpent.into());
    }
    if worker.road.uses.restored_after(grant.decided).is_some() {
        let detail = "A backup was restored since it was decided, and whether it was used is not known.";
        return Err(Why::new(Code::GrantSpent).detail(detail));
    }
    if !grant.is_open(worker.road.clock.now()) {
        return Err(shut(grant));
    }
    Ok(())
}

/// Why nothing was chosen, where this is what was meant: a grant that is shut says its moments on days before and
/// after its own as well.
pub(super) fn not_chosen(worker: &Worker, meant: Option<&Agreement>, code: Code) -> Why {
    match meant.and_then(|agreement| agreement.grant.as_ref()) {
        Some(grant) if code == Code::AgreementNotInForce && !grant.is_open(worker.road.clock.now()) => {
            shut(grant)
        }
        _ => code.into(),
    }
}

fn shut(grant: &Grant) -> Why {
    let detail = format!("The grant is open {}.", grant.open_in_words());
    Why::new(Code::AgreementNotInForce).detail(detail)
}

/// Whether the question asks about those a grant is about, and about nobody else.
pub(super) fn about(permitted: Permitted) -> Result<Permitted, Refusal> {
    match named(&permitted.known) {
        Ok(()) => Ok(permitted),
        Err(why) => Err(Refusal::new(permitted.known, why)),
    }
}

fn named(known: &Known) -> Result<(), Why> {
    let Some(agreement) = &known.agreement else { return Err(Code::CannotDecide.into()) };
    let Some(grant) = &agreement.grant else { return Ok(()) };
    let key = known.ruleset.files.subject_key(&agreement.file).and_then(SubjectMac::read);
    let Some(key) = key else {
        let truth = format!("the key of whom {} is about is not beside it", agreement.file);
        return Err(Why::new(Code::CannotDecide).truth(truth));
    };
    if grant.is_about(&agreement.reference.id, &key, &known.subjects) {
        return Ok(());
    }
    Err(Why::new(Code::NotAgreed).detail("The grant is not about whom the question asks about."))
}

/// Takes a grant for this question. It is free again when the exchange ends without having spent it.
pub(super) fn take(worker: &Worker, mut permitted: Permitted) -> Result<Taken, Refusal> {
    let known = &mut permitted.known;
    let Some(grant) = known.agreement.as_ref().filter(|agreement| agreement.grant.is_some()) else {
        return Ok(Taken(permitted));
    };
    let why = match worker.road.uses.begin(&grant.reference.id) {
        Ok(taken) => {
            known.taken = Some(taken);
            return Ok(Taken(permitted));
        }
        Err(Unusable::Spent) => Why::new(Code::GrantSpent),
        Err(Unusable::UnderWay) => Why::new(Code::LimitReached)
            .detail("Another question under this grant is under way.")
            .retry_after(UNDER_WAY_SECONDS),
    };
    Err(Refusal::new(permitted.known, why))
}

/// Makes the use of a grant durable: from here on it is used, whatever becomes of the answer.
pub(super) async fn spend(worker: &Worker, mut checked: Checked) -> Result<Spent, Refusal> {
    let grant = checked.known.agreement.clone().filter(|agreement| agreement.grant.is_some());
    let Some(grant) = grant.filter(|_| !checked.known.explains) else { return Ok(Spent(checked)) };
    let Some(taken) = checked.known.taken.take() else {
        return Err(Refusal::new(checked.known, Code::CannotDecide));
    };
    match record(worker, &mut checked.known, &grant, &taken).await {
        // If we crash from here on the next start finds it used, and nothing more leaves under it.
        Ok(()) => Ok(Spent(checked)),
        Err(why) => Err(Refusal::new(checked.known, why)),
    }
}

async fn record(worker: &Worker, known: &mut Known, grant: &Arc<Agreement>, taken: &Use) -> Result<(), Why> {
    let Some(consumer) = known.consumer.clone() else { return Err(Code::CannotDecide.into()) };
    let used = GrantUse {
        exchange: known.exchange,
        consumer,
        provider: worker.road.member.clone(),
        grant: (grant.reference.clone(), grant.digest),
    };
    taken.spend();
    match worker.append(Record::GrantUse(Box::new(used))).await {
        Ok(receipt) => {
            known.recorded += receipt.bytes();
            Ok(())
        }
        Err(fault) => {
            if was_never_written(fault) {
                taken.unspend();
            }
            tracing::error!(exchange = %known.exchange, %fault, "the use of a grant could not be recorded, and nothing left");
            Err(Why::new(Code::CannotRecord).truth(fault.to_string()))
        }
    }
}

/// Whether there is no record, and never will be. Of a write that failed or came late only the next start knows.
fn was_never_written(fault: Unrecorded) -> bool {
    match fault {
        Unrecorded::Busy | Unrecorded::DiskFull | Unrecorded::TooLarge | Unrecorded::NoKey => true,
        Unrecorded::Stopped | Unrecorded::Late => false,
    }
}
