//! What sections of format 2 must say alike: kind and controllers, categories and law, roles and users. Each check
//! judges what could be read, so that its faults come in the same round as all others.

use crate::config::strict::Table;
use crate::model::{Controllership, DataSubject, Regime, SharingKind, SpecialCategory, UserIdentity};
use crate::policy::agreement::{Law, Party, Side};
use crate::policy::particulars::{Description, Security};

/// What the sections said, as far as they could be read.
pub(super) struct Said<'a> {
    pub(super) kind: Option<SharingKind>,
    pub(super) parties: Option<&'a [Party]>,
    pub(super) law: Option<&'a [Law]>,
    pub(super) description: Option<&'a Description>,
    pub(super) user: Option<UserIdentity>,
    pub(super) security: Option<&'a Security>,
    /// Where `[data]` stands.
    pub(super) data_line: Option<usize>,
}

/// A fault: its line, what is wrong, and what to do about it.
type Found = (Option<usize>, String, &'static str);

pub(super) fn coherent(root: &Table<'_>, said: &Said<'_>) -> Option<()> {
    let mut found: Vec<Found> = Vec::new();
    if let (Some(kind), Some(parties)) = (said.kind, said.parties) {
        found.extend(parties.iter().filter_map(|party| controllership(kind, party)));
    }
    if let (Some(user), Some(parties)) = (said.user, said.parties) {
        found.extend(parties.iter().filter_map(|party| roles(user, party)));
    }
    if let (Some(kind), Some(description)) = (said.kind, said.description) {
        let fault = |(message, help)| (said.data_line, message, help);
        found.extend(people(kind, description).map(fault));
    }
    if let (Some(law), Some(description)) = (said.law, said.description) {
        for law in law {
            found.extend(categories(law, description));
            found.extend(confidentiality(law, description, said.parties.unwrap_or_default()));
            found.extend(opinions(law, description));
        }
    }
    if let (Some(kind), Some(law)) = (said.kind, said.law) {
        found.extend(law.iter().filter_map(|law| regime(kind, law)));
    }
    found.extend(said.security.and_then(abroad));
    let whole = found.is_empty();
    for (line, message, help) in found {
        root.fault_on(line, message, help);
    }
    whole.then_some(())
}

/// Who is a controller has to fit what kind of agreement it is.
fn controllership(kind: SharingKind, party: &Party) -> Option<Found> {
    let is = party.particulars.as_ref()?.controller;
    let gives_or_receives = matches!(party.side, Side::Provider | Side::Consumer);
    let fits = match (kind, party.side) {
        (SharingKind::NonPersonal | SharingKind::OpenData, _) => is == Controllership::None,
        (_, Side::Processor) => is == Controllership::Processor,
        (_, Side::Observer) => true,
        (SharingKind::ControllerToController, _) => is == Controllership::Sole,
        (SharingKind::JointControllers, _) => is == Controllership::Joint,
        (SharingKind::ControllerToProcessor, Side::Provider) => is.is_controller(),
        (SharingKind::ControllerToProcessor, Side::Consumer) => is == Controllership::Processor,
    };
    let help = if gives_or_receives {
        "`controller` of each party, or `kind` of the agreement, says otherwise than the other"
    } else {
        "a processor is `controller = \"processor\"`"
    };
    (!fits).then(|| {
        let side = party.side.as_str();
        (Some(party.line), format!("`{is}` is no {side} of an agreement of the kind `{kind}`"), help)
    })
}

fn roles(user: UserIdentity, party: &Party) -> Option<Found> {
    let without = party.systems.iter().find(|system| system.roles.is_empty())?;
    (user != UserIdentity::SystemOnly).then(|| {
        (
            Some(party.line),
            format!(
                "system `{}` has no `roles`, and people ask through it (`user = \"{user}\"`)",
                without.id
            ),
            "name the roles that may ask; or say `user = \"system_only\"`, if nobody does",
        )
    })
}

/// Whether somebody is in the data.
fn people(kind: SharingKind, described: &Description) -> Option<(String, &'static str)> {
    let somebody =
        described.subjects.iter().any(|who| !matches!(who, DataSubject::None | DataSubject::Businesses));
    let marked = !described.special.is_empty() || described.criminal_offence;
    let said_nobody = described.subjects.contains(&DataSubject::None) && described.subjects.len() > 1;
    if described.subjects.is_empty() || said_nobody {
        let message = "`subjects` does not say whom the data is about";
        return Some((message.to_owned(), "name them; `none` stands alone, where nobody is in the data"));
    }
    if kind.is_personal() && !somebody {
        return Some((
            format!("`{kind}` is for data about people, and `subjects` names none"),
            "name whom the data is about, or make it `kind = \"non_personal\"`",
        ));
    }
    (!kind.is_personal() && (somebody || marked)).then(|| {
        (
            format!("`{kind}` is for data about nobody, and this names people or categories of their data"),
            "make it `kind = \"controller_to_controller\"`, and say what law every party relies on",
        )
    })
}

fn regime(kind: SharingKind, law: &Law) -> Option<Found> {
    let fits = kind.is_personal() == (law.regime != Regime::NonPersonal);
    (!fits).then(|| {
        (
            Some(law.line),
            format!("`{}` does not go with an agreement of the kind `{kind}`", law.regime),
            "`non_personal` and `open_data` need no [law]; every other kind needs one about people",
        )
    })
}

/// Special categories and offences need their own condition beside the basis, and a condition needs them.
fn categories(law: &Law, described: &Description) -> Vec<Found> {
    let special = !described.special.is_empty();
    let conditions = &law.conditions;
    let (article9, sch8) = (conditions.article9.is_some(), conditions.schedule8.is_some());
    let fault = |message: &str, help| (Some(law.line), format!("[law.{}]: {message}", law.member), help);
    let mut found = Vec::new();
    match law.regime {
        Regime::UkGdpr if special && !article9 => found.push(fault(
            "special categories are shared, and no exception of Article 9(2) is named",
            "add `art9 = \"art9_2_..\"` and, where it wants one, `sch1`",
        )),
        Regime::UkGdpr if !special && article9 => found.push(fault(
            "`art9` is named, and [data] lists no special category",
            "list the category in `special_categories`, or take `art9` out",
        )),
        Regime::DpaPart3 if special && !sch8 => found.push(fault(
            "sensitive data is processed, and no condition of Schedule 8 is named",
            "add `sch8 = \"sch8_..\"` and `policy_document` (DPA 2018 s.35(4) and (5))",
        )),
        _ => {}
    }
    if law.regime == Regime::UkGdpr && described.criminal_offence && conditions.offences.is_none() {
        found.push(fault(
            "criminal offences are shared, and no condition for them is named",
            "add `art10_sch1 = \"sch1_..\"` (UK GDPR Art 10, DPA 2018 s.10(5))",
        ));
    }
    found
}

/// What is told in confidence about health stays in confidence unless something lifts that: whoever discloses
/// says what does.
fn confidentiality(law: &Law, described: &Description, parties: &[Party]) -> Option<Found> {
    let discloses = parties.iter().any(|party| party.member == law.member && party.side == Side::Provider);
    let missing =
        law.conditions.confidentiality.is_none() && described.special.contains(&SpecialCategory::Health);
    (discloses && missing).then(|| {
        (
            Some(law.line),
            format!("[law.{}]: `confidentiality` is missing: health is shared", law.member),
            "say why the common-law duty of confidentiality is no bar; it stands beside data protection law",
        )
    })
}

/// DPA 2018 s.38(2): under Part 3 facts are told from opinions.
fn opinions(law: &Law, described: &Description) -> Option<Found> {
    let unmarked = described.fields.iter().any(|field| field.holds.is_none());
    (law.regime == Regime::DpaPart3 && unmarked).then(|| {
        (
            Some(law.line),
            format!(
                "[law.{}]: under Part 3 every released field says whether it is fact or opinion",
                law.member
            ),
            "add `holds = \"fact\"` or `holds = \"opinion\"` to each field (DPA 2018 s.38(2))",
        )
    })
}

fn abroad(security: &Security) -> Option<Found> {
    (security.location != "UK" && security.transfers.is_empty()).then(|| {
        (
            None,
            format!(
                "data lies in `{}`, and no [[security.transfer]] says by what mechanism",
                security.location
            ),
            "name the country and the mechanism (UK GDPR Art 45 or 46), or keep the data in the `UK`",
        )
    })
}
