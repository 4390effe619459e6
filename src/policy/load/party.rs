//! What format 2 says of each `[[party]]`: who answers for it, and how to reach them.

use crate::config::strict::{Item, Table};
use crate::model::{Controllership, SharingKind};
use crate::policy::particulars::{Attestation, Contact, Office, PartyParticulars, PrivacyNotice};

use super::read::{email, given, name, page, telephone, text, wanted, word};

const ABOUT_PEOPLE: &str = "data about people needs it";

pub(super) fn particulars(table: &Table<'_>, kind: Option<SharingKind>) -> Option<PartyParticulars> {
    let people = kind.is_some_and(SharingKind::is_personal).then_some(ABOUT_PEOPLE);
    let controller = word(table, "controller");
    standing(table, people, controller)
}

/// What is said of an organisation wherever it is a party; `people` says why data about people needs more.
pub(super) fn standing(
    table: &Table<'_>,
    people: Option<&str>,
    controller: Option<Controllership>,
) -> Option<PartyParticulars> {
    let code = table.required("code").and_then(|item| official(&item));
    let ico_registration = wanted(table, "ico_registration", people, registration);
    let foi = word(table, "foi");
    let dpo = table.required("dpo").and_then(office);
    let asset_owner = table.required("asset_owner").and_then(office);
    let caldicott_guardian = table.optional("caldicott_guardian").map(office);
    let contact = table.required("contact").and_then(reach);
    let out_of_hours = table.optional("out_of_hours").map(reach);
    let breach_contact = table.required("breach_contact").and_then(|item| email(&item));
    let privacy_notice = match table.optional("privacy_notice") {
        Some(item) => notice(item).map(Some),
        None => wanted(table, "privacy_notice", people, |_| None),
    };
    let assurance: Vec<_> = table.tables("assurance").iter().map(attestation).collect();
    Some(PartyParticulars {
        controller: controller?,
        code: code?,
        ico_registration: ico_registration?,
        foi: foi?,
        dpo: dpo?,
        asset_owner: asset_owner?,
        caldicott_guardian: whole(caldicott_guardian)?,
        contact: contact?,
        out_of_hours: whole(out_of_hours)?,
        breach_contact: breach_contact?,
        privacy_notice: privacy_notice?,
        assurance: assurance.into_iter().collect::<Option<Vec<_>>>()?,
    })
}

/// Absent is whole; there and not readable is not.
fn whole<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

/// A GSS or ODS code, an NHS board's, a charity's: capitals and digits.
fn official(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let spelt =
        (3..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if !spelt {
        item.fault("not an official code such as S12000099");
    }
    spelt.then(|| text.to_owned())
}

fn registration(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let spelt = text.len() == 8
        && text.starts_with('Z')
        && text.bytes().skip(1).all(|b| b.is_ascii_alphanumeric() && !b.is_ascii_lowercase());
    if !spelt {
        item.fault("not a registration with the ICO such as Z1234567");
    }
    spelt.then(|| text.to_owned())
}

fn office(item: Item<'_>) -> Option<Office> {
    let table = item.table()?;
    let office = table.required("office").and_then(|item| name(&item));
    let email = table.required("email").and_then(|item| email(&item));
    Some(Office { office: office?, email: email? })
}

fn reach(item: Item<'_>) -> Option<Contact> {
    let table = item.table()?;
    let who = table.required("name").and_then(|item| name(&item));
    let number = table.required("telephone").and_then(|item| telephone(&item));
    let email = table.required("email").and_then(|item| email(&item));
    Some(Contact { name: who?, telephone: number?, email: email? })
}

fn notice(item: Item<'_>) -> Option<PrivacyNotice> {
    let table = item.table()?;
    let at = given(&table, "page", page);
    let exemption = given(&table, "exemption", name);
    let why = given(&table, "why", text);
    match (at?, exemption?, why?) {
        (Some(at), None, None) => Some(PrivacyNotice::At(at)),
        (None, Some(exemption), Some(why)) => Some(PrivacyNotice::Exempt { exemption, why }),
        _ => {
            table.fault_with_help(
                "says neither where people are told nor why they need not be",
                "write `{ page = \"https://..\" }`, or `{ exemption = \"Art 14(5)(..)\", why = \"..\" }`",
            );
            None
        }
    }
}

fn attestation(table: &Table<'_>) -> Option<Attestation> {
    let scheme = word(table, "scheme");
    let until = table.required("until").and_then(|item| item.date());
    Some(Attestation { scheme: scheme?, until: until? })
}
