//! `tolbooth ledger search`.

use std::io::{BufRead as _, IsTerminal as _, Write};

use clap::Args;
use serde_json::Value;

use super::Asked;
use crate::admin::{SearchQuestion, SubjectQuestion};
use crate::cli::{Exit, say};

type Fault = Box<dyn std::error::Error>;

#[derive(Debug, Args)]
pub struct SearchArgs {
    #[command(flatten)]
    asked: Asked,
    /// Why you look: it goes on the record, with who you are
    #[arg(long)]
    purpose: String,
    /// One exchange, by the id in its answer
    #[arg(long, value_name = "ID", conflicts_with_all = ["subject", "consumer", "dataset", "agreement", "outcome", "kind"])]
    exchange: Option<String>,
    /// Everything about one person or thing, by this kind of identifier (chi, licence_no, ...); the
    /// identifier itself is asked for, or read from standard input, and never an argument
    #[arg(long, value_name = "KIND", conflicts_with_all = ["consumer", "dataset", "agreement", "outcome", "kind"])]
    subject: Option<String>,
    /// Of this member
    #[arg(long, value_name = "MEMBER")]
    consumer: Option<String>,
    /// Of this dataset
    #[arg(long)]
    dataset: Option<String>,
    /// Under this agreement
    #[arg(long)]
    agreement: Option<String>,
    /// With this outcome: answered, no_match, refused
    #[arg(long)]
    outcome: Option<String>,
    /// Of this kind: exchange, intent, ruleset, read, alarm, summary
    #[arg(long)]
    kind: Option<String>,
    /// Not before this time, such as 2026-12-04T09:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// At most so many
    #[arg(long)]
    limit: Option<usize>,
    /// Show sealed parts too: true outcome, user, reason, case
    #[arg(long)]
    sealed: bool,
    /// Print JSON lines, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &SearchArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    let subject = match &args.subject {
        Some(kind) => Some(SubjectQuestion { kind: kind.clone(), identifier: read_identifier(kind)? }),
        None => None,
    };
    let question = SearchQuestion {
        purpose: args.purpose.clone(),
        exchange: args.exchange.clone(),
        subject,
        kind: args.kind.clone(),
        consumer: args.consumer.clone(),
        dataset: args.dataset.clone(),
        agreement: args.agreement.clone(),
        outcome: args.outcome.clone(),
        from: args.from.clone(),
        to: args.to.clone(),
        limit: args.limit,
        sealed: args.sealed,
    };
    let found = find(&args.asked, &question, &mut |line| {
        if args.json {
            say(out, line);
        } else {
            show(line, out);
        }
    })?;
    if !args.json {
        say(out, format_args!("{found} found; this look is on the record"));
    }
    Ok(if found > 0 { Exit::Yes } else { Exit::No })
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
    find(asked, &question, each)
}

fn read_identifier(kind: &str) -> Result<String, Fault> {
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

fn find(asked: &Asked, question: &SearchQuestion, each: &mut dyn FnMut(&Value)) -> Result<u64, Fault> {
    let mut found = None;
    let progress = std::io::stderr();
    let shows_progress = progress.is_terminal();
    asked.ask("/search", question, &mut |line| {
        let line: Value = serde_json::from_slice(line)?;
        if let Some(why) = line.get("refused").and_then(Value::as_str) {
            return Err(why.into());
        }
        if let Some(told) = line.get("progress").filter(|_| shows_progress) {
            let number = |key| told.get(key).and_then(Value::as_u64).unwrap_or(0);
            let _shown = write!(
                &progress,
                "\r{} records, segment {} of {}\x1b[K",
                number("records"),
                number("segments"),
                number("of")
            );
        }
        if let Some(one) = line.get("found") {
            each(one);
        }
        if let Some(done) = line.get("done") {
            found = done.get("found").and_then(Value::as_u64);
        }
        Ok(())
    })?;
    if shows_progress {
        let _cleared = write!(&progress, "\r\x1b[K");
    }
    found.ok_or_else(|| "the answer broke off".into())
}

fn show(found: &Value, out: &mut dyn Write) {
    let text = |pointer: &str| found.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned();
    let kind = text("/envelope/kind");
    if kind != "exchange" {
        say(out, format_args!("{}  {kind}", in_london(&text("/envelope/time"))));
        return;
    }
    say(
        out,
        format_args!(
            "{}  {} asked {} ({})",
            in_london(&text("/envelope/time")),
            text("/envelope/consumer"),
            text("/envelope/dataset"),
            text("/envelope/exchange")
        ),
    );
    let fields = found.pointer("/envelope/fields").and_then(Value::as_array);
    let fields: Vec<&str> = fields.into_iter().flatten().filter_map(Value::as_str).collect();
    let released = if fields.is_empty() { "nothing".to_owned() } else { fields.join(", ") };
    // A gateway that ended between intent and answer told its caller nothing.
    let told_nothing = found.pointer("/envelope/status").and_then(Value::as_u64) == Some(0);
    let told = if told_nothing { "nothing".to_owned() } else { text("/envelope/outcome") };
    say(out, format_args!("    told: {told}; released: {released}"));
    if let Some(sealed) = found.get("sealed").filter(|sealed| sealed.is_object()) {
        let of = |key: &str| sealed.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
        say(
            out,
            format_args!(
                "    truly: {}; user as stated: {}; reason: {}; case: {}",
                of("outcome"),
                of("user"),
                of("reason"),
                of("case")
            ),
        );
    }
}

/// UTC is stored, London is shown.
fn in_london(utc: &str) -> String {
    let time: Option<jiff::Timestamp> = utc.parse().ok();
    let shown = time.and_then(|time| time.in_tz(crate::clock::ZONE).ok());
    shown.map_or_else(|| utc.to_owned(), |time| time.strftime("%-d %B %Y %H:%M:%S").to_string())
}
