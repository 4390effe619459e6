//! The ledger: every exchange is recorded here, durably, before anything of it leaves (design 5).

pub mod binding;
mod entry;
mod fault;
mod handle;
mod receipt;

pub use entry::{Alarm, Exchange, Intent, Nonce, Read, Record, Ruleset, SealedExchange, Summary};
pub use fault::{LedgerError, Unrecorded};
pub use handle::{Ledger, LedgerConfig, Opened, State};
pub use receipt::Receipt;

/// The longest id of the caller's own that is recorded.
pub const CORRELATION_BYTES_MAX: usize = 64;
