//! The head of the page: the whole agreement in a dozen sentences, for whoever reads no further.

use crate::clock::date_in_words;
use crate::model::{Release, Transform, UserIdentity};
use crate::policy::{Agreement, ConsumerSystem, Law, Limits, Party, Power};

use super::document::Block;
use super::page::together;
use super::saying::{Names, Saying};
use super::says::paragraph;
use super::words::{condition, counted, field_words, hours, listed, transformed};

pub(super) fn lead(agreement: &Agreement, said: &[Saying], names: Names<'_>) -> Vec<Block> {
    let mut blocks = vec![Block::Paragraph(who_gives_what(agreement, names, "questions"))];
    let summary = agreement.particulars.as_ref().map(|particulars| particulars.summary.clone());
    blocks.extend(summary.map(Block::Paragraph));
    blocks.push(Block::Paragraph(when(agreement)));
    blocks.push(Block::Points(points(agreement, said, names)));
    blocks
}

pub(super) fn who_gives_what(agreement: &Agreement, names: Names<'_>, what: &str) -> String {
    let provider = agreement.provider().map_or_else(String::new, names);
    let consumers = together(agreement.consumers().map(|party| names(&party.member)));
    let trial = match agreement.stage {
        crate::policy::Stage::Trial => " This is a trial: it answers from made-up data alone.",
        crate::policy::Stage::Live => "",
    };
    let dataset = agreement.dataset.dataset.as_str().replace(['-', '_'], " ");
    format!(
        "{provider} answers {what} of {consumers} from its dataset “{dataset}”, for {}.{trial}",
        agreement.purpose.words()
    )
}

fn when(agreement: &Agreement) -> String {
    let from = date_in_words(agreement.dates.from);
    let until = agreement.dates.until.map(date_in_words);
    let until = until.map_or_else(|| ", with no last day".to_owned(), |until| format!(" until {until}"));
    let review = agreement.particulars.as_ref().map(|particulars| date_in_words(particulars.review_due));
    let review = review.map_or_else(String::new, |review| format!(", to be looked at again by {review}"));
    format!("Version {}, from {from}{until}{review}.", agreement.reference.version)
}

fn points(agreement: &Agreement, said: &[Saying], names: Names<'_>) -> Vec<(String, String)> {
    let shown = |key: &str| said.iter().find(|one| one.key == key).map(|one| one.shown.clone());
    let release = &agreement.release;
    let sends = match &agreement.particulars {
        Some(particulars) => listed(particulars.asking.keys.iter().map(|key| key.words()), "or"),
        None => "what the contract of the dataset asks for".to_owned(),
    };
    let mut points = vec![
        ("Why", shown("purpose.statement").unwrap_or_else(|| agreement.purpose.words().to_owned())),
        ("Who may ask", who_may_ask(agreement, names)),
        ("They send", sends),
        ("They get", gets(release)),
        ("They never get", never_gets(release)),
        ("Only for", condition(&release.rows)),
        ("When", hours(&agreement.hours)),
        ("At most", at_most(agreement)),
    ];
    if agreement.is_personal() {
        points.push(("In law", in_law(agreement, names)));
    }
    points.push(("In an emergency", "nothing more is released: there is no emergency clause".to_owned()));
    points.extend(must_not(agreement).map(|what| ("They must not", what)));
    points.push(("On record", on_record(agreement)));
    points.into_iter().map(|(words, what)| (words.to_owned(), what)).collect()
}

fn at_most(agreement: &Agreement) -> String {
    let Limits { per_minute, per_day, per_user_per_day, rows_per_answer } = agreement.limits;
    let mut most = vec![format!("{} in any 60 seconds", counted(per_minute, "question"))];
    most.extend(per_day.map(|count| format!("{count} answered on a day")));
    most.extend(per_user_per_day.map(|count| format!("{count} answered to one user on a day")));
    let rows = rows_per_answer.map(|count| format!("; {} in one answer", counted(count, "record")));
    format!("{}, over all systems{}", listed(most, "and"), rows.unwrap_or_default())
}

pub(super) fn gets(release: &Release) -> String {
    together(release.fields.iter().map(|(field, transform)| match transform {
        Transform::None => field_words(field),
        other => format!("{} ({})", field_words(field), transformed(other)),
    }))
}

pub(super) fn never_gets(release: &Release) -> String {
    let never = together(release.withhold.iter().map(field_words));
    if never.is_empty() { "anything the contract does not know".to_owned() } else { never }
}

pub(super) fn who_may_ask(agreement: &Agreement, names: Names<'_>) -> String {
    let systems = agreement
        .consumers()
        .flat_map(|party| party.systems.iter().map(move |system| one_who_asks(party, system, names)));
    let mut sentence = listed(systems, "and");
    let asking = agreement.particulars.as_ref().map(|particulars| &particulars.asking);
    let stated = match asking.map(|asking| asking.user) {
        None if agreement.user_required => "; the person who asks must be stated",
        None => "; the person who asks need not be stated",
        Some(UserIdentity::SystemOnly) => "; no person has to be stated",
        Some(UserIdentity::UserPseudonym) => {
            "; the person who asks is stated by a reference only the consumer can resolve"
        }
        Some(UserIdentity::NamedUser) => "; the person who asks is stated by name",
    };
    sentence.push_str(stated);
    if asking.is_some() {
        sentence.push_str(&format!("; with {}", agreement.reason.words()));
        sentence.push_str(if agreement.case_required { " and the case" } else { "" });
    }
    sentence
}

fn one_who_asks(party: &Party, system: &ConsumerSystem, names: Names<'_>) -> String {
    let roles = listed(system.roles.iter().map(|role| role.as_str()), "or");
    let roles = if roles.is_empty() { "without a role".to_owned() } else { format!("as {roles}") };
    format!("{}, from the system {}, {roles}", names(&party.member), system.id)
}

pub(super) fn in_law(agreement: &Agreement, names: Names<'_>) -> String {
    if agreement.law.is_empty() {
        return "nothing is said: a trial about made-up people needs no law".to_owned();
    }
    let laws = agreement.law.iter().map(|law| format!("{}: {}", names(&law.member), relied_on(law)));
    let mut sentence = laws.collect::<Vec<_>>().join(". ");
    let dpia = agreement.particulars.as_ref().and_then(|particulars| particulars.impact.as_ref());
    if let Some(dpia) = dpia.map(|impact| &impact.dpia) {
        let reference = dpia.reference.as_deref().unwrap_or("Impact assessment");
        let date = dpia.date.map_or_else(String::new, |date| format!(" on {}", date_in_words(date)));
        let risk =
            dpia.residual_risk.map_or_else(String::new, |risk| format!(", residual risk {}", risk.words()));
        sentence.push_str(&format!(". {reference}: {}{date}{risk}", dpia.status.words()));
    }
    sentence
}

fn relied_on(law: &Law) -> String {
    let conditions = &law.conditions;
    let mut parts: Vec<String> = vec![law.basis.map_or(law.regime.words(), |basis| basis.words()).to_owned()];
    parts.extend(conditions.article9.map(|article| article.words().to_owned()));
    let paragraphs = conditions.schedule1.iter().chain(&conditions.offences);
    parts.extend(paragraphs.map(|one| paragraph(one.paragraph())));
    parts.extend(conditions.schedule8.map(|one| one.words().to_owned()));
    parts.extend(law.powers.iter().map(|Power { statute, section, reading }| {
        format!("power: {statute}, section {section} ({reading})")
    }));
    parts.extend(conditions.confidentiality.map(|one| format!("confidentiality: {}", one.words())));
    parts.join("; ")
}

fn must_not(agreement: &Agreement) -> Option<String> {
    let prohibited = &agreement.particulars.as_ref()?.aim.prohibited;
    let words = listed(prohibited.iter().map(|one| one.words()), "or");
    Some(if words.is_empty() { "nothing is said".to_owned() } else { words })
}

fn on_record(agreement: &Agreement) -> String {
    format!(
        "every answer is on record before it leaves; who asked about whom, and why, is kept for {}",
        counted(u32::from(agreement.audit_years), "year")
    )
}
