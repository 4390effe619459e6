//! The fuzz targets, which `tests/fuzz_corpus.rs` of the gateway runs over the corpora as well.

mod targets;

pub use targets::{certificate, head, json, signature, token};
