//! In force, and every reason why not.

use jiff::civil::date;

use super::samples::{self, grounds, key, member, officer, ring, sealed, signed, today, trial, view};
use crate::model::{Digest, ResponseForm};
use crate::policy::agreement::Agreement;
use crate::policy::sign::{KeyRing, add_signature, signature_text};
use crate::policy::standing::{Grounds, Reason, Standing, standing};

fn reasons(agreement: &Agreement, grounds: &Grounds<'_>) -> Vec<Reason> {
    standing(agreement, grounds).reasons(today())
}

#[test]
fn sealed_and_signed_by_every_party_is_in_force() {
    let (agreement, ring) = (sealed(&trial()), ring());
    let note = signed(&agreement);
    let standing = standing(&agreement, &grounds(Some(&note), &ring));
    assert!(standing.in_force(today()), "{:?}", standing.reasons(today()));
    let members: Vec<&str> = standing.signers().iter().map(|signer| signer.member.as_str()).collect();
    assert_eq!(members, ["glenmore", "nhs-lomond"]);
    assert!(standing.ignored().is_empty());
}

#[test]
fn unsigned_by_anyone_or_by_one_is_not_in_force() {
    let (agreement, ring) = (sealed(&trial()), ring());
    let missing = |of: &str| Reason::SignatureMissing(member(of));
    let none = reasons(&agreement, &grounds(None, &ring));
    assert_eq!(none, [missing("glenmore"), missing("nhs-lomond")]);
    let one = add_signature(None, &agreement, "officer.glenmore", &key(1)).unwrap();
    assert_eq!(reasons(&agreement, &grounds(Some(&one), &ring)), [missing("nhs-lomond")]);
}

#[test]
fn one_byte_changed_after_signing_is_not_in_force() {
    let (agreement, ring) = (sealed(&trial()), ring());
    let note = signed(&agreement);
    let changed = sealed(&trial().replace("per_minute = 30", "per_minute = 31"));
    assert_eq!(reasons(&changed, &grounds(Some(&note), &ring)), [Reason::SignedOverOtherBytes]);
    // Nor does a note whose text was adjusted to the new bytes.
    let forged = note.replace(&signature_text(&agreement), &signature_text(&changed));
    let found = reasons(&changed, &grounds(Some(&forged), &ring));
    assert!(
        matches!(found.as_slice(), [Reason::SignatureWrong { .. }, Reason::SignatureWrong { .. }]),
        "{found:?}"
    );
    assert!(matches!(
        reasons(&agreement, &grounds(Some("not a note"), &ring)).as_slice(),
        [Reason::SignaturesUnreadable(_)]
    ));
}

#[test]
fn an_officer_signs_for_their_own_member_only() {
    let (agreement, ring) = (sealed(&trial()), ring());
    let note = signed(&agreement);
    let missing = [Reason::SignatureMissing(member("nhs-lomond"))];
    // An officer of a member that is no party, and a key nobody knows.
    for (name, seed) in [("officer.police-caledonia", 3), ("officer.nobody", 9)] {
        let one = add_signature(None, &agreement, "officer.glenmore", &key(1)).unwrap();
        let two = add_signature(Some(&one), &agreement, name, &key(seed)).unwrap();
        let found = standing(&agreement, &grounds(Some(&two), &ring));
        assert_eq!(found.reasons(today()), missing);
        assert_eq!(found.ignored(), [name]);
        // Beside the right ones it does no harm.
        let three = add_signature(Some(&note), &agreement, name, &key(seed)).unwrap();
        assert!(standing(&agreement, &grounds(Some(&three), &ring)).in_force(today()));
    }
    // A second officer of the same side does not stand in for the other side.
    let mut second = officer("glenmore", 4);
    second.name = "second.glenmore".into();
    let both = KeyRing::new(vec![officer("glenmore", 1), second, officer("nhs-lomond", 2)]).unwrap();
    let one = add_signature(None, &agreement, "officer.glenmore", &key(1)).unwrap();
    let two = add_signature(Some(&one), &agreement, "second.glenmore", &key(4)).unwrap();
    assert_eq!(reasons(&agreement, &grounds(Some(&two), &both)), missing);
}

#[test]
fn a_line_under_an_officers_name_by_another_key_does_not_count() {
    let (agreement, ring) = (sealed(&trial()), ring());
    let one = add_signature(None, &agreement, "officer.glenmore", &key(1)).unwrap();
    let two = add_signature(Some(&one), &agreement, "officer.nhs-lomond", &key(1)).unwrap();
    let wrong = Reason::SignatureWrong { officer: "officer.nhs-lomond".into(), member: member("nhs-lomond") };
    assert_eq!(reasons(&agreement, &grounds(Some(&two), &ring)), [wrong]);
}

#[test]
fn a_trial_key_counts_only_for_a_trial() {
    let mut trial_key = officer("nhs-lomond", 2);
    trial_key.trial = true;
    let ring = KeyRing::new(vec![officer("glenmore", 1), trial_key]).unwrap();
    let agreement = sealed(&trial());
    let note = signed(&agreement);
    assert!(reasons(&agreement, &grounds(Some(&note), &ring)).is_empty());
    let live = sealed(&samples::live());
    let note = signed(&live);
    let found = standing(&live, &grounds(Some(&note), &ring));
    assert_eq!(found.reasons(today()), [Reason::TrialKeyOnLive(member("nhs-lomond"))]);
    assert_eq!(found.signers().len(), 1);
}

#[test]
fn a_trial_answers_only_from_a_synthetic_source() {
    let ring = ring();
    let real = |note| Grounds { source_synthetic: false, ..grounds(note, &ring) };
    let agreement = sealed(&trial());
    let note = signed(&agreement);
    assert_eq!(reasons(&agreement, &real(Some(&note))), [Reason::TrialSourceNotSynthetic]);
    let live = sealed(&samples::live());
    let note = signed(&live);
    assert!(reasons(&live, &real(Some(&note))).is_empty());
}

#[test]
fn what_this_version_does_not_answer_is_never_in_force() {
    let ring = ring();
    for form in [ResponseForm::BulkNdjson, ResponseForm::BulkCsv, ResponseForm::FanOut] {
        let text =
            samples::whole().replace("response = \"single_record\"", &format!("response = \"{form}\""));
        let agreement = sealed(&text);
        let note = samples::signed_whole(&agreement);
        let expected = [Reason::FormNotAnswered(form)];
        assert_eq!(reasons(&agreement, &grounds(Some(&note), &ring)), expected);
        assert_eq!(Standing::supposed(&agreement).reasons(today()), expected);
        assert_eq!(Standing::rehearsed(&agreement).reasons(today()), expected);
    }
    assert!(Standing::supposed(&samples::load(&samples::whole())).in_force(today()));
}

#[test]
fn the_seal_must_be_there_and_over_the_view_of_today() {
    let ring = ring();
    let unsealed = samples::load(&trial());
    assert_eq!(reasons(&unsealed, &grounds(None, &ring))[0], Reason::Unsealed);
    let agreement = sealed(&trial());
    let note = signed(&agreement);
    let other = Grounds { view: Some(Digest::of(b"another")), ..grounds(Some(&note), &ring) };
    assert_eq!(reasons(&agreement, &other), [Reason::SealedOverAnotherView]);
    let unknown = Grounds { view: None, ..other };
    assert_eq!(reasons(&agreement, &unknown), [Reason::ViewUnknown]);
    assert_eq!(agreement.seal, Some(view()));
}

#[test]
fn a_version_older_than_one_seen_in_force_is_refused() {
    let (agreement, ring) = (sealed(&trial().replace("version = 1", "version = 2")), ring());
    let note = signed(&agreement);
    let seen = |seen| Grounds { highest_seen: Some((seen, agreement.digest)), ..grounds(Some(&note), &ring) };
    assert!(reasons(&agreement, &seen(1)).is_empty());
    assert!(reasons(&agreement, &seen(2)).is_empty());
    assert_eq!(reasons(&agreement, &seen(3)), [Reason::OlderThanSeen { seen: 3 }]);
    // A trial may be changed as it stands.
    let other = Grounds { highest_seen: Some((2, Digest::of(b"other"))), ..seen(2) };
    assert!(reasons(&agreement, &other).is_empty());
}

#[test]
fn a_live_version_that_was_in_force_is_never_another() {
    let (agreement, ring) = (samples::sealed(&samples::whole()), ring());
    let note = samples::signed_whole(&agreement);
    let seen = |version, bytes| {
        let highest_seen = Some((version, bytes));
        reasons(&agreement, &Grounds { highest_seen, source_synthetic: false, ..grounds(Some(&note), &ring) })
    };
    let (version, other) = (agreement.reference.version, Digest::of(b"other"));
    assert!(seen(version, agreement.digest).is_empty());
    assert_eq!(seen(version, other), [Reason::OtherThanSeen { seen: version }]);
    assert!(seen(version - 1, other).is_empty(), "a higher version is what a change needs");
}

#[test]
fn the_first_and_the_last_day_are_in_force_and_no_other() {
    let (agreement, ring) = (sealed(&trial()), ring());
    let note = signed(&agreement);
    let standing = standing(&agreement, &grounds(Some(&note), &ring));
    let (first, last) = (date(2026, 12, 1), date(2027, 2, 28));
    assert!(standing.in_force(first) && standing.in_force(last));
    let (before, after) = (first.yesterday().unwrap(), last.tomorrow().unwrap());
    assert!(!standing.in_force(before) && !standing.in_force(after));
    assert_eq!(standing.reasons(before)[0].to_string(), "begins on 1 December 2026");
    assert_eq!(standing.reasons(after)[0].to_string(), "ended after 28 February 2027");
}
