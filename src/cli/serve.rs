//! `tolbooth serve`: runs the gateway until it is told to stop.

use clap::Args;

use crate::app::{self, Running};
use crate::clock::Clock;
use crate::config;
use crate::observe::{flush_log, start_log};

use super::{Exit, complain};

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The gateway's configuration
    #[arg(long, value_name = "FILE", default_value = "tolbooth.toml")]
    config: std::path::PathBuf,
    /// Answer every dataset with made-up rows, at an address and with keys, data and ledger of its own
    ///
    /// Never connects to a real source. Drafts of agreements count, so that partners can build against
    /// them. `tolbooth certs sandbox` makes its certificates; [sandbox] in the configuration says where
    /// it listens (0.0.0.0:8444).
    #[arg(long)]
    sandbox: bool,
    /// Write the log as JSON, whatever the configuration says
    #[arg(long)]
    json: bool,
}

/// Runs until SIGTERM or SIGINT; then finishes the exchanges under way.
pub fn run(args: &ServeArgs, clock: &Clock) -> Exit {
    // Of a heap of a dozen MiB in small pieces, pages of 2 MiB keep three times as much (decision 0016). A
    // kernel without them has nothing to leave off.
    let _left_off = rustix::thread::disable_transparent_huge_pages(true);
    let loaded = config::load(&args.config);
    let loaded = if args.sandbox { loaded.and_then(config::Gateway::into_sandbox) } else { loaded };
    let mut gateway = match loaded {
        Ok(gateway) => gateway,
        Err(faults) => {
            complain(&faults);
            return Exit::No;
        }
    };
    if args.json {
        gateway.log.format = config::LogFormat::Json;
    }
    start_log(gateway.log);
    match app::start(gateway, clock.clone()) {
        Ok(running) => until_told(running),
        Err(fault) => {
            flush_log();
            complain(&fault);
            Exit::No
        }
    }
}

fn until_told(running: Running) -> Exit {
    let told = wait_for_signal(|| {
        tracing::info!(partners = %running.partners, local = %running.local, "serving");
    });
    match told {
        Ok(signal) => tracing::info!(signal, "stopping"),
        Err(error) => tracing::error!(%error, "signals cannot be heard; stopping"),
    }
    running.stop();
    running.join();
    tracing::info!("stopped");
    flush_log();
    Exit::Yes
}

/// `listening` is called once signals are heard, so that whoever then sends one is.
fn wait_for_signal(listening: impl FnOnce()) -> std::io::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        listening();
        Ok(tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        })
    })
}
