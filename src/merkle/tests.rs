//! Our proofs against our own slow reference and against an independent implementation.

use proptest::prelude::*;
use tlog_tiles::tlog;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::note::VerifierKey;
use super::*;
use crate::crypto::SigningKey;

/// The independent implementation's tree of the same leaves.
struct Oracle(Vec<tlog::Hash>);

impl tlog::HashReader for Oracle {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes.iter().map(|&at| self.0[at as usize]).collect())
    }
}

fn data(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

fn oracle(size: u64) -> Oracle {
    let mut oracle = Oracle(Vec::new());
    for n in 0..size {
        let more = tlog::stored_hashes(n, &data(n), &oracle).unwrap();
        oracle.0.extend(more);
    }
    oracle
}

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(|n| leaf_hash(&data(n))).collect()
}

fn edge_of(leaves: &[Hash]) -> RightEdge {
    let mut edge = RightEdge::default();
    leaves.iter().for_each(|leaf| edge.append(*leaf));
    edge
}

#[test]
fn the_root_is_the_independent_implementations() {
    for size in 1..70 {
        let theirs = tlog::tree_hash(size, &oracle(size)).unwrap();
        assert_eq!(edge_of(&leaves(size)).root(), theirs.0, "size {size}");
    }
    assert_eq!(RightEdge::default().root(), empty_root());
}

#[test]
fn an_edge_is_read_back_only_with_its_own_number_of_nodes() {
    let edge = edge_of(&leaves(13));
    assert_eq!(RightEdge::from_parts(13, edge.nodes().to_vec()), Some(edge.clone()));
    assert_eq!(RightEdge::from_parts(12, edge.nodes().to_vec()), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_batch_proves_each_of_its_leaves_to_both(before in 0u64..200, count in 1u64..80) {
        let size = before + count;
        let all = leaves(size);
        let old = edge_of(&all[..before as usize]);
        let batch = Batch::new(&old, &all[before as usize..]);
        prop_assert_eq!(batch.after(), &edge_of(&all));
        let root = batch.after().root();
        for index in before..size {
            let proof = batch.prove(index).unwrap();
            prop_assert!(verify_inclusion(&all[index as usize], index, size, &proof, &root));
            let theirs: Vec<_> = proof.iter().map(|h| tlog::Hash(*h)).collect();
            let leaf = tlog::Hash(all[index as usize]);
            prop_assert!(tlog::check_record(&theirs, size, tlog::Hash(root), index, leaf).is_ok());
        }
        prop_assert_eq!(batch.prove(size), None);
        prop_assert!(before == 0 || batch.prove(before - 1).is_none());
    }

    #[test]
    fn their_inclusion_proofs_verify_with_ours(size in 1u64..150, pick in any::<prop::sample::Index>()) {
        let index = pick.index(size as usize) as u64;
        let theirs = tlog::prove_record(size, index, &oracle(size)).unwrap();
        let proof: Vec<Hash> = theirs.iter().map(|h| h.0).collect();
        let all = leaves(size);
        let root = edge_of(&all).root();
        prop_assert_eq!(prove_inclusion(&all, index).unwrap(), proof.clone());
        prop_assert!(verify_inclusion(&all[index as usize], index, size, &proof, &root));
        // Anything changed is refused.
        prop_assert!(!verify_inclusion(&leaf_hash(b"other"), index, size, &proof, &root));
        prop_assert!(!verify_inclusion(&all[index as usize], index, size, &proof, &leaf_hash(b"other")));
        prop_assert!(!verify_inclusion(&all[index as usize], index + size, size, &proof, &root));
        let longer = [proof.clone(), vec![root]].concat();
        prop_assert!(!verify_inclusion(&all[index as usize], index, size, &longer, &root));
        for at in 0..proof.len() {
            let mut changed = proof.clone();
            changed[at][0] ^= 1;
            prop_assert!(!verify_inclusion(&all[index as usize], index, size, &changed, &root));
        }
    }

    #[test]
    fn consistency_proofs_verify_with_each_other(size in 1u64..150, pick in any::<prop::sample::Index>()) {
        let old = pick.index(size as usize) as u64 + 1;
        let all = leaves(size);
        let (old_root, root) = (edge_of(&all[..old as usize]).root(), edge_of(&all).root());
        let ours = prove_consistency(&all, old).unwrap();
        let theirs = tlog::prove_tree(size, old, &oracle(size)).unwrap();
        prop_assert_eq!(&ours, &theirs.iter().map(|h| h.0).collect::<Vec<_>>());
        let as_theirs: Vec<_> = ours.iter().map(|h| tlog::Hash(*h)).collect();
        prop_assert!(tlog::check_tree(&as_theirs, size, tlog::Hash(root), old, tlog::Hash(old_root)).is_ok());
        prop_assert!(verify_consistency(old, &old_root, size, &root, &ours));
        prop_assert!(!verify_consistency(old, &leaf_hash(b"other"), size, &root, &ours));
        prop_assert!(!verify_consistency(old, &old_root, size, &leaf_hash(b"other"), &ours));
        if !ours.is_empty() {
            prop_assert!(!verify_consistency(old, &old_root, size, &root, &ours[1..]));
        }
        prop_assert_eq!(prove_consistency(&all, size + 1), None);
    }
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: "glenmore.example/ledger".into(), size: 5, root: edge_of(&leaves(5)).root() }
}

#[test]
fn our_notes_open_with_the_independent_implementation() {
    let key = SigningKey::from_seed(&[9; 32]).unwrap();
    let note = checkpoint().sign(&key);
    let vkey = VerifierKey::new("glenmore.example/ledger", key.public()).unwrap().to_string();
    let verifier = signed_note::StandardVerifier::new(&vkey).unwrap();
    let opened = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
    let list = signed_note::VerifierList::new(vec![Box::new(verifier)]);
    let (signed, _) = opened.verify(&list).unwrap();
    assert_eq!(signed.len(), 1);
    let theirs = tlog_tiles::Checkpoint::from_bytes(opened.text()).unwrap();
    assert_eq!(
        (theirs.origin(), theirs.size(), theirs.hash().0),
        ("glenmore.example/ledger", 5, checkpoint().root)
    );
}

#[test]
fn a_checkpoint_opens_only_for_its_log_and_key() {
    let key = SigningKey::from_seed(&[9; 32]).unwrap();
    let note = checkpoint().sign(&key);
    let mine = VerifierKey::new("glenmore.example/ledger", key.public()).unwrap();
    assert_eq!(Checkpoint::open(&note, &mine), Ok(checkpoint()));
    let other = SigningKey::from_seed(&[8; 32]).unwrap();
    let theirs = VerifierKey::new("glenmore.example/ledger", other.public()).unwrap();
    assert_eq!(Checkpoint::open(&note, &theirs), Err(CheckpointError::Unsigned));
    assert_eq!(Checkpoint::open(&note.replace("\n5\n", "\n6\n"), &mine), Err(CheckpointError::Unsigned));
    // The right key under the text of another log.
    let elsewhere = Checkpoint { origin: "elsewhere.example/ledger".into(), ..checkpoint() }.text();
    let note = format!("{elsewhere}\n{}", note::sign_line(mine.name(), &key, &elsewhere));
    assert_eq!(Checkpoint::open(&note, &mine), Err(CheckpointError::Origin));
    for bad in ["", "a\n05\nAAAA\n", "a\n5\nAAAA\n", "\n5\n"] {
        assert_eq!(Checkpoint::parse(bad), Err(CheckpointError::Malformed), "{bad:?}");
    }
}
