//! Tiles (C2SP tlog-tiles): the hashes of a tree in pieces of 256, and what is computed from them.
//!
//! A tile of level L holds complete nodes of height 8 * L; its own root, where it is full, is one hash of
//! level L + 1. Where tiles come from is the caller's business.

use super::edge::{Hash, RightEdge, node_hash};

/// Hashes of a full tile.
pub const TILE_WIDTH: u64 = 256;
/// Levels of tiles over each other in a tree of 2^63 leaves.
const LEVEL_MAX: u8 = 63;
/// Digits of one element of a tile's path.
const DIGITS: u64 = 1000;

/// Which tile, and how many of its hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    pub level: u8,
    pub index: u64,
    /// 1 to 256.
    pub width: u64,
}

impl Tile {
    /// Reads `<L>/<N>` or `<L>/<N>.p/<W>`: one way of writing for each tile.
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.split_once('/')?;
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, decimal(width).filter(|width| (1..TILE_WIDTH).contains(width))?),
            None => (rest, TILE_WIDTH),
        };
        let level = decimal(level).and_then(|level| u8::try_from(level).ok())?;
        let tile = Self { level, index: index_of(index)?, width };
        (level <= LEVEL_MAX && tile.path() == path).then_some(tile)
    }

    /// As [`parse`](Self::parse) reads it.
    pub fn path(&self) -> String {
        let mut index = format!("{:03}", self.index % DIGITS);
        let mut rest = self.index / DIGITS;
        while rest > 0 {
            index = format!("x{:03}/{index}", rest % DIGITS);
            rest /= DIGITS;
        }
        let partial = if self.width < TILE_WIDTH { format!(".p/{}", self.width) } else { String::new() };
        format!("{}/{index}{partial}", self.level)
    }

    /// Whether a tree of `size` leaves has all its hashes.
    pub fn is_within(&self, size: u64) -> bool {
        let hashes = size.checked_shr(8 * u32::from(self.level)).unwrap_or(0);
        let end = self.index.checked_mul(TILE_WIDTH).and_then(|first| first.checked_add(self.width));
        end.is_some_and(|end| end <= hashes)
    }
}

fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    (canonical && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// `x001/x234/067`: three digits each, all but the last after an `x`. Whether it is written so is seen by
/// writing it again.
fn index_of(text: &str) -> Option<u64> {
    text.split('/').try_fold(0_u64, |index, part| {
        let digits = part.strip_prefix('x').unwrap_or(part);
        let three = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let part: u64 = three.then(|| digits.parse().ok())??;
        index.checked_mul(DIGITS)?.checked_add(part)
    })
}

/// The root over complete nodes whose number is a power of two; `None` for any other number.
pub fn root_of(nodes: &[Hash]) -> Option<Hash> {
    if !nodes.len().is_power_of_two() {
        return None;
    }
    let mut nodes = nodes.to_vec();
    while nodes.len() > 1 {
        nodes = nodes
            .chunks_exact(2)
            .filter_map(|pair| match pair {
                [left, right] => Some(node_hash(left, right)),
                _ => None,
            })
            .collect();
    }
    nodes.first().copied()
}

/// Where the hashes of a tree come from.
pub trait Tiles {
    type Fault;

    /// All hashes of a tile that is within the tree.
    fn tile(&mut self, tile: Tile) -> Result<Vec<Hash>, Self::Fault>;

    /// The tiles are not those of a tree.
    fn broken() -> Self::Fault;
}

/// The complete node of `height` at place `at`.
fn node<T: Tiles>(tiles: &mut T, height: u32, at: u64) -> Result<Hash, T::Fault> {
    let (level, below) = (height / 8, height % 8);
    let first = at << below;
    let (index, from, count) = (first / TILE_WIDTH, first % TILE_WIDTH, 1_u64 << below);
    let level = u8::try_from(level).map_err(|_| T::broken())?;
    let hashes = tiles.tile(Tile { level, index, width: from + count })?;
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    hashes.get(from..).and_then(root_of).ok_or_else(T::broken)
}

/// The right edge of the tree of `size` leaves.
pub fn edge_at<T: Tiles>(tiles: &mut T, size: u64) -> Result<RightEdge, T::Fault> {
    let mut nodes = Vec::new();
    for height in (0..u64::BITS).rev().filter(|height| size >> height & 1 == 1) {
        // All before it is made of larger ones.
        nodes.push(node(tiles, height, (size >> height) - 1)?);
    }
    RightEdge::from_parts(size, nodes).ok_or_else(T::broken)
}

/// The inclusion proof (RFC 6962 section 2.1.1) of the leaf at `index` in the tree that ends in `edge`.
pub fn prove_by_tiles<T: Tiles>(tiles: &mut T, edge: &RightEdge, index: u64) -> Result<Vec<Hash>, T::Fault> {
    let size = edge.size();
    if index >= size {
        return Err(T::broken());
    }
    let mut proof = Vec::new();
    let mut height = 0;
    while (size - 1).checked_shr(height).unwrap_or(0) > 0 {
        let sibling = (index >> height) ^ 1;
        if sibling < size >> height {
            proof.push(node(tiles, height, sibling)?);
        } else if sibling << height < size {
            // The last subtree of this height is not complete.
            proof.push(edge.tail_root(height).ok_or_else(T::broken)?);
        }
        height += 1;
    }
    Ok(proof)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{leaf_hash, prove_inclusion};

    /// All leaves of a tree, and nothing else.
    struct Leaves(Vec<Hash>);

    impl Tiles for Leaves {
        type Fault = ();

        fn tile(&mut self, tile: Tile) -> Result<Vec<Hash>, ()> {
            let each = 1_usize << (8 * u32::from(tile.level));
            let (from, count) = ((tile.index * TILE_WIDTH) as usize, tile.width as usize);
            let leaves = self.0.get(from * each..(from + count) * each).ok_or(())?;
            leaves.chunks_exact(each).map(|below| root_of(below).ok_or(())).collect()
        }

        fn broken() {}
    }

    #[test]
    fn a_tile_is_written_in_one_way() {
        for path in ["0/000", "0/000.p/1", "1/001", "0/x001/x234/067", "0/x001/000.p/255", "63/000"] {
            let tile = Tile::parse(path).unwrap();
            assert_eq!(tile.path(), path);
            // As the independent implementation writes it, which names the height too.
            let theirs = tlog_tiles::Tile::new(8, tile.level, tile.index, tile.width as u32, false);
            assert_eq!(theirs.path(), format!("tile/8/{path}"));
        }
        for path in [
            "",
            "0",
            "0/",
            "/000",
            "00/000",
            "64/000",
            "0/0",
            "0/00",
            "0/0000",
            "0/x000",
            "0/x000/000",
            "0/001/000",
            "0/xx01/000",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "0/000.p/",
            "0/000/",
            "0/+01",
            "data/000",
            "0/000.p/1/",
            "0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Tile::parse(path), None, "{path}");
        }
    }

    #[test]
    fn a_tile_is_within_a_tree_that_has_all_its_hashes() {
        let within = |path: &str, size| Tile::parse(path).unwrap().is_within(size);
        assert!(within("0/000.p/5", 5) && !within("0/000.p/6", 5) && !within("0/000", 255));
        assert!(within("0/000", 256) && within("1/000.p/1", 256) && !within("1/000.p/2", 511));
        assert!(!within("63/000.p/1", u64::MAX) && within("7/000.p/255", u64::MAX));
        assert!(!Tile { level: 0, index: u64::MAX, width: 256 }.is_within(u64::MAX));
    }

    #[test]
    fn proofs_by_tiles_are_those_of_all_leaves() {
        let all: Vec<Hash> = (0..70_000_u32).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        for size in [1, 2, 255, 256, 257, 511, 513, 65_535, 65_537, 70_000] {
            let leaves = all[..size].to_vec();
            let mut tiles = Leaves(leaves.clone());
            let edge = edge_at(&mut tiles, size as u64).unwrap();
            let mut slow = RightEdge::default();
            leaves.iter().for_each(|leaf| slow.append(*leaf));
            assert_eq!(edge, slow, "size {size}");
            for index in [0, size / 2, size - 1] {
                let ours = prove_by_tiles(&mut tiles, &edge, index as u64).unwrap();
                assert_eq!(Some(ours), prove_inclusion(&leaves, index as u64), "{index} of {size}");
            }
            assert!(prove_by_tiles(&mut tiles, &edge, size as u64).is_err());
        }
    }
}
