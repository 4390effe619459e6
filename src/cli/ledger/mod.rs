//! `tolbooth ledger`: `verify` reads files and trusts nobody; `search` and `export` ask the running
//! gateway, and are themselves recorded.

mod ask;
mod export;
mod search;
mod verify;

use std::io::Write;

use clap::Subcommand;

use crate::clock::Clock;

use super::{Exit, complain};

pub(super) use ask::Asked;
pub(super) use search::find_subject;
pub(super) use verify::{VerifyWhat, journal_key};

#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Verify a log, an export or a receipt, offline, trusting nobody who runs anything
    Verify(verify::VerifyArgs),
    /// Find records: by exchange, by subject, or by what envelopes say
    Search(search::SearchArgs),
    /// Write the log to one portable file that `verify` reads
    Export(export::ExportArgs),
}

/// Runs one of the commands.
pub fn run(command: &LedgerCommand, out: &mut dyn Write, _clock: &Clock) -> Exit {
    let done = match command {
        LedgerCommand::Verify(args) => verify::run(args, out),
        LedgerCommand::Search(args) => search::run(args, out),
        LedgerCommand::Export(args) => export::run(args, out),
    };
    done.unwrap_or_else(|fault| {
        complain(&fault);
        if fault.is::<ask::Refused>() { Exit::No } else { Exit::Undecided }
    })
}
