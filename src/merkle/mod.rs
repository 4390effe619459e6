//! RFC 6962 hashing, proofs, signed notes and checkpoints. Knows nothing of Tolbooth.

pub mod note;
