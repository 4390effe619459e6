//! The eight Caldicott Principles (National Data Guardian, 2020), each with what this agreement says to it. Filled
//! from the file alone: where the file is silent, the panel says so.

use crate::policy::{Agreement, Held, PrivacyNotice, Side};

use super::document::{Block, Section, Table};
use super::page::together;
use super::saying::Saying;
use super::words::counted;

const PRINCIPLES: [&str; 8] = [
    "1 Justify the purpose",
    "2 Use it only when it is necessary",
    "3 Use the minimum that is necessary",
    "4 Access on a strict need-to-know basis",
    "5 Everyone with access is aware of their responsibilities",
    "6 Comply with the law",
    "7 The duty to share is as important as the duty to protect",
    "8 Inform people how their information is used",
];

/// Of an agreement about people; one about nobody has none.
pub(super) fn panel(agreement: &Agreement, said: &[Saying]) -> Option<Section> {
    if !agreement.is_personal() {
        return None;
    }
    let mut table = Table::new("What the agreement says to each", &["Principle", "What the file says"]);
    for (principle, answer) in PRINCIPLES.into_iter().zip(answers(agreement, said)) {
        let answer = answer.filter(|answer| !answer.is_empty());
        let answer = answer.unwrap_or_else(|| "The file says nothing of it.".to_owned());
        table.rows.push(vec![principle.to_owned(), answer]);
    }
    let heading = "Caldicott principles".to_owned();
    Some(Section { number: String::new(), heading, blocks: vec![Block::Table(table)] })
}

fn answers(agreement: &Agreement, said: &[Saying]) -> [Option<String>; 8] {
    let shown = |key: &str| said.iter().find(|one| one.key == key).map(|one| one.shown.clone());
    let fields = |is: &dyn Fn(&Saying) -> bool| u32::try_from(said.iter().filter(|one| is(one)).count());
    let leave = fields(&|one| one.path() == "data.release" && one.held == Held::Enforced);
    let leave = leave.unwrap_or(u32::MAX);
    let withheld = u32::try_from(agreement.release.withhold.len()).unwrap_or(u32::MAX);
    let minimum = format!(
        "{} may leave, each for a reason (Appendix 2); {} named as never leaving.",
        counted(leave, "field"),
        if withheld == 1 { "1 is".to_owned() } else { format!("{withheld} are") }
    );
    let minimum =
        if agreement.particulars.is_some() { minimum } else { minimum.replace(", each for a reason", "") };
    [
        shown("purpose.statement"),
        shown("purpose.necessity"),
        Some(minimum),
        Some(need_to_know(agreement)),
        None,
        Some(powers(agreement)),
        shown("purpose.benefit"),
        Some(informed(agreement)),
    ]
}

fn need_to_know(agreement: &Agreement) -> String {
    let systems = agreement.consumers().flat_map(|party| &party.systems);
    let each = systems.map(|system| {
        let roles = together(system.roles.iter().map(|role| role.as_str()));
        match roles.as_str() {
            "" => format!("{}: without a role", system.id),
            roles => format!("{}: {roles}", system.id),
        }
    });
    each.collect::<Vec<_>>().join("; ")
}

fn powers(agreement: &Agreement) -> String {
    let powers = agreement.law.iter().flat_map(|law| &law.powers);
    powers.map(|power| format!("{}, section {}", power.statute, power.section)).collect::<Vec<_>>().join("; ")
}

fn informed(agreement: &Agreement) -> String {
    let notices = agreement.parties.iter().filter(|party| party.side != Side::Observer);
    let notices = notices.filter_map(|party| Some((&party.member, party.particulars.as_ref()?)));
    let each = notices.filter_map(|(member, particulars)| {
        Some(match particulars.privacy_notice.as_ref()? {
            PrivacyNotice::At(page) => format!("{member}: {page}"),
            PrivacyNotice::Exempt { exemption, why } => format!("{member}: exempt by {exemption}. {why}"),
        })
    });
    each.collect::<Vec<_>>().join("; ")
}
