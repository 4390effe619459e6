//! How soon a ruleset of full agreements is compiled, and whether a reload of it is felt on the road: questions asked
//! without pause while nothing changes, and while files change and are loaded again and again, in turns, in one run.
//!
//!     cargo run --release --example rulesets -- [--agreements N] [--rounds N]
//!
//! Every agreement has every field of format 2, and is sealed and signed by its parties and a guardian. The first
//! figure is held against a second; the rest is a comparison, for whoever reads it.

#[expect(dead_code, reason = "the other benches make plain agreements")]
mod federation;
mod steady;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tolbooth::clock::Clock;
use tolbooth::desk::{Circumstances, Ruleset};
use tolbooth::model::AgreementId;
use tolbooth::{app, config};

use steady::{Steady, records, reload};

/// Questions on the road at once.
const ASKING: usize = 4;
/// How long each side of a round lasts.
const SIDE: Duration = Duration::from_secs(4);

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let folder = std::env::temp_dir().join(format!("tolbooth-rulesets-{}", std::process::id()));
    let done = measure(&folder);
    let _removed = std::fs::remove_dir_all(&folder);
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("rulesets: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn number(name: &str, usual: usize) -> Done<usize> {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name);
    at.and_then(|at| arguments.get(at + 1)).map_or(Ok(usual), |text| Ok(text.parse()?))
}

fn measure(folder: &Path) -> Done<bool> {
    let (agreements, rounds) = (number("--agreements", 1000)?, number("--rounds", 5)?);
    let backend = records()?;
    let words = include_str!("whole-agreement.toml");
    federation::make_of(folder, (agreements, words), &format!("http://{backend}"), "0")?;
    let configuration = folder.join("tolbooth.toml");
    let in_time = compiled(&configuration, agreements)?;
    road(&configuration, rounds)?;
    Ok(in_time)
}

/// Compiles it anew, and once more with one agreement changed, as a reload does.
fn compiled(configuration: &Path, agreements: usize) -> Done<bool> {
    let gateway = config::load(configuration)?;
    let load = |before: Option<&Ruleset>| {
        let begun = Instant::now();
        let seen = |_: &AgreementId| None;
        let circumstances = Circumstances {
            seen: &seen,
            life: &Default::default(),
            before,
            pseudonym_master: &[0; 32],
            today: jiff::civil::Date::MIN,
        };
        Ok::<_, Box<dyn Error>>((Ruleset::load(&gateway, &circumstances)?, begun.elapsed()))
    };
    let (first, warm) = load(None)?;
    let today = Clock::new()?.today();
    let in_force = first.in_force(today).len();
    if in_force != agreements {
        return Err(format!("{in_force} of {agreements} agreements are in force").into());
    }
    let mut all = vec![warm];
    for _ in 0..6 {
        all.push(load(None)?.1);
    }
    let changed = gateway.home.join("policies/datasets/records-7.toml");
    let mut again = Vec::new();
    for round in 0..7 {
        touch(&changed, round)?;
        again.push(load(Some(&first))?.1);
    }
    let (anew, reloaded) = (middle(&mut all), middle(&mut again));
    println!("{agreements} full agreements compiled anew   {:>8.0} ms (first {:.0})", ms(anew), ms(warm));
    println!("the same, one dataset file changed     {:>8.0} ms", ms(reloaded));
    Ok(anew < Duration::from_secs(1))
}

/// A file that has other bytes and says the same.
fn touch(file: &Path, round: usize) -> Done<()> {
    let text = std::fs::read_to_string(file)?;
    let text = text.split("# round").next().unwrap_or_default().trim_end().to_owned();
    let beside = file.with_extension("new");
    std::fs::write(&beside, format!("{text}\n# round {round}\n"))?;
    Ok(std::fs::rename(beside, file)?)
}

/// What was asked in one side of a round.
#[derive(Default)]
struct Side {
    latencies: Vec<Duration>,
    reloads: usize,
}

fn road(configuration: &Path, rounds: usize) -> Done<()> {
    let gateway = config::load(configuration)?;
    let home = gateway.home.clone();
    let running = app::start(gateway, Clock::new()?)?;
    let mut sides = [Side::default(), Side::default()];
    for _ in 0..rounds {
        for (reloading, side) in sides.iter_mut().enumerate() {
            let (latencies, reloads) = one_side(&home, &running, reloading == 1)?;
            side.latencies.extend(latencies);
            side.reloads += reloads;
        }
    }
    running.stop();
    running.join();
    println!(
        "{ASKING} connections asking                     p50 us   p99 us p99.9 us   max us  answers  reloads"
    );
    for (name, mut side) in ["nothing changes", "reloads without pause"].into_iter().zip(sides) {
        side.latencies.sort_unstable();
        let at = |share: f64| side.latencies.get((side.latencies.len() as f64 * share) as usize).copied();
        let us = |at: Option<Duration>| at.unwrap_or_default().as_micros();
        println!(
            "{name:<38} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
            us(at(0.5)),
            us(at(0.99)),
            us(at(0.999)),
            us(side.latencies.last().copied()),
            side.latencies.len(),
            side.reloads
        );
    }
    Ok(())
}

/// Every question has to be answered; reloads follow one another, if this side has any.
fn one_side(home: &Path, running: &app::Running, reloading: bool) -> Done<(Vec<Duration>, usize)> {
    let over = AtomicBool::new(false);
    let file: PathBuf = home.join("policies/datasets/records-7.toml");
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..ASKING)
            .map(|_| scope.spawn(|| Steady::connect(home, running.partners)?.ask_until(&over)))
            .collect();
        let begun = Instant::now();
        let mut reloads = 0;
        let mut fault = None;
        while begun.elapsed() < SIDE && fault.is_none() {
            if reloading {
                let loaded = touch(&file, reloads + 1000).and_then(|()| reload(&running.admin_socket));
                fault = loaded.err();
                reloads += 1;
            } else {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        over.store(true, Ordering::Relaxed);
        let mut latencies = Vec::new();
        for thread in asking {
            let asked = thread.join().map_err(|_| "a client ended early")?;
            latencies.extend(asked.map_err(|fault| -> Box<dyn Error> { fault })?);
        }
        fault.map_or(Ok((latencies, reloads)), Err)
    })
}

fn middle(all: &mut [Duration]) -> Duration {
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
