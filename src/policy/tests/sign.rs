//! Signing, and the ring of keys.

use super::samples::{key, load, officer, sealed, trial};
use crate::merkle::note::NoteError;
use crate::policy::sign::{KeyRing, KeyRingError, SignError, add_signature, signature_file, signature_text};

#[test]
fn the_signed_text_names_kind_id_version_and_bytes() {
    let agreement = sealed(&trial());
    assert_eq!(
        signature_text(&agreement),
        format!("tolbooth/agreement/v1\nglenmore-nhs-lomond-child-protection\n1\n{}\n", agreement.digest)
    );
    assert_eq!(signature_file("policies/agreements/x.toml"), "policies/agreements/x.sig");
}

#[test]
fn signing_again_replaces_ones_own_line_and_keeps_the_others() {
    let agreement = sealed(&trial());
    let one = add_signature(None, &agreement, "officer.glenmore", &key(1)).unwrap();
    let two = add_signature(Some(&one), &agreement, "officer.nhs-lomond", &key(2)).unwrap();
    let again = add_signature(Some(&two), &agreement, "officer.glenmore", &key(1)).unwrap();
    let sorted = |note: &str| {
        let mut lines: Vec<String> = note.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&again), sorted(&two));
    // With a new key the old line goes.
    let renewed = add_signature(Some(&two), &agreement, "officer.glenmore", &key(7)).unwrap();
    assert_eq!(renewed.matches("officer.glenmore").count(), 1);
}

#[test]
fn what_would_never_count_is_not_signed() {
    let unsealed = load(&trial());
    assert_eq!(add_signature(None, &unsealed, "a", &key(1)), Err(SignError::Unsealed));
    let agreement = sealed(&trial());
    let note = add_signature(None, &agreement, "a", &key(1)).unwrap();
    let changed = sealed(&trial().replace("per_minute = 30", "per_minute = 31"));
    assert_eq!(add_signature(Some(&note), &changed, "b", &key(2)), Err(SignError::OtherBytes));
    assert_eq!(add_signature(None, &agreement, "a b", &key(1)), Err(SignError::Note(NoteError::Name)));
    assert_eq!(add_signature(Some("x"), &agreement, "a", &key(1)), Err(SignError::Note(NoteError::Shape)));
}

#[test]
fn a_ring_has_each_name_and_each_key_once() {
    let twice = KeyRing::new(vec![officer("glenmore", 1), officer("glenmore", 2)]);
    assert_eq!(twice.unwrap_err(), KeyRingError::NameTwice("officer.glenmore".into()));
    let same = KeyRing::new(vec![officer("glenmore", 1), officer("glenmore", 1)]);
    assert_eq!(same.unwrap_err(), KeyRingError::NameTwice("officer.glenmore".into()));
    let shared = KeyRing::new(vec![officer("glenmore", 1), officer("nhs-lomond", 1)]);
    assert!(matches!(shared.unwrap_err(), KeyRingError::KeyTwice(..)));
    let mut spaced = officer("glenmore", 1);
    spaced.name = "j smith".into();
    assert!(matches!(KeyRing::new(vec![spaced]).unwrap_err(), KeyRingError::Name(_)));
}
