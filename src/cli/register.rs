//! `tolbooth agreement register`: the agreements in the policies folder as a register that law wants.

use std::io::Write;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::config;
use crate::desk::paper::{Sheet, art30, dea};
use crate::model::MemberId;

use super::report::sheet;
use super::{ConfigArgs, Exit, complain, say};

#[derive(Debug, Args)]
pub struct RegisterArgs {
    /// Which register
    #[arg(long, value_enum)]
    format: Register,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Register {
    /// The public register of the Digital Economy Act 2017: its 18 columns
    Dea,
    /// The record of processing of the gateway's own member (UK GDPR Art 30(1))
    Art30,
}

pub(super) fn register(args: &RegisterArgs, out: &mut dyn Write) -> Result<Exit, Box<dyn std::error::Error>> {
    let gateway = config::load(&args.config.config)?;
    let ruleset = super::check::load_ruleset(&gateway)?;
    let names = |member: &MemberId| {
        let known = ruleset.directory.member(member);
        known.map_or_else(|| member.to_string(), |known| known.name.clone())
    };
    let entries = ruleset.register.all();
    let made = match args.format {
        Register::Dea => dea(entries, &names),
        Register::Art30 => art30(&gateway.member, entries, &names),
    };
    if args.config.json {
        say(out, as_json(&made));
    } else {
        sheet::write_line(out, made.columns.iter().copied());
        made.rows.iter().for_each(|row| sheet::write_line(out, row.iter().map(String::as_str)));
        // Beside the register, whose columns are others'.
        made.kept_out.iter().for_each(|(why, count)| complain(&format!("{count} not in it: {why}")));
    }
    Ok(Exit::Yes)
}

fn as_json(made: &Sheet) -> Value {
    let row = |row: &Vec<String>| -> Value {
        let cells = made.columns.iter().zip(row).map(|(column, cell)| ((*column).to_owned(), json!(cell)));
        Value::Object(cells.collect::<Map<_, _>>())
    };
    json!({ "rows": made.rows.iter().map(row).collect::<Vec<_>>(), "kept_out": made.kept_out })
}
