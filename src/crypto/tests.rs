use super::*;

#[test]
fn sha256_of_parts_is_sha256_of_the_whole() {
    assert_eq!(sha256(&[b"a", b"bc"]), sha256(&[b"abc"]));
    // FIPS 180-4, "abc".
    assert_eq!(sha256(&[b"abc"])[..4], [0xba, 0x78, 0x16, 0xbf]);
}

#[test]
fn derive_frames_its_parts() {
    let master = [7; 32];
    assert_ne!(derive(&master, &[b"ab", b"c"]), derive(&master, &[b"a", b"bc"]));
    assert_eq!(derive(&master, &[b"ab", b"c"]), derive(&master, &[b"ab", b"c"]));
}

#[test]
fn a_signature_verifies_only_over_its_message() {
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    let signature = key.sign(b"hello");
    assert!(key.public().verifies(b"hello", &signature));
    assert!(!key.public().verifies(b"hellp", &signature));
    assert!(!key.public().verifies(b"hello", &signature[..63]));
}

#[test]
fn secrets_print_as_stars() {
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    assert_eq!(format!("{key:?}"), "SigningKey(***)");
    assert_eq!(format!("{:?}", MacKey::new(b"secret")), "MacKey(***)");
}

#[test]
fn a_key_of_small_order_is_known_for_what_it_is() {
    let psychic = |key: PublicKey| {
        // R is the neutral element and S is 0: no private key is needed.
        let mut signature = [0; 64];
        signature[0] = 1;
        (0..200_u8).any(|message| key.verifies(&[message], &signature))
    };
    let identity = PublicKey(std::array::from_fn(|at| u8::from(at == 0)));
    assert!(psychic(identity), "the library refuses it by itself now");
    let mut signed = identity;
    signed.0[31] |= 0x80;
    assert!(identity.is_of_small_order() && signed.is_of_small_order());
    assert!(PublicKey([0; 32]).is_of_small_order());
    let honest = SigningKey::from_seed(&[1; 32]).unwrap().public();
    assert!(!psychic(honest) && !honest.is_of_small_order());
}
