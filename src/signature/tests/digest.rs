//! RFC 9530, its examples.

use super::super::{SignatureFault, content_digest, is_digest_of};

const WORLD: &[u8] = b"{\"hello\": \"world\"}\n";

#[test]
fn the_digests_of_rfc_9530_appendix_b_are_ours() {
    // B.1, B.2 and B.3: whole, empty and a part.
    let cases: [(&[u8], &str); 3] = [
        (WORLD, "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"),
        (b"", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"),
        (b"\"world\"}\n", "sha-256=:jjcgBDWNAtbYUXI37CVG3gRuGOAjaaDRGpIUFsdyepQ=:"),
    ];
    for (body, digest) in cases {
        assert_eq!(content_digest(body), digest);
        assert_eq!(is_digest_of(digest, body), Ok(()));
        assert_eq!(is_digest_of(digest, b"{\"hello\": \"World\"}\n"), Err(SignatureFault::Body));
    }
}

#[test]
fn both_digests_of_rfc_9530_section_2_hold_and_each_alone() {
    let sha256 = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    let sha512 =
        "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:";
    for good in [
        sha256.to_owned(),
        sha512.to_owned(),
        format!("{sha256},{sha512}"),
        // A kind that is not known proves nothing, and takes nothing away.
        format!("md5=:AAAA:, {sha256}"),
    ] {
        assert_eq!(is_digest_of(&good, WORLD), Ok(()), "{good}");
    }
    let other = sha256.replace("RK/", "RL/");
    for bad in [format!("{other}, {sha512}"), format!("{sha512}, {other}")] {
        assert_eq!(is_digest_of(&bad, WORLD), Err(SignatureFault::Body), "{bad}");
    }
    for unread in ["", "md5=:AAAA:", "sha-256=abc", "sha-256", "sha-256=(:AAAA:)", "=", "SHA-256=:AAAA:"] {
        assert_eq!(is_digest_of(unread, WORLD), Err(SignatureFault::Digest), "{unread}");
    }
    // A digest cut short is not a digest.
    assert_eq!(is_digest_of("sha-256=:RK/0:", WORLD), Err(SignatureFault::Body));
}
