//! Configuration: strict, typed, all faults at once.

mod gateway;
mod revocation;
pub mod strict;

pub use gateway::{Gateway, Level, Limits, Log, LogFormat, Partners, load, parse};
pub use revocation::{ExpiredCrl, Revocation};
