use super::super::{ReplayFault, Replays};
use super::samples::system;

#[test]
fn a_nonce_is_remembered_exactly_as_long_as_its_signature_lives() {
    let (replays, ed_trak) = (Replays::new(10), system("nhs-lomond", "ed-trak"));
    let admit = |expires, now| replays.admit(&ed_trak, ("key", "nonce"), expires, now, 10);
    assert_eq!(admit(160, 100), Ok(()));
    assert_eq!(admit(160, 101), Err(ReplayFault::Used));
    assert_eq!(admit(160, 160), Err(ReplayFault::Used));
    assert_eq!(replays.len(), 1);
    // A second later the signature has expired by itself, and its nonce is forgotten.
    assert_eq!(admit(160, 161), Err(ReplayFault::Forgotten));
    assert_eq!(replays.admit(&ed_trak, ("key", "other nonce"), 200, 161, 10), Ok(()));
    assert_eq!(replays.len(), 1);
    // A clock that steps back does not bring it back.
    assert_eq!(admit(160, 110), Err(ReplayFault::Forgotten));
}

#[test]
fn the_same_nonce_of_another_key_or_system_is_another_one() {
    let replays = Replays::new(10);
    let (a, b) = (system("nhs-lomond", "ed-trak"), system("nhs-lomond", "gp-hub"));
    assert_eq!(replays.admit(&a, ("key", "nonce"), 160, 100, 10), Ok(()));
    assert_eq!(replays.admit(&b, ("key", "nonce"), 160, 100, 10), Ok(()));
    assert_eq!(replays.admit(&a, ("key-2", "nonce"), 160, 100, 10), Ok(()));
    // Parts are framed: what one ends with the next cannot begin with.
    assert_eq!(replays.admit(&a, ("keyn", "once"), 160, 100, 10), Ok(()));
    assert_eq!(replays.admit(&a, ("key", "nonce"), 160, 100, 10), Err(ReplayFault::Used));
}

#[test]
fn one_member_fills_its_share_and_nobody_elses() {
    let (replays, most, share) = (Replays::new(6), 6, 3);
    let (noisy, quiet) = (system("nhs-lomond", "ed-trak"), system("police-caledonia", "control-room"));
    let admit = |who, nonce: usize, now| replays.admit(who, ("key", &nonce.to_string()), 160, now, share);
    for nonce in 0..share {
        assert_eq!(admit(&noisy, nonce, 100), Ok(()));
    }
    assert_eq!(admit(&noisy, 99, 100), Err(ReplayFault::Full));
    // What is full still knows what it has seen.
    assert_eq!(admit(&noisy, 0, 100), Err(ReplayFault::Used));
    assert_eq!(admit(&quiet, 0, 100), Ok(()));
    assert!(replays.len() <= most);
    // With the window its share is free again.
    assert_eq!(replays.admit(&noisy, ("key", "later"), 200, 161, share), Ok(()));
}

#[test]
fn the_whole_is_bounded_whatever_the_shares_were() {
    let replays = Replays::new(4);
    let who = |number: usize| system(&format!("member-{number}"), "a");
    for number in 0..4 {
        assert_eq!(replays.admit(&who(number), ("key", "nonce"), 160, 100, 4), Ok(()));
    }
    assert_eq!(replays.admit(&who(4), ("key", "nonce"), 160, 100, 4), Err(ReplayFault::Full));
    // What others no longer need makes room.
    assert_eq!(replays.admit(&who(4), ("key", "nonce"), 200, 161, 4), Ok(()));
    assert_eq!(replays.len(), 1);
}
