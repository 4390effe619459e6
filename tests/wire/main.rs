//! One meaning for each message. Bytes as no client library would send them, over real TLS to a real gateway: each
//! is refused, or reaches the system behind in one canonical form; and whatever the system behind answers, the
//! partner gets what the gateway says and nothing else.
//!
//! Each family is a table of rows (`case.rs`); `there_are_200_ways` counts them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, reason = "tests")]
#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "tests")]
#![allow(clippy::too_many_lines, reason = "tables")]

#[path = "../support/mod.rs"]
mod support;

#[cfg(test)]
mod behind;
#[cfg(test)]
mod case;
#[cfg(test)]
mod fields;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod http2;
#[cfg(test)]
mod lengths;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod overload;
#[cfg(test)]
mod targets;

/// What is driven below, so that a family that is lost is missed.
#[test]
fn there_are_200_ways_over_http1_and_more_over_http2() {
    let http1 = [lengths::cases(), lines::cases(), targets::cases(), fields::cases(), flow::cases()];
    let http1: std::collections::BTreeMap<Vec<u8>, String> =
        http1.into_iter().flatten().map(|case| (case.bytes, case.name)).collect();
    let http2: std::collections::BTreeSet<Vec<u8>> =
        http2::cases().into_iter().map(|case| case.bytes).collect();
    let names: std::collections::BTreeSet<&String> = http1.values().collect();
    assert!(http1.len() >= 400 && names.len() == http1.len(), "{} ways, {} names", http1.len(), names.len());
    assert!(http2.len() >= 100, "{}", http2.len());
}
