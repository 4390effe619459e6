//! RFC 6962 section 2.1: leaf and node hashes, and the right edge of a tree: the roots of the
//! complete subtrees it is made of. With the edge alone a log appends and states its root.

use crate::crypto::{Sha256, sha256};

/// A node of the tree.
pub type Hash = Sha256;

/// The hash of a leaf: SHA-256(0x00 | bytes).
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    sha256(&[&[0], bytes])
}

/// The hash of an inner node: SHA-256(0x01 | left | right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// The root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// The complete subtrees of a tree of `size` leaves, largest first: one for each bit set in `size`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RightEdge {
    size: u64,
    nodes: Vec<Hash>,
}

impl RightEdge {
    /// An edge written down earlier. `None` if the number of nodes is not that of `size`.
    pub fn from_parts(size: u64, nodes: Vec<Hash>) -> Option<Self> {
        (nodes.len() == size.count_ones() as usize).then_some(Self { size, nodes })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn nodes(&self) -> &[Hash] {
        &self.nodes
    }

    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            // A subtree of this height is complete on the left: join it.
            if let Some(left) = self.nodes.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.nodes.push(node);
        self.size += 1;
    }

    /// The root of the whole tree.
    pub fn root(&self) -> Hash {
        self.fold(self.nodes.len()).unwrap_or_else(empty_root)
    }

    /// The complete subtree of height `level`, if the tree is made of one.
    pub(super) fn node_at(&self, level: u32) -> Option<&Hash> {
        if self.size.checked_shr(level).unwrap_or(0) & 1 == 0 {
            return None;
        }
        // Larger subtrees come first: one for each higher bit.
        let before = self.size.checked_shr(level + 1).unwrap_or(0).count_ones() as usize;
        self.nodes.get(before)
    }

    /// The root over everything to the right of the subtrees of height `level` and more.
    pub(super) fn tail_root(&self, level: u32) -> Option<Hash> {
        let mask = 1u64.checked_shl(level).map_or(u64::MAX, |bit| bit - 1);
        self.fold((self.size & mask).count_ones() as usize)
    }

    /// The root over the last `count` nodes.
    fn fold(&self, count: usize) -> Option<Hash> {
        let mut nodes = self.nodes.iter().rev().take(count);
        let last = *nodes.next()?;
        Some(nodes.fold(last, |right, left| node_hash(left, &right)))
    }
}
