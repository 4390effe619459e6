//! The page an officer reads before signing: everything the agreement says, in the order of the Scottish Information
//! Sharing Agreement, with how far the gateway holds each line. Generated from what was loaded, never written by hand.

use crate::policy::{Agreement, Held, Standing};

use super::document::{Block, Document, Section, Table};
use super::saying::{Names, Saying};
use super::says::sayings;
use super::words::{counted, listed};
use super::{caldicott, grant, lead, signed};

/// The headings of the national template, in its order.
const TEMPLATE: [(&str, &str); 26] = [
    ("1", "Parties, scope and purpose"),
    ("1.1", "Parties"),
    ("1.2.1", "Purposes"),
    ("1.2.2", "Legal basis"),
    ("2", "Description of information"),
    ("3", "Manner of sharing"),
    ("3.1", "Flows"),
    ("3.2", "Access and use"),
    ("3.3", "Who decides"),
    ("4", "Impact assessments"),
    ("5", "Privacy information"),
    ("6", "Accuracy"),
    ("7", "Retention and disposal"),
    ("8", "Rights"),
    ("9", "Security and risk"),
    ("9.1", "Standards"),
    ("10", "International transfers"),
    ("11", "Implementation"),
    ("11.1", "Dates"),
    ("11.2", "Training"),
    ("11.3", "Whom to call"),
    ("11.4", "Emergencies"),
    ("11.5", "Review, change and end"),
    ("12", "Sign-off"),
    ("App 1", "Instructions"),
    ("App 2", "Data items"),
];

/// The page of an agreement, or of a grant. Who has signed is told where the members are known.
pub fn page(agreement: &Agreement, names: Names<'_>, standing: Option<&Standing>) -> Document {
    if let Some(given) = &agreement.grant {
        return grant::page(agreement, given, names, standing);
    }
    let said = sayings(agreement, names);
    let mut sections: Vec<Section> =
        TEMPLATE.iter().map(|(number, heading)| section(number, heading, agreement, &said, names)).collect();
    sections.extend(caldicott::panel(agreement, &said));
    sections.push(signed::section(agreement, names, standing));
    let mut lead = lead::lead(agreement, &said, names);
    lead.push(Block::Paragraph(how_held(&said)));
    let kind = format!("Information sharing agreement {}", agreement.reference);
    Document { kind, title: agreement.title.clone(), lead, sections }
}

pub(super) fn how_held(said: &[Saying]) -> String {
    let count = |held| said.iter().filter(|one| one.held == held).count();
    format!(
        "Each line says how far the gateway holds it. Enforced ({}): what does not meet it is refused. Evidenced ({}): \
         the gateway does not act on it, but its record shows whether it was so. Promised ({}): a word between the \
         parties, which no machine here keeps.",
        count(Held::Enforced),
        count(Held::Evidenced),
        count(Held::Promised),
    )
}

fn section(number: &str, heading: &str, agreement: &Agreement, said: &[Saying], names: Names<'_>) -> Section {
    let mut blocks = fixed(number, agreement, names);
    blocks.extend(match number {
        "App 2" => items(said, &|one| one.section() == "App 2" && one.path() != "data.release"),
        _ => tables(heading, said.iter().filter(|one| one.section() == number)),
    });
    // A heading that only holds others says nothing by itself.
    let holds_others = TEMPLATE.iter().any(|(other, _)| other.starts_with(&format!("{number}.")));
    if blocks.is_empty() && !holds_others {
        blocks.push(Block::Paragraph("The file says nothing of it.".to_owned()));
    }
    let number = number.replace("App", "Appendix");
    Section { number, heading: heading.to_owned(), blocks }
}

/// What is so of every agreement.
fn fixed(number: &str, agreement: &Agreement, names: Names<'_>) -> Vec<Block> {
    let provider = agreement.provider().map_or_else(String::new, names);
    let text = match number {
        "3.3" => format!(
            "The gateway of {provider} decides each question by this agreement: what meets every line marked enforced \
             is answered, and everything else is refused. Rules of {provider} over all its agreements can only take \
             away."
        ),
        "11.2" => "The file says nothing of it: training is agreed outside it.".to_owned(),
        "12" => "Who has signed, and what exactly is signed, stands at the end.".to_owned(),
        _ => return Vec::new(),
    };
    vec![Block::Paragraph(text)]
}

const HEAD: [&str; 3] = ["What", "It says", "Held"];

/// What is said in general, then of each organisation.
pub(super) fn tables<'s>(heading: &str, said: impl Iterator<Item = &'s Saying>) -> Vec<Block> {
    let mut tables: Vec<(Option<&String>, Table)> = Vec::new();
    for one in said {
        let row = vec![one.label.clone(), one.shown.clone(), one.held.as_str().to_owned()];
        match tables.iter_mut().find(|(of, _)| *of == one.of.as_ref()) {
            Some((_, table)) => table.rows.push(row),
            None => {
                let caption = one.of.clone().unwrap_or_else(|| heading.to_owned());
                let mut table = Table::new(caption, &HEAD);
                table.brief = true;
                table.rows.push(row);
                tables.push((one.of.as_ref(), table));
            }
        }
    }
    tables.into_iter().map(|(_, table)| Block::Table(table)).collect()
}

/// Appendix 2: each field that leaves on a line of its own, with what leaves of it and why; then the others that
/// belong there.
pub(super) fn items(said: &[Saying], belongs: &dyn Fn(&Saying) -> bool) -> Vec<Block> {
    let head = ["Field", "In the file", "What leaves (enforced)", "Why it is needed (promised)", "Holds"];
    let mut leaves = Table::new("What leaves", &head);
    let shown = |key: String| said.iter().find(|one| one.key == key).map_or("", |one| one.shown.as_str());
    let fields = said.iter().filter(|one| one.path() == "data.release" && one.held == Held::Enforced);
    for field in fields {
        let name = field.key.strip_prefix("data.release.").unwrap_or(&field.key);
        let (why, holds) = (shown(format!("{}/why", field.key)), shown(format!("{}/holds", field.key)));
        let cells = [field.label.as_str(), name, field.shown.as_str(), why, holds];
        leaves.rows.push(cells.map(str::to_owned).to_vec());
    }
    let others = said.iter().filter(|one| belongs(one));
    let count = u32::try_from(leaves.rows.len()).unwrap_or(u32::MAX);
    let first = format!(
        "{} may leave, and nothing else: a field that is not listed cannot, whatever the system behind returns.",
        counted(count, "field")
    );
    let mut blocks = vec![Block::Paragraph(first), Block::Table(leaves)];
    blocks.extend(tables("What does not leave", others));
    blocks
}

/// Names in a sentence.
pub(super) fn together<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    listed(names, "and")
}
