//! Whether what an agreement releases is within what its template does: fields with the same or a stronger
//! transform, over the same rows or fewer.

use std::cmp::Ordering;

use crate::model::{Band, Check, FieldPath, Literal, Release, Rows, Test, Transform};

pub(super) fn against(release: &Release, most: &Release, looser: &mut dyn FnMut(&str, String)) {
    for (field, transform) in &release.fields {
        match most.fields.iter().find(|(known, _)| known == field) {
            None => looser("data.release", format!("`{field}` is not released by it")),
            Some((_, allowed)) if is_as_strong(transform, allowed) => {}
            Some((_, allowed)) => looser("data.release", transformed(field, transform, allowed)),
        }
    }
    if !are_no_more(&release.rows, &most.rows) {
        looser("data.rows", "its condition admits fewer rows, or other ones".to_owned());
    }
}

fn transformed(field: &FieldPath, transform: &Transform, allowed: &Transform) -> String {
    let (made, name) = (transform.name(), allowed.name());
    if made == name {
        return format!("`{field}` is released by another `{name}`");
    }
    format!("`{field}` is released by `{made}`, and by `{name}` in it")
}

/// Whether `made` tells no more of a value than `allowed` does: it is the same, or can be worked out from what
/// `allowed` gives. Two that cannot be likened are not: a rounded number is none of another rounding, nor are the
/// last two characters of a text of three, which the last four would not show.
fn is_as_strong(made: &Transform, allowed: &Transform) -> bool {
    match (made, allowed) {
        (_, Transform::None) => true,
        // What is there stays there, and null stays null.
        (
            Transform::ExistsYesNo,
            Transform::YearOfBirth | Transform::AgeBand { .. } | Transform::Round { .. },
        ) => true,
        (Transform::AgeBand { bands }, Transform::AgeBand { bands: finer }) => {
            let begins = |band: &Band| finer.iter().any(|known| known.from == band.from);
            bands.iter().all(begins)
        }
        (made, allowed) => made == allowed,
    }
}

/// Whether every row that meets `made` meets `most`, as far as single tests say so.
fn are_no_more(made: &Rows, most: &Rows) -> bool {
    match (made, most) {
        (_, Rows::Every) => true,
        (Rows::Every, _) => false,
        // Of all its tests one is enough to make sure of each of theirs.
        (Rows::All(tests), Rows::All(wanted)) => wanted.iter().all(|one| implied(tests, one)),
        (Rows::All(tests), Rows::Any(wanted)) => wanted.iter().any(|one| implied(tests, one)),
        (Rows::Any(tests), Rows::Any(wanted)) => {
            tests.iter().all(|test| wanted.iter().any(|one| implies(test, one)))
        }
        (Rows::Any(tests), Rows::All(wanted)) => {
            tests.iter().all(|test| wanted.iter().all(|one| implies(test, one)))
        }
    }
}

fn implied(tests: &[Test], wanted: &Test) -> bool {
    tests.iter().any(|test| implies(test, wanted))
}

/// Whether whatever meets `test` meets `wanted`.
fn implies(test: &Test, wanted: &Test) -> bool {
    test.field == wanted.field && narrower(&test.check, &wanted.check)
}

fn narrower(check: &Check, wanted: &Check) -> bool {
    let among = |values: &[Literal], value: &Literal| values.iter().any(|known| is_same(known, value));
    match (listed(check), wanted) {
        (Some(values), Check::In(_) | Check::Is(_)) => {
            let allowed = listed(wanted).unwrap_or_default();
            values.iter().all(|value| among(allowed, value))
        }
        (Some(values), Check::NotIn(none)) => !values.iter().any(|value| among(none, value)),
        (Some(values), Check::AtLeast(bound)) => {
            values.iter().all(|value| order(value, bound).is_some_and(Ordering::is_ge))
        }
        (Some(values), Check::AtMost(bound)) => {
            values.iter().all(|value| order(value, bound).is_some_and(Ordering::is_le))
        }
        (None, _) => open(check, wanted),
        (Some(_), Check::Within { .. } | Check::NotBeforeToday) => false,
    }
}

/// The values a check lists, if it does.
fn listed(check: &Check) -> Option<&[Literal]> {
    match check {
        Check::Is(value) => Some(std::slice::from_ref(value)),
        Check::In(values) => Some(values),
        _ => None,
    }
}

fn open(check: &Check, wanted: &Check) -> bool {
    match (check, wanted) {
        (Check::NotIn(none), Check::NotIn(wanted)) => {
            wanted.iter().all(|value| none.iter().any(|known| is_same(known, value)))
        }
        (Check::AtLeast(bound), Check::AtLeast(wanted)) => order(bound, wanted).is_some_and(Ordering::is_ge),
        (Check::AtMost(bound), Check::AtMost(wanted)) => order(bound, wanted).is_some_and(Ordering::is_le),
        // Days are not likened to months.
        (Check::Within { months, days }, Check::Within { months: most, days: more }) => {
            months <= most && days <= more
        }
        (check, wanted) => check == wanted,
    }
}

fn is_same(one: &Literal, other: &Literal) -> bool {
    one == other || order(one, other) == Some(Ordering::Equal)
}

/// Numbers by value, dates by day; nothing else has an order.
fn order(one: &Literal, other: &Literal) -> Option<Ordering> {
    match (one, other) {
        (Literal::Integer(one), Literal::Integer(other)) => Some(one.cmp(other)),
        (Literal::Number(one), Literal::Number(other)) => one.partial_cmp(other),
        // Spelt alike, so that their order is that of their text.
        (Literal::Date(one), Literal::Date(other)) => Some(one.cmp(other)),
        _ => None,
    }
}
