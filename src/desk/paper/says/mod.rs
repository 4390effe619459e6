//! Everything an agreement says, one saying for each key. Each part takes its type apart by name, without `..`:
//! a key that is added to the agreement and not said here does not compile.

mod data;
mod grant;
mod law;
mod owed;
mod parties;

use crate::policy::{Agreement, Stage};

use super::saying::{Names, Saying, Sayings, Value};

pub(super) use grant::{about, moment};
pub(super) use law::paragraph;

/// Everything it says, in the order of the template.
pub fn sayings(agreement: &Agreement, names: Names<'_>) -> Vec<Saying> {
    let format = if agreement.particulars.is_some() { 2 } else { 1 };
    let mut out = Sayings::new(format, names);
    match &agreement.grant {
        Some(given) => grant::say(agreement, given, &mut out),
        None => say(agreement, &mut out),
    }
    out.into_all()
}

fn say(agreement: &Agreement, out: &mut Sayings<'_>) {
    let Agreement {
        reference,
        title,
        stage,
        parties,
        purpose,
        dataset,
        operations,
        assurance,
        user_required,
        reason,
        case_required,
        hours,
        release,
        limits,
        dates,
        law,
        audit_years,
        particulars,
        seal,
        // What a grant says is said in `grant.rs`.
        grant: _,
        // Of the file itself: the page ends with the digest, and says nothing of where the file lay.
        digest: _,
        file: _,
    } = agreement;
    out.text("agreement.id", "Name in the file", reference.id.as_str());
    let version = u64::from(reference.version);
    out.count("agreement.version", "Version", version, version.to_string());
    out.text("agreement.title", "Title", title);
    out.listed_word("agreement.stage", "Stage", stage.as_str(), &Stage::WORDS);
    let particulars = particulars.as_deref();
    if let Some(particulars) = particulars {
        owed::head(particulars, out);
    }
    parties.iter().for_each(|party| parties::party(party, out));
    out.word("purpose.code", "Purpose", purpose.as_str(), purpose.words());
    if let Some(particulars) = particulars {
        owed::aim(&particulars.aim, out);
    }
    law.iter().for_each(|law| law::law(law, out));
    data::dataset(dataset, operations, out);
    let description = particulars.map(|particulars| &particulars.description);
    description.into_iter().for_each(|description| data::described(description, out));
    data::released(release, description, out);
    owed::flow(particulars.map(|particulars| &particulars.flow), out);
    let wants = owed::Wants {
        assurance: *assurance,
        user: *user_required,
        reason: *reason,
        case: *case_required,
        hours,
    };
    owed::access(&wants, particulars.map(|particulars| &particulars.asking), out);
    owed::limits(limits, out);
    owed::record(*audit_years, out);
    if let Some(particulars) = particulars {
        owed::rest(particulars, out);
    }
    owed::dates(dates, out);
    if let Some(seal) = seal {
        out.add("seal.view", "Sealed over the view", Value::Text(seal.to_string()), seal.to_string());
    }
}
