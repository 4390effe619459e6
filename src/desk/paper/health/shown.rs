//! The register as people and programs read it: a sheet, a page, and JSON. All say the same.

use serde_json::{Value, json};

use super::super::document::{Block, Document, Section, Table};
use super::super::register::Sheet;
use super::super::words::listed;
use super::{Health, Row, Urgency, due};
use crate::clock::{ZONE, date_in_words};

const COLUMNS: [&str; 23] = [
    "agreement",
    "version",
    "kind",
    "title",
    "provider",
    "consumers",
    "status",
    "from",
    "until",
    "days-left",
    "review-due",
    "review-days",
    "signatures-missing",
    "assessment-review",
    "assurance-until",
    "template",
    "template-newest",
    "last-used",
    "uses-90-days",
    "limits-90-days",
    "urgency",
    "do",
    "who",
];

/// Where the gateway could not be asked.
const UNKNOWN: &str = "unknown";
const NEVER: &str = "never";

impl Health {
    /// One row for each, its columns always the same.
    pub fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::new(&COLUMNS);
        self.rows.iter().for_each(|row| sheet.add(&self.cells(row)));
        sheet
    }

    fn cells(&self, row: &Row) -> Vec<String> {
        let agreement = &row.agreement;
        let (provider, consumers) = self.parties(row);
        let used = |count: fn(&super::used::Used) -> u64| {
            row.used.as_ref().map_or_else(|| UNKNOWN.to_owned(), |used| count(used).to_string())
        };
        let said = |text: Option<String>| text.unwrap_or_default();
        vec![
            agreement.reference.id.to_string(),
            agreement.reference.version.to_string(),
            kind(row).to_owned(),
            agreement.title.clone(),
            provider,
            consumers,
            row.status.to_string(),
            agreement.dates.from.to_string(),
            said(agreement.dates.until.map(|until| until.to_string())),
            said(row.days_left.map(|days| days.to_string())),
            said(row.review_due.map(|due| due.to_string())),
            said(row.review_days.map(|days| days.to_string())),
            row.unsigned.join("; "),
            said(assessment_review(row)),
            said(assurance_until(row)),
            said(template(row)),
            said(row.newest_template.map(|newest| newest.to_string())),
            last_used(row),
            used(|used| used.recent_answers),
            used(|used| used.recent_limits),
            row.urgency().as_str().to_owned(),
            acts(row),
            who(row),
        ]
    }

    fn parties(&self, row: &Row) -> (String, String) {
        let name = |member| self.names.get(member).cloned().unwrap_or_default();
        let consumers = row.agreement.consumers().map(|party| name(&party.member));
        let provider = row.agreement.provider().map(name).unwrap_or_default();
        (provider, consumers.collect::<Vec<_>>().join("; "))
    }

    /// The page, what needs a decision first.
    pub fn document(&self) -> Document {
        let sections = Urgency::ALL.into_iter().filter_map(|urgency| self.section(urgency)).collect();
        let lead = format!(
            "{} agreements and grants on {}, what needs a decision first.",
            self.rows.len(),
            date_in_words(self.today)
        );
        let mut lead = vec![Block::Paragraph(lead)];
        if self.rows.iter().any(|row| row.used.is_none()) {
            let text = "When each was last used is unknown here: only the running gateway can say, and it was not asked.";
            lead.push(Block::Paragraph(text.to_owned()));
        }
        Document { kind: "Register".to_owned(), title: "Health of agreements".to_owned(), lead, sections }
    }

    fn section(&self, urgency: Urgency) -> Option<Section> {
        let (heading, head): (&str, &[&str]) = match urgency {
            Urgency::Now => ("Needs a decision now", &WITH_NEEDS),
            Urgency::Soon => ("Needs a decision soon", &WITH_NEEDS),
            Urgency::Later => ("When there is time", &WITH_NEEDS),
            Urgency::Nothing => ("Nothing to do", &WITHOUT),
        };
        let mut table = Table::new(heading, head);
        for row in self.rows.iter().filter(|row| row.urgency() == urgency) {
            let mut cells = vec![format!("{}: {}", row.agreement.reference, row.agreement.title)];
            cells.push(self.stands(row));
            cells.push(last_used_in_words(row));
            if !row.needs.is_empty() {
                let join =
                    |of: fn(&super::Need) -> &str| row.needs.iter().map(of).collect::<Vec<_>>().join("; ");
                cells.extend([join(|need| &need.why), acts(row), who(row)]);
            }
            table.rows.push(cells);
        }
        let blocks = vec![Block::Table(table.clone())];
        (!table.rows.is_empty()).then(|| Section {
            number: String::new(),
            heading: heading.to_owned(),
            blocks,
        })
    }

    /// How it stands, in a sentence.
    fn stands(&self, row: &Row) -> String {
        let (provider, consumers) = self.parties(row);
        let until = row.agreement.dates.until.filter(|_| !row.status.is_over());
        let until = until
            .zip(row.days_left)
            .map(|(until, days)| format!(", until {} ({})", date_in_words(until), due::in_words(days)));
        let review = row.review_due.zip(row.review_days).filter(|_| !row.status.is_over());
        let review =
            review.map(|(day, days)| format!(", review {} ({})", date_in_words(day), due::in_words(days)));
        let unsigned = Some(&row.unsigned).filter(|unsigned| !unsigned.is_empty());
        let unsigned = unsigned.map(|unsigned| format!(", not signed by {}", listed(unsigned, "and")));
        let parts = [until, review, unsigned].into_iter().flatten().collect::<String>();
        format!("{provider} to {consumers}: {}{parts}", row.status.words())
    }

    /// For programs: what is not known is null.
    pub fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(|row| self.row_json(row)).collect();
        json!({ "on": self.today.to_string(), "rows": rows })
    }

    fn row_json(&self, row: &Row) -> Value {
        let agreement = &row.agreement;
        let needs = row.needs.iter().map(|need| {
            json!({
                "urgency": need.urgency.as_str(), "days": need.days, "why": need.why, "do": need.act, "who": need.who,
            })
        });
        let parties = agreement.parties.iter().map(|party| party.member.as_str());
        json!({
            "agreement": agreement.reference.to_string(), "kind": kind(row), "title": agreement.title,
            "stage": agreement.stage.as_str(), "file": agreement.file,
            "parties": parties.collect::<Vec<_>>(), "status": row.status,
            "in_force": row.status.is_in_force(), "from": agreement.dates.from.to_string(),
            "until": agreement.dates.until.map(|until| until.to_string()), "days_left": row.days_left,
            "review_due": row.review_due.map(|due| due.to_string()), "review_days": row.review_days,
            "signatures_missing": row.unsigned, "assessment_review": assessment_review(row),
            "assurance_until": assurance_until(row), "template": template(row),
            "template_newest": row.newest_template,
            "last_used": row.used.as_ref().map(|_| last_used(row)),
            "uses_90_days": row.used.as_ref().map(|used| used.recent_answers),
            "limits_90_days": row.used.as_ref().map(|used| used.recent_limits),
            "urgency": row.urgency().as_str(), "needs": needs.collect::<Vec<_>>(),
        })
    }
}

const WITH_NEEDS: [&str; 6] = ["Agreement", "Stands", "Last used", "Why", "What to do", "Who"];
const WITHOUT: [&str; 3] = ["Agreement", "Stands", "Last used"];

fn kind(row: &Row) -> &'static str {
    if row.agreement.grant.is_some() { "grant" } else { "agreement" }
}

fn acts(row: &Row) -> String {
    let acts: Vec<&str> = row.needs.iter().map(|need| need.act.as_str()).collect();
    if acts.is_empty() { "nothing".to_owned() } else { acts.join("; ") }
}

fn who(row: &Row) -> String {
    let mut who: Vec<&str> = Vec::new();
    for need in &row.needs {
        if !who.contains(&need.who.as_str()) {
            who.push(&need.who);
        }
    }
    if who.is_empty() { "nobody".to_owned() } else { who.join("; ") }
}

fn assessment_review(row: &Row) -> Option<String> {
    let impact = row.agreement.particulars.as_ref()?.impact.as_ref()?;
    impact.dpia.next_review.map(|next| next.to_string())
}

/// The first that ends.
fn assurance_until(row: &Row) -> Option<String> {
    let held = row.agreement.parties.iter().filter_map(|party| party.particulars.as_ref());
    held.flat_map(|said| &said.assurance).map(|one| one.until).min().map(|until| until.to_string())
}

fn template(row: &Row) -> Option<String> {
    row.agreement.particulars.as_ref()?.template.clone()
}

/// UTC, to the second.
fn last_used(row: &Row) -> String {
    let last = row.used.as_ref().map(|used| used.last);
    match last {
        None => UNKNOWN.to_owned(),
        Some(None) => NEVER.to_owned(),
        Some(Some(last)) => format!("{last:.0}"),
    }
}

fn last_used_in_words(row: &Row) -> String {
    let Some(used) = &row.used else { return UNKNOWN.to_owned() };
    let at = used.last.and_then(|last| last.in_tz(ZONE).ok());
    let at = at.map(|at| format!("{} at {}", date_in_words(at.date()), at.strftime("%H:%M %Z")));
    let at = at.unwrap_or_else(|| NEVER.to_owned());
    format!("{at}; {} answers in 90 days", used.recent_answers)
}
