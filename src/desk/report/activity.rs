//! R2: what was asked and what came of it, by dataset, agreement, member, system and purpose.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};

use super::distinct::{Distinct, Who};
use super::known::{Known, purpose_words};
use super::period::{Per, text_in_london};
use super::seen::{Ending, Seen};
use super::{Gather, Groups, Only, ReportFault, Row, Span, list, totals};

#[derive(Debug, Serialize)]
struct Line<'a> {
    time: &'a str,
    dataset: &'a str,
    agreement: &'a str,
    title: &'a str,
    member: String,
    member_id: &'a str,
    system: &'a str,
    purpose: String,
    purpose_code: &'a str,
    exchanges: u64,
    with_data: u64,
    nothing_found: u64,
    excluded: u64,
    refused: u64,
    explained: u64,
    rows: u64,
    rows_excluded: u64,
    subjects: Value,
    users: Value,
    first: String,
    last: String,
    fields: Vec<&'a str>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    time: String,
    dataset: String,
    agreement: String,
    member: String,
    system: String,
    purpose: String,
}

#[derive(Debug, Default)]
struct Count {
    title: String,
    exchanges: u64,
    with_data: u64,
    nothing_found: u64,
    excluded: u64,
    refused: u64,
    explained: u64,
    rows: u64,
    rows_excluded: u64,
    who: Who,
    span: Span,
    fields: BTreeSet<String>,
}

impl Count {
    fn take(&mut self, seen: &Seen) {
        self.exchanges += 1;
        *match seen.ending() {
            Ending::WithData => &mut self.with_data,
            Ending::NothingFound => &mut self.nothing_found,
            Ending::Refused => &mut self.refused,
            Ending::Explained => &mut self.explained,
        } += 1;
        self.excluded += u64::from(seen.excluded());
        self.rows += seen.rows;
        self.rows_excluded += seen.sealed.as_ref().map_or(0, |sealed| sealed.rows_excluded);
        self.span.take(&seen.time);
        for field in seen.fields() {
            if !self.fields.contains(field) {
                self.fields.insert(field.clone());
            }
        }
    }
}

pub(super) struct Activity {
    only: Only,
    per: Per,
    zone: TimeZone,
    groups: Groups<Key, Count>,
    distinct: Distinct,
    everybody: Who,
    /// Beyond a rate, of strangers, in the handshake: in no line, since they name no dataset.
    refused_in_summaries: u64,
}

impl Activity {
    pub(super) fn new(only: &Only, per: Per, zone: &TimeZone) -> Self {
        Self {
            only: only.clone(),
            per,
            zone: zone.clone(),
            groups: Groups::new(),
            distinct: Distinct::default(),
            everybody: Who::default(),
            refused_in_summaries: 0,
        }
    }
}

impl Gather for Activity {
    fn take(&mut self, seen: &Seen, known: &Known) -> Result<(), ReportFault> {
        if !self.only.matches(seen) {
            return Ok(());
        }
        if let Some((_, refusals)) = seen.refusals_counted() {
            self.refused_in_summaries += refusals;
        }
        if !seen.is_exchange() {
            return Ok(());
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let (member, system) = seen.caller();
        let key = Key {
            time: self.per.name(seen.at, &self.zone),
            dataset: text(&seen.dataset),
            agreement: text(&seen.agreement),
            member: member.to_owned(),
            system: system.to_owned(),
            purpose: text(&seen.purpose),
        };
        let count = self.groups.of(key)?;
        if count.title.is_empty() {
            count.title = known.title(seen);
        }
        count.take(seen);
        self.distinct.take(seen, &mut count.who);
        self.distinct.take(seen, &mut self.everybody);
        Ok(())
    }

    fn rows(self: Box<Self>, known: &Known) -> (Vec<Row>, Map<String, Value>) {
        let groups = &self.groups.0;
        let row = |(key, count): (&Key, &Count)| {
            Row::of(Line {
                time: &key.time,
                dataset: &key.dataset,
                agreement: &key.agreement,
                title: &count.title,
                member: known.name(&key.member),
                member_id: &key.member,
                system: &key.system,
                purpose: purpose_words(Some(&key.purpose)),
                purpose_code: &key.purpose,
                exchanges: count.exchanges,
                with_data: count.with_data,
                nothing_found: count.nothing_found,
                excluded: count.excluded,
                refused: count.refused,
                explained: count.explained,
                rows: count.rows,
                rows_excluded: count.rows_excluded,
                subjects: self.distinct.subjects(&count.who),
                users: self.distinct.users(&count.who),
                first: text_in_london(count.span.first(), &self.zone),
                last: text_in_london(count.span.last(), &self.zone),
                fields: list(&count.fields),
            })
        };
        let sum = |of: fn(&Count) -> u64| groups.values().map(of).sum();
        let sums = [
            ("exchanges", sum(|count| count.exchanges)),
            ("with_data", sum(|count| count.with_data)),
            ("nothing_found", sum(|count| count.nothing_found)),
            ("excluded", sum(|count| count.excluded)),
            ("refused", sum(|count| count.refused)),
            ("explained", sum(|count| count.explained)),
            ("rows", sum(|count| count.rows)),
            ("rows_excluded", sum(|count| count.rows_excluded)),
            ("refused_in_summaries", self.refused_in_summaries),
        ];
        let mut sums = totals(&sums);
        self.distinct.tell(&self.everybody, &mut sums);
        (groups.iter().map(row).collect(), sums)
    }
}
