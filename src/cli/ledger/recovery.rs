//! `tolbooth ledger recovery-key make` and `tolbooth ledger recover-subject-keys`: subject keys survive the
//! gateway's disk.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::files::{Readable, shown, write_new};
use crate::cli::{ConfigArgs, Exit, complain, passphrase, say};
use crate::config;
use crate::ledger::{Recovered, RecoverySecret, recover_subject_keys};

type Fault = Box<dyn std::error::Error>;

#[derive(Debug, Subcommand)]
pub enum RecoveryKeyCommand {
    /// Make a recovery key, on the machine of whoever will keep it
    ///
    /// The private half goes to FILE, under a passphrase that is typed twice, or read from standard input. Keep
    /// the file on two sticks, and the passphrase apart from both. The public half is printed: the host puts it
    /// into `tolbooth.toml`, where `recovery_keys` lists at least two, kept by different people.
    ///
    ///   tolbooth ledger recovery-key make --out recovery.key
    #[command(verbatim_doc_comment)]
    Make(MakeArgs),
}

#[derive(Debug, Args)]
pub struct MakeArgs {
    /// Where the private half goes; it is never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct RecoverArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The recovery key's private half, as `tolbooth ledger recovery-key make` made it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

pub(super) fn run_key(command: &RecoveryKeyCommand, out: &mut dyn Write) -> Result<Exit, Fault> {
    let RecoveryKeyCommand::Make(args) = command;
    Ok(or_no(make(args, out)))
}

/// What is wrong is something whoever asked can put right.
fn or_no(done: Result<Exit, Fault>) -> Exit {
    done.unwrap_or_else(|fault| {
        complain(&fault);
        Exit::No
    })
}

fn make(args: &MakeArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    let secret = RecoverySecret::generate()?;
    let text = secret.lock(&passphrase::ask("Passphrase for the recovery key: ", true)?)?;
    write_new(args.out.clone(), text.as_bytes(), Readable::ByOwner)?;
    let public = secret.public();
    if args.json {
        say(out, json!({ "id": public.id(), "key": public.to_string(), "private": args.out }));
        return Ok(Exit::Yes);
    }
    say(
        out,
        format_args!(
            "The private half of recovery key {} is in {}: keep it off the gateway.",
            public.id(),
            args.out.display()
        ),
    );
    say(out, "The host adds the public half to tolbooth.toml:\n");
    say(out, format_args!("[ledger]\nrecovery_keys = [\n    \"{public}\",\n]"));
    Ok(Exit::Yes)
}

pub(super) fn run_recover(args: &RecoverArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    Ok(or_no(recover(args, out)))
}

fn recover(args: &RecoverArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    let gateway = config::load(&args.config.config)?;
    let of_file = |fault: &dyn std::fmt::Display| format!("{}: {fault}", shown(&args.key));
    let text = std::fs::read_to_string(&args.key).map_err(|error| of_file(&error))?;
    let passphrase = passphrase::ask("Passphrase of the recovery key: ", false)?;
    let secret = RecoverySecret::unlock(&text, &passphrase).map_err(|fault| of_file(&fault))?;
    let recovered = recover_subject_keys(&gateway.data.join("ledger"), &secret)?;
    let exit = if recovered.damaged.is_empty() { Exit::Yes } else { Exit::No };
    if args.config.json {
        let Recovered { restored, held, damaged } = &recovered;
        say(out, json!({ "restored": restored, "held": held, "damaged": damaged }));
    } else {
        tell(&recovered, out);
    }
    Ok(exit)
}

fn tell(recovered: &Recovered, out: &mut dyn Write) {
    for key in &recovered.restored {
        say(out, format_args!("{key}: recovered"));
    }
    for key in &recovered.held {
        say(out, format_args!("{key}: was there already"));
    }
    for copy in &recovered.damaged {
        say(
            out,
            format_args!(
                "{copy}: this wrapped copy is damaged: take it from a backup, or use another recovery key"
            ),
        );
    }
    if !recovered.restored.is_empty() {
        say(out, "Start the gateway: what these keys name can be searched by person again.");
    }
}
