//! Setting up `tracing`: lines for a person or JSON for a machine, to standard error, so that
//! standard output stays for what a command prints.

use tracing_subscriber::EnvFilter;

use crate::config::{Level, Log, LogFormat};

/// Starts the log for the life of the process. A second call changes nothing.
pub fn start(log: Log) {
    // The house's own lines at the level asked for; libraries only when something is wrong.
    let directives = match log.level {
        Level::Debug => "tolbooth=debug,info".to_owned(),
        level => format!("tolbooth={},warn", level.as_str()),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directives))
        .with_writer(std::io::stderr)
        .with_target(false);
    // An error means that a log is running already, as in a test.
    let _started = match log.format {
        LogFormat::Human => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
