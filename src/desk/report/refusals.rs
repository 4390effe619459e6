//! R4: what was refused, to whom, for what, and who can put it right. Refusals beyond a member's rate, of
//! strangers and in the TLS handshake are counted by summaries, at the time their summary was recorded.

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};

use super::distinct::{Distinct, Who};
use super::known::Known;
use super::period::{Per, text_in_london};
use super::seen::{Ending, Seen, code};
use super::{Gather, Groups, Only, ReportFault, Row, Span, totals};

#[derive(Debug, Serialize)]
struct Refusal<'a> {
    time: &'a str,
    member: String,
    member_id: &'a str,
    system: &'a str,
    dataset: &'a str,
    code: &'a str,
    cause: &'static str,
    who_can_fix: &'static str,
    one_by_one: u64,
    in_summaries: u64,
    refusals: u64,
    subjects: Value,
    users: Value,
    first: String,
    last: String,
}

/// Without a member: whoever was not known yet.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    time: String,
    member: String,
    system: String,
    dataset: String,
    code: String,
}

#[derive(Debug, Default)]
struct Count {
    one_by_one: u64,
    in_summaries: u64,
    who: Who,
    span: Span,
}

pub(super) struct Refusals {
    only: Only,
    per: Per,
    zone: TimeZone,
    groups: Groups<Key, Count>,
    distinct: Distinct,
    everybody: Who,
}

impl Refusals {
    pub(super) fn new(only: &Only, per: Per, zone: &TimeZone) -> Self {
        let (only, zone, groups) = (only.clone(), zone.clone(), Groups::new());
        Self { only, per, zone, groups, distinct: Distinct::default(), everybody: Who::default() }
    }
}

impl Gather for Refusals {
    fn take(&mut self, seen: &Seen, _known: &Known) -> Result<(), ReportFault> {
        if !self.only.matches(seen) {
            return Ok(());
        }
        let counted = seen.refusals_counted();
        let refused = seen.is_exchange() && seen.ending() == Ending::Refused;
        if counted.is_none() && !refused {
            return Ok(());
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let (member, system) = seen.caller();
        let key = Key {
            time: self.per.name(seen.at, &self.zone),
            member: seen.member.as_deref().unwrap_or(member).to_owned(),
            system: system.to_owned(),
            dataset: text(&seen.dataset),
            code: counted.map_or_else(|| text(&seen.code), |(cause, _)| cause.to_owned()),
        };
        let count = self.groups.of(key)?;
        match counted {
            Some((_, refusals)) => count.in_summaries += refusals,
            None => count.one_by_one += 1,
        }
        self.distinct.take(seen, &mut count.who);
        self.distinct.take(seen, &mut self.everybody);
        count.span.take(&seen.time);
        Ok(())
    }

    fn rows(self: Box<Self>, known: &Known) -> (Vec<Row>, Map<String, Value>) {
        let groups = &self.groups.0;
        let row = |(key, count): (&Key, &Count)| {
            let code = code(&key.code);
            Row::of(Refusal {
                time: &key.time,
                member: if key.member.is_empty() {
                    "not identified".to_owned()
                } else {
                    known.name(&key.member)
                },
                member_id: &key.member,
                system: &key.system,
                dataset: &key.dataset,
                code: &key.code,
                cause: code.map_or_else(|| before_a_question(&key.code), crate::model::Code::sentence),
                who_can_fix: code.map_or("caller's host", |code| code.fixer().as_str()),
                one_by_one: count.one_by_one,
                in_summaries: count.in_summaries,
                refusals: count.one_by_one + count.in_summaries,
                subjects: self.distinct.subjects(&count.who),
                users: self.distinct.users(&count.who),
                first: text_in_london(count.span.first(), &self.zone),
                last: text_in_london(count.span.last(), &self.zone),
            })
        };
        let sum = |of: fn(&Count) -> u64| groups.values().map(of).sum();
        let sums = [
            ("refusals", sum(|count| count.one_by_one + count.in_summaries)),
            ("one_by_one", sum(|count| count.one_by_one)),
            ("in_summaries", sum(|count| count.in_summaries)),
        ];
        let mut sums = totals(&sums);
        self.distinct.tell(&self.everybody, &mut sums);
        (groups.iter().map(row).collect(), sums)
    }
}

/// Why there was no question: a connection was turned away, or its handshake failed.
fn before_a_question(word: &str) -> &'static str {
    match word {
        "too_many_connections" => "The gateway had as many connections as it takes.",
        "too_many_of_one_address" => "One address had as many connections as it may.",
        "too_fast_of_one_address" => "One address opened connections faster than it may.",
        "too_many_of_one_member" => "The member had as many connections as it may.",
        "no_certificate" => "No client certificate was shown.",
        "unknown_issuer" => "The client certificate is of no CA that a member lists.",
        "expired" => "The client certificate had expired.",
        "not_yet_valid" => "The client certificate was not valid yet.",
        "unsuitable" => "The client certificate is not for this.",
        "timeout" => "The TLS handshake took too long.",
        _ => "The TLS handshake failed.",
    }
}
