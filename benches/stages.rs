//! What each stage of an exchange costs, so that the sum explains the whole: `cargo bench`. The
//! setting is that of `benches/gateway/`: one of many signed agreements, 8 of 10 fields released.
#![expect(clippy::unwrap_used, reason = "a bench that cannot set up has nothing to measure")]

#[path = "gateway/federation.rs"]
mod federation;
#[path = "gateway/revocation.rs"]
mod revocation;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use divan::{Bencher, black_box};
use serde_json::json;
use tolbooth::clock::Clock;
use tolbooth::config;
use tolbooth::contract::read_question;
use tolbooth::desk::{Circumstances, Offer, Ruleset, Terms};
use tolbooth::directory::Identity;
use tolbooth::json::Document;
use tolbooth::ledger::binding::{answer_mac, request_mac};
use tolbooth::ledger::{Exchange, Ledger, LedgerConfig, Nonce, Record, SealedExchange};
use tolbooth::minimise::Context;
use tolbooth::model::limits::JSON_DEPTH_MAX;
use tolbooth::model::{
    AgreementId, Assurance, ExchangeId, MemberId, OperationId, Outcome, SystemId, SystemName,
};
use tolbooth::policy::{Claims, Facts, Memo, choose};
use tolbooth::tls::{Anchor, Credential};
use tolbooth::token::{Cache, Grant, Issuers, Mint, MintKeys, Presenter, Scope};

fn main() {
    divan::main();
}

/// A ruleset among `agreements`, and the exchange that is asked under it.
struct Setting {
    folder: PathBuf,
    ruleset: Ruleset,
    clock: Clock,
    offer: Arc<Offer>,
    system: SystemId,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Setting {
    fn new(agreements: usize) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tolbooth-stages-{}-{number}", std::process::id()));
        federation::make(&folder, agreements, "http://127.0.0.1:1", "0").unwrap();
        let gateway = config::load(&folder.join("tolbooth.toml")).unwrap();
        let seen = |_: &AgreementId| None;
        let circumstances = Circumstances {
            seen: &seen,
            life: &Default::default(),
            before: None,
            pseudonym_master: &[0; 32],
            today: jiff::civil::Date::MIN,
        };
        let ruleset = Ruleset::load(&gateway, &circumstances).unwrap();
        let offer = Arc::clone(ruleset.offer("records-0", "1").unwrap());
        let system = SystemId {
            member: MemberId::new("consumer-0").unwrap(),
            system: SystemName::new("bench").unwrap(),
        };
        Self { folder, ruleset, clock: Clock::new().unwrap(), offer, system }
    }

    fn operation(&self, id: &str) -> OperationId {
        self.offer.contract.operation(&OperationId::new(id).unwrap()).unwrap().id.clone()
    }

    fn identity(&self) -> Identity {
        let keys = self.folder.join("keys");
        let credential = Credential::load(&keys.join("client.pem"), &keys.join("client.key")).unwrap();
        let pem = std::fs::read(self.folder.join("certs/consumer-0-ca.pem")).unwrap();
        let anchor = Anchor::from_der(tolbooth::tls::certificates(&pem).unwrap().first().unwrap()).unwrap();
        let now = self.clock.now();
        let leaf = std::fs::read(keys.join("client.pem")).unwrap();
        let leaf = tolbooth::tls::certificates(&leaf).unwrap();
        assert_eq!(credential.certificate().uris.len(), 1);
        let path = tolbooth::tls::prove(&[anchor], &leaf, now).unwrap();
        self.ruleset.directory.identity(leaf.first().unwrap(), &path).unwrap()
    }

    fn terms(&self, operation: &str) -> &Arc<Terms> {
        let id = self.operation(operation);
        let entry = self
            .ruleset
            .register
            .candidates(&self.system, &self.offer.contract.version, &id)
            .first()
            .unwrap();
        self.ruleset.terms(&entry.agreement.reference, &id).unwrap()
    }

    /// Chooses the agreement and makes the facts, as decide does.
    fn facts(&self, operation: &OperationId) -> Facts {
        let version = &self.offer.contract.version;
        let candidates = self.ruleset.register.candidates(&self.system, version, operation);
        let london = self.clock.london();
        let chosen = choose(candidates, &self.system, &Claims::default(), london.date()).unwrap();
        let terms = self.ruleset.terms(&chosen.entry.agreement.reference, operation).unwrap();
        Facts {
            scope: Arc::clone(terms.scope()),
            member: self.system.member.clone(),
            class: tolbooth::model::MemberClass::Health,
            system: self.system.system.clone(),
            role: chosen.role.map(|role| role.value),
            purpose: chosen.purpose.value,
            assurance: Assurance::Certificate,
            emergency: false,
            weekday: london.weekday(),
            hour: london.hour().unsigned_abs(),
        }
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What the benchmark's system behind answers, about 1 KiB each.
fn records(count: usize) -> Bytes {
    let entitlement = |code: &str| json!({"code": code, "from": "2024-01-01", "to": null, "amount": 1250.5});
    let entitlements = ["housing", "child", "sickness", "parental", "study"].map(entitlement);
    let one = |number: usize| {
        json!({
            "id": format!("{number:010}"), "name": {"given": "Astrid", "family": format!("Lindqvist-{number:05}")},
            "birthDate": "1951-02-11", "nationalNumber": format!("19{number:010}"),
            "email": format!("astrid.{number}@example.test"), "income": 31001.5,
            "address": {"street": "Storgatan 1", "city": "Uppsala", "postcode": "75001", "country": "SE"},
            "entitlements": entitlements,
            "status": "active", "note": "n".repeat(330)
        })
    };
    let value = if count == 1 { one(1) } else { (1..=count).map(one).collect() };
    Bytes::from(value.to_string())
}

#[divan::bench]
fn identify_once_an_epoch(bencher: Bencher<'_, '_>) {
    let setting = Setting::new(20);
    bencher.bench_local(|| setting.identity());
}

/// A token as most systems hold one, remembered by one slot or, of two that take it in turn, never.
#[divan::bench(args = ["remembered", "anew"])]
fn token(bencher: Bencher<'_, '_>, how: &str) {
    let setting = Setting::new(20);
    let (identity, clock) = (setting.identity(), &setting.clock);
    let keys = MintKeys::parse("").unwrap().renewed(0, 1).unwrap().unwrap();
    let mint = Mint::new("https://data.provider.example:8443", 300, keys);
    let scope = Scope::parse("agreement:records-0 purpose:direct_care").unwrap();
    let client = "spiffe://consumer-0.bench.example/bench";
    let now = clock.now().as_second();
    let certificate = identity.certificate();
    let grant = Grant { client, certificate: &certificate, scope: &scope, now };
    let tokens = [mint.mint(&grant).unwrap(), mint.mint(&grant).unwrap()];
    let issuers = Issuers::new([Arc::clone(mint.issuer())]);
    let mut cache = Cache::new(1);
    let mut turn = tokens.iter().cycle();
    bencher.bench_local(|| {
        let token = if how == "anew" { turn.next() } else { tokens.first() }.unwrap();
        let presenter = Presenter {
            system: &setting.system,
            federation: "bench.example",
            certificate: &certificate,
            hears: &[],
            now: clock.now(),
        };
        cache.present(token, &issuers, 1, &presenter).unwrap()
    });
}

/// What a handshake costs beside TLS itself (the chain is proven, and asked of everything that is revoked) with
/// a revocation list of so many entries in force.
#[divan::bench(args = [0, 100_000])]
fn prove_and_identify_beside_revoked(bencher: Bencher<'_, '_>, entries: u32) {
    let (files, chain) = revocation::federation(entries);
    let directory = files.directory();
    let anchors = directory.anchors();
    let now = Clock::new().unwrap().now();
    bencher.bench_local(|| {
        let path = tolbooth::tls::prove(black_box(&anchors), &chain, now).unwrap();
        directory.identity(chain.first().unwrap(), &path).unwrap()
    });
}

/// Only the second half of it: what each new connection and each epoch costs.
#[divan::bench(args = [0, 100_000])]
fn identify_beside_revoked(bencher: Bencher<'_, '_>, entries: u32) {
    let (files, chain) = revocation::federation(entries);
    let directory = files.directory();
    let path = tolbooth::tls::prove(&directory.anchors(), &chain, Clock::new().unwrap().now()).unwrap();
    bencher.bench_local(|| directory.identity(black_box(chain.first().unwrap()), &path).unwrap());
}

/// Once, when a list is loaded and nowhere else.
#[divan::bench(args = [1_000, 100_000], sample_count = 10)]
fn load_a_revocation_list(bencher: Bencher<'_, '_>, entries: u32) {
    let (files, _) = revocation::federation(entries);
    bencher.bench_local(|| files.directory());
}

#[divan::bench]
fn route(bencher: Bencher<'_, '_>) {
    let setting = Setting::new(20);
    bencher.bench_local(|| {
        setting.ruleset.offer(black_box("records-0"), "1").unwrap().operation_at(black_box("/one")).is_some()
    });
}

#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    let setting = Setting::new(20);
    let offered = setting.offer.operation_at("/one").unwrap();
    let body = Bytes::from_static(b"{\"id\":\"1\"}");
    let checker = offered.question_checker().unwrap();
    bencher.bench_local(|| read_question(&offered.operation, checker, body.clone()).unwrap());
}

/// A signature over a question with a role and a token, as `read` verifies it, its nonce remembered.
#[divan::bench]
fn verify_a_signature(bencher: Bencher<'_, '_>) {
    use tolbooth::model::MessageKey;
    use tolbooth::signature::{Asker, Input, Message, TAG, Value, Verifier, content_digest, covered};
    let (clock, key) = (Clock::new().unwrap(), tolbooth::crypto::SigningKey::generate().unwrap());
    let body = b"{\"id\":\"1\"}";
    let mut fields = http::HeaderMap::new();
    let (digest, token) = (content_digest(body), format!("Bearer {}", "x".repeat(700)));
    for (name, value) in [
        ("host", "gateway.example"),
        ("content-type", "application/json"),
        ("content-digest", digest.as_str()),
        ("x-request-id", "6f6b1a0c"),
        ("authorization", token.as_str()),
        ("tolbooth-role", "ed_nurse"),
    ] {
        fields.insert(http::HeaderName::from_static(name), value.parse().unwrap());
    }
    let system = SystemId { member: MemberId::new("m").unwrap(), system: SystemName::new("s").unwrap() };
    let listed = MessageKey {
        system: system.system.clone(),
        id: "k".into(),
        public: key.public(),
        not_before: None,
        not_after: None,
    };
    let target = http::Uri::from_static("/records-0/v1/one");
    let (now, next) = (clock.london(), std::cell::Cell::new(0_u64));
    let verifier = Verifier::new(jiff::Timestamp::UNIX_EPOCH, 10_000_000);
    let asker = Asker { system: &system, keys: &[listed], signing_members: 1 };
    bencher
        .with_inputs(|| {
            next.set(next.get() + 1);
            let (nonce, created) = (format!("nonce-{:020}", next.get()), now.timestamp().as_second());
            let parameters = [
                ("created", Value::Integer(created)),
                ("expires", Value::Integer(created + 60)),
                ("nonce", Value::Text(&nonce)),
                ("keyid", Value::Text("k")),
                ("tag", Value::Text(TAG)),
            ];
            let input = Input::new("sig", &covered(&fields).unwrap(), &parameters).unwrap();
            let message = Message::request("POST", "https", &target, &fields);
            let (input, signature) = input.sign(&message, &key).unwrap();
            let mut fields = fields.clone();
            fields.insert("signature-input", input.parse().unwrap());
            fields.insert("signature", signature.parse().unwrap());
            fields
        })
        .bench_local_values(|fields| {
            let message = Message::request("POST", "https", &target, &fields);
            verifier.verify(&message, body, &asker, &now).unwrap()
        });
}

#[divan::bench(args = [10, 1000, 10000], sample_count = 20)]
fn decide_remembered(bencher: Bencher<'_, '_>, agreements: usize) {
    let setting = Setting::new(agreements);
    let operation = setting.operation("one");
    let mut memo = Memo::new(4096);
    bencher.bench_local(|| {
        memo.decide(&setting.ruleset.digest, &setting.ruleset.decider, &setting.facts(&operation))
    });
}

#[divan::bench(args = [10, 1000, 10000], sample_count = 20)]
fn decide_anew(bencher: Bencher<'_, '_>, agreements: usize) {
    let setting = Setting::new(agreements);
    let operation = setting.operation("one");
    bencher.bench_local(|| setting.ruleset.decider.decide(&setting.facts(&operation)));
}

#[divan::bench(args = [1, 100])]
fn parse_the_source(bencher: Bencher<'_, '_>, rows: usize) {
    let document = records(rows);
    bencher.bench_local(|| Document::parse(document.clone(), JSON_DEPTH_MAX).unwrap());
}

fn minimised(setting: &Setting, operation: &str, document: &Document) -> Vec<u8> {
    let terms = setting.terms(operation);
    let agreement = &terms.agreement().reference.id;
    let context = Context {
        today: setting.clock.today(),
        zone: setting.clock.zone(),
        agreement,
        pseudonyms: &terms.pseudonyms,
    };
    terms.compiled().unwrap().projection.apply(document.root(), &context).unwrap().body
}

fn operation_for(rows: usize) -> &'static str {
    if rows == 1 { "one" } else { "all" }
}

#[divan::bench(args = [1, 100])]
fn minimise(bencher: Bencher<'_, '_>, rows: usize) {
    let setting = Setting::new(20);
    let document = Document::parse(records(rows), JSON_DEPTH_MAX).unwrap();
    bencher.bench_local(|| minimised(&setting, operation_for(rows), &document));
}

#[divan::bench(args = [1, 100])]
fn check(bencher: Bencher<'_, '_>, rows: usize) {
    let setting = Setting::new(20);
    let document = Document::parse(records(rows), JSON_DEPTH_MAX).unwrap();
    let body = Bytes::from(minimised(&setting, operation_for(rows), &document));
    let checker = &setting.terms(operation_for(rows)).compiled().unwrap().checker;
    bencher.bench_local(|| {
        let document = Document::parse(body.clone(), JSON_DEPTH_MAX).unwrap();
        assert!(checker.is_valid(document.root()));
    });
}

#[divan::bench(args = [1, 80])]
fn digests(bencher: Bencher<'_, '_>, kib: usize) {
    let body = vec![b'x'; kib * 1024];
    let nonce = Nonce([7; 32]);
    bencher.bench_local(|| {
        let question =
            request_mac(&nonce, "POST", "/records-0/v1/one", "application/json", &[], b"{\"id\":\"1\"}");
        (question, answer_mac(&nonce, 200, "answered", "application/json", black_box(&body)))
    });
}

fn exchange(fields: &Arc<[String]>) -> Record {
    let random: [u8; 42] = tolbooth::crypto::random().unwrap();
    let mut id = [0; 10];
    id.copy_from_slice(random.split_at(10).0);
    Record::Exchange(Box::new(Exchange {
        id: ExchangeId::new(1_800_000_000_000, id),
        consumer: SystemId {
            member: MemberId::new("consumer-0").unwrap(),
            system: SystemName::new("bench").unwrap(),
        },
        provider: MemberId::new("provider").unwrap(),
        dataset: None,
        operation: None,
        agreement: None,
        ruleset: tolbooth::model::Digest::of(b"ruleset"),
        purpose: None,
        role: None,
        assurance: None,
        outcome: Outcome::Answered,
        code: None,
        status: 200,
        fields: Arc::clone(fields),
        rows: 1,
        nonce: Nonce([1; 32]),
        request_mac: [2; 32],
        answer_mac: [3; 32],
        correlation: None,
        sealed: SealedExchange { outcome: "answered".into(), ..SealedExchange::default() },
    }))
}

/// Entry, hashes, journal, signature and receipt for this many exchanges in one batch: most of it
/// is the sync.
#[divan::bench(args = [1, 64, 1024], sample_count = 50)]
fn record(bencher: Bencher<'_, '_>, together: usize) {
    let folder = std::env::temp_dir().join(format!("tolbooth-record-{}-{together}", std::process::id()));
    let clock = Clock::new().unwrap();
    let key = tolbooth::crypto::SigningKey::generate().unwrap();
    let config = LedgerConfig {
        directory: folder.clone(),
        origin: "bench.example/ledger".into(),
        key,
        segment_bytes: 64 * 1024 * 1024,
        waiting_max: 16_384,
        recovery_keys: Vec::new(),
    };
    let (ledger, _) = Ledger::open(config, clock).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let fields: Arc<[String]> = (0..15).map(|number| format!("field_{number}")).collect();
    bencher.bench_local(|| {
        runtime.block_on(async {
            let mut waiting = Vec::with_capacity(together);
            for _ in 0..together {
                let (ledger, record) = (ledger.clone(), exchange(&fields));
                waiting.push(async move { ledger.append(record).await.unwrap() });
            }
            let tasks = tokio::task::LocalSet::new();
            tasks
                .run_until(async {
                    let spawned: Vec<_> = waiting.into_iter().map(tokio::task::spawn_local).collect();
                    for task in spawned {
                        black_box(task.await.unwrap());
                    }
                })
                .await;
        });
    });
    ledger.close();
    let _ = std::fs::remove_dir_all(folder);
}
