//! `organisation.toml`: what an organisation says of itself in every agreement, format 1. The keys are those of
//! `[[party]]` and `[law.<party>]`, read by the same readers, so that what is taken here is taken there.

use crate::config::strict::{self, Table};
use crate::model::{Controllership, Faults, MemberId, PurposeCode, suggestion};
use crate::policy::agreement::Law;
use crate::policy::organisation::Organisation;

use super::read::{email, given};
use super::{law, party, text};

/// Reads an organisation's file. `file` is the name faults carry.
pub fn load_organisation(file: &str, bytes: &[u8]) -> Result<Organisation, Faults> {
    let text = text::plain(file, bytes)?;
    strict::read(file, text, |root| {
        strict::format_1(root);
        let said = root.table("organisation").and_then(|table| {
            let member = table.required("member").and_then(|item| item.parsed(MemberId::new));
            let complaints = given(&table, "complaints", email);
            // Agreements about people want more of it, and say so; what it is to the data is theirs to say.
            let said = party::standing(&table, None, Some(Controllership::None));
            Some((member?, complaints?, said?))
        });
        let law = relied_on(root, said.as_ref().map(|(member, ..)| member));
        let (member, complaints, said) = said?;
        Some(Organisation::new(member, said, complaints, law?))
    })
}

/// `[law.<purpose>]`.
fn relied_on(root: &Table<'_>, member: Option<&MemberId>) -> Option<Vec<(PurposeCode, Law)>> {
    let Some(item) = root.optional("law") else { return Some(Vec::new()) };
    // A member that could not be read is its own fault, and hinders no other from being found.
    let member = member.cloned().or_else(|| MemberId::new("unread").ok())?;
    let mut out = Vec::new();
    let mut whole = true;
    for (name, item) in item.table()?.entries() {
        let purpose = PurposeCode::parse(&name);
        if purpose.is_none() {
            let known = PurposeCode::ALL.iter().map(|code| code.as_str());
            item.fault_with_help(format!("`{name}` is not a purpose"), suggestion(&name, known));
        }
        let law = law::one_law(member.clone(), item, true);
        whole &= law.is_some() && purpose.is_some();
        out.extend(purpose.zip(law));
    }
    whole.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Basis;

    const GLENMORE: &str = r#"format = 1

[organisation]
member = "glenmore"
code = "S12000099"
ico_registration = "Z1234567"
foi = "FOISA"
dpo = { office = "Data Protection Officer", email = "dpo@glenmore.example" }
asset_owner = { office = "Head of Digital", email = "digital@glenmore.example" }
contact = { name = "Digital service desk", telephone = "01632 960123", email = "desk@glenmore.example" }
breach_contact = "breach@glenmore.example"
privacy_notice = { page = "https://www.glenmore.example/privacy" }

[law.safeguarding_child]
regime = "uk_gdpr"
basis = "art6_1_e"
power = [{ statute = "Children (Scotland) Act 1995", section = "22", reading = "to promote welfare" }]
"#;

    #[test]
    fn an_organisation_says_what_stands_in_every_agreement() {
        let read = load_organisation("o.toml", GLENMORE.as_bytes()).unwrap();
        let party = read.as_party(Controllership::Sole);
        assert_eq!((party.controller, party.code.as_str()), (Controllership::Sole, "S12000099"));
        assert!(party.ico_registration.is_some());
        assert!(read.as_party(Controllership::None).ico_registration.is_none(), "nobody is in the data");
        assert_eq!(read.complaints(), "dpo@glenmore.example");
        let law = read.law(PurposeCode::SafeguardingChild).unwrap();
        assert_eq!((law.member.as_str(), law.basis), ("glenmore", Some(Basis::Art6e)));
        assert!(read.law(PurposeCode::Planning).is_none());
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_with_its_line() {
        let text = GLENMORE
            .replace("foi = \"FOISA\"", "foi = \"FOISSA\"")
            .replace("breach_contact", "breach_contakt")
            .replace("law.safeguarding_child", "law.safeguarding_childs")
            .replace("art6_1_e", "art6_1_z")
            + "\ncontroler = 1\n";
        let faults = load_organisation("o.toml", text.as_bytes()).unwrap_err();
        let told = faults.to_string();
        for wanted in [
            "o.toml:7: `organisation.foi`: `FOISSA` is not known here\n    did you mean `FOISA`?",
            "o.toml:11: unknown key `breach_contakt` in [organisation]\n    did you mean `breach_contact`?",
            "`breach_contact` is missing in [organisation]",
            "`safeguarding_childs` is not a purpose",
            "`art6_1_z` is not known here",
            "unknown key `controler`",
        ] {
            assert!(told.contains(wanted), "{wanted}\n{told}");
        }
    }

    #[test]
    fn the_page_shows_one_that_reads() {
        let page = include_str!("../../../docs/agreement-file.md");
        let (_, after) = page.split_once("changing it changes no agreement.").unwrap();
        let (_, block) = after.split_once("```toml\n").unwrap();
        let (block, _) = block.split_once("```").unwrap();
        let shown = load_organisation("docs", block.as_bytes()).unwrap();
        assert_eq!(shown.complaints(), "complaints@glenmore.example");
        assert!(shown.lacks_about_people(None).is_empty());
    }

    #[test]
    fn what_it_is_to_the_data_is_no_key_of_it() {
        let text = GLENMORE.replace("foi =", "controller = \"sole\"\nfoi =");
        let told = load_organisation("o.toml", text.as_bytes()).unwrap_err().to_string();
        assert!(told.contains("unknown key `controller`"), "{told}");
    }
}
