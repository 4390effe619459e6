//! `tolbooth stop` and `tolbooth start`: the host stops answering a dataset, a partner or everybody, and starts again,
//! through the running gateway, which puts it on the record first.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::ledger::{Asked, Refused};
use super::{Exit, complain, say};
use crate::admin::StopQuestion;
use crate::clock::{Clock, ZONE, date_in_words};
use crate::model::Halt;

type Fault = Box<dyn std::error::Error>;

/// What is stopped or started.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["all", "partner", "dataset", "list"]))]
struct What {
    /// Everything: no question of anybody is answered
    #[arg(long)]
    all: bool,
    /// One partner, by its member id
    #[arg(long, value_name = "MEMBER")]
    partner: Option<String>,
    /// One dataset, in all its versions
    #[arg(long, value_name = "ID")]
    dataset: Option<String>,
    /// Change nothing, and list what is stopped
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Args)]
pub struct StopArgs {
    #[command(flatten)]
    what: What,
    /// What callers are told, in a sentence; no name of a person, and nothing an attacker could use
    #[arg(long, value_name = "TEXT", default_value = "The gateway's host has stopped it for now")]
    message: String,
    /// When callers should ask again, in London: "2026-12-04 10:00"; the stop itself ends with `tolbooth start`
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why: it goes on the record, with who you are
    #[arg(long, visible_alias = "reason", value_name = "TEXT", required_unless_present = "list")]
    purpose: Option<String>,
    #[command(flatten)]
    asked: Asked,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct StartArgs {
    #[command(flatten)]
    what: What,
    /// Why: it goes on the record, with who you are
    #[arg(long, visible_alias = "reason", value_name = "TEXT", required_unless_present = "list")]
    purpose: Option<String>,
    #[command(flatten)]
    asked: Asked,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

impl What {
    fn scope(&self) -> String {
        match (&self.partner, &self.dataset) {
            (Some(member), _) => format!("partner:{member}"),
            (None, Some(dataset)) => format!("dataset:{dataset}"),
            (None, None) => "all".to_owned(),
        }
    }
}

pub fn run_stop(args: &StopArgs, out: &mut dyn Write, clock: &Clock) -> Exit {
    let question = || -> Result<StopQuestion, Fault> {
        Ok(StopQuestion {
            purpose: args.purpose.clone().unwrap_or_default(),
            scope: args.what.scope(),
            message: Some(args.message.clone()),
            until: args.until.as_deref().map(|text| until(text, clock)).transpose()?,
        })
    };
    ended(question().map_err(|fault| (fault, Exit::Usage)).and_then(|question| {
        let path = if args.what.list { "/stops" } else { "/stop" };
        asked((&args.asked, path), &question, (args.json, out)).map_err(by_whom)
    }))
}

pub fn run_start(args: &StartArgs, out: &mut dyn Write) -> Exit {
    let question = StopQuestion {
        purpose: args.purpose.clone().unwrap_or_default(),
        scope: args.what.scope(),
        ..StopQuestion::default()
    };
    let path = if args.what.list { "/stops" } else { "/start" };
    ended(asked((&args.asked, path), &question, (args.json, out)).map_err(by_whom))
}

fn by_whom(fault: Fault) -> (Fault, Exit) {
    let exit = if fault.is::<Refused>() { Exit::No } else { Exit::Undecided };
    (fault, exit)
}

fn ended(done: Result<(), (Fault, Exit)>) -> Exit {
    match done {
        Ok(()) => Exit::Yes,
        Err((fault, exit)) => {
            complain(&fault);
            exit
        }
    }
}

/// A time in London as UTC.
fn until(text: &str, clock: &Clock) -> Result<String, Fault> {
    let wrong = || format!("--until `{text}`: wanted a time in London such as \"2026-12-04 10:00\"");
    let civil: DateTime = text.trim().parse().map_err(|_| wrong())?;
    // A night in March has an hour less, and one in October the same hour twice.
    let at = clock.zone().to_ambiguous_zoned(civil).unambiguous().map_err(|_| {
        format!("--until `{text}`: London has that time not at all or twice on that day: name an hour before or after")
    })?;
    Ok(at.timestamp().to_string())
}

fn asked(
    (asked, path): (&Asked, &str),
    question: &StopQuestion,
    (as_json, out): (bool, &mut dyn Write),
) -> Result<(), Fault> {
    let mut done = None;
    let mut each = |line: &[u8]| -> Result<(), Fault> {
        done = serde_json::from_slice::<Value>(line)?.get("done").cloned();
        Ok(())
    };
    if path == "/stops" {
        asked.ask(path, &json!({}), &mut each)?;
    } else {
        asked.ask(path, question, &mut each)?;
    }
    let done = done.ok_or("the answer broke off: `tolbooth stop --list` says what is in force")?;
    if as_json {
        say(out, &done);
    } else {
        tell(&done, out);
    }
    Ok(())
}

fn tell(done: &Value, out: &mut dyn Write) {
    if let Some(scope) = done.get("started").and_then(Value::as_str) {
        say(out, format_args!("{scope}: answered again, from the next question on; it is on the record"));
    }
    if let Some(stop) = done.get("stopped") {
        say(out, format_args!("{}", told(stop)));
        say(out, "It is on the record, and holds until `tolbooth start`, whatever is restarted.");
    }
    if let Some(stops) = done.get("stops").and_then(Value::as_array) {
        stops.iter().for_each(|stop| say(out, told(stop)));
        if stops.is_empty() {
            say(out, "nothing is stopped");
        }
    }
}

fn told(stop: &Value) -> String {
    let text = |key: &str| stop.get(key).and_then(Value::as_str).unwrap_or_default();
    in_words(text("scope"), text("until").parse().ok(), text("message"))
}

fn in_words(scope: &str, until: Option<jiff::Timestamp>, message: &str) -> String {
    let until = until.and_then(|until| until.in_tz(ZONE).ok()).map_or_else(String::new, |until| {
        format!(", until {} at {}", date_in_words(until.date()), until.strftime("%H:%M"))
    });
    format!("{scope}: stopped{until}. Callers are told: {message}")
}

/// A stop in force, as `stop --list` tells it.
pub(super) fn stop_in_words(halt: &Halt) -> String {
    in_words(&halt.scope.to_string(), halt.until, &halt.message)
}

/// Tells the running gateway that files have changed, if it runs: else it looks by itself, within two seconds.
pub(super) fn tell_gateway(config: &Path) -> Result<bool, Fault> {
    let asked = Asked { config: PathBuf::from(config), socket: None };
    match asked.ask("/reload", &json!({}), &mut |_| Ok(())) {
        Ok(()) => Ok(true),
        Err(fault) if fault.is::<Refused>() => Err(fault),
        Err(_) => Ok(false),
    }
}
