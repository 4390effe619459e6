//! Section 1.1 of the template: the parties, and what is said of each.

use crate::policy::{
    Attestation, ConsumerSystem, Contact, Office, Party, PartyParticulars, PrivacyNotice, Side,
};

use super::super::saying::Sayings;

pub(super) fn party(party: &Party, out: &mut Sayings<'_>) {
    let Party { member, side, systems, particulars, line: _ } = party;
    let name = (out.names)(member);
    out.inside("party[]", format!("party.{member}"), |out| {
        out.of(name.clone(), |out| {
            out.text("party[].member", "Organisation", &named(&name, member.as_str()));
            out.listed_word("party[].side", "Side", side.as_str(), &Side::WORDS);
            if let Some(particulars) = particulars {
                said_of(particulars, out);
            }
            systems.iter().for_each(|one| system(one, out));
        });
    });
}

/// A name that is known shows the id beside it, since that is what the file says.
pub(super) fn named(name: &str, id: &str) -> String {
    if name == id { id.to_owned() } else { format!("{name} ({id})") }
}

fn said_of(particulars: &PartyParticulars, out: &mut Sayings<'_>) {
    let PartyParticulars {
        controller,
        code,
        ico_registration,
        foi,
        dpo,
        asset_owner,
        caldicott_guardian,
        contact: one,
        out_of_hours,
        breach_contact,
        privacy_notice,
        assurance,
    } = particulars;
    out.word("party[].controller", "To the data it is", controller.as_str(), controller.words());
    out.text("party[].code", "Official code", code);
    out.text_if("party[].ico_registration", "Registration with the ICO", ico_registration.as_ref());
    out.word("party[].foi", "Access to information", foi.as_str(), foi.words());
    office(["party[].dpo.office", "party[].dpo.email"], "Data protection officer", dpo, out);
    let paths = ["party[].asset_owner.office", "party[].asset_owner.email"];
    office(paths, "Owner of the data", asset_owner, out);
    if let Some(guardian) = caldicott_guardian {
        let paths = ["party[].caldicott_guardian.office", "party[].caldicott_guardian.email"];
        office(paths, "Caldicott Guardian", guardian, out);
    }
    let paths = ["party[].contact.name", "party[].contact.telephone", "party[].contact.email"];
    contact(paths, "Contact", one, out);
    if let Some(one) = out_of_hours {
        let paths =
            ["party[].out_of_hours.name", "party[].out_of_hours.telephone", "party[].out_of_hours.email"];
        contact(paths, "Out of hours", one, out);
    }
    out.text("party[].breach_contact", "Told of a breach", breach_contact);
    match privacy_notice {
        Some(PrivacyNotice::At(page)) => out.text("party[].privacy_notice.page", "Privacy notice", page),
        Some(PrivacyNotice::Exempt { exemption, why }) => {
            out.text("party[].privacy_notice.exemption", "Exempt from telling people by UK GDPR", exemption);
            out.text("party[].privacy_notice.why", "Why it is exempt", why);
        }
        None => {}
    }
    for (at, Attestation { scheme, until }) in (1..).zip(assurance) {
        out.inside("assurance[]", format!("assurance.{at}"), |out| {
            out.word("party[].assurance[].scheme", "Assured under", scheme.as_str(), scheme.words());
            out.date("party[].assurance[].until", &format!("{} until", scheme.words()), *until);
        });
    }
}

fn office([office, email]: [&str; 2], label: &str, one: &Office, out: &mut Sayings<'_>) {
    let Office { office: title, email: address } = one;
    out.text(office, label, title);
    out.text(email, &format!("{label}, email"), address);
}

fn contact([name, telephone, email]: [&str; 3], label: &str, one: &Contact, out: &mut Sayings<'_>) {
    let Contact { name: who, telephone: number, email: address } = one;
    out.text(name, label, who);
    out.text(telephone, &format!("{label}, telephone"), number);
    out.text(email, &format!("{label}, email"), address);
}

fn system(system: &ConsumerSystem, out: &mut Sayings<'_>) {
    let ConsumerSystem { id, roles, purposes } = system;
    out.inside("system[]", format!("system.{id}"), |out| {
        out.text("party[].system[].id", "System that may ask", id.as_str());
        let roles = roles.iter().map(|role| (role.as_str(), role.as_str()));
        out.set("party[].system[].roles", &format!("Roles {id} may state"), roles);
        let purposes = purposes.iter().map(|purpose| (purpose.as_str(), purpose.words()));
        out.set("party[].system[].purposes", &format!("Purposes {id} may state"), purposes);
    });
}
