//! What records are filed under, and what a question is looked up by: one place for both.

use std::collections::HashMap;

use crate::ledger::Entry;
use crate::ledger::facts::Facts;
use crate::ledger::search::{Filter, Query};
use crate::model::ExchangeId;
use crate::store::{Gathered, IndexKey, Place, Sought, Term, TermKind};

/// Terms of texts that are kept: a text for each member, system, user, dataset, agreement and word. More users
/// than this in one segment are a keyed hash each, and nothing else. Of one kind.
const KEPT_MAX: usize = 16_384;

/// Files records under their terms. Most texts come again and again, and a keyed hash is the dearest of it.
pub(in crate::desk) struct Filing<'k> {
    key: &'k IndexKey,
    kept: HashMap<TermKind, HashMap<String, Term>>,
    terms: Vec<Term>,
}

impl<'k> Filing<'k> {
    pub(in crate::desk) fn new(key: &'k IndexKey) -> Self {
        Self { key, kept: HashMap::new(), terms: Vec::new() }
    }

    /// Files the next record; `facts` are its own, or `None` where it does not read.
    pub(in crate::desk) fn file(
        &mut self,
        into: &mut Gathered,
        entry: &Entry<'_>,
        facts: Option<&Facts<'_>>,
    ) {
        self.terms.clear();
        let time_ms = facts.and_then(Facts::at).map(jiff::Timestamp::as_millisecond);
        match (facts, time_ms) {
            (Some(facts), Some(_)) => self.terms_of(facts),
            _ => self.add(TermKind::Unread, ""),
        }
        let place = Place { segment: u64::from(entry.at.segment), offset: entry.at.offset };
        into.add(place, time_ms, &self.terms);
    }

    fn terms_of(&mut self, facts: &Facts<'_>) {
        use TermKind as On;
        self.add(On::Kind, &facts.kind);
        let is_exchange = facts.is_exchange();
        if let Some(id) = facts.exchange.as_deref().filter(|_| is_exchange).and_then(ExchangeId::parse) {
            self.terms.push(Term::of_random(On::Exchange, id.bytes()));
        }
        let sealed = facts.sealed.as_ref();
        let texts = [
            // A summary is of a member as an exchange is: reports count both.
            (On::Member, facts.member.as_deref().or_else(|| facts.consumer_member())),
            (On::System, facts.consumer.as_deref()),
            (On::Dataset, facts.dataset_id()),
            (On::Agreement, facts.agreement_id()),
            (On::Outcome, facts.outcome.as_deref()),
            (On::Code, facts.code.as_deref()),
            (On::Truly, sealed.and_then(|sealed| sealed.outcome.as_deref())),
            (On::User, sealed.and_then(|sealed| sealed.user.as_deref())),
            (On::Erased, Some("").filter(|_| is_exchange && sealed.is_none())),
            (On::Refused, Some("").filter(|_| facts.is_refused())),
        ];
        for (kind, text) in texts {
            if let Some(text) = text {
                self.add(kind, text);
            }
        }
        let subjects = sealed.into_iter().flat_map(|sealed| sealed.subjects());
        self.terms.extend(subjects.map(|tag| Term::of_random(On::Subject, &tag)));
    }

    fn add(&mut self, kind: TermKind, text: &str) {
        let kept = self.kept.entry(kind).or_default();
        let term = kept.get(text).copied().unwrap_or_else(|| {
            if kept.len() >= KEPT_MAX {
                kept.clear();
            }
            let term = self.key.term(kind, text.as_bytes());
            kept.insert(text.to_owned(), term);
            term
        });
        self.terms.push(term);
    }
}

/// What a question is looked up by. What is found may be more than is asked for, and never less.
pub(in crate::desk) fn sought(query: &Query, key: &IndexKey) -> Sought {
    match query {
        Query::Exchange(id) => all([vec![Term::of_random(TermKind::Exchange, id.bytes())]]),
        Query::Subject(references) => {
            let tags: Vec<[u8; 32]> = references.iter().map(|reference| reference.tag).collect();
            all([about(&tags)])
        }
        Query::Filter(filter) => filtered(filter, key),
    }
}

pub(super) fn all<const N: usize>(all: [Vec<Term>; N]) -> Sought {
    Sought { all: all.into(), ..Sought::default() }
}

/// About one of these.
pub(in crate::desk) fn about(tags: &[[u8; 32]]) -> Vec<Term> {
    tags.iter().map(|tag| Term::of_random(TermKind::Subject, tag)).collect()
}

fn filtered(filter: &Filter, key: &IndexKey) -> Sought {
    use TermKind as On;
    let texts = [
        (On::Kind, filter.kind.as_deref()),
        (On::Member, filter.consumer.as_ref().map(|id| id.as_str())),
        (On::System, filter.system.as_deref()),
        (On::Dataset, filter.dataset.as_ref().map(|id| id.as_str())),
        (On::Agreement, filter.agreement.as_ref().map(|id| id.as_str())),
        (On::Outcome, filter.outcome.as_deref()),
        (On::Code, filter.code.as_deref()),
        (On::Truly, filter.truly.as_deref()),
        (On::User, filter.user.as_deref()),
    ];
    let terms = texts.into_iter().filter_map(|(kind, text)| Some(vec![key.term(kind, text?.as_bytes())]));
    let subjects = filter.subjects.as_ref().map(|references| {
        let tags: Vec<[u8; 32]> = references.iter().map(|reference| reference.tag).collect();
        about(&tags)
    });
    Sought {
        all: terms.chain(subjects).collect(),
        from_ms: filter.from.map(floor_ms),
        before_ms: filter.to.map(ceiling_ms),
    }
}

/// Records have whole milliseconds, and a question may be finer.
fn floor_ms(time: jiff::Timestamp) -> i64 {
    time.as_millisecond() - 1
}

fn ceiling_ms(time: jiff::Timestamp) -> i64 {
    time.as_millisecond().saturating_add(1)
}
