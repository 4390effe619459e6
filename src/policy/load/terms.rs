//! `[limits]`, `[dates]`, `[retention]` of format 1, and `[seal]`.

use jiff::civil::Date;

use crate::config::strict::{Item, Table};
use crate::model::limits::{AUDIT_YEARS_CHILDREN, AUDIT_YEARS_DEFAULT, AUDIT_YEARS_MAX, TRIAL_DAYS_MAX};
use crate::model::{Digest, PurposeCode};
use crate::policy::agreement::{Dates, Limits, Stage};

use super::read::given;

/// Above what one machine can answer: a larger number is a typing mistake.
const PER_MINUTE_MAX: u64 = 10_000_000;
/// Likewise, at a hundred times the day of a busy council.
const PER_DAY_MAX: u64 = 1_000_000_000;
/// More records than the largest answer a source may give can hold.
const ROWS_MAX: u64 = 1_000_000;

/// `user`: whether a question states the user, as far as that could be read.
pub(super) fn limits(table: &Table<'_>, user: Option<bool>) -> Option<Limits> {
    let per_minute = table.required("per_minute").and_then(|item| number(&item, PER_MINUTE_MAX));
    let per_day = given(table, "per_day", |item| number(item, PER_DAY_MAX));
    let per_user_per_day = given(table, "per_user_per_day", |item| number(item, PER_DAY_MAX));
    let rows_per_answer = rows_per_answer(table);
    let (per_day, per_user_per_day) = (per_day?, per_user_per_day?);
    of_users(table, (per_day, per_user_per_day), user)?;
    Some(Limits { per_minute: per_minute?, per_day, per_user_per_day, rows_per_answer: rows_per_answer? })
}

pub(super) fn rows_per_answer(table: &Table<'_>) -> Option<Option<u32>> {
    given(table, "rows_per_answer", |item| number(item, ROWS_MAX))
}

fn number(item: &Item<'_>, most: u64) -> Option<u32> {
    item.count(1..=most).and_then(|count| u32::try_from(count).ok())
}

/// A limit by user counts those who are stated, and is not above that of all of them.
fn of_users(
    table: &Table<'_>,
    (per_day, per_user): (Option<u32>, Option<u32>),
    user: Option<bool>,
) -> Option<()> {
    let item = table.optional("per_user_per_day");
    let (Some(per_user), Some(item)) = (per_user, item) else { return Some(()) };
    if user == Some(false) {
        item.fault_with_help(
            "counts by user, and `access.user` wants none stated",
            Some("have the user stated (`access.user`), or leave this out".to_owned()),
        );
        return None;
    }
    if let Some(per_day) = per_day.filter(|per_day| *per_day < per_user) {
        item.fault(format!("{per_user} is more than `per_day`, {per_day}, and never reached"));
        return None;
    }
    Some(())
}

pub(super) fn dates(table: &Table<'_>, stage: Option<Stage>) -> Option<Dates> {
    let from = table.required("from").and_then(|item| item.date());
    let item = table.optional("until");
    let until = match &item {
        Some(item) => item.date().map(Some),
        None => Some(None),
    };
    let (from, until) = (from?, until?);
    match (&item, until) {
        (Some(item), Some(until)) => last_day(item, from, until, stage)?,
        _ if stage == Some(Stage::Trial) => {
            table.fault(format!("`until` is missing: a trial lasts at most {TRIAL_DAYS_MAX} days"));
            return None;
        }
        _ => {}
    }
    Some(Dates { from, until })
}

fn last_day(item: &Item<'_>, from: Date, until: Date, stage: Option<Stage>) -> Option<()> {
    // Both ends are days in force.
    let days = i64::from((until - from).get_days()) + 1;
    if days < 1 {
        item.fault(format!("{until} is before `from`, {from}"));
        return None;
    }
    if stage == Some(Stage::Trial) && days > TRIAL_DAYS_MAX {
        item.fault(format!("a trial of {days} days, first and last included: at most {TRIAL_DAYS_MAX}"));
        return None;
    }
    Some(())
}

/// `[retention]`; without it, as long as is usual for whom the agreement is about.
pub(super) fn audit_years(root: &Table<'_>, purpose: Option<PurposeCode>) -> Option<u8> {
    let Some(item) = root.optional("retention") else {
        let of_children = purpose.is_some_and(PurposeCode::is_of_children);
        return Some(if of_children { AUDIT_YEARS_CHILDREN } else { AUDIT_YEARS_DEFAULT });
    };
    let years = item.table()?.required("audit_years")?.count(1..=u64::from(AUDIT_YEARS_MAX))?;
    u8::try_from(years).ok()
}

/// `Some(None)`: not sealed yet.
pub(super) fn seal(root: &Table<'_>) -> Option<Option<Digest>> {
    let Some(item) = root.optional("seal") else { return Some(None) };
    let view = item.table()?.required("view")?;
    let digest = Digest::parse(view.text()?);
    if digest.is_none() {
        view.fault("not a digest: `tolbooth agreement seal` writes it");
    }
    digest.map(Some)
}
