//! `[law.<party>]`: what each party relies on. Every controller has its own basis; none stands for another.

use crate::config::strict::{Item, Table};
use crate::model::{Article9, Basis, MemberId, Regime, Schedule1, suggestion};
use crate::policy::agreement::{Conditions, Law, Party, Power, Stage};

use super::line_of;
use super::read::{given, name, word_if};

/// Statutes have long names; a reading is one line.
const LAW_CHARS_MAX: usize = 400;

/// What the rest of the file says that decides what law is wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) parties: Option<&'a [Party]>,
    /// Every party needs a law: the agreement is live, and about people.
    pub(super) of_every_party: bool,
    /// Format 2: conditions may stand beside a basis.
    pub(super) conditions: bool,
}

pub(super) fn read(root: &Table<'_>, wanted: Wanted<'_>) -> Option<Vec<Law>> {
    let Wanted { parties, .. } = wanted;
    let table = match root.optional("law") {
        Some(item) => Some(item.table()?),
        None => None,
    };
    let mut whole = true;
    let mut laws = Vec::new();
    for (name, item) in table.map(Table::entries).unwrap_or_default() {
        let party = parties.map(|parties| parties.iter().find(|party| party.member.as_str() == name));
        if let Some(None) = party {
            let known = parties.unwrap_or_default().iter().map(|party| party.member.as_str());
            item.fault_with_help(format!("`{name}` is not a party"), suggestion(&name, known));
        }
        // Read even so: its other faults belong to the same round.
        let law = MemberId::new(&name).ok().and_then(|member| one_law(member, item, wanted.conditions));
        whole &= law.is_some() && party.is_none_or(|party| party.is_some());
        laws.extend(law);
    }
    // A law that could not be read is not also missing.
    if wanted.of_every_party && whole {
        for party in parties.unwrap_or_default() {
            if !laws.iter().any(|law| law.member == party.member) {
                root.fault(format!(
                    "[law.{}] is missing: every party of a live agreement has one",
                    party.member
                ));
                whole = false;
            }
        }
    }
    whole.then_some(laws)
}

/// Whether a stage wants law at all: format 1 always did of what is live.
pub(super) fn is_wanted(stage: Option<Stage>, personal: bool) -> bool {
    stage == Some(Stage::Live) && personal
}

pub(super) fn one_law(member: MemberId, item: Item<'_>, with_conditions: bool) -> Option<Law> {
    let table = item.table()?;
    let line = table.line();
    let regime = table.required("regime").and_then(|item| item.word(Regime::ALL, Regime::as_str));
    let stated = table.optional("basis");
    let basis = match &stated {
        Some(item) => item.word(Basis::ALL, Basis::as_str).map(Some),
        None => Some(None),
    };
    let powers: Vec<Option<Power>> = table.tables("power").iter().map(power).collect();
    let powers: Option<Vec<Power>> = powers.into_iter().collect();
    let conditions = if with_conditions { conditions(&table) } else { Some(Conditions::default()) };
    let (regime, basis, powers, conditions) = (regime?, basis?, powers?, conditions?);
    fits(&table, regime, stated.as_ref().zip(basis), &powers)?;
    if with_conditions {
        belong(&table, regime, &conditions)?;
        free_consent(stated.as_ref().zip(basis), &conditions, &powers)?;
    }
    Some(Law { member, regime, basis, powers, conditions, line })
}

/// Whether basis, regime and powers go together (lints that need nothing else).
fn fits(
    table: &Table<'_>,
    regime: Regime,
    basis: Option<(&Item<'_>, Basis)>,
    powers: &[Power],
) -> Option<()> {
    match basis {
        None if regime != Regime::NonPersonal => table.fault(format!("`basis` is missing under `{regime}`")),
        Some((item, _)) if regime == Regime::NonPersonal => {
            item.fault("data that is not personal needs no basis: take it out, or name another regime");
        }
        Some((item, basis)) if basis.regime() != regime => item.fault_with_help(
            format!("`{basis}` belongs to `{}`, not to `{regime}`", basis.regime()),
            Some(format!(
                "one of: {}",
                Basis::ALL
                    .iter()
                    .filter(|known| known.regime() == regime)
                    .map(|known| known.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
        ),
        Some((item, basis)) if basis.needs_power() && powers.is_empty() => item.fault_with_help(
            format!("`{basis}` needs a power in statute"),
            Some("add `power = [{ statute = \"..\", section = \"..\", reading = \"..\" }]`".to_owned()),
        ),
        _ => return Some(()),
    }
    None
}

fn power(table: &Table<'_>) -> Option<Power> {
    let statute = table.required("statute").and_then(|item| line_of(&item, LAW_CHARS_MAX));
    let section = table.required("section").and_then(|item| line_of(&item, LAW_CHARS_MAX));
    let reading = table.required("reading").and_then(|item| line_of(&item, LAW_CHARS_MAX));
    Some(Power { statute: statute?, section: section?, reading: reading? })
}

fn conditions(table: &Table<'_>) -> Option<Conditions> {
    let article9 = word_if(table, "art9");
    let schedule1 = match table.optional("sch1") {
        Some(item) => item.list().and_then(|items| super::distinct(&items, paragraph)),
        None => Some(Vec::new()),
    };
    let offences = given(table, "art10_sch1", paragraph);
    let schedule8 = word_if(table, "sch8");
    let confidentiality = word_if(table, "confidentiality");
    let policy_document = given(table, "policy_document", name);
    let competent_by = given(table, "competent_by", |item| line_of(item, LAW_CHARS_MAX));
    Some(Conditions {
        article9: article9?,
        schedule1: schedule1?,
        offences: offences?,
        schedule8: schedule8?,
        confidentiality: confidentiality?,
        policy_document: policy_document?,
        competent_by: competent_by?,
    })
}

fn paragraph(item: &Item<'_>) -> Option<Schedule1> {
    let paragraph = Schedule1::parse(item.text()?);
    if paragraph.is_none() {
        item.fault_with_help(
            "not a condition of DPA 2018 Schedule 1",
            Some(format!("write `sch1_` and the paragraph, 1 to {}; 5 is no condition", Schedule1::LAST)),
        );
    }
    paragraph
}

/// Whether the conditions are of this regime, complete, and with their document.
fn belong(table: &Table<'_>, regime: Regime, conditions: &Conditions) -> Option<()> {
    let of_gdpr =
        conditions.article9.is_some() || !conditions.schedule1.is_empty() || conditions.offences.is_some();
    let of_part3 = conditions.schedule8.is_some() || conditions.competent_by.is_some();
    if of_gdpr && regime != Regime::UkGdpr {
        table.fault(format!("`art9`, `sch1` and `art10_sch1` belong to `uk_gdpr`, not to `{regime}`"));
        return None;
    }
    if of_part3 && regime != Regime::DpaPart3 {
        table.fault(format!("`sch8` and `competent_by` belong to `dpa_part3`, not to `{regime}`"));
        return None;
    }
    schedule1_beside(table, conditions)?;
    let needs = conditions.schedule8.is_some()
        || conditions
            .schedule1
            .iter()
            .chain(&conditions.offences)
            .any(|condition| condition.needs_policy_document());
    if needs && conditions.policy_document.is_none() {
        table.fault_with_help(
            format!("`policy_document` is missing{}", table.place()),
            "a condition named here needs an appropriate policy document: give its reference (DPA 2018 s.42, Sch 1 para 5)",
        );
        return None;
    }
    Some(())
}

/// Article 9(2)(b), (g), (h), (i) and (j) each rest on a condition of Schedule 1.
fn schedule1_beside(table: &Table<'_>, conditions: &Conditions) -> Option<()> {
    let Some((article, wanted)) =
        conditions.article9.and_then(|article| Some((article, article.conditions()?)))
    else {
        return Some(());
    };
    if conditions.schedule1.iter().any(|condition| wanted.contains(&condition.paragraph())) {
        return Some(());
    }
    let (first, last) = (wanted.start(), wanted.end());
    let which = if first == last {
        format!("`sch1_{first}`")
    } else {
        format!("one of `sch1_{first}` to `sch1_{last}`")
    };
    table.fault_with_help(
        format!("`{article}` needs a condition of DPA 2018 Schedule 1 beside it"),
        format!("add `sch1 = [\"..\"]` with {which} (s.10)"),
    );
    None
}

/// Consent that a statute makes unnecessary is no free choice: a person who refuses would find the duty done
/// all the same.
fn free_consent(basis: Option<(&Item<'_>, Basis)>, conditions: &Conditions, powers: &[Power]) -> Option<()> {
    let Some((item, basis)) = basis else { return Some(()) };
    let explicit = conditions.article9 == Some(Article9::A);
    let consent = explicit || matches!(basis, Basis::Art6a | Basis::S35Consent);
    if powers.is_empty() || !consent {
        return Some(());
    }
    let said = if explicit { Article9::A.as_str() } else { basis.as_str() };
    item.fault_with_help(
        format!(
            "`{said}` stands beside a power in statute: what is done anyway is no free choice (Art 7(4))"
        ),
        Some(
            "rely on the power, mostly `art6_1_e` or `art6_1_c`; or take the power out, if there is none"
                .to_owned(),
        ),
    );
    None
}
