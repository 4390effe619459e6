//! RFC 6962 hashing, proofs, C2SP signed notes and checkpoints. Pure; knows nothing of Tolbooth.

mod batch;
pub mod checkpoint;
mod edge;
pub mod note;
mod proof;
pub mod signer;

pub use batch::Batch;
pub use edge::{Hash, RightEdge, empty_root, leaf_hash, node_hash};
pub use proof::{prove_consistency, prove_inclusion, verify_consistency, verify_inclusion};

#[cfg(test)]
mod tests;
