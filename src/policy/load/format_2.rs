//! A file of format 2: the whole field list, section by section in the order of the template. What format 1 has
//! stands where it stood there.

use std::sync::Arc;

use jiff::civil::Date;

use crate::config::strict::Table;
use crate::model::{
    Assurance, DataSubject, DatasetVersion, Digest, Hours, OperationId, PurposeCode, ReasonWanted, Release,
    SharingKind, UserIdentity,
};
use crate::policy::agreement::{Agreement, Dates, Law, Limits, Party, Stage};
use crate::policy::particulars::{
    Accuracy, Aim, Asking, Description, Flow, Governance, Impact, Keeping, Particulars, Processor,
    Publication, Rights, Security,
};

use super::coherence::{Said, coherent};
use super::read::{name, word};
use super::{Head, assurance, code_of, data, dataset, duties, head, hours, law, parties, sections, terms};

const ABOUT_PEOPLE: &str = "data about people needs it";
const LIVE_ABOUT_PEOPLE: &str = "a live agreement about people needs it";

/// Every section is read before anything is missed, so that all faults come at once.
pub(super) fn read(root: &Table<'_>, file: &str, digest: Digest) -> Option<Agreement> {
    let start = start(root);
    let data = describe(root);
    let owed = owed(root, &start, data.description.as_ref());
    let seal = terms::seal(root);
    let whole = coherent(
        root,
        &Said {
            kind: start.kind,
            parties: start.parties.as_deref(),
            law: owed.law.as_deref(),
            description: data.description.as_ref(),
            user: data.access.as_ref().map(|access| access.asking.user),
            security: owed.security.as_ref(),
            data_line: data.line,
        },
    );
    whole?;
    let (head, more, access) = (start.head?, start.more?, data.access?);
    let ((dataset, operations), described) = (data.dataset?, data.description?);
    let (keeping, audit_years) = owed.keeping?;
    Some(Agreement {
        reference: head.reference,
        title: head.title,
        stage: head.stage,
        parties: start.parties?,
        purpose: start.purpose?,
        dataset,
        operations,
        assurance: access.assurance,
        user_required: access.asking.user != UserIdentity::SystemOnly,
        reason: access.reason,
        case_required: access.case_required,
        hours: access.hours,
        release: Arc::new(data.release?),
        limits: data.limits?,
        dates: owed.dates?,
        law: owed.law?,
        audit_years,
        particulars: Some(Box::new(Particulars {
            summary: more.summary,
            kind: more.kind,
            template: more.template,
            aim: start.aim?,
            description: described,
            flow: data.flow?,
            asking: access.asking,
            impact: owed.impact?,
            publication: owed.publication?,
            accuracy: owed.accuracy?,
            keeping,
            rights: owed.rights?,
            security: owed.security?,
            processors: owed.processors?,
            review_due: owed.review_due?,
            governance: owed.governance?,
        })),
        grant: None,
        seal: seal?,
        digest,
        file: file.to_owned(),
    })
}

/// Section 1: parties, scope and purpose.
struct Start {
    head: Option<Head>,
    more: Option<sections::Head>,
    /// Apart, since much hangs on it: a kind that could not be read is its own fault, and makes no other.
    kind: Option<SharingKind>,
    purpose: Option<PurposeCode>,
    aim: Option<Aim>,
    parties: Option<Vec<Party>>,
}

impl Start {
    fn is_personal(&self) -> bool {
        self.kind.is_some_and(SharingKind::is_personal)
    }

    fn is_live(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.stage == Stage::Live)
    }

    fn people(&self) -> Option<&'static str> {
        self.is_personal().then_some(ABOUT_PEOPLE)
    }

    /// A trial answers with synthetic data: nobody is in it yet.
    fn live_people(&self) -> Option<&'static str> {
        (self.is_live() && self.is_personal()).then_some(LIVE_ABOUT_PEOPLE)
    }
}

fn start(root: &Table<'_>) -> Start {
    let agreement = root.table("agreement");
    let kind = agreement.as_ref().and_then(sections::kind);
    let head = agreement.as_ref().and_then(head);
    let more = agreement.as_ref().and_then(|table| sections::head(table, kind));
    let people = kind.is_some_and(SharingKind::is_personal).then_some(ABOUT_PEOPLE);
    let purpose = root.table("purpose");
    let code = purpose.as_ref().and_then(code_of);
    let aim = purpose.as_ref().and_then(|table| sections::aim(table, people));
    let parties = parties::read(root, code, parties::Wanted::Format2 { kind });
    Start { head, more, kind, purpose: code, aim, parties }
}

/// Sections 2 and 3: what the data is, and how it is asked for.
struct Described {
    dataset: Option<(DatasetVersion, Vec<OperationId>)>,
    release: Option<Release>,
    description: Option<Description>,
    flow: Option<Flow>,
    access: Option<Access>,
    limits: Option<Limits>,
    /// Where `[data]` stands.
    line: Option<usize>,
}

struct Access {
    assurance: Assurance,
    asking: Asking,
    reason: ReasonWanted,
    case_required: bool,
    hours: Hours,
}

fn describe(root: &Table<'_>) -> Described {
    let offered = root.table("dataset");
    let dataset = offered.as_ref().and_then(dataset);
    let system_of_record =
        offered.as_ref().and_then(|table| table.required("system_of_record")).and_then(|item| name(&item));
    let flow = root.table("flow").and_then(|table| sections::flow(&table));
    let released = root.table("data");
    let line = released.as_ref().map(Table::line);
    let (release, reasons) =
        released.as_ref().and_then(|table| data::read(table, data::Form::Format2)).unzip();
    let response = flow.as_ref().map(|flow| flow.response);
    let description =
        released.as_ref().and_then(|table| sections::description(table, system_of_record, reasons, response));
    let access = root.table("access").and_then(|table| access(&table));
    let user = access.as_ref().map(|access| access.asking.user != UserIdentity::SystemOnly);
    let limits = root.table("limits").and_then(|table| terms::limits(&table, user));
    Described { dataset, release, description, flow, access, limits, line }
}

fn access(table: &Table<'_>) -> Option<Access> {
    let assurance = assurance(table);
    let user = word(table, "user");
    let reason = word(table, "reason");
    let case_required = table.required("case_ref").and_then(|item| item.boolean());
    let asking = sections::asking(table, user);
    let hours = hours::hours(table);
    Some(Access {
        assurance: assurance?,
        asking: asking?,
        reason: reason?,
        case_required: case_required?,
        hours: hours?,
    })
}

/// Law, and sections 3.3 to 11: what the parties owe.
struct Owed {
    law: Option<Vec<Law>>,
    impact: Option<Option<Impact>>,
    publication: Option<Publication>,
    accuracy: Option<Accuracy>,
    keeping: Option<(Keeping, u8)>,
    rights: Option<Option<Rights>>,
    security: Option<Security>,
    processors: Option<Vec<Processor>>,
    dates: Option<Dates>,
    review_due: Option<Date>,
    governance: Option<Governance>,
}

fn owed(root: &Table<'_>, start: &Start, described: Option<&Description>) -> Owed {
    let parties = start.parties.as_deref();
    let law = law::read(
        root,
        law::Wanted { parties, of_every_party: start.live_people().is_some(), conditions: true },
    );
    // An emergency clause is read with `[emergency]`; what it wants of the parties is theirs to say.
    let reachable = parties.map(|parties| {
        parties.iter().all(|party| party.particulars.as_ref().is_some_and(|said| said.out_of_hours.is_some()))
    });
    let emergency = root.table("emergency").and_then(|table| sections::emergency(&table, reachable));
    let dates_table = root.table("dates");
    let stage = start.head.as_ref().map(|head| head.stage);
    let dates = dates_table.as_ref().and_then(|table| terms::dates(table, stage));
    let review_due = dates_table.as_ref().and_then(|table| duties::review(table, dates));
    Owed {
        law,
        impact: duties::impact(root, impact_wanted(start, described)),
        publication: root.table("publication").and_then(|table| sections::publication(&table)),
        accuracy: root.table("accuracy").and_then(|table| duties::accuracy(&table, start.people())),
        keeping: root.table("retention").and_then(|table| duties::keeping(&table)),
        rights: duties::rights(root, start.live_people(), parties),
        security: duties::security(root),
        processors: sections::processors(root),
        dates: dates.filter(|_| emergency.is_some()),
        review_due,
        governance: root.table("governance").and_then(|table| duties::governance(&table)),
    }
}

/// Why a live agreement wants an impact assessment (UK GDPR Art 35(1) and (3)(b); children by Recital 75).
fn impact_wanted(start: &Start, described: Option<&Description>) -> Option<&'static str> {
    start.live_people()?;
    let described = described?;
    if described.subjects.contains(&DataSubject::Children) {
        Some("data about children needs one that is approved")
    } else if !described.special.is_empty() || described.criminal_offence {
        Some("special categories and criminal offences need one that is approved")
    } else {
        None
    }
}
