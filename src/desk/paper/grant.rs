//! The page of a single-use grant: who asked to be told what of whom, and why; what was decided; what leaves. For
//! whoever signs it, and for whoever looks at the disclosure again.

use crate::policy::{Agreement, Grant, Standing};

use super::document::{Block, Document, Section};
use super::lead::{gets, in_law, never_gets, who_gives_what, who_may_ask};
use super::page::{how_held, items, tables};
use super::saying::{Names, Saying};
use super::says::{about, moment, sayings};
use super::signed;
use super::words::condition;

/// Headings, each with the beginnings of the keys that stand below it.
const SECTIONS: [(&str, &[&str]); 7] = [
    ("What was asked for", &["request."]),
    ("What was decided", &["decision."]),
    ("How often, when, and about whom", &["grant.", "subject"]),
    ("Who tells whom", &["party."]),
    ("Purpose and legal basis", &["purpose.", "law."]),
    ("How it is asked for", &["dataset.", "access."]),
    ("What stays on record", &["retention.", "seal."]),
];

pub(super) fn page(
    agreement: &Agreement,
    grant: &Grant,
    names: Names<'_>,
    standing: Option<&Standing>,
) -> Document {
    let said = sayings(agreement, names);
    let mut sections: Vec<Section> = SECTIONS.iter().map(|one| section(one, &said)).collect();
    let leaves = Section {
        number: String::new(),
        heading: "Data items".to_owned(),
        blocks: items(&said, &|one| one.path().starts_with("data.") && one.path() != "data.release"),
    };
    sections.insert(6, leaves);
    sections.push(signed::section(agreement, names, standing));
    let kind = format!("Single-use grant {}", agreement.reference.id);
    let mut lead = lead(agreement, grant, names);
    lead.push(Block::Paragraph(how_held(&said)));
    Document { kind, title: agreement.title.clone(), lead, sections }
}

fn section((heading, keys): &(&str, &[&str]), said: &[Saying]) -> Section {
    let here = said.iter().filter(|one| keys.iter().any(|key| one.key.starts_with(key)));
    let mut blocks = Vec::new();
    if keys.contains(&"subject") {
        blocks.push(Block::Paragraph(
            "The first answer uses it, also the answer that nothing was found, and no other follows. Whom it is \
             about stands in the file as a commitment under a key of its own: `tolbooth grant about` says whether it \
             is somebody, to whoever has the key and types who."
                .to_owned(),
        ));
    }
    blocks.extend(tables(heading, here));
    Section { number: String::new(), heading: (*heading).to_owned(), blocks }
}

fn lead(agreement: &Agreement, grant: &Grant, names: Names<'_>) -> Vec<Block> {
    let (request, decision) = (&grant.request, &grant.decision);
    let told = if request.tip_off { "must not be told of it" } else { "may be told of it" };
    let exemption = decision.exemption.iter().map(|one| format!(", under {one}")).collect::<String>();
    let points = vec![
        ("Who asked", format!("{}, {}; {}", request.name, request.rank, request.verified)),
        ("Why", request.necessity.clone()),
        ("Urgency", request.urgency.words().to_owned()),
        ("The power they claim", request.power.clone()),
        ("Who decided", format!("{}: {}{exemption}", decision.by, decision.ruling.words())),
        ("It is about", about(&grant.subjects)),
        ("Who may ask", who_may_ask(agreement, names)),
        ("They get", gets(&agreement.release)),
        ("They never get", never_gets(&agreement.release)),
        ("Only for", condition(&agreement.release.rows)),
        ("In law", in_law(agreement, names)),
        ("The person it is about", told.to_owned()),
    ];
    let open = format!(
        "For one answer, and no other: from {} until {}, London time.",
        moment(grant.decided),
        moment(grant.expires)
    );
    let points = points.into_iter().map(|(words, what)| (words.to_owned(), what)).collect();
    vec![
        Block::Paragraph(who_gives_what(agreement, names, "one question")),
        Block::Paragraph(open),
        Block::Points(points),
    ]
}
