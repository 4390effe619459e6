//! Promise 3 on a machine that fails: a disk that is full or does not keep what it is given, a store that is
//! damaged, two gateways over one directory, a clock that jumps. The gateway is the real one, in a process of its own;
//! what fails is said through `support/shim.c`, or is a real file system that fails.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

#[cfg(test)]
mod erasing;
#[cfg(test)]
mod space;
#[cfg(test)]
mod store;
#[cfg(test)]
mod sync;
#[cfg(test)]
mod time;
#[cfg(test)]
mod twins;
