//! Stage with its days, and the impact assessment.

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::model::limits::TRIAL_DAYS_MAX;
use crate::model::{DpiaStatus, Fault, Risk};
use crate::policy::{Dates, Dpia, Stage};

use super::words::{code, day, listed, wrong};

/// How long before its end an agreement is looked at again.
const REVIEW_DAYS_BEFORE: i64 = 28;

/// `trial`, `live`, and `from` and `until` with a day each.
pub(super) fn stage(given: &str, first: Date, last: Option<Date>) -> Result<(Stage, Dates), Fault> {
    let mut words = given.split_whitespace();
    let stage = words.next().unwrap_or_default();
    let stage = Stage::ALL
        .into_iter()
        .find(|known| known.as_str() == stage)
        .ok_or_else(|| wrong(format!("`{stage}` is neither `trial` nor `live`")))?;
    let (mut from, mut until) = (None, None);
    while let Some(word) = words.next() {
        let value = words.next().unwrap_or_default();
        let held = match word {
            "from" => &mut from,
            "until" => &mut until,
            _ => return Err(wrong(format!("`{word}` is neither `from` nor `until`"))),
        };
        if held.replace(day(value)?).is_some() {
            return Err(wrong(format!("`{word}` is said twice")));
        }
    }
    let from = from.unwrap_or(first);
    let longest = from.saturating_add((TRIAL_DAYS_MAX - 1).days());
    let until = match (until, stage) {
        (Some(until), _) => Some(until),
        (None, Stage::Trial) => Some(last.map_or(longest, |last| last.min(longest))),
        (None, Stage::Live) => last,
    };
    Ok((stage, Dates { from, until }))
}

/// A year after it begins, and before it ends.
pub(super) fn review(dates: Dates) -> Date {
    let in_a_year = dates.from.saturating_add(12.months());
    let before_the_end = dates.until.map(|until| until.saturating_sub(REVIEW_DAYS_BEFORE.days()));
    let due = before_the_end.map_or(in_a_year, |end| end.min(in_a_year));
    if due > dates.from { due } else { dates.from.saturating_add(1.day()) }
}

/// `DPIA-2026-31, 2026-10-02, medium, 2027-10-02`.
pub(super) fn assessment(given: &str) -> Result<Dpia, Fault> {
    let parts: [&str; 4] = listed(given)
        .try_into()
        .map_err(|_| wrong("wanted, with commas between: its reference, the day it was approved, the risk it leaves, the day of its next review"))?;
    let [reference, date, risk, next] = parts;
    Ok(approved(reference, day(date)?, code(risk)?, day(next)?))
}

pub(super) fn approved(reference: &str, date: Date, risk: Risk, next: Date) -> Dpia {
    Dpia {
        status: DpiaStatus::Approved,
        why: None,
        reference: Some(reference.to_owned()),
        date: Some(date),
        residual_risk: Some(risk),
        next_review: Some(next),
    }
}
