//! Whether a change widens. One row for each key of the field table whose change can be judged; a key without a row
//! is for people to judge, and so stands with what widens.

use std::collections::{BTreeMap, BTreeSet};

use super::super::saying::{Saying, Value};
use super::{Direction, rows, transforms};
use crate::model::Hours;
use Direction::{Aside, Narrower, Unjudged, Wider};

/// How a change of a key is judged.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// Does not bear on what may leave.
    Aside,
    /// A higher number, a later day, a longer time is wider.
    More,
    Less,
    /// Codes from the narrowest; those of one step are alike.
    Steps(&'static [&'static [&'static str]]),
    /// More of them is wider.
    Some,
    /// Fewer of them is wider: what may not be done.
    Not,
    /// That it is so is wider.
    Yes,
    /// That it is not so is wider.
    No,
    Transform,
    Rows,
    /// More of the week is wider.
    Hours,
    /// Only people can judge.
    People,
}

const USERS: Rule =
    Rule::Steps(&[&["named_user"], &["user_pseudonym", "required"], &["system_only", "none"]]);

#[rustfmt::skip]
const RULES: &[(&str, Rule)] = &[
    ("agreement.version", Rule::Aside),
    ("agreement.title", Rule::Aside),
    ("agreement.summary", Rule::Aside),
    // Another ceiling is higher or lower; which, only the two templates say.
    ("agreement.template", Rule::People),
    ("agreement.stage", Rule::Steps(&[&["trial"], &["live"]])),
    ("party[].ico_registration", Rule::Aside),
    ("party[].code", Rule::Aside),
    ("party[].foi", Rule::Aside),
    ("party[].dpo.office", Rule::Aside),
    ("party[].dpo.email", Rule::Aside),
    ("party[].asset_owner.office", Rule::Aside),
    ("party[].asset_owner.email", Rule::Aside),
    // Another office signs.
    ("party[].caldicott_guardian.office", Rule::People),
    ("party[].caldicott_guardian.email", Rule::Aside),
    ("party[].contact.name", Rule::Aside),
    ("party[].contact.telephone", Rule::Aside),
    ("party[].contact.email", Rule::Aside),
    ("party[].out_of_hours.name", Rule::Aside),
    ("party[].out_of_hours.telephone", Rule::Aside),
    ("party[].out_of_hours.email", Rule::Aside),
    ("party[].breach_contact", Rule::Aside),
    ("party[].privacy_notice.page", Rule::Aside),
    ("party[].assurance[].until", Rule::Less),
    ("party[].system[].roles", Rule::Some),
    ("party[].system[].purposes", Rule::Some),
    ("purpose.benefit", Rule::Aside),
    ("purpose.prohibited", Rule::Not),
    ("law.<party>.policy_document", Rule::Aside),
    ("dataset.operations", Rule::Some),
    ("dataset.system_of_record", Rule::Aside),
    ("data.subjects", Rule::Some),
    ("data.special_categories", Rule::Some),
    ("data.criminal_offence", Rule::Yes),
    ("data.release", Rule::Transform),
    ("data.withhold", Rule::Not),
    ("data.all_rows", Rule::Rows),
    ("data.rows", Rule::Rows),
    ("data.small_number.below", Rule::Less),
    ("data.small_number.secondary", Rule::No),
    ("flow.response", Rule::Steps(&[&["yes_no"], &["single_record"], &["list"]])),
    ("flow.frequency", Rule::Steps(&[&["once"], &["termly"], &["monthly"], &["daily"], &["realtime"]])),
    ("access.assurance", Rule::Steps(&[&["signed"], &["token"], &["certificate"]])),
    ("access.user", USERS),
    ("access.reason", Rule::Steps(&[&["code_and_text"], &["code"], &["none"]])),
    ("access.case_ref", Rule::No),
    ("access.keys", Rule::Some),
    ("access.match", Rule::Steps(&[&["exact_plus_dob"], &["exact"]])),
    ("access.sample_review.fraction", Rule::Less),
    ("access.sample_review.days", Rule::More),
    ("access.hours", Rule::Hours),
    ("limits.per_minute", Rule::More),
    ("limits.per_day", Rule::More),
    ("limits.per_user_per_day", Rule::More),
    ("limits.rows_per_answer", Rule::More),
    ("emergency.allowed", Rule::Yes),
    ("impact.crwia", Rule::Aside),
    ("impact.dpia.status", Rule::Steps(&[&["approved"], &["draft"], &["not_needed"]])),
    ("impact.dpia.reference", Rule::Aside),
    ("impact.dpia.date", Rule::Aside),
    ("impact.dpia.residual_risk", Rule::Steps(&[&["low"], &["medium"], &["high"]])),
    ("impact.dpia.next_review", Rule::More),
    ("publication.public", Rule::No),
    ("accuracy.corrections", Rule::Steps(&[&["automatic"], &["notice"], &["none"]])),
    ("retention.consumer", Rule::More),
    ("retention.disposal", Rule::Steps(&[&["deleted"], &["returned"], &["archived"]])),
    // Whom a question was about is kept longer; shorter, and it can be shown for less long what was done.
    ("retention.audit_years", Rule::People),
    ("rights.complaints", Rule::Aside),
    ("security.classification", Rule::Steps(&[&["OFFICIAL-SENSITIVE"], &["OFFICIAL"]])),
    ("security.transport", Rule::Steps(&[&["mtls13"], &["mtls12-gcm"]])),
    ("breach.notify_hours", Rule::More),
    ("dates.from", Rule::Less),
    ("dates.until", Rule::More),
    ("dates.review_due", Rule::More),
    ("governance.change_notice_days", Rule::Less),
];

fn rule(path: &str) -> Rule {
    RULES.iter().find(|(known, _)| *known == path).map_or(Rule::People, |(_, rule)| *rule)
}

/// A saying that says something else than before.
pub(super) fn changed(before: &Saying, after: &Saying) -> Direction {
    // The words beside a released field are under its path.
    let rule = match after.key.rsplit_once('/') {
        Some((_, "holds")) => Rule::Aside,
        Some(_) => Rule::People,
        None => rule(after.path()),
    };
    match (rule, &before.value, &after.value) {
        (Rule::Aside, _, _) => Aside,
        (Rule::More, old, new) => higher(old, new),
        (Rule::Less, old, new) => higher(new, old),
        (Rule::Steps(steps), Value::Code(old), Value::Code(new)) => stepped(steps, old, new),
        (Rule::Some, Value::Set(old), Value::Set(new)) => more(old, new),
        (Rule::Not, Value::Set(old), Value::Set(new)) => opposite(more(old, new)),
        (Rule::Yes, _, Value::Flag(is)) => widens_if(*is),
        (Rule::No, _, Value::Flag(is)) => widens_if(!is),
        (Rule::Transform, Value::Transform(old), Value::Transform(new)) => transforms::judge(old, new),
        (Rule::Rows, Value::Rows(old), Value::Rows(new)) => rows::judge(old, new),
        (Rule::Hours, Value::Hours(old), Value::Hours(new)) => open(old, new),
        _ => Unjudged,
    }
}

/// A saying that came or went, and does not belong to something that did.
pub(super) fn alone(one: &Saying, came: bool) -> Direction {
    match one.path() {
        _ if one.key.ends_with("/holds") => Aside,
        // An agreement without a last day goes on.
        "dates.until" => widens_if(!came),
        // Without a limit there is none.
        "limits.per_day" | "limits.per_user_per_day" | "limits.rows_per_answer" => widens_if(!came),
        // Safeguards: what is gone is missed.
        "data.small_number.below" | "data.small_number.round_to" | "data.small_number.secondary" => {
            widens_if(!came)
        }
        "access.sample_review.fraction" | "access.sample_review.days" => widens_if(!came),
        // One required signature fewer, or no ceiling any more.
        "party[].caldicott_guardian.office" | "agreement.template" => widens_if(!came),
        // Where nothing was said the narrowest cannot be assumed.
        path => match rule(path) {
            Rule::Aside => Aside,
            _ => Unjudged,
        },
    }
}

/// What came or went as a whole: a party, a system, a released field, a processor. What is said of it goes with it.
pub(super) struct Heads {
    /// The beginnings of their keys, with the direction.
    whole: BTreeMap<String, Direction>,
}

impl Heads {
    pub(super) fn new(before: &BTreeMap<String, Saying>, after: &BTreeMap<String, Saying>) -> Self {
        let (old, new): (BTreeSet<String>, BTreeSet<String>) = (heads(before), heads(after));
        let direction = |head: &str, came: bool| {
            // What a party holds of others' assurance is a safeguard.
            let safeguard = head.contains(".assurance.");
            widens_if(came != safeguard)
        };
        let came = new.difference(&old).map(|head| (head.clone(), direction(head, true)));
        let went = old.difference(&new).map(|head| (head.clone(), direction(head, false)));
        Self { whole: came.chain(went).collect() }
    }

    /// The direction of what a key belongs to, if that came or went.
    pub(super) fn of(&self, key: &str) -> Option<Direction> {
        let is_in = |head: &str| {
            // Below a released field stand other fields, which come and go by themselves.
            let below = if head.starts_with("data.") { '/' } else { '.' };
            key.strip_prefix(head).is_some_and(|rest| rest.is_empty() || rest.starts_with(below))
        };
        // In order, and so a party before its systems.
        self.whole.iter().find(|(head, _)| is_in(head)).map(|(_, direction)| *direction)
    }
}

/// The paths at which something begins that comes and goes as a whole.
const WHOLE: [(&str, &str); 5] = [
    ("party[].member", ".member"),
    ("party[].system[].id", ".id"),
    ("party[].assurance[].scheme", ".scheme"),
    ("processor[].name", ".name"),
    ("security.transfer[].country", ".country"),
];

fn heads(all: &BTreeMap<String, Saying>) -> BTreeSet<String> {
    all.values()
        .filter_map(|one| {
            if let Value::Transform(_) = one.value {
                return Some(one.key.clone());
            }
            let (_, end) = WHOLE.iter().find(|(path, _)| *path == one.path())?;
            one.key.strip_suffix(end).map(str::to_owned)
        })
        .collect()
}

fn widens_if(is: bool) -> Direction {
    if is { Wider } else { Narrower }
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Wider => Narrower,
        Narrower => Wider,
        other => other,
    }
}

fn higher(old: &Value, new: &Value) -> Direction {
    match (old, new) {
        (Value::Count(old), Value::Count(new)) => widens_if(new > old),
        (Value::Fraction(old), Value::Fraction(new)) => widens_if(new > old),
        (Value::Date(old), Value::Date(new)) => widens_if(new > old),
        (Value::Period(old), Value::Period(new)) => longer(old.as_deref(), new.as_deref()),
        _ => Unjudged,
    }
}

/// Months and years have no fixed length: where the shortest of one overlaps the longest of the other, people judge.
fn longer(old: Option<&str>, new: Option<&str>) -> Direction {
    let (Some(old), Some(new)) = (old.map_or(Some((0, 0)), minutes), new.map_or(Some((0, 0)), minutes))
    else {
        return Unjudged;
    };
    match () {
        () if new.0 > old.1 => Wider,
        () if new.1 < old.0 => Narrower,
        () => Unjudged,
    }
}

/// The least and the most minutes of a period of one unit.
fn minutes(period: &str) -> Option<(u64, u64)> {
    const DAY: u64 = 24 * 60;
    let (body, in_day) = match period.strip_prefix("PT") {
        Some(body) => (body, true),
        None => (period.strip_prefix('P')?, false),
    };
    let unit = body.chars().last()?;
    let count: u64 = body.strip_suffix(unit)?.parse().ok()?;
    let (least, most) = match (in_day, unit) {
        (true, 'M') => (1, 1),
        (true, 'H') => (60, 60),
        (false, 'D') => (DAY, DAY),
        (false, 'W') => (7 * DAY, 7 * DAY),
        (false, 'M') => (28 * DAY, 31 * DAY),
        (false, 'Y') => (365 * DAY, 366 * DAY),
        _ => return None,
    };
    Some((count.checked_mul(least)?, count.checked_mul(most)?))
}

fn open(old: &Hours, new: &Hours) -> Direction {
    match (old.is_within(new), new.is_within(old)) {
        (true, _) => Wider,
        (_, true) => Narrower,
        // More on one day and less on another.
        _ => Unjudged,
    }
}

fn stepped(steps: &[&[&str]], old: &str, new: &str) -> Direction {
    let step = |code: &str| steps.iter().position(|alike| alike.contains(&code));
    match (step(old), step(new)) {
        (Some(old), Some(new)) if new > old => Wider,
        (Some(old), Some(new)) if new < old => Narrower,
        _ => Unjudged,
    }
}

/// From none to some, or to none, is no less and no more: a system without a role may ask, and states none.
fn more(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Direction {
    let came = new.keys().any(|code| !old.contains_key(code));
    let went = old.keys().any(|code| !new.contains_key(code));
    match (came, went) {
        _ if old.is_empty() != new.is_empty() => Unjudged,
        (true, false) => Wider,
        (false, true) => Narrower,
        _ => Unjudged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fields;

    #[test]
    fn every_rule_is_of_a_key_and_every_code_of_its_list() {
        for (path, rule) in RULES {
            let mut known = fields().filter(|field| field.path == *path).peekable();
            assert!(known.peek().is_some(), "{path} is no key");
            if let Rule::Steps(steps) = rule {
                let text: String = known.map(|field| format!("{:?}", field.kind)).collect();
                for code in steps.iter().copied().flatten() {
                    assert!(text.contains(&format!("\"{code}\"")), "{path} has no code {code}");
                }
            }
        }
    }

    #[test]
    fn a_longer_time_is_wider_and_months_are_not_days() {
        assert_eq!(longer(Some("P1M"), Some("P6W")), Wider);
        assert_eq!(longer(Some("P1Y"), Some("PT24H")), Narrower);
        assert_eq!(longer(Some("P30D"), Some("P1M")), Unjudged);
        assert_eq!(longer(None, Some("PT1M")), Wider);
        assert_eq!(longer(Some("P1X"), Some("P2X")), Unjudged);
    }
}
