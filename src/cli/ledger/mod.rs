//! `tolbooth ledger`: `verify` reads files and trusts nobody; `search` and `export` ask the running
//! gateway, and are themselves recorded; keys are recovered while it is stopped.

mod after;
mod ask;
mod backup;
mod erase;
mod evidence;
mod export;
mod generate;
mod made_up;
mod pack;
mod rebuild;
mod recovery;
mod restore;
mod search;
mod unseen;
mod verify;
mod words;

use std::io::Write;

use clap::Subcommand;

use crate::clock::Clock;

use super::{Exit, complain};

pub(super) use ask::{Asked, Refused};
pub(super) use search::{Told, find_subject, read_identifier, show};
pub(super) use unseen::{Unseen, ended_years, is_absent, left_out};
pub(super) use verify::{Verified, VerifyWhat, journal_key};
pub(super) use words::day;

#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Verify a log, an export, an evidence pack or a receipt, offline, trusting nobody who runs anything
    ///
    /// Says what it proved and what it could not. A receipt you kept (`curl -D answer.head -o
    /// answer.json`) proves that the answer was recorded; the log held `--against` it proves that
    /// nothing up to there was changed since. Get the log's key from the provider once, early, and
    /// not from the folder you verify.
    Verify(verify::VerifyArgs),
    /// Find records: by exchange, by subject, or by what envelopes say
    ///
    /// Asks the running gateway, which records the look before it shows anything. To find everything
    /// about one person: `tolbooth ledger search --purpose "..." --subject chi`, and type the
    /// identifier when asked, or pipe it in.
    Search(Box<search::SearchArgs>),
    /// Write the log to one portable file that `verify` reads
    Export(export::ExportArgs),
    /// Throw away the index and fold it anew from the journal
    ///
    /// Asks the running gateway. The index holds nothing of its own: searches and reports read the journal
    /// until it is there again, and find the same, only slower. Wanted where a search reads the whole journal
    /// and the log says why. After sealed parts were erased it is done by itself.
    Rebuild(rebuild::RebuildArgs),
    /// Write a ledger of made-up people and partners, to measure with
    #[command(hide = true)]
    Generate(generate::GenerateArgs),
    /// Back up the ledger while the gateway serves, and verify what was written
    ///
    /// Asks the running gateway, which records it. The folder then holds the journal up to a checkpoint,
    /// evidence, wrapped subject keys and a manifest; `tolbooth ledger verify DIR` reads it as it is. It is
    /// whole under its name, or it is not there. No private key is ever in it.
    Backup(backup::BackupArgs),
    /// Restore a backup beside a new log
    ///
    /// A restored backup is never gone on from, since others may hold receipts of what came after it: the
    /// next start begins a new log, whose first record names the old one, what was restored of it, and
    /// what others are known to hold. The old one stays beside it, to be searched and verified.
    Restore(restore::RestoreArgs),
    /// Write the evidence for one exchange to one file: the record, its proofs and the rules of that moment
    ///
    /// Asks the running gateway, which records the look first. The file is a plain tar that any program
    /// unpacks. `tolbooth ledger verify FILE.pack --key LOG.vkey` shows, without any network, that the record
    /// is in the log and that what was released was authorised by what was in force then; so does the
    /// independent program in docs/evidence.md.
    Evidence(evidence::EvidenceArgs),
    /// Erase sealed parts: what is past its term, or one exchange by order
    ///
    /// Asks the running gateway, which first puts on the record exactly what goes, and why. Envelopes, proofs and
    /// receipts stay. A record is kept as long as its agreement said when it was signed. Nothing brings a sealed
    /// part back. The gateway does `--due` by itself once a day, unless `[ledger] erase = "by_hand"`.
    ///
    ///   tolbooth ledger erase --due --dry-run --purpose "yearly review"
    ///   tolbooth ledger erase --exchange 019f3a1c-... --reason "Court of Session, order of 4 December 2026"
    #[command(verbatim_doc_comment)]
    Erase(erase::EraseArgs),
    /// Make keys that lost subject keys are recovered with
    #[command(subcommand)]
    RecoveryKey(recovery::RecoveryKeyCommand),
    /// Put lost subject keys back, into the folder of a gateway that is stopped
    ///
    /// Without the subject key of a year nothing recorded in it can be found by person. The gateway keeps a
    /// copy of each beside it, wrapped to every recovery key of `tolbooth.toml`; this opens those copies, and
    /// puts back what is missing. The passphrase is asked for, or read from standard input. Run it as the user
    /// the gateway runs as, so that it can read what is put back.
    ///
    ///   tolbooth ledger recover-subject-keys --key recovery.key
    #[command(verbatim_doc_comment)]
    RecoverSubjectKeys(recovery::RecoverArgs),
}

/// Runs one of the commands.
pub fn run(command: &LedgerCommand, out: &mut dyn Write, clock: &Clock) -> Exit {
    let done = match command {
        LedgerCommand::Verify(args) => verify::run(args, out),
        LedgerCommand::Search(args) => search::run(args, out),
        LedgerCommand::Export(args) => export::run(args, out),
        LedgerCommand::Rebuild(args) => rebuild::run(args, out),
        LedgerCommand::Generate(args) => generate::run(args, out, clock),
        LedgerCommand::Backup(args) => backup::run(args, out),
        LedgerCommand::Restore(args) => restore::run(args, out),
        LedgerCommand::Evidence(args) => evidence::run(args, out),
        LedgerCommand::Erase(args) => erase::run(args, out),
        LedgerCommand::RecoveryKey(command) => recovery::run_key(command, out),
        LedgerCommand::RecoverSubjectKeys(args) => recovery::run_recover(args, out),
    };
    done.unwrap_or_else(|fault| {
        complain(&fault);
        if fault.is::<ask::Refused>() { Exit::No } else { Exit::Undecided }
    })
}
