//! Whether one condition on rows admits more than another: every row the one admits the other admits too, by what
//! single tests say. Where that cannot be seen from the tests, people judge.

use super::Direction::{self, Narrower, Unjudged, Wider};
use crate::model::{Check, Literal, Rows, Test};

pub(super) fn judge(old: &Rows, new: &Rows) -> Direction {
    match (within(old, new), within(new, old)) {
        (true, false) => Wider,
        (false, true) => Narrower,
        // Alike in what they admit, or not comparable.
        _ => Unjudged,
    }
}

/// Whether every row of `less` is one of `more`; false where it cannot be seen.
fn within(less: &Rows, more: &Rows) -> bool {
    let some = |less: &[Test], more: &Test| less.iter().any(|one| implies(one, more));
    match (less, more) {
        (_, Rows::Every) => true,
        (Rows::Every, _) => false,
        // One of the tests that all hold is enough for each of the others.
        (Rows::All(less), Rows::All(more)) => more.iter().all(|one| some(less, one)),
        (Rows::All(less), Rows::Any(more)) => more.iter().any(|one| some(less, one)),
        // Whichever test it was that held.
        (Rows::Any(less), Rows::Any(more)) => {
            less.iter().all(|one| more.iter().any(|other| implies(one, other)))
        }
        (Rows::Any(less), Rows::All(more)) => {
            less.iter().all(|one| more.iter().all(|other| implies(one, other)))
        }
    }
}

/// Whether a row that meets `one` meets `other`.
fn implies(one: &Test, other: &Test) -> bool {
    if one.field != other.field {
        return false;
    }
    let all_in = |some: &[Literal], others: &[Literal]| some.iter().all(|value| others.contains(value));
    match (&one.check, &other.check) {
        (one, other) if one == other => true,
        (Check::Is(value), Check::In(values)) => values.contains(value),
        (Check::In(values), Check::Is(value)) => values.iter().all(|one| one == value),
        (Check::In(some), Check::In(others)) => all_in(some, others),
        // Those shut out by the other are shut out by this one.
        (Check::NotIn(some), Check::NotIn(others)) => all_in(others, some),
        (Check::AtLeast(low), Check::AtLeast(lower)) => at_most(lower, low),
        (Check::AtMost(high), Check::AtMost(higher)) => at_most(high, higher),
        (Check::Within { months, days }, Check::Within { months: longer, days: more }) => {
            months <= longer && days <= more
        }
        _ => false,
    }
}

fn at_most(less: &Literal, more: &Literal) -> bool {
    match (less, more) {
        (Literal::Integer(less), Literal::Integer(more)) => less <= more,
        (Literal::Number(less), Literal::Number(more)) => less <= more,
        // Written year first, they order as days do.
        (Literal::Date(less), Literal::Date(more)) => less <= more,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FieldPath;

    fn one_of(field: &str, values: &[&str]) -> Test {
        let values = values.iter().map(|value| Literal::Text((*value).to_owned())).collect();
        Test { field: FieldPath::parse(field).unwrap(), check: Check::In(values) }
    }

    fn recent(months: u32) -> Test {
        Test { field: FieldPath::parse("ended").unwrap(), check: Check::Within { months, days: 0 } }
    }

    #[test]
    fn more_rows_are_seen_as_wider() {
        let (a, ab) = (one_of("s", &["a"]), one_of("s", &["a", "b"]));
        assert_eq!(judge(&Rows::Any(vec![a.clone()]), &Rows::Any(vec![ab.clone()])), Wider);
        assert_eq!(judge(&Rows::All(vec![ab.clone(), recent(6)]), &Rows::All(vec![ab.clone()])), Wider);
        assert_eq!(judge(&Rows::Any(vec![ab.clone(), recent(6)]), &Rows::Any(vec![ab.clone()])), Narrower);
        assert_eq!(judge(&Rows::Any(vec![recent(6)]), &Rows::Any(vec![recent(12)])), Wider);
        assert_eq!(
            judge(&Rows::All(vec![a.clone(), recent(6)]), &Rows::Any(vec![a.clone(), recent(6)])),
            Wider
        );
        assert_eq!(judge(&Rows::All(vec![a.clone()]), &Rows::Every), Wider);
        assert_eq!(judge(&Rows::Every, &Rows::Any(vec![a.clone()])), Narrower);
        assert_eq!(judge(&Rows::All(vec![a.clone()]), &Rows::All(vec![one_of("s", &["b"])])), Unjudged);
        // More of the one and less of the other.
        let mixed = Rows::Any(vec![ab, recent(6)]);
        assert_eq!(judge(&Rows::Any(vec![a, recent(12)]), &mixed), Unjudged);
    }
}
