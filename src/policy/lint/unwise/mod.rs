//! What is lawful and unwise: an agreement that hides a value in one field and tells it in another, or leaves out
//! what those who wrote agreements before learnt to write. A warning each; officers may have their reasons.

use crate::model::limits::AUDIT_YEARS_CHILDREN;
use crate::model::{
    Assurance, Check, DataSubject, Fault, FieldPath, Operation, Prohibition, Property, Rows, Transform,
};
use crate::policy::agreement::Agreement;

/// Of a CHI number the last four digits are no part of the date of birth.
const CHI_SERIAL_DIGITS: usize = 4;

/// A warning: what is unwise, and what to do about it.
type Found = (String, &'static str);

/// Warnings about an agreement, for one operation of its contract.
pub fn unwise(agreement: &Agreement, operation: &Operation) -> Vec<Fault> {
    let leaving = Leaving::of(agreement, operation);
    let mut found: Vec<Found> = Vec::new();
    found.extend(leaving.number_tells_birth(operation));
    found.extend(leaving.initials_beside_name());
    found.extend(leaving.birth_told_twice());
    found.extend(leaving.place_told_twice());
    found.extend(leaving.pseudonym_beside_number());
    found.extend(condition_tells(agreement));
    found.extend(terms(agreement));
    found
        .into_iter()
        .map(|(message, help)| Fault::new(&agreement.file, None, message).with_help(help))
        .collect()
}

/// The fields of an answer, each with how it leaves, if it does.
struct Leaving<'a> {
    fields: Vec<(FieldPath, &'a Property, Option<&'a Transform>)>,
}

impl<'a> Leaving<'a> {
    fn of(agreement: &'a Agreement, operation: &'a Operation) -> Self {
        let how = |path: &FieldPath| {
            agreement.release.fields.iter().find(|(field, _)| field == path).map(|(_, transform)| transform)
        };
        let fields = operation.answer.row().fields().into_iter();
        Self { fields: fields.map(|(path, property)| (path.clone(), property, how(&path))).collect() }
    }

    /// Fields that leave whole, of this sort.
    fn whole(&self, is: impl Fn(&Property) -> bool) -> Option<&FieldPath> {
        let whole = |how: &Option<&Transform>| matches!(how, Some(Transform::None));
        self.fields.iter().find(|(_, property, how)| whole(how) && is(property)).map(|(path, ..)| path)
    }

    /// Fields of this sort that do not leave, or not whole.
    fn hidden(&self, is: impl Fn(&Property) -> bool) -> Option<&FieldPath> {
        let hidden = |how: &Option<&Transform>| !matches!(how, Some(Transform::None));
        self.fields.iter().find(|(_, property, how)| hidden(how) && is(property)).map(|(path, ..)| path)
    }

    fn through(&self, is: impl Fn(&Transform) -> bool) -> Option<&FieldPath> {
        self.fields.iter().find(|(.., how)| how.is_some_and(&is)).map(|(path, ..)| path)
    }

    /// A CHI number is DDMMYY, two digits, one for the sex, and a check digit. Who asks by it knows it.
    fn number_tells_birth(&self, operation: &Operation) -> Option<Found> {
        let asked_by = operation.question.row().fields().iter().any(|(_, property)| is_number(property));
        let told = |how: &Transform| match how {
            Transform::None => true,
            Transform::MaskKeepLast { characters } => *characters > CHI_SERIAL_DIGITS,
            _ => false,
        };
        let chi = self.fields.iter().find(|(_, property, how)| is_number(property) && how.is_some_and(told));
        let (chi, birth) = chi.filter(|_| !asked_by).zip(self.hidden(is_birth))?;
        let message = format!(
            "`{}` is released, a CHI number, which tells the date of birth and the sex: `{birth}` is hidden in vain",
            chi.0
        );
        Some((message, "withhold the number, or release it as a `pseudonym`"))
    }

    fn initials_beside_name(&self) -> Option<Found> {
        let initials = self.through(|how| *how == Transform::Initials)?;
        let name = self.whole(is_name)?;
        let message = format!("`{initials}` leaves as initials, and `{name}` is released whole beside it");
        Some((message, "release both as initials, or neither"))
    }

    /// A band hides the year, unless the year or the day is told beside it.
    fn birth_told_twice(&self) -> Option<Found> {
        let band = self.through(|how| matches!(how, Transform::AgeBand { .. }));
        let year = self.through(|how| *how == Transform::YearOfBirth);
        let (coarse, fine) = match (band, year, self.whole(is_birth)) {
            (Some(band), Some(year), _) => (band, year),
            (Some(coarse), _, Some(day)) | (None, Some(coarse), Some(day)) => (coarse, day),
            _ => return None,
        };
        let message = format!("`{fine}` tells more of the date of birth than `{coarse}` hides");
        Some((message, "release the coarser of the two alone"))
    }

    /// A property's number is its address, in a register everybody may read.
    fn place_told_twice(&self) -> Option<Found> {
        let reduced = self.hidden(is_place)?;
        let number = self.whole(|property| is_subject(property, "uprn") || is_called(property, &["uprn"]));
        let place =
            self.through(|how| *how == Transform::PostcodeDistrict).and_then(|_| self.whole(is_place));
        let told = number.or(place)?;
        let message = format!("`{told}` tells the address that `{reduced}` hides");
        Some((message, "withhold it, or release the district of the postcode alone"))
    }

    fn pseudonym_beside_number(&self) -> Option<Found> {
        let pseudonym = self.through(|how| *how == Transform::Pseudonym)?;
        let number = self.whole(|property| property.marks.subject.is_some())?;
        let message =
            format!("`{pseudonym}` leaves as a pseudonym, and `{number}` beside it says who is meant");
        Some((message, "withhold the number, or drop the pseudonym"))
    }
}

fn last_name(property: &Property) -> String {
    property.name.to_ascii_lowercase().replace('-', "_")
}

fn is_called(property: &Property, parts: &[&str]) -> bool {
    let name = last_name(property);
    let term = property.marks.term.as_deref().unwrap_or_default();
    parts.iter().any(|part| name.contains(part) || term.contains(part))
}

fn is_subject(property: &Property, kind: &str) -> bool {
    property.marks.subject.as_ref().is_some_and(|subject| subject.as_str() == kind)
}

fn is_number(property: &Property) -> bool {
    is_subject(property, "chi")
}

fn is_birth(property: &Property) -> bool {
    is_called(property, &["birth"]) || last_name(property) == "dob"
}

fn is_name(property: &Property) -> bool {
    is_called(property, &["name"]) && property.marks.personal
}

fn is_place(property: &Property) -> bool {
    property.marks.safe_address || is_called(property, &["address", "postcode", "street"])
}

/// A record that is told meets the condition, and so tells the value of every field that may have one value only.
fn condition_tells(agreement: &Agreement) -> Option<Found> {
    let tests = match &agreement.release.rows {
        Rows::All(tests) => tests.as_slice(),
        Rows::Any(tests) if tests.len() == 1 => tests.as_slice(),
        Rows::Any(_) | Rows::Every => &[],
    };
    let fixes = |check: &Check| match check {
        Check::Is(_) => true,
        Check::In(values) => values.len() == 1,
        _ => false,
    };
    let withheld = |field: &FieldPath| agreement.release.withhold.iter().any(|above| field.is_within(above));
    let test = tests.iter().find(|test| fixes(&test.check) && withheld(&test.field))?;
    let message = format!(
        "`{}` is withheld, and every record that is released tells it: the condition on rows allows one value",
        test.field
    );
    Some((message, "widen the condition, or release the field, so that what officers sign says what is told"))
}

/// What the list of fields lets through and experience does not.
fn terms(agreement: &Agreement) -> Vec<Found> {
    let Some(said) = &agreement.particulars else { return Vec::new() };
    let mut found = Vec::new();
    if !said.description.special.is_empty() && agreement.assurance < Assurance::Signed {
        let message =
            format!("special categories leave with the assurance `{}`", agreement.assurance.as_str());
        found.push((message, "say `assurance = \"signed\"`, where the consumer has a gateway of its own"));
    }
    if said.description.subjects.contains(&DataSubject::Children)
        && agreement.audit_years < AUDIT_YEARS_CHILDREN
    {
        let message = format!("the record about children is kept for {} years", agreement.audit_years);
        found.push((message, "25 is usual: until the youngest of them is grown up"));
    }
    if said.kind.is_personal() && !said.aim.prohibited.contains(&Prohibition::OnwardSharing) {
        let message = "nothing here forbids the consumer to pass the data on".to_owned();
        found.push((message, "add `onward_sharing` to `prohibited`, unless it is meant to be passed on"));
    }
    if let Some(until) = agreement.dates.until.filter(|until| *until < said.review_due) {
        let message = format!("it ends on {until}, before it is reviewed on {}", said.review_due);
        found.push((message, "set `review_due` before `until`, so that somebody asks whether to go on"));
    }
    found
}

#[cfg(test)]
mod tests;
