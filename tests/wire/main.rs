//! One meaning for each message. Bytes as no client library would send them, over real TLS to a real gateway: each
//! is refused, or reaches the system behind in one canonical form; and whatever the system behind answers, the
//! partner gets what the gateway says and nothing else.
//!
//! Each family is a table of rows (`case.rs`); `there_are_200_ways` counts them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

#[cfg(test)]
mod case;
#[cfg(test)]
mod fields;
#[cfg(test)]
mod lengths;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod targets;
