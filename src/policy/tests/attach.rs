//! Signatures made elsewhere, and the Caldicott Guardian's.

use super::samples::{GUARDIAN, grounds, guardian, key, officer, ring, sealed, signed, today, trial, whole};
use crate::merkle::note::sign_line;
use crate::policy::agreement::Agreement;
use crate::policy::attach::{AttachError, Brought, attach};
use crate::policy::sign::{KeyRing, SignError, add_signature, signature_text};
use crate::policy::standing::{Reason, standing};

const NHS: &str = "officer.nhs-lomond";

fn note_by(name: &str, seed: u8, text: &str) -> String {
    format!("{text}\n{}", sign_line(name, &key(seed), text))
}

#[test]
fn what_an_officer_signed_elsewhere_counts_once_it_verifies() {
    let (agreement, ring) = (sealed(&trial()), ring());
    let text = signature_text(&agreement);
    let one = add_signature(None, &agreement, "officer.glenmore", &key(1)).unwrap();
    let bare = key(2).sign(text.as_bytes());
    let both = [Brought::Bare { officer: NHS, signature: &bare }, Brought::Note(&note_by(NHS, 2, &text))];
    for brought in both {
        let (note, names) = attach(Some(&one), &agreement, &ring, brought).unwrap();
        assert_eq!(names, [NHS]);
        assert_eq!(note, signed(&agreement));
        assert!(standing(&agreement, &grounds(Some(&note), &ring)).in_force(today()));
    }
}

#[test]
fn what_does_not_verify_is_not_attached() {
    let (agreement, ring) = (sealed(&trial()), ring());
    let text = signature_text(&agreement);
    fn refused_of(agreement: &Agreement, ring: &KeyRing, brought: Brought<'_>) -> AttachError {
        attach(None, agreement, ring, brought).unwrap_err()
    }
    let refused = |brought: Brought<'_>| refused_of(&agreement, &ring, brought);
    let wrong = AttachError::DoesNotVerify { name: NHS.into() };
    // Another's key, another text, a bit changed, and half of it.
    let mut flipped = key(2).sign(text.as_bytes());
    flipped[63] ^= 1;
    let other = key(2).sign(text.replace("\n1\n", "\n2\n").as_bytes());
    for signature in [&key(1).sign(text.as_bytes())[..], &other, &flipped, &flipped[..32]] {
        assert_eq!(refused(Brought::Bare { officer: NHS, signature }), wrong);
    }
    assert_eq!(refused(Brought::Note(&note_by(NHS, 1, &text))), wrong);
    // A note over other bytes, whoever signed it.
    let older = signature_text(&sealed(&trial().replace("per_minute = 30", "per_minute = 31")));
    assert_eq!(refused(Brought::Note(&note_by(NHS, 2, &older))), AttachError::OtherStatement);
    // Nobody who has a say.
    let unknown = refused(Brought::Bare { officer: "officer.nhs-lomnd", signature: &flipped });
    assert!(unknown.to_string().contains("did you mean `officer.nhs-lomond`"), "{unknown}");
    let police = refused(Brought::Note(&note_by("officer.police-caledonia", 3, &text)));
    assert!(matches!(police, AttachError::NoParty { .. }), "{police}");
    let unsealed = super::samples::load(&trial());
    let signature = key(2).sign(signature_text(&unsealed).as_bytes());
    let unsealed = attach(None, &unsealed, &ring, Brought::Bare { officer: NHS, signature: &signature });
    assert_eq!(unsealed, Err(AttachError::Sign(SignError::Unsealed)));
}

fn with_guardian(office: &str) -> KeyRing {
    KeyRing::new(vec![officer("glenmore", 1), officer("nhs-lomond", 2), guardian(office)]).unwrap()
}

fn reasons(agreement: &Agreement, note: &str, ring: &KeyRing) -> Vec<Reason> {
    standing(agreement, &grounds(Some(note), ring)).reasons(today())
}

#[test]
fn where_a_caldicott_guardian_is_named_their_signature_is_wanted_beside_the_partys() {
    let agreement = sealed(&whole());
    let both = signed(&agreement);
    let missing = Reason::GuardianMissing {
        member: super::samples::member("nhs-lomond"),
        office: "Caldicott Guardian".into(),
    };
    let ring = with_guardian("Caldicott Guardian");
    assert_eq!(reasons(&agreement, &both, &ring), std::slice::from_ref(&missing));
    let all = add_signature(Some(&both), &agreement, GUARDIAN, &key(5)).unwrap();
    assert_eq!(reasons(&agreement, &all, &ring), []);
    assert_eq!(reasons(&agreement, &all, &with_guardian("caldicott_guardian")), []);
    // Somebody of another office, however often they sign, and a line that does not verify.
    assert_eq!(reasons(&agreement, &all, &with_guardian("Medical Director")), std::slice::from_ref(&missing));
    let forged = add_signature(Some(&both), &agreement, GUARDIAN, &key(2)).unwrap();
    assert_eq!(reasons(&agreement, &forged, &ring), [missing]);
    // The guardian alone does not sign for the party.
    let one = add_signature(None, &agreement, "officer.glenmore", &key(1)).unwrap();
    let alone = add_signature(Some(&one), &agreement, GUARDIAN, &key(5)).unwrap();
    let wanted = Reason::SignatureMissing(super::samples::member("nhs-lomond"));
    assert_eq!(reasons(&agreement, &alone, &ring), [wanted]);
}

#[test]
fn a_file_that_reads_otherwise_elsewhere_is_refused_with_how_to_mend_it() {
    let text = trial();
    let told = |bytes: &[u8]| crate::policy::load("a.toml", bytes).unwrap_err().to_string();
    let bom = told(&[b"\xef\xbb\xbf", text.as_bytes()].concat());
    assert!(bom.contains("byte order mark") && bom.contains("save it as UTF-8 without BOM"), "{bom}");
    let crlf = told(text.replace('\n', "\r\n").as_bytes());
    assert!(crlf.contains("carriage return") && crlf.contains("LF, not CRLF"), "{crlf}");
    let latin = told(&[text.as_bytes(), b"# Caf\xe9\n"].concat());
    assert!(latin.contains("is not UTF-8") && latin.contains("save it as UTF-8"), "{latin}");
}
