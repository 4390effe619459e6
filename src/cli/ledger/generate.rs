//! `tolbooth ledger generate`: a ledger to measure with, written by the writer that writes all others, so that
//! it verifies. Its keys are its own, and nobody in it is anybody.

use std::collections::VecDeque;
use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;

use clap::Args;
use jiff::SignedDuration;
use serde_json::json;

use super::made_up::MadeUp;
use crate::app::keys;
use crate::cli::{Exit, say};
use crate::clock::Clock;
use crate::crypto::SigningKey;
use crate::ledger::{Ledger, LedgerConfig, Unrecorded, Waiting};

type Fault = Box<dyn std::error::Error>;

/// Records handed over at once: as many as the writer takes into one batch.
const AT_ONCE: u64 = 512;
/// How many such are on their way while the next is made up.
const UNDER_WAY: usize = 4;
const DAY_MS: i64 = 24 * 3600 * 1000;

#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// How many records
    #[arg(long, value_name = "COUNT")]
    entries: u64,
    /// A folder that is not there yet; it can be a gateway's data folder then
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Over how many years up to today
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=50))]
    years: u16,
    /// The log's name: member and federation
    #[arg(long, default_value = "glenmore.caledonia.example")]
    log: String,
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=1024))]
    segment_mib: u64,
    /// The same people ask the same for the same number
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &GenerateArgs, out: &mut dyn Write, clock: &Clock) -> Result<Exit, Fault> {
    if args.out.exists() {
        return Err(format!("{} is there already: a new folder is wanted", args.out.display()).into());
    }
    let began = clock.monotonic();
    let now_ms = clock.now().as_millisecond();
    let first_ms = now_ms - i64::from(args.years) * 365 * DAY_MS;
    let ledger = begin(args, first_ms)?;
    let written = Generating { args, clock: &ledger.1, ledger: &ledger.0, first_ms, now_ms }.write()?;
    ledger.0.close();
    let seconds = clock.monotonic().saturating_sub(began).as_secs_f64();
    if args.json {
        say(out, json!({ "records": written, "folder": args.out, "seconds": seconds }));
    } else {
        let rate = written as f64 / seconds.max(0.001);
        say(out, format_args!("{written} records in {seconds:.1} s, {rate:.0} a second"));
        say(out, format_args!("tolbooth ledger verify {}", args.out.join("ledger").display()));
    }
    Ok(Exit::Yes)
}

/// A new ledger at the beginning of the years, under keys of its own, and the clock that it goes by.
fn begin(args: &GenerateArgs, first_ms: i64) -> Result<(Ledger, Clock), Fault> {
    let clock = Clock::new()?;
    // Behind the first record, so that from then on the floor says what time it is.
    clock.shift(SignedDuration::from_millis(first_ms - DAY_MS - clock.now().as_millisecond()));
    clock.not_before(first_ms);
    std::fs::create_dir_all(&args.out)?;
    let keys = keys::open(&args.out, &args.log, &clock)?;
    let config = LedgerConfig {
        directory: args.out.join("ledger"),
        origin: keys.ledger.verifier().name().to_owned(),
        key: SigningKey::from_seed(keys.ledger.key().seed())?,
        segment_bytes: args.segment_mib << 20,
        waiting_max: AT_ONCE as usize * (UNDER_WAY + 1),
        recovery_keys: Vec::new(),
    };
    let (ledger, _) = Ledger::open(config, clock.clone())?;
    Ok((ledger, clock))
}

struct Generating<'g> {
    args: &'g GenerateArgs,
    clock: &'g Clock,
    ledger: &'g Ledger,
    first_ms: i64,
    now_ms: i64,
}

impl Generating<'_> {
    /// How many records there are then: those asked for, and the log's first.
    fn write(&self) -> Result<u64, Fault> {
        let entries = self.args.entries;
        let mut made_up = MadeUp::new(self.args.seed, entries);
        let mut under_way: VecDeque<Waiting> = VecDeque::new();
        let mut made = 0;
        while made < entries {
            let at_ms = self.at_ms(made);
            self.clock.not_before(at_ms);
            let count = AT_ONCE.min(entries - made);
            let records = (0..count).map(|_| made_up.record(at_ms)).collect();
            under_way.push_back(self.ledger.append_many(records));
            made += count;
            if under_way.len() >= UNDER_WAY {
                under_way.pop_front().map_or(Ok(()), Waiting::wait).map_err(unwritten)?;
                self.tell(made);
            }
        }
        for waiting in under_way {
            waiting.wait().map_err(unwritten)?;
        }
        self.tell(made);
        Ok(self.ledger.size())
    }

    /// Evenly over the years.
    fn at_ms(&self, made: u64) -> i64 {
        let part = made as f64 / self.args.entries.max(1) as f64;
        self.first_ms + ((self.now_ms - self.first_ms) as f64 * part) as i64
    }

    fn tell(&self, made: u64) {
        let mut err = std::io::stderr();
        if err.is_terminal() {
            let end = if made == self.args.entries { "\r\x1b[K" } else { "" };
            let _shown = write!(err, "\r{made} of {} records\x1b[K{end}", self.args.entries);
        }
    }
}

fn unwritten(why: Unrecorded) -> Fault {
    format!("a record was not written: {why}").into()
}
