//! Records of nobody: who asks for whom, how often, and what comes of it, spread as it is where such gateways
//! run. Identifiers begin with a day of birth that no month has, so that they are no CHI.

use std::sync::Arc;

use crate::ledger::{Alarm, Exchange, Nonce, Read, Record, SealedExchange, Summary};
use crate::model::{
    AgreementId, AgreementRef, Assurance, Code, DatasetId, DatasetVersion, Digest, ExchangeId, MemberId,
    OperationId, Origin, Outcome, PurposeCode, RoleId, Stated, Subject, SubjectKind, SystemId, SystemName,
};

const PARTNERS: u64 = 40;
const SYSTEMS_EACH: u64 = 3;
const USERS_EACH: u64 = 60;
const DATASETS: u64 = 12;
/// A person is asked about some eight times in all the years.
const RECORDS_PER_PERSON: u64 = 8;
/// Behind this number there is no day of a month: nobody's CHI begins so.
const NOBODY: u64 = 9_000_000_000;

/// Where names come from: what is written is checked as what comes from a partner is.
fn id<T, E>(made: Result<T, E>) -> Option<T> {
    made.ok()
}

/// Makes up one record after the other, the same for the same seed.
pub(super) struct MadeUp {
    state: u64,
    people: u64,
    fields: Arc<[String]>,
    nothing: Arc<[String]>,
}

/// How a question ended: as told, truly, and with what code.
struct Ending {
    outcome: Outcome,
    truly: &'static str,
    code: Option<Code>,
    rows: u64,
}

impl MadeUp {
    pub(super) fn new(seed: u64, records: u64) -> Self {
        let fields = ["known", "since", "lead_worker/name", "lead_worker/phone"].map(String::from).into();
        Self { state: seed, people: (records / RECORDS_PER_PERSON).max(1), fields, nothing: [].into() }
    }

    /// SplitMix64 (Steele, Lea and Flood 2014): quick, and the same everywhere.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn bytes(&mut self) -> [u8; 32] {
        let mut out = [0; 32];
        for part in out.chunks_exact_mut(8) {
            part.copy_from_slice(&self.next().to_be_bytes());
        }
        out
    }

    /// Small numbers far oftener than great ones.
    fn skewed(&mut self, end: u64) -> u64 {
        let part = self.below(1 << 20) as f64 / f64::from(1 << 20);
        ((end as f64) * part.powi(3)) as u64
    }

    /// The next record.
    pub(super) fn record(&mut self, at_ms: i64) -> Record {
        let at_ms = u64::try_from(at_ms).unwrap_or(0);
        let special = match self.below(1000) {
            0..15 => Some(self.summary(at_ms)),
            15..25 => Some(Record::Read(self.read())),
            25..28 => self.alarm(),
            _ => None,
        };
        let record = special.or_else(|| Some(Record::Exchange(Box::new(self.exchange(at_ms)?))));
        record.unwrap_or(Record::Shutdown)
    }

    fn partner(&mut self) -> u64 {
        self.skewed(PARTNERS)
    }

    fn summary(&mut self, at_ms: u64) -> Record {
        let member = id(MemberId::new(&format!("partner-{:02}", self.partner())));
        let (cause, count) = ("limit_reached".into(), 1 + self.below(500));
        Record::Summary(Summary { member, cause, count, from_ms: at_ms, to_ms: at_ms + 60_000, source: None })
    }

    fn read(&mut self) -> Read {
        let subjects = self.person().into_iter().collect();
        Read {
            action: "search",
            shown: self.below(40),
            by: format!("uid {}", 1000 + self.below(5)),
            purpose: "a complaint of nobody".to_owned(),
            asked: Some("by subject".to_owned()),
            subjects,
        }
    }

    fn alarm(&mut self) -> Option<Record> {
        let dataset = Some(dataset(self.below(DATASETS))?);
        Some(Record::Alarm(Alarm {
            cause: "drift",
            dataset,
            detail: None,
            dropped: vec!["shoe_size".into()],
        }))
    }

    /// Most are asked about a few times, and a few people often.
    fn person(&mut self) -> Option<Subject> {
        let number =
            if self.below(5) == 0 { self.skewed(self.people / 100) } else { self.below(self.people) };
        Some(Subject { kind: SubjectKind::new("chi")?, identifier: (NOBODY + number).to_string() })
    }

    fn exchange(&mut self, at_ms: u64) -> Option<Exchange> {
        let partner = self.partner();
        let set = (partner + self.skewed(4)) % DATASETS;
        let system = self.below(SYSTEMS_EACH);
        let (nonce, request_mac, answer_mac) = (Nonce(self.bytes()), self.bytes(), self.bytes());
        let ending = self.ending();
        let dataset = dataset(set)?;
        let version = 1 + u32::try_from(at_ms >> 36).unwrap_or(0) % 7;
        let agreement = id(AgreementId::new(&format!("glenmore-partner-{partner:02}-dataset-{set:02}")))?;
        let with_data = ending.rows > 0;
        Some(Exchange {
            id: ExchangeId::new(at_ms, *self.bytes().first_chunk()?),
            consumer: SystemId {
                member: id(MemberId::new(&format!("partner-{partner:02}")))?,
                system: id(SystemName::new(&format!("records-{system}")))?,
            },
            provider: id(MemberId::new("glenmore"))?,
            dataset: Some(dataset),
            operation: Some(id(OperationId::new("check"))?),
            agreement: Some((
                AgreementRef { id: agreement, version },
                Digest::of(&[set as u8, partner as u8]),
            )),
            ruleset: Digest::of(b"a ruleset of nobody"),
            purpose: Some(Stated {
                value: *PurposeCode::ALL.get(self.below(4) as usize)?,
                origin: Origin::Agreement,
            }),
            role: Some(Stated { value: id(RoleId::new("clerk"))?, origin: Origin::Claimed }),
            assurance: Some(Assurance::Certificate),
            outcome: ending.outcome,
            code: ending.code,
            status: ending.code.map_or(200, Code::status),
            fields: Arc::clone(if with_data { &self.fields } else { &self.nothing }),
            rows: ending.rows,
            nonce,
            request_mac,
            answer_mac,
            correlation: None,
            sealed: self.sealed(partner, &ending),
        })
    }

    fn sealed(&mut self, partner: u64, ending: &Ending) -> SealedExchange {
        let user = format!("user-{:04}", partner * USERS_EACH + self.skewed(USERS_EACH));
        SealedExchange {
            outcome: ending.truly.into(),
            reason: Some("a question of nobody about nobody".to_owned()),
            subjects: self.person().into_iter().collect(),
            user: Some(Stated { value: user, origin: Origin::Claimed }),
            case: Some(format!("CASE-{:06}", self.below(1_000_000))),
            note: None,
            dropped: Vec::new(),
            rows_excluded: u64::from(ending.truly == "row_excluded"),
            chain: None,
        }
    }

    fn ending(&mut self) -> Ending {
        let told = |outcome, truly, rows| Ending { outcome, truly, code: None, rows };
        match self.below(100) {
            0..78 => told(Outcome::Answered, "answered", 1),
            78..88 => told(Outcome::NoMatch, "no_match", 0),
            88..90 => told(Outcome::NoMatch, "row_excluded", 0),
            90 => told(Outcome::Explained, "explained", 0),
            _ => {
                let codes = [Code::NotAgreed, Code::LimitReached, Code::SourceUnavailable];
                let code = codes.get(self.below(3) as usize).copied();
                Ending { outcome: Outcome::Refused, truly: "refused", code, rows: 0 }
            }
        }
    }
}

fn dataset(number: u64) -> Option<DatasetVersion> {
    Some(DatasetVersion { dataset: id(DatasetId::new(&format!("dataset-{number:02}")))?, major: 1 })
}
