//! What the members of a trial say of themselves: the council's file in its policies, each partner's among the keys,
//! as the partner would hand it over.

use super::{Fault, Plan, TrialMember};
use crate::cli::files::{Readable, write_new};
use crate::policy::organisation_file;

fn text(id: &str) -> &'static str {
    match id {
        "glenmore" => include_str!("organisations/glenmore.toml"),
        "nhs-lomond" => include_str!("organisations/nhs-lomond.toml"),
        _ => include_str!("organisations/police-caledonia.toml"),
    }
}

pub(super) fn write(plan: &Plan<'_>, own: &TrialMember, partners: &[&TrialMember]) -> Result<(), Fault> {
    let path = organisation_file(&plan.home.join("policies"));
    write_new(path, text(own.id.as_str()).as_bytes(), Readable::ByAll)?;
    for partner in partners {
        let id = partner.id.as_str();
        let path = plan.keys.join(id).join("organisation.toml");
        write_new(path, text(id).as_bytes(), Readable::ByAll)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::load_organisation;

    #[test]
    fn each_says_of_itself_what_an_agreement_about_people_wants() {
        for id in ["glenmore", "nhs-lomond", "police-caledonia"] {
            let said = load_organisation(id, text(id).as_bytes()).unwrap();
            assert_eq!(said.member.as_str(), id);
            let class = (id == "nhs-lomond").then_some(crate::model::MemberClass::Health);
            assert_eq!(said.lacks_about_people(class), [""; 0]);
        }
    }
}
