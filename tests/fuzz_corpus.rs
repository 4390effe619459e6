//! The corpora of the fuzz targets through the same functions, so that what a fuzzer found once is tried
//! for ever, and the targets go on compiling.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

#[path = "../fuzz/src/targets.rs"]
mod targets;

use std::path::Path;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut seeds = 0;
    for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
        let bytes = std::fs::read(entry.path()).unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let ran = std::panic::catch_unwind(|| {
            run(&bytes);
            // Cut short and flipped, a seed reaches what is beside it.
            (0..bytes.len().min(512)).step_by(3).for_each(|at| run(&bytes[..at]));
            for at in (0..bytes.len().min(512)).step_by(5) {
                let mut flipped = bytes.clone();
                flipped[at] ^= 0x20;
                run(&flipped);
            }
        });
        assert!(ran.is_ok(), "{target}/{name}");
        seeds += 1;
    }
    assert!(seeds >= 4, "the corpus of {target} is gone");
}

#[test]
fn heads() {
    replay("head", targets::head);
}

#[test]
fn tokens() {
    replay("token", targets::token);
}

#[test]
fn signatures() {
    replay("signature", targets::signature);
}

#[test]
fn certificates() {
    replay("certificate", targets::certificate);
}

#[test]
fn json_texts() {
    replay("json", targets::json);
}
