//! What an organisation says of itself in every agreement it is a party to: `policies/organisation.toml`, and the
//! same file of a partner, handed over. Only `agreement new` and `check` read it: what is signed is the whole
//! agreement, in which all of it stands.

use std::path::{Path, PathBuf};

use crate::model::{Controllership, MemberClass, MemberId, PurposeCode};

use super::agreement::Law;
use super::particulars::PartyParticulars;

/// Where an organisation's own file lies, below its policies.
pub fn organisation_file(policies: &Path) -> PathBuf {
    policies.join("organisation.toml")
}

/// Made by [`load_organisation`](super::load_organisation), or of an agreement it is a party to.
#[derive(Debug, Clone, PartialEq)]
pub struct Organisation {
    pub member: MemberId,
    /// All but what it is to the data, which each agreement says.
    said: PartyParticulars,
    /// Where people complain; the data protection officer, if it is not said.
    complaints: Option<String>,
    /// What it relies on, by purpose.
    law: Vec<(PurposeCode, Law)>,
}

impl Organisation {
    pub(super) fn new(
        member: MemberId,
        said: PartyParticulars,
        complaints: Option<String>,
        law: Vec<(PurposeCode, Law)>,
    ) -> Self {
        Self { member, said, complaints, law }
    }

    /// What an agreement said of a party; of its law that agreement's purpose alone.
    pub fn of_party(member: MemberId, said: PartyParticulars, law: Option<(PurposeCode, Law)>) -> Self {
        Self { member, said, complaints: None, law: law.into_iter().collect() }
    }

    /// What stands in the party's block of an agreement; of data about nobody, what that needs.
    pub fn as_party(&self, controller: Controllership) -> PartyParticulars {
        let about_people = controller != Controllership::None;
        let said = self.said.clone();
        PartyParticulars {
            controller,
            ico_registration: said.ico_registration.filter(|_| about_people),
            caldicott_guardian: said.caldicott_guardian.filter(|_| about_people),
            privacy_notice: said.privacy_notice.filter(|_| about_people),
            ..said
        }
    }

    /// The keys that an agreement about people wants of it and that are not there.
    pub fn lacks_about_people(&self, class: Option<MemberClass>) -> Vec<&'static str> {
        let said = &self.said;
        let keys = [
            ("ico_registration", said.ico_registration.is_none()),
            ("privacy_notice", said.privacy_notice.is_none()),
            ("caldicott_guardian", class == Some(MemberClass::Health) && said.caldicott_guardian.is_none()),
        ];
        keys.into_iter().filter(|(_, missing)| *missing).map(|(key, _)| key).collect()
    }

    pub fn complaints(&self) -> &str {
        self.complaints.as_deref().unwrap_or(&self.said.dpo.email)
    }

    /// What it relies on for a purpose, if it says so.
    pub fn law(&self, purpose: PurposeCode) -> Option<&Law> {
        self.law.iter().find(|(code, _)| *code == purpose).map(|(_, law)| law)
    }
}
