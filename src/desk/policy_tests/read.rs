//! A file of policy tests (design 4): questions, what the system behind would say, and what is expected. Strict
//! TOML as every file; all faults at once. What several tests ask alike is said once, in `[usual]`.
//!
//! Not here: whether members, datasets and agreements exist. A question about what is not there is a question too.

use jiff::civil::{Date, Time};
use serde_json::Value;

use crate::config::strict::{self, Item, Table};
use crate::contract::SPECIAL_CATEGORIES;
use crate::model::{
    AgreementId, AgreementRef, Assurance, Code, Effect, Faults, MemberClass, MemberId, SystemId, SystemName,
};
use crate::policy::SAFE_ADDRESS;

/// A thousand tests with a record of a kilobyte each fit.
pub const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// More of one minute than any limit an agreement is likely to have: each is admitted one by one.
const ASKED_MAX: u64 = 100_000;
/// As many as any limit of a day may say: they are only counted.
const ANSWERED_MAX: u64 = 1_000_000_000;
/// Enough for any number of records that is worth a limit.
const TIMES_MAX: u64 = 100_000;
const NAME_CHARS_MAX: usize = 160;
/// Noon is in office hours, and on the same day in London as in UTC.
const NOON: Time = Time::constant(12, 0, 0, 0);

/// One question and what is expected of it.
#[derive(Debug, Clone)]
pub struct PolicyTest {
    pub file: String,
    /// Where it stands, from 1.
    pub line: usize,
    pub name: String,
    pub asks: Asks,
    pub expects: Expects,
}

/// What is asked, by whom, when, and what the system behind says.
#[derive(Debug, Clone)]
pub struct Asks {
    pub consumer: SystemId,
    /// As in a path: id and major version.
    pub dataset: (String, String),
    pub operation: String,
    /// What the caller states; an empty text states nothing, as an empty header does.
    pub agreement: Option<String>,
    pub purpose: Option<String>,
    pub role: Option<String>,
    pub reason: Option<String>,
    pub user: bool,
    pub case: bool,
    pub assurance: Assurance,
    /// In London.
    pub on: Date,
    pub at: Time,
    /// How often within one minute; the last is judged.
    pub asked: u32,
    /// How many questions were answered under the agreement that day already, by whomever.
    pub answered_today: u32,
    /// And how many of them to this user.
    pub answered_user_today: u32,
    pub question: String,
    /// What the system behind says, where its mapping looks for the document and in its own words; `None` if it
    /// has none.
    pub record: Option<String>,
    /// How many times over, where it is a list.
    pub record_times: u32,
    pub supposing: Supposing,
}

/// What guardrails are told otherwise than it is, so that each can be tested before anybody needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Supposing {
    pub class: Option<MemberClass>,
    pub effect: Option<Effect>,
    pub categories: Option<Vec<String>>,
}

/// What is expected.
#[derive(Debug, Clone, PartialEq)]
pub enum Expects {
    /// The whole released document.
    Answer {
        under: AgreementRef,
        answer: Value,
    },
    NoMatch {
        under: AgreementRef,
    },
    Refused {
        code: Code,
        guardrail: Option<String>,
    },
}

/// Reads a file of policy tests; `file` is the name faults carry.
pub fn read(file: &str, text: &str) -> Result<Vec<PolicyTest>, Faults> {
    strict::read(file, text, |root| {
        strict::format_1(root);
        let usual = root.optional("usual").and_then(Item::table);
        if let Some(usual) = &usual {
            ASKING.iter().for_each(|key| drop(usual.optional(key)));
        }
        let tests = root.tables("test");
        if tests.is_empty() {
            root.fault_with_help("there is no test", "write one: `[[test]]`");
        }
        let count = tests.len();
        let read: Vec<PolicyTest> =
            tests.into_iter().filter_map(|test| Words { test, usual: usual.as_ref() }.test()).collect();
        (read.len() == count).then_some(read)
    })
}

/// What `[usual]` may say.
const ASKING: [&str; 19] = [
    "consumer",
    "dataset",
    "operation",
    "agreement",
    "purpose",
    "role",
    "reason",
    "user",
    "case",
    "assurance",
    "on",
    "at",
    "asked",
    "answered_today",
    "answered_user_today",
    "question",
    "record",
    "record_times",
    "suppose",
];

/// A test and what is usual beside it.
struct Words<'d> {
    test: Table<'d>,
    usual: Option<&'d Table<'d>>,
}

impl<'d> Words<'d> {
    /// What the test says, or else what is usual.
    fn said(&self, key: &'static str) -> Option<Item<'d>> {
        self.test.optional(key).or_else(|| self.usual.and_then(|usual| usual.optional(key)))
    }

    fn wanted(&self, key: &'static str) -> Option<Item<'d>> {
        let said = self.said(key);
        if said.is_none() {
            self.test.fault(format!("`{key}` is missing, and is not in [usual] either"));
        }
        said
    }

    /// A text; an empty one is none.
    fn text(&self, key: &'static str) -> Option<Option<String>> {
        match self.said(key) {
            None => Some(None),
            Some(item) => item.text().map(|text| Some(text.to_owned()).filter(|text| !text.is_empty())),
        }
    }

    fn flag(&self, key: &'static str) -> Option<bool> {
        self.said(key).map_or(Some(false), |item| item.boolean())
    }

    fn answered(&self, key: &'static str) -> Option<u32> {
        let said = self.said(key).map_or(Some(0), |item| item.count(0..=ANSWERED_MAX))?;
        u32::try_from(said).ok()
    }

    fn test(self) -> Option<PolicyTest> {
        let name = self.test.required("name").and_then(|item| named(&item));
        let expects = self.expects();
        let asks = self.asks();
        let (file, line) = (self.test.file().to_owned(), self.test.line());
        Some(PolicyTest { file, line, name: name?, asks: asks?, expects: expects? })
    }

    fn asks(&self) -> Option<Asks> {
        let consumer = self.wanted("consumer").and_then(|item| item.parsed(system_id));
        let dataset = self.wanted("dataset").and_then(|item| item.parsed(dataset_version));
        let operation = self.wanted("operation").and_then(|item| item.text());
        let (agreement, purpose) = (self.text("agreement"), self.text("purpose"));
        let (role, reason) = (self.text("role"), self.text("reason"));
        let (user, case) = (self.flag("user"), self.flag("case"));
        let assurance = self
            .said("assurance")
            .map_or(Some(Assurance::Certificate), |item| item.word(&Assurance::ALL, Assurance::as_str));
        let on = self.wanted("on").and_then(|item| item.date());
        let at = self.said("at").map_or(Some(NOON), |item| item.parsed(hour));
        let asked = self.said("asked").map_or(Some(1), |item| item.count(1..=ASKED_MAX));
        let (today, user_today) = (self.answered("answered_today"), self.answered("answered_user_today"));
        let question = self.wanted("question").and_then(|item| item.text());
        let record = self.text("record");
        let times = self.said("record_times").map_or(Some(1), |item| item.count(1..=TIMES_MAX));
        let supposing = match self.said("suppose").and_then(Item::table) {
            Some(table) => supposing(&table),
            None => Some(Supposing::default()),
        };
        Some(Asks {
            consumer: consumer?,
            dataset: dataset?,
            operation: operation?.to_owned(),
            agreement: agreement?,
            purpose: purpose?,
            role: role?,
            reason: reason?,
            user: user?,
            case: case?,
            assurance: assurance?,
            on: on?,
            at: at?,
            asked: u32::try_from(asked?).ok()?,
            // Those to this user were answered too.
            answered_today: today?.max(user_today?),
            answered_user_today: user_today?,
            question: question?.to_owned(),
            record: record?,
            record_times: u32::try_from(times?).ok()?,
            supposing: supposing?,
        })
    }

    fn expects(&self) -> Option<Expects> {
        let test = &self.test;
        let under = test.optional("permitted").map(|item| item.parsed(reference));
        let answer = test.optional("answer").map(|item| item.parsed(json));
        let no_match = test.optional("no_match").map(|item| item.boolean());
        let refused = test.optional("refused").map(|item| item.word(Code::ALL, Code::as_str));
        let guardrail = test.optional("guardrail").map(|item| item.text().map(str::to_owned));
        match (under, answer, no_match, refused) {
            (Some(under), Some(answer), None, None) => {
                Some(Expects::Answer { under: under?, answer: answer? })
            }
            (Some(under), None, Some(Some(true)), None) => Some(Expects::NoMatch { under: under? }),
            (None, None, None, Some(code)) => {
                let guardrail = guardrail.map_or(Some(None), |name| name.map(Some));
                Some(Expects::Refused { code: code?, guardrail: guardrail? })
            }
            _ => {
                test.fault_with_help(
                    "it is not clear what is expected",
                    "`permitted = \"ID@VERSION\"` with either `answer = '{...}'` or `no_match = true`; or \
                     `refused = \"CODE\"` alone, of docs/refusals.md",
                );
                None
            }
        }
    }
}

fn supposing(table: &Table<'_>) -> Option<Supposing> {
    let class = table.optional("class").map(|item| item.word(&MemberClass::ALL, MemberClass::as_str));
    let effect =
        table.optional("effect").map(|item| item.word(&[Effect::Reads, Effect::Changes], Effect::as_str));
    let categories = table.optional("categories").map(|item| {
        let items = item.list()?;
        items.iter().map(category).collect::<Option<Vec<String>>>()
    });
    let known = [class.is_some_and(|it| it.is_none()), effect.is_some_and(|it| it.is_none())];
    if known.contains(&true) || categories.as_ref().is_some_and(Option::is_none) {
        return None;
    }
    Some(Supposing { class: class.flatten(), effect: effect.flatten(), categories: categories.flatten() })
}

/// What guardrails can be told of: a word mistyped would suppose nothing, unseen.
fn category(item: &Item<'_>) -> Option<String> {
    let known = [&SPECIAL_CATEGORIES[..], &[SAFE_ADDRESS]].concat();
    item.word(&known, |known| known).map(str::to_owned)
}

fn named(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let chars = text.chars().count();
    if text.trim().is_empty() || chars > NAME_CHARS_MAX || text.chars().any(char::is_control) {
        item.fault(format!("one line of 1 to {NAME_CHARS_MAX} characters is wanted"));
        return None;
    }
    Some(text.to_owned())
}

/// A system as `member/system`.
pub fn system_id(text: &str) -> Result<SystemId, String> {
    let (member, system) =
        text.split_once('/').ok_or("a member and a system are wanted, as `member/system`")?;
    let member = MemberId::new(member).map_err(|error| error.to_string())?;
    Ok(SystemId { member, system: SystemName::new(system).map_err(|error| error.to_string())? })
}

/// A dataset and its major version as `dataset/v1`.
pub fn dataset_version(text: &str) -> Result<(String, String), &'static str> {
    let (id, major) =
        text.split_once("/v").ok_or("a dataset and its major version are wanted, as `dataset/v1`")?;
    Ok((id.to_owned(), major.to_owned()))
}

fn reference(text: &str) -> Result<AgreementRef, String> {
    let (id, version) = text.split_once('@').ok_or("an agreement and its version are wanted, as `id@1`")?;
    let id = AgreementId::new(id).map_err(|error| error.to_string())?;
    Ok(AgreementRef { id, version: version.parse().map_err(|_| "the version is no number".to_owned())? })
}

fn hour(text: &str) -> Result<Time, &'static str> {
    let fits = text.len() == 5 && text.as_bytes().get(2) == Some(&b':');
    let time = fits.then(|| Time::strptime("%H:%M", text).ok()).flatten();
    time.ok_or("an hour in London is wanted, as \"09:30\"")
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "format = 1\n[usual]\nconsumer = \"m/s\"\ndataset = \"d/v1\"\noperation = \"check\"\n\
        on = 2026-12-07\nrole = \"nurse\"\nquestion = '{}'\n\n[[test]]\nname = \"one\"\nrefused = \"not_agreed\"\n";

    #[test]
    fn what_is_usual_is_said_once_and_a_test_may_say_otherwise() {
        let more = format!(
            "{ONE}\n[[test]]\nname = \"two\"\nrole = \"\"\nat = \"23:30\"\nasked = 7\n\
            permitted = \"a@2\"\nanswer = '{{\"x\": null}}'\n"
        );
        let tests = read("t.toml", &more).unwrap();
        assert_eq!((tests[0].asks.role.as_deref(), tests[0].line), (Some("nurse"), 10));
        assert_eq!(tests[0].asks.at, NOON);
        assert_eq!((tests[1].asks.role.as_deref(), tests[1].asks.asked), (None, 7));
        assert!(matches!(&tests[1].expects, Expects::Answer { under, .. } if under.version == 2));
    }

    #[test]
    fn what_is_unclear_is_told_with_its_line() {
        for (replaced, by, said) in [
            (
                "refused = \"not_agreed\"",
                "permitted = \"a@1\"",
                "t.toml:10: it is not clear what is expected",
            ),
            ("refused = \"not_agreed\"", "refused = \"not_agred\"", "did you mean `not_agreed`?"),
            ("refused = \"not_agreed\"", "refused = \"not_agreed\"\npermitted = \"a@1\"", "not clear"),
            ("name = \"one\"", "nam = \"one\"", "unknown key `nam`"),
            ("consumer = \"m/s\"", "", "`consumer` is missing, and is not in [usual] either"),
            ("consumer = \"m/s\"", "consumer = \"m\"", "`member/system`"),
            ("role = \"nurse\"", "roles = \"nurse\"", "did you mean `role`?"),
            ("role = \"nurse\"", "at = \"9:30\"", "an hour in London"),
            ("[[test]]", "[[tests]]", "there is no test"),
        ] {
            let text = ONE.replace(replaced, by);
            let faults = read("t.toml", &text).unwrap_err().to_string();
            assert!(faults.contains(said), "{by}: {faults}");
        }
    }
}
