//! `tolbooth ledger search`.

use std::io::{BufRead as _, IsTerminal as _, Write};

use clap::Args;
use serde_json::Value;

use super::Asked;
use super::after::{After, after};
use super::unseen::{Unseen, ended_years, is_absent, left_out};
use super::words;
use crate::admin::{SearchQuestion, SubjectQuestion};
use crate::cli::plain::say_plain;
use crate::cli::{Exit, complain, say};

type Fault = Box<dyn std::error::Error>;

/// What is not asked beside an exchange, which is one.
const FILTERS: [&str; 13] = [
    "subject",
    "user",
    "consumer",
    "system",
    "dataset",
    "agreement",
    "outcome",
    "code",
    "truly",
    "kind",
    "from",
    "to",
    "after",
];

#[derive(Debug, Args)]
pub struct SearchArgs {
    #[command(flatten)]
    asked: Asked,
    /// Why you look: it goes on the record, with who you are
    #[arg(long)]
    purpose: String,
    /// One exchange, by the id in its answer
    #[arg(long, value_name = "ID", conflicts_with_all = FILTERS)]
    exchange: Option<String>,
    /// Everything about one person or thing, by this kind of identifier (chi, licence_no, ...); the
    /// identifier itself is asked for, or read from standard input, and never an argument
    #[arg(long, value_name = "KIND")]
    subject: Option<String>,
    /// Everything one user asked, as their organisation names them; the name is asked for, or read from
    /// standard input (after an identifier), and never an argument
    #[arg(long)]
    user: bool,
    /// Of this member
    #[arg(long, value_name = "MEMBER", value_parser = words::member)]
    consumer: Option<String>,
    /// By this system
    #[arg(long, value_name = "MEMBER/SYSTEM", value_parser = words::system)]
    system: Option<String>,
    /// Of this dataset
    #[arg(long, value_parser = words::dataset)]
    dataset: Option<String>,
    /// Under this agreement
    #[arg(long, value_parser = words::agreement)]
    agreement: Option<String>,
    /// With this outcome, as the caller was told
    #[arg(long, value_parser = ["answered", "no_match", "refused", "explained"])]
    outcome: Option<String>,
    /// Refused with this code, such as limit_reached
    #[arg(long, value_parser = words::code)]
    code: Option<String>,
    /// With this true outcome, which the caller may not have been told, such as row_excluded
    #[arg(long, value_name = "OUTCOME", value_parser = words::truly)]
    truly: Option<String>,
    /// Records of this kind
    #[arg(long, value_parser = ["origin", "ruleset", "rules", "exchange", "intent", "grant", "read", "alarm", "act", "stop", "erasure", "key_destroyed", "summary", "shutdown"])]
    kind: Option<String>,
    /// Not before this time, such as 2026-12-04T09:00:00Z
    #[arg(long, value_name = "TIME", value_parser = words::time)]
    from: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = words::time)]
    to: Option<String>,
    /// The newest so many, at most 10,000 [default: 1,000]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: Option<u32>,
    /// The next page: older than this record, which the page before named; RECORD@LOG in an earlier log
    #[arg(long, value_name = "RECORD", value_parser = after)]
    after: Option<After>,
    /// Show sealed parts too: true outcome, user, reason, case, names of dropped fields
    #[arg(long)]
    sealed: bool,
    /// In this log alone, by its name: without it, in the present log and in those before it, of which backups
    /// were restored
    #[arg(long, value_name = "LOG")]
    log: Option<String>,
    /// Print JSON lines, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &SearchArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    let wrong = args.subject.as_deref().and_then(words::no_kind);
    if let Some(why) = wrong.or_else(|| args.exchange.as_deref().and_then(words::no_exchange)) {
        complain(&why);
        return Ok(Exit::Usage);
    }
    let question = question(args)?;
    let found = find(&args.asked, &question, &mut |line| {
        if args.json {
            say(out, line);
        } else {
            show(line, out);
        }
    })?;
    if args.json {
        found.show_json(out)
    } else {
        found.show(args.subject.is_some(), out)
    }
    // Nothing found among what could be seen is no answer.
    Ok(match (found.found, found.is_whole()) {
        (0, false) => Exit::Undecided,
        (0, true) => Exit::No,
        _ => Exit::Yes,
    })
}

impl Looked {
    /// Whether there was nothing that should have been looked into and could not.
    fn is_whole(&self) -> bool {
        self.unseen.is_none() && !self.left_out.iter().any(is_absent)
    }

    /// What stands behind the records, for programs.
    fn show_json(&self, out: &mut dyn Write) {
        if let (true, Some(After { record, log })) = (self.more, &self.after) {
            let mut line = serde_json::json!({ "more": true, "after": record });
            if let (Some(log), Some(line)) = (log, line.as_object_mut()) {
                line.insert("after_log".to_owned(), log.as_str().into());
            }
            say(out, line);
        }
        if !self.left_out.is_empty() {
            say(out, serde_json::json!({ "not_searched": self.left_out }));
        }
        if let Some(ended) = &self.ended {
            say(out, serde_json::json!({ "ended": ended }));
        }
        if let Some(unseen) = &self.unseen {
            say(out, serde_json::json!({ "not_whole": unseen.to_string() }));
        }
    }

    fn show(&self, is_of_person: bool, out: &mut dyn Write) {
        let Self { found, erased, .. } = self;
        let newest = if self.more { "the newest " } else { "" };
        say(out, format_args!("{newest}{found} found; this look is on the record"));
        if let (true, Some(after)) = (self.more, &self.after) {
            say(out, format_args!("there is more: --after {after} shows the next page"));
        }
        self.left_out.iter().for_each(|log| say(out, format_args!("not searched: {}", left_out(log))));
        if *erased > 0 && is_of_person {
            say(
                out,
                format_args!(
                    "{erased} records have no sealed part any more: whom they were about cannot be read"
                ),
            );
        }
        if let Some(ended) = &self.ended {
            say(out, ended);
        }
        if let Some(unseen) = &self.unseen {
            say(out, unseen);
        }
    }
}

fn question(args: &SearchArgs) -> Result<SearchQuestion, Fault> {
    let subject = match &args.subject {
        Some(kind) => Some(SubjectQuestion { kind: kind.clone(), identifier: read_identifier(kind)? }),
        None => None,
    };
    let user = if args.user { Some(read_identifier("user")?) } else { None };
    Ok(SearchQuestion {
        purpose: args.purpose.clone(),
        exchange: args.exchange.clone(),
        subject,
        user,
        system: args.system.clone(),
        code: args.code.clone(),
        truly: args.truly.clone(),
        after: args.after.as_ref().map(|after| after.record),
        after_log: args.after.as_ref().and_then(|after| after.log.clone()),
        kind: args.kind.clone(),
        consumer: args.consumer.clone(),
        dataset: args.dataset.clone(),
        agreement: args.agreement.clone(),
        outcome: args.outcome.clone(),
        from: args.from.clone(),
        to: args.to.clone(),
        limit: args.limit.and_then(|limit| usize::try_from(limit).ok()),
        sealed: args.sealed,
        log: args.log.clone(),
    })
}

/// Everything about one subject, for callers that have the identifier already.
pub(in crate::cli) fn find_subject(
    asked: &Asked,
    purpose: &str,
    kind: &str,
    identifier: &str,
    each: &mut dyn FnMut(&Value),
) -> Result<u64, Fault> {
    let subject = Some(SubjectQuestion { kind: kind.to_owned(), identifier: identifier.to_owned() });
    let question =
        SearchQuestion { purpose: purpose.to_owned(), subject, sealed: true, ..SearchQuestion::default() };
    find(asked, &question, each).map(|looked| looked.found)
}

/// Asks for an identifier, or reads the next line of standard input: never an argument.
pub(in crate::cli) fn read_identifier(kind: &str) -> Result<String, Fault> {
    let input = std::io::stdin();
    if input.is_terminal() {
        let mut err = std::io::stderr();
        write!(err, "{kind}: ")?;
        err.flush()?;
    }
    let mut line = String::new();
    input.lock().read_line(&mut line)?;
    let identifier = line.trim();
    if identifier.is_empty() {
        Err("no identifier was given on standard input".into())
    } else {
        Ok(identifier.to_owned())
    }
}

/// Lines of a look's answer, with the progress in them shown to whoever sits at a terminal.
pub(in crate::cli) struct Told {
    progress: std::io::Stderr,
    is_shown: bool,
}

impl Told {
    pub(in crate::cli) fn new() -> Self {
        let progress = std::io::stderr();
        let is_shown = progress.is_terminal();
        Self { progress, is_shown }
    }

    /// One line, unless the look was refused on the way.
    pub(in crate::cli) fn line(&self, line: &[u8]) -> Result<Value, Fault> {
        let line: Value = serde_json::from_slice(line)?;
        if let Some(why) = line.get("refused").and_then(Value::as_str) {
            return Err(why.into());
        }
        if let Some(told) = line.get("progress").filter(|_| self.is_shown) {
            let number = |key| told.get(key).and_then(Value::as_u64).unwrap_or(0);
            let _shown = write!(
                &self.progress,
                "\r{} records, segment {} of {}\x1b[K",
                number("records"),
                number("segments"),
                number("of")
            );
        }
        Ok(line)
    }

    pub(in crate::cli) fn clear(&self) {
        if self.is_shown {
            let _cleared = write!(&self.progress, "\r\x1b[K");
        }
    }
}

/// How much was shown, and whether older records that match were not.
struct Looked {
    found: u64,
    more: bool,
    /// The oldest record shown, behind which the next page begins.
    after: Option<After>,
    /// Logs which were not looked into.
    left_out: Vec<Value>,
    /// Sealed parts that are gone from the whole record.
    erased: u64,
    unseen: Option<Unseen>,
    /// Years that cannot be searched by person any more.
    ended: Option<String>,
}

fn find(asked: &Asked, question: &SearchQuestion, each: &mut dyn FnMut(&Value)) -> Result<Looked, Fault> {
    let mut found = None;
    let told = Told::new();
    asked.ask("/search", question, &mut |line| {
        let line = told.line(line)?;
        if let Some(one) = line.get("found") {
            each(one);
        }
        if let Some(done) = line.get("done") {
            let more = done.get("more").and_then(Value::as_bool).unwrap_or(false);
            let after_log = done.get("after_log").and_then(Value::as_str);
            let after = |record| After { record, log: after_log.map(str::to_owned) };
            found = done.get("found").and_then(Value::as_u64).map(|found| Looked {
                found,
                more,
                after: done.get("after").and_then(Value::as_u64).map(after),
                left_out: done.get("not_searched").and_then(Value::as_array).cloned().unwrap_or_default(),
                erased: done.get("erased").and_then(Value::as_u64).unwrap_or(0),
                unseen: Unseen::read(done),
                ended: ended_years(done),
            });
        }
        Ok(())
    })?;
    told.clear();
    found.ok_or_else(|| "the answer broke off".into())
}

/// One record as a person reads it.
pub(in crate::cli) fn show(found: &Value, out: &mut dyn Write) {
    let text = |pointer: &str| found.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned();
    let sealed = found.get("sealed").filter(|sealed| sealed.is_object());
    let time = in_london(&text("/envelope/time"));
    let kind = text("/envelope/kind");
    if kind == "exchange" {
        let (who, dataset) = (text("/envelope/consumer"), text("/envelope/dataset"));
        say_plain(out, format_args!("{time}  {who} asked {dataset} ({})", text("/envelope/exchange")));
        let fields = joined(found.pointer("/envelope/fields"));
        let released = if fields.is_empty() { "nothing".to_owned() } else { fields };
        // A gateway that ended between intent and answer told its caller nothing.
        let told_nothing = found.pointer("/envelope/status").and_then(Value::as_u64) == Some(0);
        let told = if told_nothing { "nothing".to_owned() } else { text("/envelope/outcome") };
        say_plain(out, format_args!("    told: {told}; released: {released}"));
    } else {
        let said = said(found.get("envelope").unwrap_or(&Value::Null)).join(" ");
        say_plain(out, format!("{time}  {kind}  {said}").trim_end());
    }
    if let Some(log) = found.get("earlier_log").and_then(Value::as_str) {
        let record = found.get("index").and_then(Value::as_u64).unwrap_or_default();
        say(out, format_args!("    record {record} of the earlier log {log}"));
    }
    if let Some(sealed) = sealed {
        show_sealed(sealed, out);
    } else if found.get("erased").and_then(Value::as_bool) == Some(true) {
        say(out, "    its sealed part is erased");
    }
}

/// What of a sealed part is there to be read, in the order a person asks.
fn show_sealed(sealed: &Value, out: &mut dyn Write) {
    const SHOWN: [(&str, &str); 9] = [
        ("outcome", "truly"),
        ("note", "because"),
        ("detail", "because"),
        ("user", "user as stated"),
        ("reason", "reason"),
        ("case", "case"),
        ("by", "by"),
        ("purpose", "purpose"),
        ("dropped", "dropped"),
    ];
    let proven = sealed.get("user_origin").is_some_and(|origin| origin == "proven");
    let told = |(key, words_for): &(&str, &str)| {
        let words_for = if *key == "user" && proven { "user as proven" } else { words_for };
        let value = sealed.get(*key)?;
        let text = value.as_str().map_or_else(|| joined(Some(value)), str::to_owned);
        (!text.is_empty()).then(|| format!("{words_for}: {text}"))
    };
    let told: Vec<String> = SHOWN.iter().filter_map(told).collect();
    if !told.is_empty() {
        say_plain(out, format_args!("    {}", told.join("; ")));
    }
}

/// What a record that is no exchange is of: what was done, to what, by whom.
fn said(envelope: &Value) -> Vec<&str> {
    let stopped = envelope.get("stopped").and_then(Value::as_bool);
    let done = stopped.map(|stopped| if stopped { "stopped" } else { "started" });
    let keys =
        ["action", "cause", "scope", "consumer", "dataset", "agreement", "member", "statement", "exchange"];
    done.into_iter().chain(keys.iter().filter_map(|key| envelope.get(*key)?.as_str())).collect()
}

/// A list of words, with commas.
fn joined(list: Option<&Value>) -> String {
    let words: Vec<&str> =
        list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    words.join(", ")
}

/// UTC is stored, London is shown.
fn in_london(utc: &str) -> String {
    let time: Option<jiff::Timestamp> = utc.parse().ok();
    let shown = time.and_then(|time| time.in_tz(crate::clock::ZONE).ok());
    shown.map_or_else(|| utc.to_owned(), |time| time.strftime("%-d %B %Y %H:%M:%S %Z").to_string())
}
