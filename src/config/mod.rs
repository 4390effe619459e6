//! Configuration: strict, typed, all faults at once.

mod allowance;
mod gateway;
mod keeping;
mod outside;
mod revocation;
mod sandbox;
pub mod strict;
mod token;

pub use allowance::MemberAllowance;
pub use gateway::{Gateway, Level, Limits, Log, LogFormat, Partners, load, parse};
pub use keeping::{Erase, Keeping};
pub use outside::{Outside, Publish};
pub use revocation::{ExpiredCrl, Revocation};
pub use sandbox::Sandbox;
pub use token::Token;
