//! RFC 6962 hashing, proofs, C2SP signed notes and checkpoints. Pure; knows nothing of Tolbooth.

mod batch;
pub mod checkpoint;
mod edge;
pub mod note;
mod proof;
pub mod signer;
mod tile;

pub use batch::Batch;
pub use edge::{Hash, RightEdge, empty_root, leaf_hash, node_hash};
pub use proof::{prove_consistency, prove_inclusion, verify_consistency, verify_inclusion};
pub use tile::{TILE_WIDTH, Tile, Tiles, edge_at, prove_by_tiles, root_of};

#[cfg(test)]
mod tests;
