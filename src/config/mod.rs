//! Configuration: strict, typed, all faults at once.

mod gateway;
pub mod strict;
mod token;

pub use gateway::{Gateway, Level, Limits, Log, LogFormat, Partners, load, parse};
pub use token::Token;
