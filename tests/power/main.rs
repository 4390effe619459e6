//! Promise 3 against the power: cut at any instant, it loses nothing that anybody holds a receipt for.
//!
//! `device.rs` cuts it under a real gateway on ext4; `states.rs` goes through what a disk may hold after a cut, one
//! state after another, on any machine.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

#[cfg(test)]
mod device;
#[cfg(test)]
mod medium;
#[cfg(test)]
mod states;
