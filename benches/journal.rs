//! What a journal takes of disk, and what packing it costs and saves: `cargo bench --bench journal`. The
//! records are what a council's gateway writes: six partners, five datasets, random where they are random.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot set up has nothing to measure"
)]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tolbooth::clock::Clock;
use tolbooth::crypto::{SigningKey, random};
use tolbooth::journal::{Disk, Medium as _, Position, Scanner, SegmentFiles, pack};
use tolbooth::ledger::{
    Archive, Exchange, Ledger, LedgerConfig, Nonce, Record, SealedExchange, Stored, journal_directory,
};
use tolbooth::model::{
    AgreementId, AgreementRef, Assurance, DatasetId, DatasetVersion, Digest, ExchangeId, MemberId,
    OperationId, Origin, Outcome, PurposeCode, RoleId, Stated, Subject, SubjectKind, SystemId, SystemName,
};

/// Three sealed segments of 64 MiB, and some of a fourth.
const EXCHANGES: u64 = 140_000;
/// How many arrive during one sync of a busy gateway.
const TOGETHER: u64 = 32;

fn main() {
    divan::main();
    for (name, journal) in [("unpacked", &FILLED.unpacked), ("packed", &FILLED.packed)] {
        let sealed = (1..=3).map(|segment| bytes_of(journal, segment)).sum::<u64>();
        let all = FILLED.in_sealed;
        println!("{name}: {sealed} bytes for {all} exchanges, {} each", sealed / all);
    }
    std::fs::remove_dir_all(&FILLED.folder).unwrap();
}

struct Filled {
    folder: PathBuf,
    unpacked: PathBuf,
    packed: PathBuf,
    /// How many exchanges the three sealed segments have.
    in_sealed: u64,
    /// Where each of the first segment begins.
    first: Vec<Position>,
}

static FILLED: LazyLock<Filled> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("tolbooth-journal-{}", std::process::id()));
    fill(&folder);
    let (unpacked, packed) = (journal_directory(&folder), folder.join("packed"));
    std::fs::create_dir(&packed).unwrap();
    for entry in std::fs::read_dir(&unpacked).unwrap() {
        let from = entry.unwrap().path();
        std::fs::copy(&from, packed.join(from.file_name().unwrap())).unwrap();
    }
    let mut medium = Disk::open(&packed).unwrap().packing().unwrap();
    for segment in 1..=3 {
        pack(&mut *medium, segment, &mut || true).unwrap();
    }
    let (mut in_sealed, mut first) = (0, Vec::new());
    let _whole = Archive::offline(&unpacked).unwrap().each(&mut |stored| {
        if let Stored::Entry(entry) = stored {
            in_sealed += u64::from(entry.at.segment <= 3);
            first.extend((entry.at.segment == 1).then_some(entry.at));
        }
        ControlFlow::Continue(())
    });
    Filled { folder, unpacked, packed, in_sealed, first }
});

fn fill(folder: &Path) {
    let config = LedgerConfig {
        directory: folder.to_owned(),
        origin: "glenmore.caledonia.example/ledger".into(),
        key: SigningKey::generate().unwrap(),
        segment_bytes: 64 << 20,
        waiting_max: 16_384,
        recovery_keys: Vec::new(),
    };
    let (ledger, _) = Ledger::open(config, Clock::new().unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for batch in 0..EXCHANGES / TOGETHER {
        runtime.block_on(async {
            let records = (0..TOGETHER).map(|number| exchange(batch * TOGETHER + number));
            let waiting: Vec<_> = records
                .map(|record| {
                    tokio::spawn({
                        let ledger = ledger.clone();
                        async move { ledger.append(record).await.unwrap() }
                    })
                })
                .collect();
            for receipt in waiting {
                receipt.await.unwrap();
            }
        });
    }
    ledger.close();
}

fn exchange(number: u64) -> Record {
    let bytes: [u8; 160] = random().unwrap();
    let mut rest = bytes.as_slice();
    let mut of = |words: &[&'static str]| {
        let (first, others) = rest.split_first().unwrap();
        rest = others;
        *words.get(usize::from(*first) % words.len()).unwrap()
    };
    let member = of(&["nhs-lomond", "nhs-carrick", "police-north", "strathmore", "bute-care", "fire-west"]);
    let dataset = of(&["child-protection", "adult-support", "housing", "blue-badge", "school-place"]);
    let system = of(&["ed-trak", "gp-link", "case-desk", "custody"]);
    let role = of(&["ed_clinician", "ed_nurse", "social_worker", "duty_officer"]);
    let reason = of(&["attends with an injury", "home visit today", "new referral", "strategy meeting"]);
    let user = of(&["c.munro", "m.fraser", "a.iqbal", "i.ross", "m.kaya", "c.reid", "s.grant"]);
    let known = of(&["known", "known", "known", "known", "known", "unknown"]) == "known";
    let array = |at: usize| bytes.get(at..at + 32).unwrap().try_into().unwrap();
    let correlation = Digest(array(20)).hex();
    let stated = |value: &str| Stated { value: value.to_owned(), origin: Origin::Claimed };
    let agreement = AgreementId::new(&format!("glenmore-{member}-{dataset}")).unwrap();
    let fields = ["known", "since", "lead_worker/name", "lead_worker/telephone"];
    let identifier = format!("{:010}", u32::from_le_bytes(*bytes.last_chunk().unwrap()) % 200_000);
    Record::Exchange(Box::new(Exchange {
        id: ExchangeId::new(1_800_000_000_000 + number * 40, *bytes.first_chunk().unwrap()),
        consumer: SystemId {
            member: MemberId::new(member).unwrap(),
            system: SystemName::new(system).unwrap(),
        },
        provider: MemberId::new("glenmore").unwrap(),
        dataset: Some(DatasetVersion { dataset: DatasetId::new(dataset).unwrap(), major: 1 }),
        operation: Some(OperationId::new("check").unwrap()),
        agreement: Some((AgreementRef { id: agreement, version: 3 }, Digest::of(dataset.as_bytes()))),
        ruleset: Digest::of(b"ruleset"),
        purpose: Some(Stated { value: *PurposeCode::ALL.first().unwrap(), origin: Origin::Agreement }),
        role: Some(Stated { value: RoleId::new(role).unwrap(), origin: Origin::Claimed }),
        assurance: Some(Assurance::Certificate),
        outcome: if known { Outcome::Answered } else { Outcome::NoMatch },
        code: None,
        status: if known { 200 } else { 404 },
        fields: if known { fields.map(String::from).into() } else { Vec::new().into() },
        rows: u64::from(known),
        nonce: Nonce(array(52)),
        request_mac: array(84),
        answer_mac: array(116),
        correlation: correlation.get(..32).map(str::to_owned),
        sealed: SealedExchange {
            outcome: if known { "answered" } else { "no_match" }.into(),
            reason: Some(reason.to_owned()),
            subjects: vec![Subject { kind: SubjectKind::new("chi").unwrap(), identifier }],
            user: Some(stated(user)),
            ..SealedExchange::default()
        },
    }))
}

fn bytes_of(journal: &Path, segment: u32) -> u64 {
    let names = ["segment", "packed"].map(|suffix| journal.join(format!("{segment:08}.{suffix}")));
    names.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|about| about.len()).sum()
}

fn exchanges() -> ItemsCount {
    ItemsCount::new(FILLED.first.len())
}

/// One segment of 64 MiB, with writing, syncing and reading it back.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn pack_a_segment(bencher: Bencher<'_, '_>) {
    let folder = FILLED.folder.join("one");
    let name = "00000001.segment";
    bencher
        .counter(exchanges())
        .with_inputs(|| {
            let _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir(&folder).unwrap();
            std::fs::hard_link(FILLED.unpacked.join(name), folder.join(name)).unwrap();
            Disk::open(&folder).unwrap().packing().unwrap()
        })
        .bench_local_values(|mut medium| pack(&mut *medium, 1, &mut || true).unwrap());
}

/// The same bytes compressed and nothing else, by level, in blocks of 16 KiB.
#[divan::bench(args = [1, 3], sample_count = 5, sample_size = 1)]
fn compress_a_segment(bencher: Bencher<'_, '_>, level: i32) {
    let bytes = std::fs::read(FILLED.unpacked.join("00000001.segment")).unwrap();
    bencher.counter(exchanges()).bench_local(|| {
        let mut compressor = zstd::bulk::Compressor::new(level).unwrap();
        bytes.chunks(16 << 10).map(|block| compressor.compress(block).unwrap().len()).sum::<usize>()
    });
}

fn journal(name: &str) -> &'static Path {
    if name == "packed" { &FILLED.packed } else { &FILLED.unpacked }
}

/// Every frame of a segment, its checksum compared.
#[divan::bench(args = ["unpacked", "packed"], sample_count = 5, sample_size = 1)]
fn scan_a_segment(bencher: Bencher<'_, '_>, name: &str) {
    let shelf = SegmentFiles::new(journal(name));
    bencher.counter(exchanges()).bench_local(|| {
        let mut scanner = Scanner::new(&shelf, 1).unwrap();
        while let Some(frame) = scanner.next().unwrap() {
            black_box(frame.index);
        }
    });
}

/// One record whose place is known, each time another.
#[divan::bench(args = ["unpacked", "packed"])]
fn look_up(bencher: Bencher<'_, '_>, name: &str) {
    let archive = Archive::offline(journal(name)).unwrap();
    let mut places = FILLED.first.iter().step_by(997).cycle();
    bencher.bench_local(|| {
        let at = places.next().unwrap();
        archive.at(*at, |entry| entry.envelope.len()).unwrap().unwrap()
    });
}
