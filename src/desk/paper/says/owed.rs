//! Sections 3 to 12 of the template, and the head of section 1: how the data is asked for, and what the parties owe
//! one another.

use crate::model::{Assurance, Hours, ReasonWanted};
use crate::policy::{
    Accuracy, Aim, Asking, Dates, Dpia, Flow, Governance, Impact, Keeping, Limits, Particulars, Processor,
    Publication, Rights, SampleReview, Security, Transfer,
};

use super::super::saying::{Sayings, Value};
use super::super::words::{counted, days, hours, period};
use super::parties::named;

/// What the gateway wants of each question (section 3.2).
pub(super) struct Wants<'a> {
    pub(super) assurance: Assurance,
    pub(super) user: bool,
    pub(super) reason: ReasonWanted,
    pub(super) case: bool,
    pub(super) hours: &'a Hours,
}

pub(super) fn head(particulars: &Particulars, out: &mut Sayings<'_>) {
    out.text("agreement.summary", "Summary", &particulars.summary);
    let kind = particulars.kind;
    out.word("agreement.kind", "Kind of sharing", kind.as_str(), kind.words());
    out.text_if("agreement.template", "Made from the template", particulars.template.as_ref());
}

pub(super) fn aim(aim: &Aim, out: &mut Sayings<'_>) {
    let Aim { statement, benefit, necessity, prohibited } = aim;
    out.text("purpose.statement", "Why", statement);
    out.text_if("purpose.benefit", "Who is better off, and how", benefit.as_ref());
    out.text_if("purpose.necessity", "Why less will not do", necessity.as_ref());
    let prohibited = prohibited.iter().map(|one| (one.as_str(), one.words()));
    out.set("purpose.prohibited", "They must not", prohibited);
}

pub(super) fn flow(flow: Option<&Flow>, out: &mut Sayings<'_>) {
    let Some(Flow { response, trigger, frequency }) = flow else { return };
    out.word("flow.response", "An answer is", response.as_str(), response.words());
    out.word("flow.trigger", "Data flows on", trigger.as_str(), trigger.words());
    out.word("flow.frequency", "How often", frequency.as_str(), frequency.words());
    // The only word a file may hold: see the field table.
    out.word("flow.notify_owner", "Owner of the data", "never", "nobody is told of single questions");
}

pub(super) fn access(wants: &Wants<'_>, asking: Option<&Asking>, out: &mut Sayings<'_>) {
    let Wants { assurance, user, reason, case, hours } = wants;
    let label = "A system proves who it is";
    out.listed_word("access.assurance", label, assurance.as_str(), &Assurance::WORDS);
    let Some(Asking { keys, matching, user: identity, sample_review }) = asking else {
        let (code, words) = if *user { ("required", "yes") } else { ("none", "no") };
        out.word("access.user", "The person who asks must be stated", code, words);
        open(hours, out);
        return;
    };
    // Whether the gateway wants a user follows from this; the loader sees to that.
    out.word("access.user", "The person who asks is stated", identity.as_str(), identity.words());
    out.word("access.reason", "A question states", reason.as_str(), reason.words());
    out.flag("access.case_ref", "The case", *case, ("must be stated", "need not be stated"));
    let keys = keys.iter().map(|key| (key.as_str(), key.words()));
    out.set("access.keys", "Records are looked up by", keys);
    let label = "A record is the one asked for by";
    out.word("access.match", label, matching.as_str(), matching.words());
    open(hours, out);
    if let Some(SampleReview { fraction, days: within }) = sample_review {
        let shown = format!("{} of accesses", percent(*fraction));
        let (path, label) = ("access.sample_review.fraction", "A supervisor confirms afterwards");
        out.add(path, label, Value::Fraction(*fraction), shown);
        let path = "access.sample_review.days";
        out.count(path, "And does so within", u64::from(*within), days(*within));
    }
}

/// Said also where the file does not: then it is any hour.
fn open(open: &Hours, out: &mut Sayings<'_>) {
    out.add("access.hours", "Questions may be asked", Value::Hours(open.clone()), hours(open));
}

fn percent(fraction: f64) -> String {
    format!("{:.2}", fraction * 100.0).trim_end_matches('0').trim_end_matches('.').to_owned() + "%"
}

pub(super) fn limits(limits: &Limits, out: &mut Sayings<'_>) {
    let Limits { per_minute, per_day, per_user_per_day, rows_per_answer } = limits;
    let shown = format!("{} in any 60 seconds, over all systems", counted(*per_minute, "question"));
    out.count("limits.per_minute", "At most", u64::from(*per_minute), shown);
    if let Some(most) = per_day {
        let shown = format!("{} on a day in London, over all systems", counted(*most, "answered question"));
        out.count("limits.per_day", "At most a day", u64::from(*most), shown);
    }
    if let Some(most) = per_user_per_day {
        let shown = format!("{} on a day in London", counted(*most, "answered question"));
        out.count("limits.per_user_per_day", "At most a day for one user", u64::from(*most), shown);
    }
    rows(*rows_per_answer, out);
}

pub(super) fn rows(most: Option<u32>, out: &mut Sayings<'_>) {
    if let Some(most) = most {
        let shown = format!("{}; an answer of more is refused whole", counted(most, "record"));
        out.count("limits.rows_per_answer", "At most in one answer", u64::from(most), shown);
    }
}

/// In format 1 the section may be left out, and counts all the same.
pub(super) fn record(audit_years: u8, out: &mut Sayings<'_>) {
    let shown = counted(u32::from(audit_years), "year");
    let label = "Who asked about whom, and why, is on record for";
    out.count("retention.audit_years", label, u64::from(audit_years), shown);
}

pub(super) fn dates(dates: &Dates, out: &mut Sayings<'_>) {
    let Dates { from, until } = dates;
    out.date("dates.from", "First day in force", *from);
    if let Some(until) = until {
        out.date("dates.until", "Last day in force", *until);
    }
}

/// What stands in sections of its own; the head, the aim and the data are said where they belong.
pub(super) fn rest(particulars: &Particulars, out: &mut Sayings<'_>) {
    let Particulars {
        summary: _,
        kind: _,
        template: _,
        aim: _,
        description: _,
        flow: _,
        asking: _,
        impact: assessed,
        publication,
        accuracy,
        keeping: kept,
        rights: owed,
        security: held,
        processors,
        review_due,
        governance: changed,
    } = particulars;
    // The only word a file may hold: see the field table.
    out.flag("emergency.allowed", "Emergency clause", false, ("there is one", "there is none"));
    if let Some(assessed) = assessed {
        impact(assessed, out);
    }
    told(publication, accuracy, out);
    keeping(kept, out);
    if let Some(owed) = owed {
        rights(owed, out);
    }
    security(held, out);
    for (at, Processor { name, service, contract }) in (1..).zip(processors) {
        out.inside("processor[]", format!("processor.{at}"), |out| {
            out.text("processor[].name", &format!("Processor {at}"), name);
            out.text("processor[].service", &format!("Processor {at} does"), service);
            out.text("processor[].contract", &format!("Processor {at}, contract"), contract);
        });
    }
    out.date("dates.review_due", "To be looked at again by", *review_due);
    governance(changed, out);
}

fn impact(impact: &Impact, out: &mut Sayings<'_>) {
    let Impact { dpia, crwia } = impact;
    out.text_if("impact.crwia", "Child Rights and Wellbeing Impact Assessment", crwia.as_ref());
    let Dpia { status, why, reference, date, residual_risk, next_review } = dpia;
    let label = "Data protection impact assessment";
    out.word("impact.dpia.status", label, status.as_str(), status.words());
    out.text_if("impact.dpia.why", "Why none is needed", why.as_ref());
    out.text_if("impact.dpia.reference", "Its reference", reference.as_ref());
    if let Some(date) = date {
        out.date("impact.dpia.date", "Approved on", *date);
    }
    if let Some(risk) = residual_risk {
        out.word("impact.dpia.residual_risk", "Risk it leaves", risk.as_str(), risk.words());
    }
    if let Some(date) = next_review {
        out.date("impact.dpia.next_review", "Assessed again by", *date);
    }
}

fn told(publication: &Publication, accuracy: &Accuracy, out: &mut Sayings<'_>) {
    let Publication { public, exemption } = publication;
    let words = ("may be read by the public", "is not shown to the public");
    out.flag("publication.public", "That this agreement exists", *public, words);
    out.text_if("publication.exemption", "Exemption", exemption.as_ref());
    let Accuracy { freshness, known_limits, corrections } = accuracy;
    let value = Value::Period(Some(freshness.clone()));
    out.add("accuracy.freshness", "The data is at most so old", value, period(freshness));
    out.text_if("accuracy.known_limits", "Known limits", known_limits.as_ref());
    if let Some(one) = corrections {
        let label = "A correction reaches those who received the data";
        out.word("accuracy.corrections", label, one.as_str(), one.words());
    }
}

fn keeping(keeping: &Keeping, out: &mut Sayings<'_>) {
    let Keeping { consumer, disposal } = keeping;
    let shown = consumer.as_deref().map_or_else(|| "no time: it is not stored".to_owned(), period);
    let label = "The consumer keeps what it received for";
    out.add("retention.consumer", label, Value::Period(consumer.clone()), shown);
    out.word("retention.disposal", "Then it is", disposal.as_str(), disposal.words());
}

fn rights(rights: &Rights, out: &mut Sayings<'_>) {
    let Rights { sar_lead, sar_disclosable, complaints, automated_decisions } = rights;
    let lead = named(&(out.names)(sar_lead), sar_lead.as_str());
    out.text("rights.sar_lead", "Answers those who ask for their own data", &lead);
    let label = "Of these accesses they are";
    out.word("rights.sar_disclosable", label, sar_disclosable.as_str(), sar_disclosable.words());
    out.text("rights.complaints", "Complaints go to", complaints);
    let decided = automated_decisions.as_deref().unwrap_or("none");
    out.text("rights.automated_decisions", "Decided by machine alone", decided);
}

fn security(security: &Security, out: &mut Sayings<'_>) {
    let Security { classification, transport, location, transfers, breach_hours } = security;
    let label = "Classification";
    out.word("security.classification", label, classification.as_str(), classification.words());
    out.word("security.transport", "On the wire", transport.as_str(), transport.words());
    out.text("security.location", "The data lies in", location);
    for (at, Transfer { country, mechanism }) in (1..).zip(transfers) {
        out.inside("transfer[]", format!("transfer.{at}"), |out| {
            out.text("security.transfer[].country", &format!("Transfer {at} to"), country);
            out.text("security.transfer[].mechanism", &format!("Transfer {at} is lawful by"), mechanism);
        });
    }
    let shown = counted(*breach_hours, "hour");
    let label = "Others are told of a breach within";
    out.count("breach.notify_hours", label, u64::from(*breach_hours), shown);
}

fn governance(governance: &Governance, out: &mut Sayings<'_>) {
    let Governance { change_notice_days, termination_days, on_termination } = governance;
    let label = "Notice before a change";
    let count = u64::from(*change_notice_days);
    out.count("governance.change_notice_days", label, count, days(*change_notice_days));
    let label = "Notice before it ends";
    let count = u64::from(*termination_days);
    out.count("governance.termination_days", label, count, days(*termination_days));
    out.text("governance.on_termination", "Then", on_termination);
}
