//! Intents that a crash left open: a change was forwarded, or was about to be, and what came of it is on
//! no record. The next start closes each as `outcome_unknown`, from what the intent itself says.

use serde::Deserialize;

use super::binding::answer_mac;
use super::entry::{Exchange, Intent, Nonce, Record, SealedExchange};
use super::subject::SubjectRef;
use crate::model::{
    AgreementId, AgreementRef, Code, DatasetId, DatasetVersion, Digest, ExchangeId, MemberId, OperationId,
    Outcome, SubjectKind, SystemId, SystemName,
};

/// An intent without its exchange, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIntent {
    /// Where it stands in the log.
    pub index: u64,
    /// The bytes of its envelope.
    envelope: Vec<u8>,
    /// Its sealed part without the salt; `None` where it was erased.
    sealed: Option<Vec<u8>>,
}

/// What is read of the envelope.
#[derive(Deserialize)]
struct Envelope {
    exchange: String,
    consumer: String,
    provider: String,
    dataset: String,
    operation: String,
    agreement: String,
    agreement_digest: String,
    ruleset: String,
    request: String,
}

/// What is read of the sealed part.
#[derive(Deserialize)]
struct Sealed {
    nonce: String,
    subjects: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    kind: String,
    key: String,
    #[serde(rename = "ref")]
    tag: String,
}

impl OpenIntent {
    pub(super) fn new(index: u64, envelope: &[u8]) -> Self {
        Self { index, envelope: envelope.to_vec(), sealed: None }
    }

    pub(super) fn sealed_is(&mut self, json: &[u8]) {
        self.sealed = Some(json.to_vec());
    }

    /// The record that closes it: the caller was told nothing, which a status of 0 says. `None` if the
    /// intent is not one this program wrote.
    pub fn closing(&self) -> Option<Record> {
        let (intent, subjects) = self.read()?;
        let outcome = Outcome::Refused;
        let exchange = Exchange {
            id: intent.id,
            consumer: intent.consumer,
            provider: intent.provider,
            dataset: Some(intent.dataset),
            operation: Some(intent.operation),
            agreement: Some(intent.agreement),
            ruleset: intent.ruleset,
            purpose: None,
            role: None,
            assurance: None,
            outcome,
            code: Some(Code::OutcomeUnknown),
            status: 0,
            fields: [].into(),
            rows: 0,
            nonce: intent.nonce,
            request_mac: intent.request_mac,
            answer_mac: answer_mac(&intent.nonce, 0, outcome.as_str(), "", b""),
            correlation: None,
            sealed: SealedExchange {
                outcome: Code::OutcomeUnknown.as_str().into(),
                note: Some("the gateway ended between intent and answer; the caller was told nothing".into()),
                ..SealedExchange::default()
            },
        };
        Some(Record::Lost { exchange: Box::new(exchange), subjects })
    }

    fn read(&self) -> Option<(Intent, Vec<SubjectRef>)> {
        let envelope: Envelope = serde_json::from_slice(&self.envelope).ok()?;
        let (nonce, subjects) = match &self.sealed {
            Some(json) => read_sealed(json)?,
            // Erased with what it keyed: a new one then keys only that nothing was answered.
            None => (Nonce::fresh()?, Vec::new()),
        };
        let (member, system) = envelope.consumer.split_once('/')?;
        let consumer =
            SystemId { member: MemberId::new(member).ok()?, system: SystemName::new(system).ok()? };
        let (dataset, major) = envelope.dataset.split_once("/v")?;
        let dataset = DatasetVersion { dataset: DatasetId::new(dataset).ok()?, major: major.parse().ok()? };
        let (agreement, version) = envelope.agreement.split_once('@')?;
        let agreement =
            AgreementRef { id: AgreementId::new(agreement).ok()?, version: version.parse().ok()? };
        let intent = Intent {
            id: ExchangeId::parse(&envelope.exchange)?,
            consumer,
            provider: MemberId::new(&envelope.provider).ok()?,
            dataset,
            operation: OperationId::new(&envelope.operation).ok()?,
            agreement: (agreement, Digest::parse(&envelope.agreement_digest)?),
            ruleset: Digest::parse(&envelope.ruleset)?,
            nonce,
            request_mac: Digest::from_hex(&envelope.request)?.0,
            subjects: Vec::new(),
        };
        Some((intent, subjects))
    }
}

fn read_sealed(json: &[u8]) -> Option<(Nonce, Vec<SubjectRef>)> {
    let sealed: Sealed = serde_json::from_slice(json).ok()?;
    let subject = |one: Reference| {
        let kind = SubjectKind::new(&one.kind)?;
        Some(SubjectRef { kind, key: one.key, tag: Digest::from_hex(&one.tag)?.0 })
    };
    let subjects: Option<Vec<_>> = sealed.subjects.into_iter().map(subject).collect();
    Some((Nonce(Digest::from_hex(&sealed.nonce)?.0), subjects?))
}
