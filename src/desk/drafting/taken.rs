//! What an answer says: it is taken apart here and put on the sheet.

use std::sync::Arc;

use crate::model::{DatasetVersion, Fault, FieldPath, OperationId, SharingKind, SpecialCategory, suggestion};
use crate::policy::{Dates, Organisation, Stage};

use super::super::ruleset::Offer;
use super::sheet::{About, Sheet};
use super::steps::Step;
use super::words::{code, listed, wrong};
use super::{assess, fields, law, people, rows};

/// What stands among subjects and special categories for criminal offences, which are neither.
pub(super) const OFFENCE: &str = "criminal_offence";

impl Step {
    /// Puts an answer on the sheet. Whether it goes with all the others is judged afterwards.
    pub(super) fn take(self, sheet: &mut Sheet<'_>, given: &str) -> Result<(), Fault> {
        match self {
            Self::Partner => sheet.partner = Some(people::partner(given, sheet)?),
            Self::Dataset => sheet.dataset = Some(offered(given, sheet)?),
            Self::Kind => sheet.kind = Some(kind(given, sheet)?),
            Self::Stage => sheet.stage = Some(stage(given, sheet)?),
            Self::Purpose => sheet.purpose = Some(code(given)?),
            Self::Statement => sheet.statement = Some(given.to_owned()),
            Self::Systems => sheet.systems = Some(people::systems(given)?),
            Self::Release => sheet.fields = Some(fields::parse(given, &sheet.rows_offered())?),
            Self::Rows => sheet.rows = Some(rows::parse(given, &sheet.rows_offered())?),
            Self::Why => sheet.why = Some(given.to_owned()),
            Self::Subjects => sheet.about = Some(about(given)?),
            Self::Registered => sheet.registered = Some(people::registered(given, sheet.is_personal())?),
            Self::Contact => sheet.reached = Some(people::reached(given)?),
            Self::Offices => sheet.offices = Some(people::offices(given, sheet.is_guarded())?),
            Self::ProviderLaw => sheet.provider_law = Some(law::parse(given, &sheet.ground.own.member)?),
            Self::ConsumerLaw => {
                let partner = sheet.partner.as_ref().ok_or_else(|| wrong("the partner is not named yet"))?;
                sheet.consumer_law = Some(law::parse(given, partner)?);
            }
            Self::Opinions => sheet.opinions = Some(opinion_fields(given, sheet)?),
            Self::Assessment => sheet.assessment = Some(assess::assessment(given)?),
        }
        Ok(())
    }
}

type Offered = (Arc<Offer>, Vec<OperationId>);

/// `child-protection/v1`, and after a colon its operations.
fn offered(given: &str, sheet: &Sheet<'_>) -> Result<Offered, Fault> {
    let (named, asked) = given.split_once(':').unwrap_or((given, ""));
    let named = named.trim();
    let all: Vec<_> = sheet.ground.ruleset.offers().collect();
    let spelt = |version: &DatasetVersion| [version.to_string(), version.dataset.to_string()];
    let matching: Vec<_> =
        all.iter().filter(|offer| spelt(&offer.contract.version).contains(&named.to_owned())).collect();
    let [offer] = matching.as_slice() else {
        let known: Vec<String> = all.iter().map(|offer| offer.contract.version.to_string()).collect();
        let help = suggestion(named, known.iter().map(String::as_str));
        return Err(Fault { help, ..wrong(format!("`{named}` is no one dataset of this gateway")) });
    };
    let known = &offer.contract.operations;
    let operation = |name: &str| {
        let found = known
            .iter()
            .find(|operation| operation.id.as_str() == name)
            .map(|operation| operation.id.clone());
        found.ok_or_else(|| {
            let help = suggestion(name, known.iter().map(|operation| operation.id.as_str()));
            Fault { help, ..wrong(format!("`{named}` has no operation `{name}`")) }
        })
    };
    let asked = listed(asked).into_iter().map(operation).collect::<Result<Vec<_>, _>>()?;
    let every = || known.iter().map(|operation| operation.id.clone()).collect();
    Ok((Arc::clone(offer), if asked.is_empty() { every() } else { asked }))
}

fn kind(given: &str, sheet: &Sheet<'_>) -> Result<SharingKind, Fault> {
    let kind: SharingKind = code(given)?;
    if !kind.is_personal() {
        return if fields::stand_in(&sheet.rows_offered(), false).is_empty() {
            Err(wrong("the contract marks every field as personal, and this kind is about nobody")
                .with_help("`controller_to_controller` is for data about people"))
        } else {
            Ok(kind)
        };
    }
    let ground = sheet.ground;
    let lacks = |organisation: &Organisation, whose: &str| {
        let keys = organisation.lacks_about_people(ground.class(&organisation.member));
        let message = format!(
            "data about people wants `{}` of {}",
            keys.join("`, `"),
            ground.name(&organisation.member)
        );
        (!keys.is_empty()).then(|| wrong(message).with_help(format!("add it to {whose}, and begin again")))
    };
    let theirs = sheet.their_organisation();
    let found = lacks(&ground.own, "policies/organisation.toml")
        .or_else(|| theirs.and_then(|theirs| lacks(&theirs, "what they hand over (--partner FILE)")));
    found.map_or(Ok(kind), Err)
}

fn stage(given: &str, sheet: &Sheet<'_>) -> Result<(Stage, Dates), Fault> {
    let (first, last) = sheet.days();
    let said = assess::stage(given, first, last)?;
    let made_up = sheet.dataset.as_ref().is_none_or(|(offer, _)| offer.synthetic);
    if said.0 == Stage::Trial && !made_up {
        return Err(wrong("a trial answers from made-up data alone, and this dataset is not marked so")
            .with_help(
                "write `synthetic = true` into the dataset's file, if its people are made up; or say `live`",
            ));
    }
    if said.0 == Stage::Live && sheet.is_personal() && sheet.asks_of_partner() {
        return Err(wrong(
            "a live agreement about people takes what it says of the partner from the partner",
        )
        .with_help(
            "ask them for their organisation.toml, and begin again with --partner FILE; or say `trial`",
        ));
    }
    Ok(said)
}

fn about(given: &str) -> Result<About, Fault> {
    let mut about = About::default();
    for part in listed(given) {
        if part == OFFENCE {
            about.offence = true;
        } else if let Some(category) = SpecialCategory::parse(part) {
            about.special.push(category);
        } else {
            about.subjects.push(code(part)?);
        }
    }
    if about.subjects.is_empty() { Err(wrong("names nobody")) } else { Ok(about) }
}

fn opinion_fields(given: &str, sheet: &Sheet<'_>) -> Result<Vec<FieldPath>, Fault> {
    if given == "none" {
        return Ok(Vec::new());
    }
    let released = sheet.release().map(|release| release.fields).unwrap_or_default();
    let one = |part: &str| {
        let found = released.iter().find(|(path, _)| path.to_string() == part).map(|(path, _)| path.clone());
        found.ok_or_else(|| wrong(format!("`{part}` is not among the fields that leave")))
    };
    listed(given).into_iter().map(one).collect()
}
