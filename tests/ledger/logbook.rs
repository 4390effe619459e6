//! Ledgers and exchanges for tests: everything in a folder of its own, every name made up.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tolbooth::clock::Clock;
use tolbooth::crypto::SigningKey;
use tolbooth::journal::Medium;
use tolbooth::ledger::binding::{answer_mac, request_mac};
use tolbooth::ledger::{Exchange, Ledger, LedgerConfig, LedgerError, Nonce, Opened, Record, SealedExchange};
use tolbooth::merkle::note::VerifierKey;
use tolbooth::model::{
    AgreementId, AgreementRef, Assurance, DatasetId, DatasetVersion, Digest, ExchangeId, MemberId,
    OperationId, Origin, Outcome, PurposeCode, RoleId, Stated, Subject, SubjectKind, SystemId, SystemName,
};

pub const LOG: &str = "glenmore.caledonia.example/ledger";
/// The smallest segments, so that tests cross many.
pub const SMALL: u64 = 64 * 1024;

/// A folder that goes with its value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("tolbooth-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn key() -> SigningKey {
    SigningKey::from_seed(&[42; 32]).unwrap()
}

pub fn verifier() -> VerifierKey {
    VerifierKey::new(LOG, key().public()).unwrap()
}

pub fn config(directory: &Path) -> LedgerConfig {
    LedgerConfig {
        directory: directory.to_owned(),
        origin: LOG.into(),
        key: key(),
        segment_bytes: SMALL,
        waiting_max: 10_000,
        recovery_keys: Vec::new(),
    }
}

pub fn open(directory: &Path) -> (Ledger, Opened) {
    Ledger::open(config(directory), Clock::new().unwrap()).unwrap()
}

pub fn open_on(medium: impl Medium, directory: &Path) -> Result<(Ledger, Opened), LedgerError> {
    Ledger::open_on(medium, config(directory), Clock::new().unwrap())
}

pub fn id(n: u64) -> ExchangeId {
    let [a, b, c, d, e, f, g, h] = n.to_be_bytes();
    ExchangeId::new(1_800_000_000_000, [0, 0, a, b, c, d, e, f, g, h])
}

pub const BODY: &[u8] = br#"{"known":true}"#;

/// The `n`th exchange: a question about one synthetic person, answered.
pub fn exchange(n: u64) -> Exchange {
    let nonce = Nonce([n as u8; 32]);
    let chi = format!("{:010}", 9_000_000_000u64 + n);
    Exchange {
        id: id(n),
        consumer: SystemId {
            member: MemberId::new("nhs-lomond").unwrap(),
            system: SystemName::new("ed-trak").unwrap(),
        },
        provider: MemberId::new("glenmore").unwrap(),
        dataset: Some(DatasetVersion { dataset: DatasetId::new("child-protection").unwrap(), major: 1 }),
        operation: Some(OperationId::new("check").unwrap()),
        agreement: Some((
            AgreementRef {
                id: AgreementId::new("glenmore-nhs-lomond-child-protection").unwrap(),
                version: 3,
            },
            Digest::of(b"agreement"),
        )),
        ruleset: Digest::of(b"ruleset"),
        purpose: Some(Stated { value: PurposeCode::ALL[0], origin: Origin::Agreement }),
        role: Some(Stated { value: RoleId::new("ed_clinician").unwrap(), origin: Origin::Claimed }),
        assurance: Some(Assurance::Certificate),
        outcome: Outcome::Answered,
        code: None,
        status: 200,
        fields: ["known", "since", "lead_worker/name"].map(String::from).into(),
        rows: 1,
        nonce,
        request_mac: request_mac(
            &nonce,
            "POST",
            "/child-protection/v1/check",
            "application/json",
            &[],
            b"{}",
        ),
        answer_mac: answer_mac(&nonce, 200, "answered", "application/json", BODY),
        correlation: Some("b7f0c1de-0000-4000-8000-000000000000".into()),
        sealed: SealedExchange {
            outcome: "answered".into(),
            reason: Some("attends with an injury".into()),
            subjects: vec![Subject { kind: SubjectKind::new("chi").unwrap(), identifier: chi }],
            user: Some(Stated { value: "c.munro".into(), origin: Origin::Claimed }),
            ..SealedExchange::default()
        },
    }
}

pub fn record(n: u64) -> Record {
    Record::Exchange(Box::new(exchange(n)))
}
