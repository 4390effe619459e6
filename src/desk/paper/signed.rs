//! The end of the page: the digest of the exact bytes that are signed, and who has signed.

use crate::policy::{Agreement, Standing};

use super::document::{Block, Section, Table};
use super::saying::Names;

pub(super) fn section(agreement: &Agreement, names: Names<'_>, standing: Option<&Standing>) -> Section {
    let mut table = Table::new("Who signs", &["For", "Signed by"]);
    for member in agreement.controllers() {
        let by = standing.map_or_else(
            || "not known here: the list of members was not read".to_owned(),
            |standing| signed_by(standing, member),
        );
        table.rows.push(vec![names(member), by]);
    }
    let mut blocks = vec![Block::Table(table)];
    if let Some(standing) = standing {
        // On its own first day, so that nothing but signatures and seal is told of; dates stand above.
        let reasons = standing.reasons(agreement.dates.from);
        let not_yet: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        if !not_yet.is_empty() {
            blocks.push(Block::Paragraph(format!("It is not in force: {}.", not_yet.join("; "))));
        }
        let ignored = standing.ignored().iter().map(|name| format!("A line by {name} counts for nobody."));
        blocks.extend(ignored.map(Block::Paragraph));
    }
    if agreement.seal.is_none() {
        let text = "It is not sealed yet: sealing changes the file, and with it the digest below.";
        blocks.push(Block::Paragraph(text.to_owned()));
    }
    blocks.push(Block::Paragraph(
        "What is signed is the file, byte for byte, by this digest. It is the same on every copy:".to_owned(),
    ));
    blocks.push(Block::Paragraph(agreement.digest.to_string()));
    Section { number: String::new(), heading: "What is signed, and by whom".to_owned(), blocks }
}

fn signed_by(standing: &Standing, member: &crate::model::MemberId) -> String {
    let signers = standing.signers().iter().filter(|signer| signer.member == *member);
    let each: Vec<String> = signers
        .map(|signer| {
            let trial = if signer.trial { ", with a key for trials" } else { "" };
            format!("{}, {}{trial}", signer.officer, signer.office)
        })
        .collect();
    if each.is_empty() { "not signed".to_owned() } else { each.join("; ") }
}
