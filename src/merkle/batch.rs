//! Inclusion proofs for leaves just appended, from the right edge before them and their own hashes:
//! whoever hands out proofs at once keeps nothing of the past.

use super::edge::{Hash, RightEdge, node_hash};

/// Leaves appended together, and the nodes they made.
#[derive(Debug)]
pub struct Batch {
    first: u64,
    after: RightEdge,
    /// From the leaves up.
    levels: Vec<Level>,
}

/// Complete nodes of one height, without a gap.
#[derive(Debug)]
struct Level {
    /// Where the first stands among all nodes of this height.
    first: u64,
    nodes: Vec<Hash>,
}

impl Level {
    fn get(&self, at: u64) -> Option<&Hash> {
        self.nodes.get(usize::try_from(at.checked_sub(self.first)?).ok()?)
    }

    /// The nodes one up, begun with the edge's own where its sibling came with this batch.
    fn above(&self, before: &RightEdge, height: u32) -> Self {
        let mut nodes = Vec::with_capacity(self.nodes.len() / 2 + 1);
        // The first is always an even one: an odd one would have the edge's node before it.
        let mut first = self.first / 2;
        if let Some(left) = before.node_at(height) {
            first -= 1;
            nodes.push(*left);
        }
        nodes.extend(self.nodes.chunks_exact(2).filter_map(|pair| match pair {
            [left, right] => Some(node_hash(left, right)),
            _ => None,
        }));
        Self { first, nodes }
    }
}

impl Batch {
    /// Appends `leaves` to the tree that ends in `before`.
    pub fn new(before: &RightEdge, leaves: &[Hash]) -> Self {
        let mut after = before.clone();
        for leaf in leaves {
            after.append(*leaf);
        }
        let mut nodes: Vec<Hash> = before.node_at(0).copied().into_iter().collect();
        let first = before.size() - nodes.len() as u64;
        nodes.extend_from_slice(leaves);
        let mut levels = vec![Level { first, nodes }];
        let mut height = 1;
        while after.size().checked_shr(height).unwrap_or(0) > 0 {
            let Some(below) = levels.last() else { break };
            let level = below.above(before, height);
            levels.push(level);
            height += 1;
        }
        Self { first: before.size(), after, levels }
    }

    /// The edge of the tree with the batch in it.
    pub fn after(&self) -> &RightEdge {
        &self.after
    }

    /// The inclusion proof (RFC 6962 section 2.1.1) of the leaf at `index` in the tree with the
    /// batch in it. `None` for a leaf that is not of this batch.
    pub fn prove(&self, index: u64) -> Option<Vec<Hash>> {
        let size = self.after.size();
        if index < self.first || index >= size {
            return None;
        }
        let mut proof = Vec::new();
        let mut height = 0;
        while (size - 1).checked_shr(height).unwrap_or(0) > 0 {
            let sibling = (index >> height) ^ 1;
            if sibling < size >> height {
                let level = self.levels.get(height as usize)?;
                proof.push(*level.get(sibling)?);
            } else if sibling << height < size {
                // The last subtree of this height is not complete.
                proof.push(self.after.tail_root(height)?);
            }
            height += 1;
        }
        Some(proof)
    }

    /// The complete node of `height` at place `at`, if this batch made or touched it.
    pub(super) fn node(&self, height: u32, at: u64) -> Option<&Hash> {
        self.levels.get(height as usize)?.get(at)
    }
}
