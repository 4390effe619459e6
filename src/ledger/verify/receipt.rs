//! Verifies one receipt, and that it was given for one answer.

use serde::Deserialize;

use super::VerifyFault;
use crate::crypto::same;
use crate::ledger::binding::answer_mac;
use crate::ledger::receipt::{Checked, Presented, ReceiptFault};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::VerifierKey;
use crate::model::Digest;

pub(super) const RECEIPT: &str = "tolbooth-receipt";
const OUTCOME: &str = "tolbooth-outcome";

/// A receipt that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptReport {
    /// The envelope as it stands in the log: JSON.
    pub envelope: String,
    pub index: u64,
    /// The size of the log when the receipt was made.
    pub size: u64,
    pub proven: Vec<String>,
    pub not_proven: Vec<String>,
}

/// Verifies a receipt: the header's value, or the head of an answer as `curl -D` wrote it; with the
/// head also that it was given for this `body`.
pub fn verify_receipt(
    text: &str,
    key: &VerifierKey,
    body: Option<&[u8]>,
    held: &[Checkpoint],
) -> Result<ReceiptReport, VerifyFault> {
    let head = Head::read(text);
    let receipt = head.as_ref().and_then(|head| head.get(RECEIPT));
    let receipt = match (&head, receipt) {
        (Some(_), None) => return Err(VerifyFault::Receipt(ReceiptFault::Malformed)),
        (_, receipt) => receipt.unwrap_or(text),
    };
    let presented = Presented::parse(receipt).map_err(VerifyFault::Receipt)?;
    let checked = presented.check(key).map_err(VerifyFault::Receipt)?;
    let size = checked.checkpoint.size;
    let same_size = held.iter().find(|one| one.size == size);
    if same_size.is_some_and(|one| one.root != checked.checkpoint.root) {
        return Err(VerifyFault::Forked { size });
    }
    let mut proven =
        vec![format!("the envelope is record {} of the log as signed over {size} records", checked.index)];
    let mut not_proven =
        vec!["that the log still holds it: verify the log against this receipt to see".to_owned()];
    match (body, &head) {
        (Some(body), Some(head)) => {
            is_answer(&checked, head, body)?;
            proven.push("it was given for exactly this status, outcome, content type and body".into());
        }
        (Some(_), None) => return Err(VerifyFault::HeadMissing),
        (None, _) => not_proven.push("that it was given for any particular answer: no body was given".into()),
    }
    let envelope = String::from_utf8_lossy(&checked.envelope).into_owned();
    Ok(ReceiptReport { envelope, index: checked.index, size, proven, not_proven })
}

fn is_answer(checked: &Checked, head: &Head<'_>, body: &[u8]) -> Result<(), VerifyFault> {
    #[derive(Deserialize)]
    struct Answer {
        answer: String,
    }
    let recorded: Option<Answer> = serde_json::from_slice(&checked.envelope).ok();
    let recorded = recorded.and_then(|answer| Digest::from_hex(&answer.answer));
    let outcome = head.get(OUTCOME).unwrap_or_default();
    let content_type = head.get("content-type").unwrap_or_default();
    let mac = answer_mac(&checked.nonce, head.status, outcome, content_type, body);
    if recorded.is_some_and(|recorded| same(&recorded.0, &mac)) {
        Ok(())
    } else {
        Err(VerifyFault::OtherAnswer)
    }
}

/// The head of an answer as `curl -D` writes it; of several (interim, proxy) the last.
pub(super) struct Head<'t> {
    status: u16,
    lines: Vec<(&'t str, &'t str)>,
}

impl<'t> Head<'t> {
    pub(super) fn read(text: &'t str) -> Option<Self> {
        let mut out: Option<Self> = None;
        for line in text.lines().map(str::trim_end) {
            if line.starts_with("HTTP/") {
                let status = line.split(' ').nth(1).and_then(|status| status.parse().ok())?;
                out = Some(Self { status, lines: Vec::new() });
            } else if let (Some(head), Some((name, value))) = (&mut out, line.split_once(':')) {
                head.lines.push((name, value.trim()));
            }
        }
        out
    }

    pub(super) fn get(&self, name: &str) -> Option<&'t str> {
        self.lines.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}
