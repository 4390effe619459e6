//! `POST /report`: a report over the whole record. It is made first, then the look goes on the record,
//! and only then is a line of it shown.

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::SignedDuration;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::desk::report::{
    Cut, Known, Only, PERSONS_KINDS_MAX, Per, Period, RECENT_DAYS, Report, ReportFault, Row, Wanted, begun,
    report,
};
use crate::desk::{Chosen, Logs};
use crate::ledger::search::Progress;
use crate::ledger::{MissingKeys, Read, Record};
use crate::merkle::checkpoint::Checkpoint;
use crate::model::{AgreementId, DatasetId, IdError, MemberId, Subject, SubjectKind};

use super::body::{Lines, Maker};
use super::earlier::not_looked_into;
use super::{Admin, Refused, SubjectQuestion, parse, purpose};

/// Rows sent at once: each by itself would wake the sender and the reader for half a kilobyte.
const ROWS_TOGETHER: usize = 64;

/// Which report, over which days in London (both included).
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReportQuestion {
    pub purpose: String,
    /// `person`, `recipients`, `refusals`, `activity` or `uses`.
    pub report: String,
    /// Whom it is about, by each kind of identifier they have.
    pub subjects: Vec<SubjectQuestion>,
    /// `full` or `releasable`, of a report about a person.
    pub cut: Option<String>,
    pub consumer: Option<String>,
    pub dataset: Option<String>,
    pub agreement: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    /// `period`, `month` or `day`, of a report that counts over time.
    pub per: Option<String>,
    /// The name of a log, to look into that alone.
    pub log: Option<String>,
}

pub(super) async fn report_on(
    admin: &Admin,
    by: String,
    body: Result<Bytes, Refused>,
) -> Result<Response<Lines>, Refused> {
    let body = body?;
    let question: ReportQuestion = parse(&body)?;
    let purpose = purpose(question.purpose.clone())?;
    let period = period(&question)?;
    let subjects = subjects(&question)?;
    let wanted = wanted(admin, &question, &subjects)?;
    let chosen = admin.chosen(question.log.as_deref())?;
    let place = admin.place()?;
    let (maker, lines) = Lines::new();
    let look = Look { admin: admin.clone(), by, purpose, subjects, question };
    tokio::task::spawn_blocking(move || {
        let _place = place;
        if let Err(why) = look.run(chosen, &wanted, &period, &maker) {
            maker.line(&json!({ "refused": why }));
        }
    });
    Ok(Response::new(lines))
}

struct Look {
    admin: Admin,
    by: String,
    purpose: String,
    subjects: Vec<Subject>,
    question: ReportQuestion,
}

impl Look {
    fn run(self, chosen: Chosen, wanted: &Wanted, period: &Period, maker: &Maker) -> Result<(), String> {
        let ledger = &self.admin.ledger;
        let known = Known::new(self.admin.ruleset.load_full(), ledger.clone());
        let mut progress = |told: Progress| maker.progress(&told);
        let logs = chosen.open(ledger).map_err(|fault| fault.to_string())?;
        let made =
            report((&logs, &self.admin.fold), ledger.verifier(), &known, wanted, period, &mut progress);
        let shown = match &made {
            Ok(report) => report.rows.len() as u64,
            // That there are so many is something seen too.
            Err(ReportFault::TooMany { .. }) => 0,
            Err(fault) => return Err(fault.to_string()),
        };
        let read = Read {
            action: "report",
            shown,
            by: self.by.clone(),
            purpose: self.purpose.clone(),
            asked: Some(self.asked()),
            subjects: self.subjects.clone(),
        };
        ledger
            .append_blocking(Record::Read(read))
            .map_err(|fault| format!("the look could not be recorded: {fault}"))?;
        let report = made.map_err(|fault| fault.to_string())?;
        let head = json!({ "head": self.head(&report, &logs, &known) });
        let shown = maker.line(&head)
            && report.rows.chunks(ROWS_TOGETHER).all(|rows| maker.lines("row", rows.iter().map(Row::json)));
        if shown {
            maker.line(&json!({ "done": { "rows": report.rows.len(), "totals": report.totals } }));
        }
        Ok(())
    }

    /// What was asked for, without identifiers.
    fn asked(&self) -> String {
        let question = &self.question;
        let kinds: Vec<&str> = self.subjects.iter().map(|subject| subject.kind.as_str()).collect();
        let about = kinds.join(",");
        let said = [
            ("cut", question.cut.as_deref()),
            ("about", Some(about.as_str()).filter(|about| !about.is_empty())),
            ("consumer", question.consumer.as_deref()),
            ("dataset", question.dataset.as_deref()),
            ("agreement", question.agreement.as_deref()),
            ("from", question.from.as_deref()),
            ("to", question.to.as_deref()),
            ("per", question.per.as_deref()),
            ("log", question.log.as_deref()),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some(format!(" {key}={}", value?)))
        .collect::<String>();
        format!("{}{said}", question.report)
    }

    /// Where a report comes from, so that whoever is handed it can hold it against the log.
    fn head(&self, report: &Report, logs: &Logs, known: &Known) -> Value {
        let question = &self.question;
        let newest = report.checkpoints.first();
        let older: Vec<Value> = report.checkpoints.iter().skip(1).map(over).collect();
        let member = self.admin.member.as_str();
        let about: Vec<&str> = self.subjects.iter().map(|subject| subject.kind.as_str()).collect();
        let made = self.admin.clock.london();
        let full = question.cut.as_deref() != Some(Cut::Releasable.as_str());
        let missing = if self.subjects.is_empty() {
            MissingKeys::NONE
        } else {
            self.admin.ledger.missing_subject_keys()
        };
        let begun = || begun(&self.admin.ledger.present().archive).map(|begun| begun.to_string());
        let destroyed = (!self.subjects.is_empty()).then(|| self.admin.ledger.destroyed_subject_keys());
        json!({
            "begun": (question.report == "uses").then(begun).flatten(),
            "report": question.report,
            "cut": question.cut,
            "about": about,
            "member": known.name(member),
            "member_id": member,
            "from": question.from,
            "to": question.to,
            "per": question.per,
            "made": made.strftime("%-d %B %Y %H:%M:%S %Z").to_string(),
            "by": concat!("tolbooth ", env!("CARGO_PKG_VERSION")),
            "log": newest.map(|newest| newest.origin.as_str()),
            "records": newest.map(|newest| newest.size),
            "root": newest.map(|newest| crate::model::Digest(newest.root).hex()),
            "earlier": older,
            "rows": report.rows.len(),
            "not_searched": not_looked_into(logs),
            "sealed_parts_erased": full.then_some(report.erased),
            "destroyed_keys": destroyed,
            "missing_keys": missing.keys,
            "missing_keys_all_known": missing.all_known,
        })
    }
}

/// All that was read of one log.
fn over(checkpoint: &Checkpoint) -> Value {
    let Checkpoint { origin, size, root } = checkpoint;
    json!({ "log": origin, "records": size, "root": crate::model::Digest(*root).hex() })
}

fn wrong(why: impl Into<String>) -> Refused {
    Refused(StatusCode::UNPROCESSABLE_ENTITY, why.into())
}

fn period(question: &ReportQuestion) -> Result<Period, Refused> {
    let day = |text: &Option<String>, key: &str| -> Result<Option<Date>, Refused> {
        let Some(text) = text else { return Ok(None) };
        // `str::parse` would take a time and drop it, and with it a part of a day somebody meant.
        let date = (text.len() == "2026-12-04".len()).then(|| text.parse().ok()).flatten();
        date.map(Some).ok_or_else(|| wrong(format!("`{key}` is not a day such as 2026-12-04")))
    };
    let (from, to) = (day(&question.from, "from")?, day(&question.to, "to")?);
    Period::new(from, to).map_err(|fault| wrong(fault.to_string()))
}

fn subjects(question: &ReportQuestion) -> Result<Vec<Subject>, Refused> {
    if question.subjects.len() > PERSONS_KINDS_MAX {
        return Err(wrong(format!(
            "more than {PERSONS_KINDS_MAX} identifiers: a report is about one person"
        )));
    }
    let one = |subject: &SubjectQuestion| {
        let kind =
            SubjectKind::new(&subject.kind).ok_or_else(|| wrong("a subject's `kind` is not a known kind"))?;
        if subject.identifier.trim().is_empty() {
            return Err(wrong("a subject's `identifier` is empty"));
        }
        Ok(Subject { kind, identifier: subject.identifier.clone() })
    };
    question.subjects.iter().map(one).collect()
}

/// What would be left out unseen is refused.
fn wanted(admin: &Admin, question: &ReportQuestion, subjects: &[Subject]) -> Result<Wanted, Refused> {
    let counts = matches!(question.report.as_str(), "refusals" | "activity");
    let of_person = !subjects.is_empty();
    if counts && of_person {
        return Err(wrong(
            "refusals and activity are not asked for by person: `person` and `recipients` are",
        ));
    }
    if !counts && (question.consumer.is_some() || question.agreement.is_some() || question.per.is_some()) {
        return Err(wrong("`consumer`, `agreement` and `per` are of refusals and activity"));
    }
    if !of_person && question.cut.is_some() {
        return Err(wrong("`cut` is of a report about a person"));
    }
    let cut = question.cut.as_deref().map_or(Some(Cut::Full), Cut::parse);
    let cut = cut.ok_or_else(|| wrong("`cut` is `full` or `releasable`"))?;
    let references = || subjects.iter().flat_map(|subject| admin.ledger.references(subject)).collect();
    match (question.report.as_str(), &question.dataset, of_person) {
        ("person", None, true) => Ok(Wanted::Person { subjects: references(), cut }),
        ("person", _, _) => Err(wrong("a report on a person is asked for by the person's identifiers alone")),
        ("recipients", None, true) => Ok(Wanted::RecipientsOfPerson { subjects: references(), cut }),
        ("recipients", Some(dataset), false) => Ok(Wanted::RecipientsOfDataset {
            dataset: DatasetId::new(dataset).map_err(|error| wrong(error.to_string()))?,
        }),
        ("recipients", _, _) => {
            Err(wrong("recipients are asked for by a person's identifiers or by a dataset"))
        }
        ("refusals", _, _) => Ok(Wanted::Refusals { only: only(question)?, per: per(question)? }),
        ("activity", _, _) => Ok(Wanted::Activity { only: only(question)?, per: per(question)? }),
        ("uses", None, false) if question.from.is_none() && question.to.is_none() => uses(admin),
        ("uses", _, _) => Err(wrong("uses are of all agreements and of all of the record")),
        _ => Err(wrong("`report` is `person`, `recipients`, `refusals`, `activity` or `uses`")),
    }
}

fn uses(admin: &Admin) -> Result<Wanted, Refused> {
    let lately = SignedDuration::from_hours(i64::from(RECENT_DAYS) * 24);
    let since = admin.clock.now().checked_sub(lately);
    since.map(|since| Wanted::Uses { since }).map_err(|_| wrong("the clock is before any record"))
}

fn only(question: &ReportQuestion) -> Result<Only, Refused> {
    let id = |error: IdError| wrong(error.to_string());
    Ok(Only {
        consumer: question.consumer.as_deref().map(MemberId::new).transpose().map_err(id)?,
        dataset: question.dataset.as_deref().map(DatasetId::new).transpose().map_err(id)?,
        agreement: question.agreement.as_deref().map(AgreementId::new).transpose().map_err(id)?,
    })
}

fn per(question: &ReportQuestion) -> Result<Per, Refused> {
    let per = question.per.as_deref().map_or(Some(Per::Period), Per::parse);
    per.ok_or_else(|| wrong("`per` is `period`, `month` or `day`"))
}
