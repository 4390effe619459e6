//! `tolbooth report`: reports on the record, made by the running gateway and recorded as looks.

pub(in crate::cli) mod sheet;
mod text;

use std::io::{BufWriter, Write};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use super::ledger::{Asked, Refused, Told, Unseen, day, is_absent, read_identifier};
use super::{Exit, complain, say};
use crate::admin::{ReportQuestion, SubjectQuestion};

type Fault = Box<dyn std::error::Error>;

#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Who looked at a person: when, for what, what kinds of data left, under which agreement (R1)
    ///
    /// For a subject access request, a complaint or a Caldicott guardian. Type the identifier when asked,
    /// or pipe it in: it is never an argument. `--cut full` is for the data protection officer. `--cut
    /// releasable` is what the person can be given: without law enforcement and crime, other people, safe
    /// addresses and whatever cannot be judged. It never says whether anything was left out; the full cut
    /// says for each access why.
    ///
    ///   tolbooth report person --subject chi --purpose "SAR 2026-041"
    ///   tolbooth report person --subject chi --subject nhs_number --cut releasable \
    ///       --purpose "SAR 2026-041" --format csv > sar-2026-041.csv
    #[command(verbatim_doc_comment)]
    Person(PersonArgs),
    /// To whom data went, by member and purpose, with first, last and counts (R10)
    ///
    /// Of a person (UK GDPR Articles 15(1)(c) and 19: whom to tell of a correction) or of a dataset.
    ///
    ///   tolbooth report recipients --subject chi --purpose "correction C-17"
    ///   tolbooth report recipients --dataset taxi-licence --purpose "FOI 2026-88" --from 2026-01-01
    #[command(verbatim_doc_comment)]
    Recipients(RecipientsArgs),
    /// What was refused: to which member and system, why, how often, and who can put it right (R4)
    ///
    /// With the refusals that are only counted: beyond a member's rate, of strangers, in the TLS handshake.
    ///
    ///   tolbooth report refusals --purpose "weekly review" --from 2026-12-01 --per day
    #[command(verbatim_doc_comment)]
    Refusals(CountArgs),
    /// What was asked and what came of it, by dataset, agreement, member, system and purpose (R2)
    ///
    ///   tolbooth report activity --purpose "annual review" --consumer nhs-lomond --per month
    #[command(verbatim_doc_comment)]
    Activity(CountArgs),
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    asked: Asked,
    /// Why you look: it goes on the record, with who you are
    #[arg(long)]
    purpose: String,
    /// The first day, in London, such as 2026-12-04
    #[arg(long, value_name = "DATE", value_parser = day)]
    from: Option<String>,
    /// The last day, in London; it is included
    #[arg(long, value_name = "DATE", value_parser = day)]
    to: Option<String>,
    /// Of this log alone, by its name: without it, of the present log and of those before it, of which backups were
    /// restored
    #[arg(long, value_name = "LOG")]
    log: Option<String>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The same as `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// To read and to print
    Text,
    /// For a spreadsheet: UTF-8, with the head in lines that begin with #
    Csv,
    /// For programs: one document
    Json,
}

#[derive(Debug, Args)]
pub struct PersonArgs {
    #[command(flatten)]
    report: ReportArgs,
    /// The person, by this kind of identifier (chi, licence_no, ...); again for each kind they have. The
    /// identifiers are asked for, or read from standard input, one on a line
    #[arg(long, value_name = "KIND", required = true)]
    subject: Vec<String>,
    /// For whom: `full` for the data protection officer, `releasable` for the person
    #[arg(long, value_enum, default_value_t = Cut::Full)]
    cut: Cut,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("of").required(true).args(["subject", "dataset"]))]
pub struct RecipientsArgs {
    #[command(flatten)]
    report: ReportArgs,
    /// Of a person, by this kind of identifier; again for each kind they have
    #[arg(long, value_name = "KIND")]
    subject: Vec<String>,
    /// For whom: `full` for the data protection officer, `releasable` for the person
    #[arg(long, value_enum, requires = "subject")]
    cut: Option<Cut>,
    /// Of this dataset
    #[arg(long)]
    dataset: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Cut {
    Full,
    Releasable,
}

impl Cut {
    fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Releasable => "releasable",
        }
    }
}

#[derive(Debug, Args)]
pub struct CountArgs {
    #[command(flatten)]
    report: ReportArgs,
    /// Of this member
    #[arg(long, value_name = "MEMBER")]
    consumer: Option<String>,
    /// Of this dataset
    #[arg(long)]
    dataset: Option<String>,
    /// Under this agreement
    #[arg(long)]
    agreement: Option<String>,
    /// A line for each day or month, or for the whole period
    #[arg(long, value_parser = ["period", "month", "day"], default_value = "period")]
    per: String,
}

/// Runs one of the reports.
pub fn run(command: &ReportCommand, out: &mut dyn Write) -> Exit {
    // A report is not watched as it comes: by the line, the writing takes longer than the finding.
    let mut out = BufWriter::new(out);
    let done = question(command).and_then(|question| ask(arguments(command), &question, &mut out));
    // What fails here is told at the end, as whatever was not printed.
    let _told = out.flush();
    done.unwrap_or_else(|fault| {
        complain(&fault);
        if fault.is::<Refused>() { Exit::No } else { Exit::Undecided }
    })
}

fn arguments(command: &ReportCommand) -> &ReportArgs {
    match command {
        ReportCommand::Person(args) => &args.report,
        ReportCommand::Recipients(args) => &args.report,
        ReportCommand::Refusals(args) | ReportCommand::Activity(args) => &args.report,
    }
}

fn question(command: &ReportCommand) -> Result<ReportQuestion, Fault> {
    let report = arguments(command);
    let period = || ReportQuestion {
        purpose: report.purpose.clone(),
        from: report.from.clone(),
        to: report.to.clone(),
        log: report.log.clone(),
        ..ReportQuestion::default()
    };
    let counted = |name: &str, args: &CountArgs| ReportQuestion {
        report: name.to_owned(),
        consumer: args.consumer.clone(),
        dataset: args.dataset.clone(),
        agreement: args.agreement.clone(),
        per: Some(args.per.clone()),
        ..period()
    };
    Ok(match command {
        ReportCommand::Person(args) => ReportQuestion {
            report: "person".to_owned(),
            subjects: subjects(&args.subject)?,
            cut: Some(args.cut.as_str().to_owned()),
            ..period()
        },
        ReportCommand::Recipients(args) => ReportQuestion {
            report: "recipients".to_owned(),
            subjects: subjects(&args.subject)?,
            cut: (!args.subject.is_empty()).then(|| args.cut.unwrap_or(Cut::Full).as_str().to_owned()),
            dataset: args.dataset.clone(),
            ..period()
        },
        ReportCommand::Refusals(args) => counted("refusals", args),
        ReportCommand::Activity(args) => counted("activity", args),
    })
}

fn subjects(kinds: &[String]) -> Result<Vec<SubjectQuestion>, Fault> {
    let one = |kind: &String| Ok(SubjectQuestion { kind: kind.clone(), identifier: read_identifier(kind)? });
    kinds.iter().map(one).collect()
}

/// Asks, and prints what comes as it comes.
fn ask(args: &ReportArgs, question: &ReportQuestion, out: &mut dyn Write) -> Result<Exit, Fault> {
    let format = if args.json { Format::Json } else { args.format };
    let mut printer = Printer {
        format,
        report: question.report.clone(),
        wanted: None,
        printed: 0,
        unseen: false,
        done: false,
    };
    let told = Told::new();
    args.asked.ask("/report", question, &mut |line| {
        let line = told.line(line)?;
        if line.get("head").is_some() {
            told.clear();
        }
        printer.line(&line, out);
        Ok(())
    })?;
    told.clear();
    // A report that lacks a line must not be taken for a whole one.
    if !printer.done || printer.wanted != Some(printer.printed) {
        return Err("the report broke off: what was printed is not whole".into());
    }
    Ok(match printer.printed {
        // Nothing among what could be seen is no answer.
        0 if printer.unseen => Exit::Undecided,
        0 => Exit::No,
        _ => Exit::Yes,
    })
}

struct Printer {
    format: Format,
    report: String,
    /// How many lines the head announced.
    wanted: Option<u64>,
    printed: u64,
    /// Whether something could not be looked for.
    unseen: bool,
    done: bool,
}

impl Printer {
    fn line(&mut self, line: &Value, out: &mut dyn Write) {
        if let Some(head) = line.get("head") {
            self.wanted = head.get("rows").and_then(Value::as_u64);
            let logs = head.get("not_searched").and_then(Value::as_array);
            let is_absent = logs.is_some_and(|logs| logs.iter().any(is_absent));
            self.unseen = Unseen::read(head).is_some() || is_absent;
            match self.format {
                Format::Text => text::head(head, out),
                Format::Csv => sheet::head(&self.report, head, out),
                Format::Json => {
                    let _written = write!(out, "{{\"head\":{head},\"rows\":[");
                }
            }
        } else if let Some(row) = line.get("row") {
            match self.format {
                Format::Text => text::row(&self.report, row, out),
                Format::Csv => sheet::row(&self.report, row, out),
                Format::Json => {
                    let comma = if self.printed == 0 { "" } else { "," };
                    let _written = writeln!(out, "{comma}").map(|()| serde_json::to_writer(&mut *out, row));
                }
            }
            self.printed += 1;
        } else if let Some(done) = line.get("done") {
            let nothing = Value::Null;
            let totals = done.get("totals").unwrap_or(&nothing);
            match self.format {
                Format::Text => text::totals(totals, out),
                Format::Csv => sheet::totals(totals, out),
                Format::Json => say(out, format_args!("\n],\"totals\":{totals}}}")),
            }
            self.done = true;
        }
    }
}
