//! When a question is asked, in which words, and what is offered with it.

use crate::model::{DataSubject, FoiRegime, PurposeCode, SharingKind, SpecialCategory};
use crate::policy::Stage;

use super::question::Question;
use super::sheet::Sheet;
use super::steps::Step;
use super::taken::OFFENCE;
use super::words::choices;
use super::{fields, law, people};

impl Step {
    /// The question, if there is anything left to ask.
    pub(super) fn question(self, sheet: &Sheet<'_>) -> Option<Question> {
        self.is_open(sheet).then(|| {
            let question = Question::new(self.key(), self.asks(sheet), self.help(sheet));
            self.offers(question, sheet)
        })
    }

    fn is_open(self, sheet: &Sheet<'_>) -> bool {
        match self {
            Self::Partner => sheet.partner.is_none(),
            Self::Dataset => sheet.dataset.is_none(),
            Self::Kind => sheet.kind.is_none(),
            Self::Stage => sheet.stage.is_none(),
            Self::Purpose => sheet.purpose.is_none(),
            Self::Statement => sheet.statement.is_none(),
            Self::Systems => sheet.systems.is_none(),
            Self::Release => sheet.fields.is_none(),
            Self::Rows => sheet.rows.is_none(),
            Self::Why => sheet.why.is_none(),
            Self::Subjects => sheet.is_personal() && sheet.about.is_none(),
            Self::Registered => sheet.asks_of_partner() && sheet.registered.is_none(),
            Self::Contact => sheet.asks_of_partner() && sheet.reached.is_none(),
            Self::Offices => sheet.asks_of_partner() && sheet.offices.is_none(),
            Self::ProviderLaw => sheet.wants_law() && sheet.provider_law.is_none(),
            Self::ConsumerLaw => sheet.wants_law() && sheet.consumer_law.is_none(),
            Self::Opinions => sheet.is_of_part_3() && sheet.opinions.is_none(),
            Self::Assessment => sheet.wants_assessment() && sheet.assessment.is_none(),
        }
    }

    fn asks(self, sheet: &Sheet<'_>) -> String {
        let ours = || sheet.ground.name(&sheet.ground.own.member);
        let theirs = || sheet.partner.as_ref().map(|partner| sheet.ground.name(partner)).unwrap_or_default();
        match self {
            Self::Partner => "With whom?".to_owned(),
            Self::Dataset => "What may they ask for?".to_owned(),
            Self::Kind => "What kind of agreement is it?".to_owned(),
            Self::Stage => "A trial, or live? And from when until when?".to_owned(),
            Self::Purpose => "What is it for?".to_owned(),
            Self::Statement => "What is it for, in one or two sentences?".to_owned(),
            Self::Systems => format!("Which systems of {} may ask, and in which roles?", theirs()),
            Self::Release => "Which fields may they have?".to_owned(),
            Self::Rows => "Of which records?".to_owned(),
            Self::Why => "Why is each of these fields needed, and why will less not do?".to_owned(),
            Self::Subjects => "Whom is the data about?".to_owned(),
            Self::Registered => format!("What is {} called officially?", theirs()),
            Self::Contact => format!("Whom at {} does one call about a single answer?", theirs()),
            Self::Offices => format!("Who answers for what at {}?", theirs()),
            Self::ProviderLaw => format!("On what law does {} rely?", ours()),
            Self::ConsumerLaw => format!("On what law does {} rely?", theirs()),
            Self::Opinions => "Which of the fields are somebody's opinion?".to_owned(),
            Self::Assessment => "Which impact assessment was approved?".to_owned(),
        }
    }

    fn help(self, sheet: &Sheet<'_>) -> &'static str {
        match self {
            Self::Partner => PARTNER,
            Self::Dataset => DATASET,
            Self::Kind => KIND,
            Self::Stage => STAGE,
            Self::Purpose => PURPOSE,
            Self::Statement => STATEMENT,
            Self::Systems => SYSTEMS,
            Self::Release => RELEASE,
            Self::Rows => ROWS,
            Self::Why => WHY,
            Self::Subjects => SUBJECTS,
            Self::Registered if sheet.is_personal() => REGISTERED_ABOUT_PEOPLE,
            Self::Registered => REGISTERED,
            Self::Contact => CONTACT,
            Self::Offices if sheet.is_guarded() => OFFICES_WITH_GUARDIAN,
            Self::Offices => OFFICES,
            Self::ProviderLaw | Self::ConsumerLaw => law::HELP,
            Self::Opinions => OPINIONS,
            Self::Assessment => ASSESSMENT,
        }
    }

    fn offers(self, question: Question, sheet: &Sheet<'_>) -> Question {
        match self {
            Self::Partner => partner(question, sheet),
            Self::Dataset => dataset(question, sheet),
            Self::Kind => {
                let usual = sheet.kind_or_usual().to_string();
                question.with_choices(choices(SharingKind::WORDS)).with_default(Some(usual))
            }
            Self::Stage => {
                question.with_choices(choices(&Stage::WORDS)).with_default(Some("trial".to_owned()))
            }
            Self::Purpose => question.with_choices(choices(PurposeCode::WORDS)),
            Self::Systems => systems(question, sheet),
            Self::Release => release(question, sheet),
            Self::Subjects => subjects(question, sheet),
            Self::Registered => question.with_choices(choices(FoiRegime::WORDS)),
            Self::Opinions => opinions(question, sheet),
            _ => question,
        }
    }
}

/// What the answer is for and how it is written; the first sentence stands under the question.
const PARTNER: &str =
    "The organisation that will ask. It is a member of the federation: members.toml lists them.";
const DATASET: &str = "A dataset of this gateway, with all that may be asked of it. If not all is meant, its \
    operations stand after a colon, with commas between: child-protection/v1: check";
const KIND: &str =
    "Who is a controller to whom. Data about nobody needs no law, no rights and no assessment.";
const STAGE: &str = "A trial answers from made-up data alone, for at most 90 days, and needs no law. Days may \
    be said too, with the first and the last in force: trial from 2026-12-01 until 2027-02-28";
const PURPOSE: &str = "One purpose: whoever asks for another is refused.";
const STATEMENT: &str = "So that somebody outside can judge it: 40 to 600 characters, on one line. It stands \
    in the agreement, and in the public register.";
const SYSTEMS: &str = "A system, a colon and the roles of those who ask through it: ed-trak: ed_clinician, \
    ed_nurse. A system is the last part of the name in its certificate; a semicolon stands before the next \
    one. Without roles it asks by itself, and nobody is named.";
const RELEASE: &str = "Names with commas between, each whole or as something that tells less; everything else \
    is withheld. For example: status, date_of_birth as year_of_birth, surname as initials, phone as \
    mask_keep_last 3, score as round 5, date_of_birth as age_band 16 18. An object or list stands for its \
    fields, but what the contract marks as of a special category or as a safe address leaves only if it is \
    named itself.";
const ROWS: &str = "`all`, or tests such as: status in registered, pre-birth or ended_on within P12M. Between \
    tests stands `and`, or `or`. Checks are: is, in, not_in, at_least, at_most, within (a period such as \
    P12M), not_before_today. A record that does not meet them is answered as one that is not there.";
const WHY: &str = "One reason for all of them, of at least 40 characters: it stands beside every field. Where \
    one needs a reason of its own, write it into the file afterwards, before it is sealed.";
const SUBJECTS: &str = "Codes with commas between, and at least one of people. What the contract marks as of a \
    special category is counted already; add one that it does not mark, or `criminal_offence`.";
const CONTACT: &str = "With commas between: name, telephone number, e-mail address. Names of teams, not of \
    people: Emergency department, 01632 960223, ed@nhs-lomond.example";
const OPINIONS: &str = "Under DPA 2018 Part 3 facts are told from opinions (s.38(2)). Names with commas \
    between, or `none`: every other field is a fact.";
const ASSESSMENT: &str = "A live agreement about children, special categories or criminal offences stands on \
    an approved one (UK GDPR Art 35). With commas between: its reference, the day it was approved, the risk it \
    leaves (low, medium, high), the day of its next review: DPIA-2026-31, 2026-10-02, medium, 2027-10-02";

const REGISTERED: &str = "Official code and law of access to information, with a comma between: S12000098, \
    FOISA. Nobody here has their organisation.toml (--partner), so that a few things are asked for.";
const REGISTERED_ABOUT_PEOPLE: &str = "Official code, law of access to information, registration with the ICO, \
    page of the privacy notice, with commas between: S08000099, FOISA, Z7654321, \
    https://www.nhs-lomond.example/privacy. Nobody here has their organisation.toml (--partner), so that a few \
    things are asked for.";
const OFFICES: &str = "With commas between: who answers for the data there, by office, and the e-mail \
    addresses of them, of the data protection officer, and for breaches";
const OFFICES_WITH_GUARDIAN: &str = "With commas between: who answers for the data there, by office, and the \
    e-mail addresses of them, of the data protection officer, for breaches, and of the Caldicott Guardian, who \
    signs too";

fn partner(question: Question, sheet: &Sheet<'_>) -> Question {
    let known = people::partners(sheet);
    let words = |id: &crate::model::MemberId| {
        let class = sheet.ground.class(id).map_or("", |class| class.as_str());
        (id.to_string(), format!("{} ({class})", sheet.ground.name(id)))
    };
    let only = if let [one] = known.as_slice() { Some(one.to_string()) } else { None };
    question.with_choices(known.iter().map(words).collect()).with_default(only)
}

fn dataset(question: Question, sheet: &Sheet<'_>) -> Question {
    let mut known: Vec<(String, String)> = sheet
        .ground
        .ruleset
        .offers()
        .map(|offer| {
            let operations: Vec<&str> = offer.contract.operations.iter().map(|one| one.id.as_str()).collect();
            (
                offer.contract.version.to_string(),
                format!("{}: {}", offer.contract.title, operations.join(", ")),
            )
        })
        .collect();
    known.sort();
    let only = if let [(one, _)] = known.as_slice() { Some(one.clone()) } else { None };
    question.with_choices(known).with_default(only)
}

fn systems(question: Question, sheet: &Sheet<'_>) -> Question {
    let roles = sheet.ground.template.as_ref().map(|template| {
        template.roles.iter().map(|role| (role.to_string(), "a role of the template".to_owned())).collect()
    });
    question.with_choices(roles.unwrap_or_default())
}

fn release(question: Question, sheet: &Sheet<'_>) -> Question {
    let shapes = sheet.rows_offered();
    let plain: Vec<String> = fields::unmarked(&shapes).iter().map(ToString::to_string).collect();
    question.with_choices(fields::offered(&shapes)).with_default(Some(plain.join(", ")))
}

fn subjects(question: Question, sheet: &Sheet<'_>) -> Question {
    let people = DataSubject::WORDS.iter().filter(|(code, _)| *code != DataSubject::None.as_str());
    let known: Vec<(&str, &str)> = people.chain(SpecialCategory::WORDS).copied().collect();
    let children = sheet.purpose.is_some_and(PurposeCode::is_of_children);
    let usual = children.then(|| DataSubject::Children.to_string());
    let mut known = choices(&known);
    known.push((OFFENCE.to_owned(), "criminal offences".to_owned()));
    question.with_choices(known).with_default(usual)
}

fn opinions(question: Question, sheet: &Sheet<'_>) -> Question {
    let released = sheet.release().map(|release| release.fields).unwrap_or_default();
    let known = released.iter().map(|(path, transform)| (path.to_string(), transform.name().to_owned()));
    question.with_choices(known.collect()).with_default(Some("none".to_owned()))
}
