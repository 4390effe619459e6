//! What can only be judged knowing who the members are.

use crate::model::{Basis, Fault, Faults, MemberClass, MemberId};

use super::agreement::Agreement;

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
    faults
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
}
