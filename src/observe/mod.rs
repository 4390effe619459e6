//! What the host sees: log lines and metrics. Neither ever holds an identifier or a value.

mod health;
mod log;
mod metrics;

pub use health::{Condition, Health, Light};
pub use log::{flush as flush_log, start as start_log};
pub use metrics::Metrics;
