//! Inclusion and consistency proofs: made from all leaf hashes (RFC 6962 section 2.1), checked as
//! RFC 9162 sections 2.1.3.2 and 2.1.4.2 say.

use super::batch::Batch;
use super::edge::{Hash, RightEdge, empty_root, node_hash};

/// The inclusion proof of leaf `index` in the tree of all `leaves`.
pub fn prove_inclusion(leaves: &[Hash], index: u64) -> Option<Vec<Hash>> {
    Batch::new(&RightEdge::default(), leaves).prove(index)
}

/// The proof that the tree of all `leaves` continues the tree of the first `old` of them.
/// Empty for `old` 0 and for the whole; `None` beyond it.
pub fn prove_consistency(leaves: &[Hash], old: u64) -> Option<Vec<Hash>> {
    let size = leaves.len() as u64;
    if old > size {
        return None;
    }
    let mut proof = Vec::new();
    if old > 0 && old < size {
        let tree = Batch::new(&RightEdge::default(), leaves);
        subproof(&tree, old, 0, size, true, &mut proof)?;
    }
    Some(proof)
}

/// SUBPROOF of RFC 6962 section 2.1.2 over leaves `from..to`; `old` counts from `from`.
fn subproof(tree: &Batch, old: u64, from: u64, to: u64, whole: bool, out: &mut Vec<Hash>) -> Option<()> {
    if old == to - from {
        if !whole {
            out.push(range(tree, from, to)?);
        }
        return Some(());
    }
    let split = from + split_of(to - from);
    if old <= split - from {
        subproof(tree, old, from, split, whole, out)?;
        out.push(range(tree, split, to)?);
    } else {
        subproof(tree, old - (split - from), split, to, false, out)?;
        out.push(range(tree, from, split)?);
    }
    Some(())
}

/// The root over the leaves `from..to`, `from` being where a subtree may begin.
fn range(tree: &Batch, from: u64, to: u64) -> Option<Hash> {
    let width = to - from;
    if width.is_power_of_two() {
        let height = width.trailing_zeros();
        return tree.node(height, from >> height).copied();
    }
    let split = from + split_of(width);
    Some(node_hash(&range(tree, from, split)?, &range(tree, split, to)?))
}

/// The largest power of two below `width`; `width` is at least 2.
fn split_of(width: u64) -> u64 {
    1 << (u64::BITS - 1 - (width - 1).leading_zeros())
}

/// Whether `leaf` is at `index` in the tree of `size` leaves with this root (RFC 9162 section
/// 2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut node) = (index, size - 1, *leaf);
    for hash in proof {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            node = node_hash(hash, &node);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, hash);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && node == *root
}

/// Whether the tree of `size` leaves with `root` continues the one of `old` leaves with `old_root`
/// (RFC 9162 section 2.1.4.2).
pub fn verify_consistency(old: u64, old_root: &Hash, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    if old > size {
        return false;
    }
    if old == size {
        return proof.is_empty() && old_root == root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == empty_root();
    }
    let mut hashes = proof.iter();
    let (mut place, mut last) = (old - 1, size - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    // A complete old tree is its own first hash.
    let seed = if old.is_power_of_two() { Some(old_root) } else { hashes.next() };
    let Some(&seed) = seed else { return false };
    let (mut old_node, mut node) = (seed, seed);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old_node = node_hash(hash, &old_node);
            node = node_hash(hash, &node);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, hash);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old_node == *old_root && node == *root
}
