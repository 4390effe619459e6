//! The clauses of an agreement that decide on a question, each with the line it stands on, as a person wrote it.
//! The text was loaded as an agreement before, so that what is not found here is not there.

use jiff::civil::Date;

use crate::config::strict::{self, Item, Table};
use crate::model::{
    AgreementRef, Assurance, Code, FieldPath, Hours, MemberId, ReasonWanted, ResponseForm, SystemId,
    SystemName,
};
use crate::policy::Agreement;

/// A clause, and what policy tests have made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// `None` of a guardrail, which is over all of them.
    pub agreement: Option<AgreementRef>,
    pub file: String,
    /// From 1.
    pub line: usize,
    pub key: &'static str,
    /// What it says there.
    pub says: String,
    /// Whether a test got past it; of a field, whether it left or was kept back; of a guardrail, whether it
    /// forbade.
    pub met: bool,
    /// Whether a test was stopped by it; of a guardrail, whether it let one pass. `None` where it stops nothing
    /// by itself.
    pub unmet: Option<bool>,
    pub(super) what: What,
}

impl Clause {
    pub fn is_covered(&self) -> bool {
        self.met && self.unmet != Some(false)
    }

    /// Whether a refusal with this code, and this truth if it is known, is this clause's, of a question that system
    /// put on that day.
    pub(super) fn stops(
        &self,
        (code, truth): (Code, Option<&str>),
        agreement: &Agreement,
        consumer: &SystemId,
        on: Date,
    ) -> bool {
        match &self.what {
            What::Purpose(caller, _) => code == Code::PurposeNotAllowed && caller == consumer,
            What::Role(caller, _) => code == Code::RoleNotAllowed && caller == consumer,
            What::User => code == Code::UserMissing,
            What::Reason => code == Code::ReasonMissing,
            What::Case => code == Code::CaseMissing,
            What::Assurance => matches!(code, Code::TokenMissing | Code::SignatureMissing),
            What::From => code == Code::AgreementNotInForce && on < agreement.dates.from,
            What::Until => {
                let past = agreement.dates.until.is_some_and(|until| on > until);
                code == Code::AgreementNotInForce && past
            }
            // The truth of a limit is its key; without one it can be any.
            What::Limit => code == Code::LimitReached && truth.is_none_or(|truth| truth == self.key),
            What::Hours => code == Code::OutsideHours,
            What::RowsPerAnswer => code == Code::TooManyMatches,
            What::Form => code == Code::AgreementNotInForce,
            _ => false,
        }
    }

    /// Whether it says which records may leave.
    pub(super) fn is_of_rows(&self) -> bool {
        matches!(self.what, What::Rows(_))
    }
}

/// What a clause is about, to find it by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    System(SystemId),
    Purpose(SystemId, String),
    Role(SystemId, String),
    Operation(String),
    User,
    Reason,
    Case,
    Assurance,
    From,
    Until,
    /// Of a minute, or of a day.
    Limit,
    Hours,
    RowsPerAnswer,
    /// One that is not answered.
    Form,
    /// By its place among the tests.
    Rows(usize),
    Released(FieldPath),
    Withheld(FieldPath),
    Guardrail(String),
}

/// Every clause of an agreement that decides, in the order of the file's sections.
pub(super) fn clauses(agreement: &Agreement, text: &str) -> Vec<Clause> {
    let found = strict::read(&agreement.file, text, |root| {
        let mut found = Found { agreement, text, clauses: Vec::new() };
        root.leave_rest();
        if agreement.not_answered().is_some() {
            // It lets nothing through, and so nothing else of it can be shown.
            found.form(root);
            return Some(found.clauses);
        }
        found.parties(root);
        found.asking(root);
        found.data(root);
        found.bounds(root);
        Some(found.clauses)
    });
    found.unwrap_or_default()
}

/// What stops nothing by itself: a field leaves, or does not.
const STOPS_NOTHING: Option<bool> = None;
const NOT_YET: Option<bool> = Some(false);

struct Found<'a> {
    agreement: &'a Agreement,
    text: &'a str,
    clauses: Vec<Clause>,
}

impl Found<'_> {
    fn add(&mut self, line: usize, key: &'static str, says: String, what: What, unmet: Option<bool>) {
        let agreement = Some(self.agreement.reference.clone());
        let file = self.agreement.file.clone();
        self.clauses.push(Clause { agreement, file, line, key, says, met: false, unmet, what });
    }

    /// That this form is not answered: never true.
    fn form(&mut self, root: &Table<'_>) {
        if let Some(item) = table(root, "flow").and_then(|flow| flow.optional("response")) {
            self.line(item.line(), "flow.response", What::Form);
            self.clauses.iter_mut().for_each(|clause| clause.met = true);
        }
    }

    fn parties(&mut self, root: &Table<'_>) {
        for party in root.tables("party") {
            party.leave_rest();
            let member = party.optional("member").and_then(|item| MemberId::new(item.text()?).ok());
            let Some(member) = member else { continue };
            for system in party.tables("system") {
                system.leave_rest();
                let Some(id) = system.optional("id") else { continue };
                let Some(name) = id.text().and_then(|text| SystemName::new(text).ok()) else { continue };
                let caller = SystemId { member: member.clone(), system: name };
                let says = caller.to_string();
                self.add(id.line(), "party.system", says, What::System(caller.clone()), NOT_YET);
                for (line, purpose) in texts(system.optional("purposes")) {
                    let what = What::Purpose(caller.clone(), purpose.clone());
                    self.add(line, "party.system.purposes", purpose, what, NOT_YET);
                }
                for (line, role) in texts(system.optional("roles")) {
                    let what = What::Role(caller.clone(), role.clone());
                    self.add(line, "party.system.roles", role, what, NOT_YET);
                }
            }
        }
    }

    fn asking(&mut self, root: &Table<'_>) {
        if let Some(dataset) = table(root, "dataset") {
            for (line, operation) in texts(dataset.optional("operations")) {
                let what = What::Operation(operation.clone());
                self.add(line, "dataset.operations", operation, what, NOT_YET);
            }
        }
        let Some(access) = table(root, "access") else { return };
        let agreement = self.agreement;
        for (key, name, is_wanted, what) in [
            ("assurance", "access.assurance", agreement.assurance > Assurance::Certificate, What::Assurance),
            ("user", "access.user", agreement.user_required, What::User),
            ("reason", "access.reason", agreement.reason != ReasonWanted::None, What::Reason),
            ("case_ref", "access.case_ref", agreement.case_required, What::Case),
            ("hours", "access.hours", agreement.hours != Hours::Always, What::Hours),
        ] {
            if let Some(item) = access.optional(key).filter(|_| is_wanted) {
                self.line(item.line(), name, what);
            }
        }
    }

    fn data(&mut self, root: &Table<'_>) {
        let Some(data) = table(root, "data") else { return };
        let rows = table(&data, "rows");
        let tests =
            rows.iter().flat_map(|rows| items(rows.optional("all")).chain(items(rows.optional("any"))));
        let lines: Vec<usize> = tests.map(|item| item.line()).collect();
        for (at, line) in lines.into_iter().enumerate() {
            let says = self.agreement.release.rows.tests().get(at).map(|test| test.field.to_string());
            let what = What::Rows(at);
            self.add(line, "data.rows", says.unwrap_or_default(), what, NOT_YET);
        }
        for item in items(data.optional("release")) {
            let line = item.line();
            let field = if item.is_text() { item.text().map(str::to_owned) } else { field(item) };
            let Some(path) = field.and_then(|field| FieldPath::parse(&field).ok()) else { continue };
            self.add(line, "data.release", path.to_string(), What::Released(path), STOPS_NOTHING);
        }
        for (line, field) in texts(data.optional("withhold")) {
            let Ok(path) = FieldPath::parse(&field) else { continue };
            self.add(line, "data.withhold", field, What::Withheld(path), STOPS_NOTHING);
        }
    }

    fn bounds(&mut self, root: &Table<'_>) {
        for (section, key, name, what) in [
            ("limits", "per_minute", "limits.per_minute", What::Limit),
            ("limits", "per_day", "limits.per_day", What::Limit),
            ("limits", "per_user_per_day", "limits.per_user_per_day", What::Limit),
            ("limits", "rows_per_answer", "limits.rows_per_answer", What::RowsPerAnswer),
            ("dates", "from", "dates.from", What::From),
            ("dates", "until", "dates.until", What::Until),
        ] {
            let item = table(root, section).and_then(|table| table.optional(key));
            if let Some(item) = item {
                self.line(item.line(), name, what);
            }
        }
        if self.tells_one() {
            let of_rows = self.clauses.iter_mut().filter(|clause| clause.what == What::RowsPerAnswer);
            of_rows.for_each(|clause| clause.unmet = STOPS_NOTHING);
        }
    }

    /// Whether an answer is never of more than one record, as far as the file says.
    fn tells_one(&self) -> bool {
        let form = self.agreement.particulars.as_ref().map(|particulars| particulars.flow.response);
        matches!(form, Some(ResponseForm::SingleRecord | ResponseForm::YesNo))
    }

    /// A clause that takes one line, as it is written there.
    fn line(&mut self, line: usize, key: &'static str, what: What) {
        let written = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let says = written.split('#').next().unwrap_or_default().trim().to_owned();
        self.add(line, key, says, what, NOT_YET);
    }
}

fn table<'d>(root: &Table<'d>, key: &'static str) -> Option<Table<'d>> {
    let table = root.optional(key).and_then(Item::table);
    table.inspect(|table| table.leave_rest())
}

fn items<'d>(item: Option<Item<'d>>) -> impl Iterator<Item = Item<'d>> {
    item.and_then(|item| item.list()).into_iter().flatten()
}

fn texts(item: Option<Item<'_>>) -> Vec<(usize, String)> {
    items(item).filter_map(|item| Some((item.line(), item.text()?.to_owned()))).collect()
}

fn field(item: Item<'_>) -> Option<String> {
    let table = item.table()?;
    table.leave_rest();
    table.optional("field").and_then(|field| field.text()).map(str::to_owned)
}
