//! Configuration: strict, typed, all faults at once.

pub mod strict;
