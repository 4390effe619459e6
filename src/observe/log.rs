//! Setting up `tracing`: lines for a person or JSON for a machine, to standard error, so that
//! standard output stays for what a command prints.
//!
//! Lines are handed to a thread of their own: a terminal or pipe that does not read must never stall
//! an exchange. What does not fit is counted and said; the ledger, not the log, is the record.

use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use crate::config::{Level, Log, LogFormat};

/// Lines that may wait: some seconds of a busy gateway.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a line waits for others to be written with it.
const EVERY: Duration = Duration::from_millis(20);

static SINK: OnceLock<Arc<Sink>> = OnceLock::new();

/// Starts the log for the life of the process. A second call changes nothing.
pub fn start(log: Log) {
    // The house's own lines at the level asked for; libraries only when something is wrong.
    let directives = match log.level {
        Level::Debug => "tolbooth=debug,info".to_owned(),
        level => format!("tolbooth={},warn", level.as_str()),
    };
    let sink = Arc::clone(SINK.get_or_init(Sink::start));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directives))
        .with_writer(move || Line(Arc::clone(&sink)))
        .with_target(false);
    // An error means that a log is running already, as in a test.
    let _started = match log.format {
        LogFormat::Human => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Waits until every line so far is written: before the process ends.
pub fn flush() {
    if let Some(sink) = SINK.get() {
        sink.flush();
    }
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// Lines that did not fit.
    lost: u64,
    /// Whether the thread is writing what it took.
    writing: bool,
}

struct Sink {
    waiting: Mutex<Waiting>,
    written: Condvar,
}

impl Sink {
    fn start() -> Arc<Self> {
        let sink = Arc::new(Self { waiting: Mutex::default(), written: Condvar::new() });
        let thread = Arc::clone(&sink);
        let started = std::thread::Builder::new().name("log".to_owned()).spawn(move || {
            loop {
                std::thread::sleep(EVERY);
                thread.write_waiting();
            }
        });
        if let Err(error) = started {
            let _written = writeln!(io::stderr(), "tolbooth: no thread for the log: {error}");
        }
        sink
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        // Every change is one step: a holder that panicked left whole lines.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.bytes.len() + line.len() > WAITING_BYTES_MAX {
            waiting.lost += 1;
        } else {
            waiting.bytes.extend_from_slice(line);
        }
    }

    fn write_waiting(&self) {
        let (bytes, lost) = {
            let mut waiting = self.waiting();
            waiting.writing = true;
            (std::mem::take(&mut waiting.bytes), std::mem::take(&mut waiting.lost))
        };
        let mut out = io::stderr();
        let _written = out.write_all(&bytes);
        if lost > 0 {
            let _written =
                writeln!(out, "tolbooth: {lost} log lines were lost: standard error was not read in time");
        }
        self.waiting().writing = false;
        self.written.notify_all();
    }

    fn flush(&self) {
        let mut waiting = self.waiting();
        while !waiting.bytes.is_empty() || waiting.writing {
            waiting = self.written.wait_timeout(waiting, EVERY).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// One line on its way.
struct Line(Arc<Sink>);

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
