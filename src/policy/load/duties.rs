//! The sections of format 2 that say what the parties owe: assessments, accuracy, keeping, rights, security and how
//! the agreement ends (sections 4 and 6 to 11 of the template).

use jiff::civil::Date;

use crate::config::strict::{Item, Table};
use crate::model::limits::AUDIT_YEARS_MAX;
use crate::model::{DpiaStatus, MemberId};
use crate::policy::agreement::{Dates, Party};
use crate::policy::particulars::{Accuracy, Dpia, Governance, Impact, Keeping, Rights, Security, Transfer};

use super::read::{email, given, name, number, period, text, wanted, word};

/// The ICO is told within 72 hours (UK GDPR Art 33(1)); a partner who hears later cannot.
const BREACH_HOURS_MAX: u64 = 72;
/// Longer is no notice but a sentence.
const NOTICE_DAYS_MAX: u64 = 730;
/// Beyond this an agreement is not reviewed but forgotten.
const REVIEW_MONTHS_MAX: i32 = 24;

/// `[impact]`; `needed` says why a live agreement wants an assessment, if it does.
pub(super) fn impact(root: &Table<'_>, needed: Option<&str>) -> Option<Option<Impact>> {
    let Some(item) = root.optional("impact") else {
        let Some(why) = needed else { return Some(None) };
        root.fault_with_help(
            format!("[impact.dpia] is missing: {why}"),
            "carry out the data protection impact assessment, and give its reference (UK GDPR Art 35)",
        );
        return None;
    };
    let table = item.table()?;
    let dpia = table.table("dpia").and_then(|table| dpia(&table, needed));
    let crwia = given(&table, "crwia", name);
    Some(Some(Impact { dpia: dpia?, crwia: crwia? }))
}

fn dpia(table: &Table<'_>, needed: Option<&str>) -> Option<Dpia> {
    let item = table.required("status")?;
    let status: DpiaStatus = super::read::code(&item)?;
    let approved = (status == DpiaStatus::Approved).then_some("an approved assessment has it");
    let not_needed = (status == DpiaStatus::NotNeeded).then_some("say why none is needed");
    let why = wanted(table, "why", not_needed, text);
    let reference = wanted(table, "reference", approved, name);
    let date = wanted(table, "date", approved, |item| item.date());
    let residual_risk = wanted(table, "residual_risk", approved, super::read::code);
    let next_review = wanted(table, "next_review", approved, |item| item.date());
    if let Some(reason) = needed.filter(|_| status != DpiaStatus::Approved) {
        item.fault_with_help(
            format!("`{status}` will not do: {reason}"),
            Some("an approved assessment stands before the first question (UK GDPR Art 35)".to_owned()),
        );
        return None;
    }
    Some(Dpia {
        status,
        why: why?,
        reference: reference?,
        date: date?,
        residual_risk: residual_risk?,
        next_review: next_review?,
    })
}

pub(super) fn accuracy(table: &Table<'_>, people: Option<&str>) -> Option<Accuracy> {
    let freshness = table.required("freshness").and_then(|item| period(&item));
    let known_limits = given(table, "known_limits", text);
    let corrections = wanted(table, "corrections", people, super::read::code);
    Some(Accuracy { freshness: freshness?, known_limits: known_limits?, corrections: corrections? })
}

/// `[retention]`: what is kept, and for how many years the record of it.
pub(super) fn keeping(table: &Table<'_>) -> Option<(Keeping, u8)> {
    let disposal = word(table, "disposal");
    let (consumer, years) = kept(table);
    Some((Keeping { consumer: consumer?, disposal: disposal? }, years?))
}

/// How long the consumer keeps what it is told, and for how many years the record of it is kept.
#[expect(clippy::option_option, reason = "read or not, and stored or not")]
pub(super) fn kept(table: &Table<'_>) -> (Option<Option<String>>, Option<u8>) {
    let consumer = table.required("consumer").and_then(|item| match item.text()? {
        "not_stored" => Some(None),
        _ => period(&item).map(Some),
    });
    let years = table.required("audit_years").and_then(|item| item.count(1..=u64::from(AUDIT_YEARS_MAX)));
    (consumer, years.and_then(|years| u8::try_from(years).ok()))
}

pub(super) fn rights(
    root: &Table<'_>,
    needed: Option<&str>,
    parties: Option<&[Party]>,
) -> Option<Option<Rights>> {
    let Some(item) = root.optional("rights") else {
        let Some(why) = needed else { return Some(None) };
        root.fault(format!("[rights] is missing: {why}"));
        return None;
    };
    let table = item.table()?;
    let sar_lead = table.required("sar_lead").and_then(|item| lead(&item, parties));
    let sar_disclosable = word(&table, "sar_disclosable");
    let complaints = table.required("complaints").and_then(|item| email(&item));
    let automated = table.required("automated_decisions").and_then(|item| match item.text()? {
        "none" => Some(None),
        _ => text(&item).map(Some),
    });
    Some(Some(Rights {
        sar_lead: sar_lead?,
        sar_disclosable: sar_disclosable?,
        complaints: complaints?,
        automated_decisions: automated?,
    }))
}

fn lead(item: &Item<'_>, parties: Option<&[Party]>) -> Option<MemberId> {
    let member = item.parsed(MemberId::new)?;
    let known = parties.is_none_or(|parties| parties.iter().any(|party| party.member == member));
    if !known {
        item.fault(format!("`{member}` is not a party"));
    }
    known.then_some(member)
}

pub(super) fn security(root: &Table<'_>) -> Option<Security> {
    let table = root.table("security");
    let breach = root.table("breach").and_then(|table| number(&table, "notify_hours", 1..=BREACH_HOURS_MAX));
    let table = table?;
    let classification = word(&table, "classification");
    let transport = word(&table, "transport");
    let location = table.required("location").and_then(|item| name(&item));
    let transfers: Vec<_> = table.tables("transfer").iter().map(transfer).collect();
    Some(Security {
        classification: classification?,
        transport: transport?,
        location: location?,
        transfers: transfers.into_iter().collect::<Option<Vec<_>>>()?,
        breach_hours: breach?,
    })
}

fn transfer(table: &Table<'_>) -> Option<Transfer> {
    let country = table.required("country").and_then(|item| name(&item));
    let mechanism = table.required("mechanism").and_then(|item| text(&item));
    Some(Transfer { country: country?, mechanism: mechanism? })
}

/// The day by which somebody asks whether all of this is still right.
pub(super) fn review(table: &Table<'_>, dates: Option<Dates>) -> Option<Date> {
    let item = table.required("review_due")?;
    let due = item.date()?;
    let from = dates?.from;
    if due <= from {
        item.fault(format!("{due} is not after `from`, {from}"));
        return None;
    }
    let latest = from.saturating_add(jiff::Span::new().months(REVIEW_MONTHS_MAX));
    if due > latest {
        item.fault_with_help(
            format!("{due} is more than {REVIEW_MONTHS_MAX} months after `from`, {from}"),
            Some(format!("{latest} at the latest; a year is usual")),
        );
        return None;
    }
    Some(due)
}

pub(super) fn governance(table: &Table<'_>) -> Option<Governance> {
    let change_notice_days = number(table, "change_notice_days", 0..=NOTICE_DAYS_MAX);
    let termination_days = number(table, "termination_days", 0..=NOTICE_DAYS_MAX);
    let on_termination = table.required("on_termination").and_then(|item| text(&item));
    Some(Governance {
        change_notice_days: change_notice_days?,
        termination_days: termination_days?,
        on_termination: on_termination?,
    })
}
