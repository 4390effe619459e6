//! Whose systems ask, and what is said of a partner whose own file nobody has: a few lines in the place of it.

use crate::model::{Fault, FoiRegime, MemberClass, MemberId, RoleId, SystemName, suggestion};
use crate::policy::{Contact, Office, Organisation, PartyParticulars, PrivacyNotice};

use super::sheet::Sheet;
use super::words::{code, listed, wrong};

/// What a partner is called officially.
#[derive(Debug, Clone)]
pub(super) struct Registered {
    code: String,
    foi: FoiRegime,
    /// Its registration with the ICO and its privacy notice, where people are in the data.
    about_people: Option<(String, String)>,
}

/// Who answers for what there.
#[derive(Debug, Clone)]
pub(super) struct Offices {
    owner: Office,
    officer: String,
    breach: String,
    guardian: Option<String>,
}

/// `ed-trak: ed_clinician, ed_nurse; other-system`.
pub(super) fn systems(given: &str) -> Result<Vec<(SystemName, Vec<RoleId>)>, Fault> {
    let parts = given.split(';').map(str::trim).filter(|part| !part.is_empty());
    let one = |part: &str| {
        let (name, roles) = part.split_once(':').unwrap_or((part, ""));
        let name = SystemName::new(name.trim()).map_err(|error| wrong(error.to_string()))?;
        let roles =
            listed(roles).into_iter().map(|role| RoleId::new(role).map_err(|error| wrong(error.to_string())));
        Ok((name, roles.collect::<Result<Vec<_>, Fault>>()?))
    };
    let systems = parts.map(one).collect::<Result<Vec<_>, Fault>>()?;
    if systems.is_empty() { Err(wrong("names no system")) } else { Ok(systems) }
}

/// A member other than this one.
pub(super) fn partner(given: &str, sheet: &Sheet<'_>) -> Result<MemberId, Fault> {
    let known = partners(sheet);
    let found = known.iter().find(|id| id.as_str() == given);
    found.cloned().ok_or_else(|| {
        let help = suggestion(given, known.iter().map(MemberId::as_str))
            .unwrap_or_else(|| "members.toml lists the members; a new one is added there first".to_owned());
        wrong(format!("`{given}` is no other member")).with_help(help)
    })
}

pub(super) fn partners(sheet: &Sheet<'_>) -> Vec<MemberId> {
    let members = sheet.ground.ruleset.directory.members();
    members.into_iter().map(|member| member.id.clone()).filter(|id| *id != sheet.ground.own.member).collect()
}

/// So many parts, none of them empty.
fn parts<'t, const N: usize>(given: &'t str, wanted: &str) -> Result<[&'t str; N], Fault> {
    <[&str; N]>::try_from(listed(given)).map_err(|_| wrong(format!("wanted, with commas between: {wanted}")))
}

/// `S08000099, FOISA`, and of data about people also the registration and the page.
pub(super) fn registered(given: &str, personal: bool) -> Result<Registered, Fault> {
    if personal {
        let [number, foi, registration, page] = parts(
            given,
            "official code, law of access to information, registration with the ICO, page of the privacy notice",
        )?;
        let about_people = Some((registration.to_owned(), page.to_owned()));
        return Ok(Registered { code: number.to_owned(), foi: code(foi)?, about_people });
    }
    let [number, foi] = parts(given, "official code, law of access to information")?;
    Ok(Registered { code: number.to_owned(), foi: code(foi)?, about_people: None })
}

/// `Emergency department, 01632 960223, ed@nhs-lomond.example`.
pub(super) fn reached(given: &str) -> Result<Contact, Fault> {
    let [name, telephone, email] = parts(given, "name, telephone number, e-mail address")?.map(str::to_owned);
    Ok(Contact { name, telephone, email })
}

/// Who answers for the data there, and three or four addresses.
pub(super) fn offices(given: &str, guarded: bool) -> Result<Offices, Fault> {
    let made = |office: &str, email: &str, officer: &str, breach: &str, guardian: Option<&str>| Offices {
        owner: Office { office: office.to_owned(), email: email.to_owned() },
        officer: officer.to_owned(),
        breach: breach.to_owned(),
        guardian: guardian.map(str::to_owned),
    };
    const WANTED: &str = "who answers for the data, by office; their e-mail address; the data protection officer's; that for breaches";
    if guarded {
        let [office, email, officer, breach, guardian] =
            parts(given, &format!("{WANTED}; the Caldicott Guardian's"))?;
        return Ok(made(office, email, officer, breach, Some(guardian)));
    }
    let [office, email, officer, breach] = parts(given, WANTED)?;
    Ok(made(office, email, officer, breach, None))
}

impl Sheet<'_> {
    /// Whether the partner has a Caldicott Guardian, who then signs too.
    pub(super) fn is_guarded(&self) -> bool {
        let class = self.partner.as_ref().and_then(|partner| self.ground.class(partner));
        self.is_personal() && class == Some(MemberClass::Health)
    }

    /// The partner as an organisation: by its own word, by an agreement, or by the answers; where those are not
    /// given yet, by something that stands for them.
    pub(super) fn partner_as(&self, member: &MemberId) -> Organisation {
        if let Some(known) = self.their_organisation() {
            return known;
        }
        let office =
            |office: &str, email: &str| Office { office: office.to_owned(), email: email.to_owned() };
        let registered = self.registered.clone().unwrap_or_else(|| Registered {
            code: "X00000000".to_owned(),
            foi: FoiRegime::None,
            about_people: Some(("Z0000000".to_owned(), "https://unsaid.example/".to_owned())),
        });
        let unsaid = "unsaid@unsaid.example".to_owned();
        let offices = self.offices.clone().unwrap_or_else(|| Offices {
            owner: office("unsaid", &unsaid),
            officer: unsaid.clone(),
            breach: unsaid.clone(),
            guardian: Some(unsaid.clone()),
        });
        let contact = self.reached.clone().unwrap_or_else(|| Contact {
            name: "unsaid".to_owned(),
            telephone: "01632 960000".to_owned(),
            email: unsaid,
        });
        let (ico_registration, page) = registered.about_people.unzip();
        let guardian = offices.guardian.filter(|_| self.is_guarded());
        let said = PartyParticulars {
            controller: crate::model::Controllership::None,
            code: registered.code,
            ico_registration,
            foi: registered.foi,
            dpo: office("Data Protection Officer", &offices.officer),
            asset_owner: offices.owner,
            caldicott_guardian: guardian.map(|email| office("Caldicott Guardian", &email)),
            contact,
            out_of_hours: None,
            breach_contact: offices.breach,
            privacy_notice: page.map(PrivacyNotice::At),
            assurance: Vec::new(),
        };
        Organisation::of_party(member.clone(), said, None)
    }
}
