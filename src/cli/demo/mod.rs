//! `tolbooth demo`: a council's gateway before a synthetic records system, asked by a health board
//! and a police force over real mutual TLS; then the auditor, and a forger. Nothing else installed.

mod asking;
mod auditor;
mod records;
mod steps;
mod told;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{self, Running};
use crate::clock::Clock;
use crate::config::{self, Level, Log, LogFormat};
use crate::observe::start_log;

use super::trial::{self, CHILD, Plan, TAXI, Trial};
use super::{Exit, complain};
use records::Records;
use told::Told;

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// End after the walk, with exit code 1 if a step was not as it says; without it everything stays
    /// up to be tried by hand
    #[arg(long)]
    exit: bool,
    /// Make everything in this folder, which must be new, and leave it there
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print one JSON line for each step, for programs
    #[arg(long)]
    json: bool,
}

type Fault = Box<dyn std::error::Error>;

/// The demo's stage: everything that runs.
struct Stage {
    root: PathBuf,
    trial: Trial,
    records: Records,
    gateway: SocketAddr,
    local: SocketAddr,
    admin_socket: PathBuf,
    ledger: PathBuf,
    scratch: PathBuf,
}

impl Stage {
    /// A path as seen from within the demo's folder.
    fn within<'p>(&self, path: &'p Path) -> std::path::Display<'p> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

/// Runs the walk; then stays up until told to end, unless `--exit`.
pub fn run(args: &DemoArgs, out: &mut dyn Write, clock: &Clock) -> Exit {
    // Warnings would break into the walk; what matters is in the record, and shown there.
    start_log(Log { format: LogFormat::Human, level: Level::Error });
    let begun = clock.instant();
    let folder = args.dir.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("tolbooth-demo-{}-{}", std::process::id(), clock.unix_ms()))
    });
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        complain(&format!("{} holds files already: name a new folder", folder.display()));
        return Exit::Usage;
    }
    let mut told = Told::new(args.json, out);
    let done = walk(args, &folder, clock, begun, &mut told);
    if args.dir.is_none()
        && let Err(error) = std::fs::remove_dir_all(&folder)
        && folder.exists()
    {
        complain(&format!("{} was left behind: {error}", folder.display()));
    }
    match done {
        Ok(()) if told.failed() == 0 => Exit::Yes,
        Ok(()) => Exit::No,
        Err(fault) => {
            complain(&fault);
            Exit::No
        }
    }
}

fn walk(
    args: &DemoArgs,
    folder: &Path,
    clock: &Clock,
    begun: std::time::Instant,
    told: &mut Told<'_>,
) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let records = runtime.block_on(Records::start())?;
    let (stage, running) = set(folder, records, clock)?;
    told.opening(&stage, &clock.london().strftime("%-d %B %Y, %H:%M").to_string(), !args.exit);
    steps::walk(&stage, &runtime, told);
    auditor::walk(&stage, told);
    told.closing(begun.elapsed());
    if !args.exit {
        told.staying_up(&stage);
        runtime.block_on(told_to_end())?;
    }
    running.stop();
    running.join();
    Ok(())
}

/// By Ctrl-C, or by whatever manages processes: both leave nothing behind.
async fn told_to_end() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        told = tokio::signal::ctrl_c() => told,
        _ = terminate.recv() => Ok(()),
    }
}

fn set(folder: &Path, records: Records, clock: &Clock) -> Result<(Stage, Running), Fault> {
    let home = folder.join("glenmore-gateway");
    let keys = folder.join("keys-of-others");
    let url = format!("http://{}", records.address);
    let plan = Plan {
        home: &home,
        keys: &keys,
        datasets: &[&CHILD, &TAXI],
        partners: "127.0.0.1:0",
        local: "127.0.0.1:0",
        system: Some(&url),
        level: "error",
    };
    let trial = trial::make(&plan, clock)?;
    let gateway = config::load(&trial.configuration)?;
    let ledger = gateway.data.join("ledger");
    let running = app::start(gateway, clock.clone())?;
    let stage = Stage {
        root: folder.to_path_buf(),
        trial,
        records,
        gateway: running.partners,
        local: running.local,
        admin_socket: running.admin_socket.clone(),
        ledger,
        scratch: folder.join("scratch"),
    };
    std::fs::create_dir_all(&stage.scratch)?;
    Ok((stage, running))
}
