//! A question of NHS Lomond's, signed as it should be, to be spoiled.

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use jiff::Timestamp;

use super::super::{
    Asker, Component, Input, Message, SignatureFault, TAG, Value, Verified, Verifier, content_digest, covered,
};
use crate::crypto::SigningKey;
use crate::model::{MemberId, MessageKey, SystemId, SystemName};

/// The second everything here happens in; the gateway has run since a minute before.
pub const NOW: i64 = 1_800_000_000;
pub const BODY: &str = "{\"chi\":\"1403170129\"}";

pub fn system(member: &str, system: &str) -> SystemId {
    SystemId { member: MemberId::new(member).unwrap(), system: SystemName::new(system).unwrap() }
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

pub fn listed(id: &str, seed: u8) -> MessageKey {
    let system = SystemName::new("ed-trak").unwrap();
    MessageKey { system, id: id.to_owned(), public: key(seed).public(), not_before: None, not_after: None }
}

pub struct Sample {
    pub method: &'static str,
    pub target: &'static str,
    pub fields: HeaderMap,
    pub body: String,
    /// Parameters in the order they are signed.
    pub parameters: Vec<(&'static str, Value<'static>)>,
    pub signer: u8,
    /// What is covered besides, or instead.
    pub cover: fn(Vec<Component>) -> Vec<Component>,
    pub keys: Vec<MessageKey>,
    pub now: i64,
    pub verifier: Verifier,
}

impl Default for Sample {
    fn default() -> Self {
        let mut sample = Self {
            method: "POST",
            target: "/child-protection/v1/check",
            fields: HeaderMap::new(),
            body: BODY.to_owned(),
            parameters: vec![
                ("created", Value::Integer(NOW)),
                ("expires", Value::Integer(NOW + 60)),
                ("nonce", Value::Text("b3k2pp5k7z-50gnwp.yemd")),
                ("keyid", Value::Text("ed-trak-1")),
                ("tag", Value::Text(TAG)),
            ],
            signer: 1,
            cover: |components| components,
            keys: vec![listed("ed-trak-1", 1)],
            now: NOW,
            verifier: Verifier::new(Timestamp::from_second(NOW - 60).unwrap(), 100),
        };
        for (name, value) in [
            ("host", "gateway.glenmore.example"),
            ("content-type", "application/json"),
            ("content-digest", &content_digest(BODY.as_bytes())),
            ("x-request-id", "6f6b1a0c"),
            ("tolbooth-role", "ed_nurse"),
            ("tolbooth-user", "m.macleod"),
        ] {
            sample.set(name, value);
        }
        sample
    }
}

impl Sample {
    pub fn set(&mut self, name: &'static str, value: &str) {
        self.fields.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }

    pub fn parameter(&mut self, name: &'static str, value: Option<Value<'static>>) {
        self.parameters.retain(|(known, _)| *known != name);
        self.parameters.extend(value.map(|value| (name, value)));
    }

    /// Signs what is there now.
    pub fn sign(&mut self) {
        let components = (self.cover)(covered(&self.fields).unwrap());
        let input = Input::new("sig", &components, &self.parameters).unwrap();
        let target: Uri = self.target.parse().unwrap();
        let question = Message::request(self.method, "https", &target, &self.fields);
        let (input, signature) = input.sign(&question, &key(self.signer)).unwrap();
        self.set("signature-input", &input);
        self.set("signature", &signature);
    }

    pub fn verify(&self) -> Result<Verified, SignatureFault> {
        let target: Uri = self.target.parse().unwrap();
        let question = Message::request(self.method, "https", &target, &self.fields);
        let system = system("nhs-lomond", "ed-trak");
        let asker = Asker { system: &system, keys: &self.keys, signing_members: 2 };
        let now = Timestamp::from_second(self.now).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
        self.verifier.verify(&question, self.body.as_bytes(), &asker, &now)
    }
}
