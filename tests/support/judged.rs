//! Agreements judged without a gateway: sealed over a view of no contract, and signed by keys made here.

use std::sync::Arc;

use tolbooth::crypto::SigningKey;
use tolbooth::model::{Digest, MemberId, OfficerKey};
use tolbooth::policy::{self, Agreement, Entry, Grounds, KeyRing, Register, Standing};

/// The words of a whole agreement of `tests/golden/agreements`.
pub fn whole(name: &str) -> String {
    let path = format!("{}/tests/golden/agreements/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// Sealed, and signed for each controller and its Caldicott Guardian, or for all controllers but one.
pub fn judged(text: &str, all_signed: bool) -> (Arc<Agreement>, Standing) {
    let view = Digest::of(b"view");
    let agreement = policy::load("x.toml", policy::seal(text, view).unwrap().as_bytes()).unwrap();
    let mut officers = Vec::new();
    let mut note = None;
    let controllers = agreement.controllers().skip(usize::from(!all_signed));
    let officer = |member: &MemberId| (member.clone(), "Data Protection Officer".to_owned());
    let guardian = |(member, office): (&MemberId, &str)| (member.clone(), office.to_owned());
    for (member, office) in controllers.map(officer).chain(agreement.guardians().map(guardian)) {
        let key = SigningKey::generate().unwrap();
        let name = format!("officer{}.{member}", officers.len());
        note = Some(policy::add_signature(note.as_deref(), &agreement, &name, &key).unwrap());
        officers.push(OfficerKey { member, name, office, public: key.public(), trial: false });
    }
    let ring = KeyRing::new(officers).unwrap();
    let grounds = Grounds {
        note: note.as_deref(),
        ring: &ring,
        view: Some(view),
        highest_seen: None,
        source_synthetic: false,
    };
    let standing = policy::standing(&agreement, &grounds);
    (Arc::new(agreement), standing)
}

pub fn entries(judged: Vec<(Arc<Agreement>, Standing)>) -> Vec<Arc<Entry>> {
    Register::new(&MemberId::new("glenmore").unwrap(), judged, None).unwrap().all().to_vec()
}
