//! JSON as the house reads it (RFC 8259): one strict pass over the bytes into a flat tape, and nodes
//! that look into the original bytes. No values are built, so that reading a question, minimising an
//! answer and validating either cost one parse and few allocations.
//!
//! Stricter than the RFC where two readers could differ: a name twice in an object (after unescaping,
//! at every depth), a lone surrogate, a byte order mark, invalid UTF-8 and a number no `f64` can hold
//! are refused. Numbers keep their exact text. Writing is left to those who write, but for strings.
//!
//! Rows that are alike are read quickly (decision 0009), and those who read on can tell them by their
//! [`Shape`].

mod document;
mod node;
mod parse;
mod string;
mod tape;

pub use document::{Document, JsonFault, JsonFaultKind};
pub use node::{Items, Kind, Name, Named, Node, Shape};
pub use string::write_string;

#[cfg(test)]
mod tests;
