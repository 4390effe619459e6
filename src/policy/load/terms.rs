//! `[limits]`, `[dates]`, `[law.<party>]`, `[retention]` and `[seal]`.

use jiff::civil::Date;

use crate::config::strict::{Item, Table};
use crate::model::limits::{AUDIT_YEARS_CHILDREN, AUDIT_YEARS_DEFAULT, AUDIT_YEARS_MAX, TRIAL_DAYS_MAX};
use crate::model::{Basis, Digest, MemberId, PurposeCode, Regime, suggestion};
use crate::policy::agreement::{Dates, Law, Limits, Party, Power, Stage};

use super::line_of;

/// Above what one machine can answer: a larger number is a typing mistake.
const PER_MINUTE_MAX: u64 = 10_000_000;
/// Statutes have long names; a reading is one line.
const LAW_CHARS_MAX: usize = 400;

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

pub(super) fn law(root: &Table<'_>, stage: Option<Stage>, parties: Option<&[Party]>) -> Option<Vec<Law>> {
    let table = match root.optional("law") {
        Some(item) => Some(item.table()?),
        None => None,
    };
    let mut whole = true;
    let mut laws = Vec::new();
    for (name, item) in table.map(Table::entries).unwrap_or_default() {
        let party = parties.map(|parties| parties.iter().find(|party| party.member.as_str() == name));
        if let Some(None) = party {
            let known = parties.unwrap_or_default().iter().map(|party| party.member.as_str());
            item.fault_with_help(format!("`{name}` is not a party"), suggestion(&name, known));
        }
        // Read even so: its other faults belong to the same round.
        let law = MemberId::new(&name).ok().and_then(|member| one_law(member, item));
        whole &= law.is_some() && party.is_none_or(|party| party.is_some());
        laws.extend(law);
    }
    // A law that could not be read is not also missing.
    if stage == Some(Stage::Live) && whole {
        for party in parties.unwrap_or_default() {
            if !laws.iter().any(|law| law.member == party.member) {
                root.fault(format!(
                    "[law.{}] is missing: every party of a live agreement has one",
                    party.member
                ));
                whole = false;
            }
        }
    }
    whole.then_some(laws)
}

fn one_law(member: MemberId, item: Item<'_>) -> Option<Law> {
    let table = item.table()?;
    let line = table.line();
    let regime = table.required("regime").and_then(|item| item.word(Regime::ALL, Regime::as_str));
    let stated = table.optional("basis");
    let basis = match &stated {
        Some(item) => item.word(Basis::ALL, Basis::as_str).map(Some),
        None => Some(None),
    };
    let powers: Vec<Option<Power>> = table.tables("power").iter().map(power).collect();
    let powers: Option<Vec<Power>> = powers.into_iter().collect();
    let (regime, basis, powers) = (regime?, basis?, powers?);
    fits(&table, regime, stated.as_ref().zip(basis), &powers)?;
    Some(Law { member, regime, basis, powers, line })
}

/// Whether basis, regime and powers go together (lints of `domain.md` 1.1 that need nothing else).
fn fits(
    table: &Table<'_>,
    regime: Regime,
    basis: Option<(&Item<'_>, Basis)>,
    powers: &[Power],
) -> Option<()> {
    match basis {
        None if regime != Regime::NonPersonal => table.fault(format!("`basis` is missing under `{regime}`")),
        Some((item, _)) if regime == Regime::NonPersonal => {
            item.fault("data that is not personal needs no basis: take it out, or name another regime");
        }
        Some((item, basis)) if basis.regime() != regime => item.fault_with_help(
            format!("`{basis}` belongs to `{}`, not to `{regime}`", basis.regime()),
            Some(format!(
                "one of: {}",
                Basis::ALL
                    .iter()
                    .filter(|known| known.regime() == regime)
                    .map(|known| known.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
        ),
        Some((item, basis)) if basis.needs_power() && powers.is_empty() => item.fault_with_help(
            format!("`{basis}` needs a power in statute"),
            Some("add `power = [{ statute = \"..\", section = \"..\", reading = \"..\" }]`".to_owned()),
        ),
        _ => return Some(()),
    }
    None
}

fn power(table: &Table<'_>) -> Option<Power> {
    let statute = table.required("statute").and_then(|item| line_of(&item, LAW_CHARS_MAX));
    let section = table.required("section").and_then(|item| line_of(&item, LAW_CHARS_MAX));
    let reading = table.required("reading").and_then(|item| line_of(&item, LAW_CHARS_MAX));
    Some(Power { statute: statute?, section: section?, reading: reading? })
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
