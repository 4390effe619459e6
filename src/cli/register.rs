//! `tolbooth agreement register`: the agreements in the policies folder as a register: their health (`health.rs`), one
//! that law wants, or policies for others' catalogues.

use std::io::Write;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::clock::Clock;
use crate::config;
use crate::desk::Ruleset;
use crate::desk::paper::{self, Block, Document, Section, Sheet, Table, art30, dea, html, text};
use crate::model::{DatasetVersion, MemberId, OperationId};
use crate::policy::Agreement;

use super::report::sheet;
use super::{ConfigArgs, Exit, complain, health, say};

#[derive(Debug, Args)]
pub struct RegisterArgs {
    /// Which register
    #[arg(long, value_enum)]
    format: Register,
    /// How it is printed; without it health is text, and the others are CSV
    #[arg(long = "as", value_enum, conflicts_with = "json")]
    form: Option<Form>,
    /// With odrl, also what the public may not read (`publication.public = false`)
    #[arg(long)]
    all: bool,
    /// Why the gateway's record is looked into, for the health of agreements: it goes on the record
    #[arg(long, value_name = "TEXT", default_value = "health of agreements (R7)")]
    pub(super) purpose: String,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Register {
    /// What is due, unsigned, unused: what to do, and who
    Health,
    /// The public register of the Digital Economy Act 2017: its 18 columns
    Dea,
    /// The record of processing of the gateway's own member (UK GDPR Art 30(1))
    Art30,
    /// Policies of ODRL 2.2 as JSON-LD, for catalogues and data spaces
    Odrl,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// To read, in 80 columns
    Text,
    /// One file to read in a browser or to print
    Html,
    /// For a spreadsheet
    Csv,
    /// For programs
    Json,
}

impl RegisterArgs {
    /// What was asked for and cannot be.
    fn at_odds(&self) -> Option<&'static str> {
        let of_odrl = matches!(self.format, Register::Odrl);
        if self.all && !of_odrl {
            return Some(
                "--all is of --format odrl: the register of the Digital Economy Act never has what the public may \
                 not read, and the others always have it",
            );
        }
        let document = self.form.is_some_and(|form| form != Form::Json);
        (of_odrl && document).then_some("--format odrl is JSON-LD: leave --as out")
    }

    pub(super) fn form(&self, usual: Form) -> Form {
        if self.config.json { Form::Json } else { self.form.unwrap_or(usual) }
    }
}

pub(super) fn register(
    args: &RegisterArgs,
    out: &mut dyn Write,
    clock: &Clock,
) -> Result<Exit, Box<dyn std::error::Error>> {
    if let Some(why) = args.at_odds() {
        complain(&why);
        return Ok(Exit::Usage);
    }
    let gateway = config::load(&args.config.config)?;
    let ruleset = super::check::load_ruleset(&gateway)?;
    let names = |member: &MemberId| name_of(&ruleset, member);
    let entries = ruleset.register.all();
    let (title, made) = match args.format {
        Register::Health => {
            health::health(args, (&gateway, &ruleset), out, clock);
            return Ok(Exit::Yes);
        }
        Register::Odrl => {
            odrl(args, &ruleset, out);
            return Ok(Exit::Yes);
        }
        Register::Dea => ("Information sharing agreements (Digital Economy Act 2017)", dea(entries, &names)),
        Register::Art30 => {
            ("Record of processing (UK GDPR Art 30(1))", art30(&gateway.member, entries, &names))
        }
    };
    match args.form(Form::Csv) {
        Form::Json => say(out, as_json(&made)),
        Form::Csv => csv(&made, out),
        Form::Text => say(out, text(&document(title, &made)).trim_end()),
        Form::Html => say(out, html(&document(title, &made)).trim_end()),
    }
    if args.form(Form::Csv) != Form::Json {
        // Beside the register, whose columns are others'.
        made.kept_out.iter().for_each(|(why, count)| complain(&format!("{count} not in it: {why}")));
    }
    Ok(Exit::Yes)
}

fn odrl(args: &RegisterArgs, ruleset: &Ruleset, out: &mut dyn Write) {
    let effect = |agreement: &Agreement, operation: &OperationId| {
        let DatasetVersion { dataset, major } = &agreement.dataset;
        let offer = ruleset.offer(dataset.as_str(), &major.to_string())?;
        Some(offer.contract.operation(operation)?.effect)
    };
    let terms = paper::Terms {
        federation: ruleset.directory.federation(),
        names: &|member: &MemberId| name_of(ruleset, member),
        effect: &effect,
        all: args.all,
    };
    let made = paper::odrl(ruleset.register.all(), &terms);
    say(out, format_args!("{:#}", made.document));
    made.kept_out.iter().for_each(|(why, count)| complain(&format!("{count} not in it: {why}")));
}

pub(super) fn name_of(ruleset: &Ruleset, member: &MemberId) -> String {
    ruleset.directory.member(member).map_or_else(|| member.to_string(), |known| known.name.clone())
}

pub(super) fn csv(made: &Sheet, out: &mut dyn Write) {
    sheet::write_line(out, made.columns.iter().copied());
    made.rows.iter().for_each(|row| sheet::write_line(out, row.iter().map(String::as_str)));
}

fn document(title: &str, made: &Sheet) -> Document {
    let mut table = Table::new(title, made.columns);
    table.rows.clone_from(&made.rows);
    let section = Section {
        number: String::new(),
        heading: format!("{} agreements", made.rows.len()),
        blocks: vec![Block::Table(table)],
    };
    Document {
        kind: "Register".to_owned(),
        title: title.to_owned(),
        lead: Vec::new(),
        sections: vec![section],
    }
}

fn as_json(made: &Sheet) -> Value {
    let row = |row: &Vec<String>| -> Value {
        let cells = made.columns.iter().zip(row).map(|(column, cell)| ((*column).to_owned(), json!(cell)));
        Value::Object(cells.collect::<Map<_, _>>())
    };
    json!({ "rows": made.rows.iter().map(row).collect::<Vec<_>>(), "kept_out": made.kept_out })
}
