//! Configuration: strict, typed, all faults at once.

mod allowance;
mod gateway;
pub mod strict;

pub use allowance::MemberAllowance;
pub use gateway::{Gateway, Level, Limits, Log, LogFormat, Partners, load, parse};
