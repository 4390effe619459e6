//! Agreements against the members: who is a party, and what law is open to them.

use crate::model::{Basis, Fault, Faults, MemberClass, MemberId, Regime};

use crate::policy::agreement::{Agreement, Law, Party};

/// Faults of an agreement against the federation's members: parties nobody knows, and public
/// authorities on a basis closed to them for their tasks: UK GDPR Art 6(1)(f) by its last
/// sentence, (ea) by the Data (Use and Access) Act 2025 s.70.
pub fn against_members(agreement: &Agreement, class_of: impl Fn(&MemberId) -> Option<MemberClass>) -> Faults {
    let mut faults = Faults::default();
    for party in &agreement.parties {
        if class_of(&party.member).is_none() {
            let message = format!("party `{}` is not a member", party.member);
            faults.push(Fault::new(&agreement.file, None, message));
        }
    }
    for law in &agreement.law {
        let public = class_of(&law.member).is_some_and(is_public_authority);
        let Some(basis @ (Basis::Art6f | Basis::Art6ea)) = law.basis.filter(|_| public) else { continue };
        let message = format!("`{}` is a public authority, and `{basis}` is closed to those", law.member);
        faults.push(
            Fault::new(&agreement.file, Some(law.line), message)
                .with_help("mostly `art6_1_e` with the power in statute, or `art6_1_c`"),
        );
    }
    if agreement.particulars.is_some() {
        let guardians = agreement.parties.iter().filter(|_| agreement.is_personal());
        faults.0.extend(guardians.filter_map(|party| guardian(agreement, party, class_of(&party.member)?)));
        let laws = agreement.law.iter();
        faults.0.extend(laws.filter_map(|law| competence(agreement, law, class_of(&law.member)?)));
    }
    faults
}

/// A health body has a Caldicott Guardian, who answers for what is told of patients.
fn guardian(agreement: &Agreement, party: &Party, class: MemberClass) -> Option<Fault> {
    let named = party.particulars.as_ref().is_some_and(|said| said.caldicott_guardian.is_some());
    (class == MemberClass::Health && !named).then(|| {
        let message = format!("`{}` is a health body, and names no `caldicott_guardian`", party.member);
        Fault::new(&agreement.file, Some(party.line), message)
            .with_help("add `caldicott_guardian = { office = \"Caldicott Guardian\", email = \"..\" }`")
    })
}

/// Part 3 is for competent authorities: police are (DPA 2018 Sch 7), other public authorities as far as a statute
/// gives them functions of law enforcement (s.30(1)(b)), and nobody else is.
fn competence(agreement: &Agreement, law: &Law, class: MemberClass) -> Option<Fault> {
    if law.regime != Regime::DpaPart3 || class == MemberClass::Police {
        return None;
    }
    let fault = |message: String| Fault::new(&agreement.file, Some(law.line), message);
    if !is_public_authority(class) {
        let message = format!("`{}` is no competent authority, and `dpa_part3` is closed to it", law.member);
        return Some(
            fault(message).with_help("name `uk_gdpr`, and `art10_sch1` where criminal offences are shared"),
        );
    }
    law.conditions.competent_by.is_none().then(|| {
        let message = format!("nothing says what makes `{}` a competent authority", law.member);
        fault(message).with_help(
            "mostly it is none: name `uk_gdpr`. Else add `competent_by` with the statute (DPA 2018 s.30(1)(b))",
        )
    })
}

fn is_public_authority(class: MemberClass) -> bool {
    match class {
        MemberClass::Council
        | MemberClass::Health
        | MemberClass::Police
        | MemberClass::Fire
        | MemberClass::Office => true,
        MemberClass::Voluntary => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::samples;

    #[test]
    fn a_public_authority_may_not_rely_on_legitimate_interests() {
        let text = samples::live().replace("art6_1_c", "art6_1_f");
        let agreement = samples::load(&text);
        let faults = against_members(&agreement, |_| Some(MemberClass::Health));
        let shown = faults.to_string();
        assert!(shown.contains("`nhs-lomond` is a public authority, and `art6_1_f` is closed"), "{shown}");
        assert!(faults.0.iter().all(|fault| fault.line.is_some()));
        assert!(against_members(&agreement, |_| Some(MemberClass::Voluntary)).is_empty());
    }

    #[test]
    fn a_party_must_be_a_member() {
        let agreement = samples::load(&samples::trial());
        let faults = against_members(&agreement, |member| {
            (member.as_str() == "glenmore").then_some(MemberClass::Council)
        });
        assert_eq!(faults.to_string(), "agreement.toml: party `nhs-lomond` is not a member");
    }
    #[test]
    fn a_health_body_names_its_guardian() {
        let class = |member: &MemberId| {
            Some(if member.as_str() == "glenmore" { MemberClass::Council } else { MemberClass::Health })
        };
        assert!(against_members(&samples::load(&samples::whole()), class).is_empty());
        let without: Vec<String> = samples::whole()
            .lines()
            .filter(|line| !line.starts_with("caldicott"))
            .map(str::to_owned)
            .collect();
        let shown = against_members(&samples::load(&without.join("\n")), class).to_string();
        assert!(
            shown.contains("`nhs-lomond` is a health body, and names no `caldicott_guardian`"),
            "{shown}"
        );
    }

    #[test]
    fn part_3_is_for_competent_authorities() {
        let text = samples::police();
        let shown = |class| {
            let class = move |member: &MemberId| {
                Some(if member.as_str() == "glenmore" { MemberClass::Council } else { class })
            };
            against_members(&samples::load(&text), class).to_string()
        };
        assert_eq!(shown(MemberClass::Police), "");
        assert!(shown(MemberClass::Voluntary).contains("`dpa_part3` is closed to it"));
        assert!(
            shown(MemberClass::Fire)
                .contains("nothing says what makes `police-caledonia` a competent authority")
        );
    }
}
