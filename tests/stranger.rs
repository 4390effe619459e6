//! What a caller without an agreement is told, and what the record keeps of a caller who is known:
//! the receipt is part of the answer.
#![cfg(test)]

mod support;

use serde_json::Value;
use support::gateway::{CHI, Gateway};
use support::partner::Said;
use tolbooth::ledger::verify::verify_receipt;
use tolbooth::merkle::note::VerifierKey;

/// The envelope in the receipt of what was said.
fn envelope(gateway: &Gateway, said: &Said) -> Value {
    let key = std::fs::read_to_string(gateway.home.join("data/keys/ledger.vkey")).unwrap();
    let key = VerifierKey::parse(&key).unwrap();
    let report = verify_receipt(said.header("tolbooth-receipt"), &key, None, &[]).unwrap();
    serde_json::from_str(&report.envelope).unwrap()
}

/// Without what differs between any two exchanges.
fn comparable(mut envelope: Value) -> Value {
    let object = envelope.as_object_mut().unwrap();
    for name in ["index", "time", "exchange", "request", "answer", "sealed"] {
        object.remove(name).unwrap();
    }
    envelope
}

#[test]
fn a_strangers_receipt_does_not_say_whether_a_dataset_is_here() {
    let gateway = Gateway::start("stranger");
    let stranger = gateway.partner(&gateway.trial.stranger);
    let body = format!("{{\"chi\":\"{CHI}\"}}");
    let told: Vec<Value> = [
        "/child-protection/v1/check",
        "/child-protection/v1/list",
        "/child-protection/v2/check",
        "/adult-protection/v1/check",
        "/",
    ]
    .iter()
    .map(|path| {
        let said = stranger.ask(path, &[("tolbooth-purpose", "direct_care")], &body);
        assert_eq!((said.status, said.code().as_str()), (403, "not_agreed"), "{path}");
        comparable(envelope(&gateway, &said))
    })
    .collect();
    told.iter().for_each(|one| assert_eq!(*one, told[0]));
}

#[test]
fn a_known_callers_malformed_question_is_on_the_record() {
    let gateway = Gateway::start("odd-header");
    let said = gateway.nhs().ask(
        "/child-protection/v1/check",
        &[("tolbooth-role", "ed_nurse"), ("tolbooth-role", "ed_clinician")],
        &format!("{{\"chi\":\"{CHI}\"}}"),
    );
    assert_eq!((said.status, said.outcome(), said.code().as_str()), (400, "refused", "malformed_http"));
    let envelope = envelope(&gateway, &said);
    assert_eq!(envelope["consumer"], "nhs-lomond/ed-trak");
    assert_eq!(envelope["role"], Value::Null, "a header that could be read in two ways is not read");
}

#[test]
fn a_refused_purpose_is_on_the_record_with_the_agreement_it_was_refused_under() {
    let gateway = Gateway::start("refused-purpose");
    let asked = [("tolbooth-role", "ed_nurse"), ("tolbooth-purpose", "fraud_prevention")];
    let said = gateway.nhs().ask("/child-protection/v1/check", &asked, &format!("{{\"chi\":\"{CHI}\"}}"));
    assert_eq!((said.status, said.code().as_str()), (403, "purpose_not_allowed"));
    let envelope = envelope(&gateway, &said);
    assert_eq!(envelope["agreement"], "glenmore-nhs-lomond-child-protection@1");
    assert_eq!(
        (&envelope["purpose"], &envelope["purpose_origin"]),
        (&"fraud_prevention".into(), &"claimed".into())
    );
}
