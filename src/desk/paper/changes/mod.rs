//! What changed between two versions of an agreement: every saying that came, went or says something else, what
//! widens first. Nothing is left out: sayings cover every key, and what no rule here can judge counts as wider.

mod judge;
mod rows;
mod transforms;

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::Agreement;

use super::document::{Block, Document, Section, Table};
use super::saying::{Names, Saying, Value};
use super::says::sayings;

/// Which way a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// More may leave, to more, for more, for longer, or with less asked of those who ask.
    Wider,
    /// It could widen: only people can tell.
    Unjudged,
    Narrower,
    /// It does not bear on what may leave.
    Aside,
}

impl Direction {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wider => "wider",
            Self::Unjudged => "for people to judge",
            Self::Narrower => "narrower",
            Self::Aside => "else",
        }
    }
}

/// One saying before and after; at least one of the two is there.
#[derive(Debug, Clone)]
pub struct Change {
    pub key: String,
    pub title: String,
    pub direction: Direction,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Every change, in the order of the template, widening first.
pub fn changes(old: &Agreement, new: &Agreement, names: Names<'_>) -> Vec<Change> {
    let (old, new) = (sayings(old, names), sayings(new, names));
    let keyed = |all: &[Saying]| -> BTreeMap<String, Saying> {
        all.iter().map(|one| (one.key.clone(), one.clone())).collect()
    };
    let (before, after) = (keyed(&old), keyed(&new));
    let heads = judge::Heads::new(&before, &after);
    let mut seen = BTreeSet::new();
    let mut found: Vec<Change> = new
        .iter()
        .chain(&old)
        .filter(|one| seen.insert(one.key.clone()))
        .filter_map(|one| change(one, before.get(&one.key), after.get(&one.key), &heads))
        .collect();
    found.sort_by_key(|change| change.direction);
    found
}

fn change(
    either: &Saying,
    before: Option<&Saying>,
    after: Option<&Saying>,
    heads: &judge::Heads,
) -> Option<Change> {
    let direction = match (before, after) {
        (Some(before), Some(after)) if before.value == after.value => return None,
        (Some(before), Some(after)) => judge::changed(before, after),
        _ => heads.of(&either.key).unwrap_or_else(|| judge::alone(either, after.is_some())),
    };
    // The name of a field alone would not say what is said of it.
    let title = match either.value {
        Value::Transform(_) => format!("What leaves of {}", either.label),
        _ => either.title(),
    };
    let shown = |one: Option<&Saying>| one.map(|one| one.shown.clone());
    Some(Change { key: either.key.clone(), title, direction, before: shown(before), after: shown(after) })
}

/// The page "what changed since version n".
pub fn changes_page(old: &Agreement, new: &Agreement, names: Names<'_>) -> Document {
    let found = changes(old, new, names);
    let of = |wanted: &[Direction]| -> Vec<&Change> {
        found.iter().filter(|change| wanted.contains(&change.direction)).collect()
    };
    let wider = of(&[Direction::Wider, Direction::Unjudged]);
    let (narrower, aside) = (of(&[Direction::Narrower]), of(&[Direction::Aside]));
    let mut lead = vec![Block::Paragraph(counted_up(&wider, &narrower, &aside))];
    if old.reference.id != new.reference.id {
        let text = "These are two agreements, and not two versions of one.";
        lead.insert(0, Block::Paragraph(text.to_owned()));
    } else if old.reference.version >= new.reference.version {
        let text = "The version does not go up: a gateway that has seen the older file in force refuses one that is \
                    not newer.";
        lead.insert(0, Block::Paragraph(text.to_owned()));
    }
    if found.is_empty() && old.digest != new.digest {
        let text = "The files differ in comments, order or spacing alone. Signatures are over bytes: they do not \
                    pass from one to the other.";
        lead.push(Block::Paragraph(text.to_owned()));
    }
    let sections = vec![
        section("What widens, or could", "Changes that widen, or that only people can judge", &wider, true),
        section("What narrows", "Changes that narrow", &narrower, false),
        section("What else changed", "Other changes", &aside, false),
        digests(old, new),
    ];
    let kind = format!("What changed from {} to {}", old.reference, new.reference);
    Document { kind, title: new.title.clone(), lead, sections }
}

fn counted_up(wider: &[&Change], narrower: &[&Change], aside: &[&Change]) -> String {
    let unjudged = wider.iter().filter(|change| change.direction == Direction::Unjudged).count();
    format!(
        "{} widening, {unjudged} that only people can judge, {} narrowing, {} else.",
        wider.len() - unjudged,
        narrower.len(),
        aside.len()
    )
}

fn section(heading: &str, caption: &str, changes: &[&Change], with_direction: bool) -> Section {
    let mut head = vec!["What", "Before", "Now"];
    if with_direction {
        head.push("So it is");
    }
    let mut table = Table::new(caption, &head);
    for change in changes {
        let or_not = |shown: &Option<String>| shown.clone().unwrap_or_else(|| "not there".to_owned());
        let mut row = vec![change.title.clone(), or_not(&change.before), or_not(&change.after)];
        if with_direction {
            row.push(change.direction.as_str().to_owned());
        }
        table.rows.push(row);
    }
    let block =
        if table.rows.is_empty() { Block::Paragraph("Nothing.".to_owned()) } else { Block::Table(table) };
    Section { number: String::new(), heading: heading.to_owned(), blocks: vec![block] }
}

fn digests(old: &Agreement, new: &Agreement) -> Section {
    let mut table = Table::new("The digest of the bytes of each", &["Version", "Digest"]);
    for one in [old, new] {
        table.rows.push(vec![one.reference.to_string(), one.digest.to_string()]);
    }
    Section {
        number: String::new(),
        heading: "What was compared".to_owned(),
        blocks: vec![Block::Table(table)],
    }
}
