//! `[limits]`, `[dates]`, `[retention]` of format 1, and `[seal]`.

use jiff::civil::Date;

use crate::config::strict::{Item, Table};
use crate::model::limits::{AUDIT_YEARS_CHILDREN, AUDIT_YEARS_DEFAULT, AUDIT_YEARS_MAX, TRIAL_DAYS_MAX};
use crate::model::{Digest, PurposeCode};
use crate::policy::agreement::{Dates, Limits, Stage};

/// Above what one machine can answer: a larger number is a typing mistake.
const PER_MINUTE_MAX: u64 = 10_000_000;

pub(super) fn limits(table: &Table<'_>) -> Option<Limits> {
    let count = table.required("per_minute")?.count(1..=PER_MINUTE_MAX)?;
    u32::try_from(count).ok().map(|per_minute| Limits { per_minute })
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
