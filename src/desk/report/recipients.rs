//! R10: to whom data went, by member and purpose (UK GDPR Art. 15(1)(c) and 19): of one person, or of one
//! dataset. That nothing was found is told too, and counted beside.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};

use super::distinct::{Distinct, Who};
use super::known::{Known, purpose_words};
use super::period::text_in_london;
use super::seen::{About, Ending, Seen};
use super::withheld::held_back;
use super::{Cut, Gather, Groups, Only, ReportFault, Row, Span, list, totals};
use crate::ledger::SubjectRef;
use crate::model::DatasetId;

#[derive(Debug, Serialize)]
struct Recipient<'a> {
    member: String,
    member_id: &'a str,
    purpose: String,
    purpose_code: &'a str,
    dataset: &'a str,
    agreement: &'a str,
    title: &'a str,
    with_data: u64,
    nothing_found: u64,
    rows: u64,
    /// Of a dataset: of one person it is that person.
    #[serde(skip_serializing_if = "Option::is_none")]
    subjects: Option<Value>,
    /// Not for the person's eyes.
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<Value>,
    first: String,
    last: String,
    fields: Vec<&'a str>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    member: String,
    purpose: String,
    dataset: String,
    agreement: String,
}

#[derive(Debug, Default)]
struct Count {
    title: String,
    with_data: u64,
    nothing_found: u64,
    rows: u64,
    who: Who,
    span: Span,
    fields: BTreeSet<String>,
}

enum Of {
    Person { subjects: Vec<SubjectRef>, cut: Cut },
    Dataset(Only),
}

pub(super) struct Recipients {
    of: Of,
    zone: TimeZone,
    groups: Groups<Key, Count>,
    distinct: Distinct,
    everybody: Who,
}

impl Recipients {
    pub(super) fn of_person(subjects: &[SubjectRef], cut: Cut, zone: &TimeZone) -> Self {
        Self::new(Of::Person { subjects: subjects.to_vec(), cut }, zone)
    }

    pub(super) fn of_dataset(dataset: &DatasetId, zone: &TimeZone) -> Self {
        Self::new(Of::Dataset(Only { dataset: Some(dataset.clone()), ..Only::default() }), zone)
    }

    fn new(of: Of, zone: &TimeZone) -> Self {
        let (zone, groups) = (zone.clone(), Groups::new());
        Self { of, zone, groups, distinct: Distinct::default(), everybody: Who::default() }
    }

    fn is_wanted(&self, seen: &Seen, known: &Known) -> bool {
        match &self.of {
            Of::Dataset(only) => only.matches(seen),
            Of::Person { subjects, cut } => {
                let about = seen.about(subjects);
                about != About::SomebodyElse && (*cut == Cut::Full || held_back(seen, about, known).is_none())
            }
        }
    }
}

impl Gather for Recipients {
    fn take(&mut self, seen: &Seen, known: &Known) -> Result<(), ReportFault> {
        let received = seen.is_exchange() && matches!(seen.ending(), Ending::WithData | Ending::NothingFound);
        if !received || !self.is_wanted(seen, known) {
            return Ok(());
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let key = Key {
            member: seen.caller().0.to_owned(),
            purpose: text(&seen.purpose),
            dataset: text(&seen.dataset),
            agreement: text(&seen.agreement),
        };
        let count = self.groups.of(key)?;
        if count.title.is_empty() {
            count.title = known.title(seen);
        }
        match seen.ending() {
            Ending::WithData => count.with_data += 1,
            _ => count.nothing_found += 1,
        }
        count.rows += seen.rows;
        self.distinct.take(seen, &mut count.who);
        self.distinct.take(seen, &mut self.everybody);
        count.span.take(&seen.time);
        for field in seen.fields().iter().filter(|field| !count.fields.contains(*field)).collect::<Vec<_>>() {
            count.fields.insert(field.clone());
        }
        Ok(())
    }

    fn rows(self: Box<Self>, known: &Known) -> (Vec<Row>, Map<String, Value>) {
        let of_dataset = matches!(self.of, Of::Dataset(_));
        let full = of_dataset || matches!(self.of, Of::Person { cut: Cut::Full, .. });
        let groups = &self.groups.0;
        let row = |(key, count): (&Key, &Count)| {
            Row::of(Recipient {
                member: known.name(&key.member),
                member_id: &key.member,
                purpose: purpose_words(Some(&key.purpose)),
                purpose_code: &key.purpose,
                dataset: &key.dataset,
                agreement: &key.agreement,
                title: &count.title,
                with_data: count.with_data,
                nothing_found: count.nothing_found,
                rows: count.rows,
                subjects: of_dataset.then(|| self.distinct.subjects(&count.who)),
                users: full.then(|| self.distinct.users(&count.who)),
                first: text_in_london(count.span.first(), &self.zone),
                last: text_in_london(count.span.last(), &self.zone),
                fields: list(&count.fields),
            })
        };
        let sum = |of: fn(&Count) -> u64| groups.values().map(of).sum();
        let members: BTreeSet<&str> = groups
            .iter()
            .filter(|(_, count)| count.with_data > 0)
            .map(|(key, _)| key.member.as_str())
            .collect();
        let sums = [
            ("members_with_data", members.len() as u64),
            ("with_data", sum(|count| count.with_data)),
            ("nothing_found", sum(|count| count.nothing_found)),
            ("rows", sum(|count| count.rows)),
        ];
        let mut sums = totals(&sums);
        if of_dataset {
            sums.insert("subjects".to_owned(), self.distinct.subjects(&self.everybody));
        }
        if full {
            sums.insert("users".to_owned(), self.distinct.users(&self.everybody));
        }
        (groups.iter().map(row).collect(), sums)
    }
}
