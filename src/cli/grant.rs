//! `tolbooth grant`: whom a grant is about, written into its file without naming them. Everything else of a grant
//! is done as for agreements: `tolbooth agreement seal`, `sign`, `verify` and `status`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::config::strict;
use crate::model::{AgreementId, Faults, Secret, Subject, SubjectKind};
use crate::policy::{self, SubjectMac, subject_key_file};

use super::files::{Readable, replace, write_new};
use super::ledger::read_identifier;
use super::{Exit, complain, say};

#[derive(Debug, Subcommand)]
pub enum GrantCommand {
    /// Write whom a grant is about into its file
    ///
    /// The identifier is typed, or piped in on one line; it is never an argument, and not in the file. The file
    /// gets a commitment under a key of the grant's own, which lies beside it (x.subject-key) and is made with
    /// the first. Give that key to the other party's officers and to the provider's gateway with the grant, and
    /// to nobody else; delete it once the grant is used. Do this before the grant is sealed and signed.
    Subject(SubjectArgs),
    /// Say whether a grant is about somebody: before you sign, see that it is the right person
    ///
    /// Ends with 0 if it is, 1 if not. The identifier is typed, or piped in on one line.
    About(SubjectArgs),
}

#[derive(Debug, Args)]
pub struct SubjectArgs {
    /// The grant's file; its key lies beside it, with the ending .subject-key
    file: PathBuf,
    /// What kind of identifier it is
    #[arg(long, value_parser = SubjectKind::ALL)]
    kind: String,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Runs one of the commands.
pub fn run(command: &GrantCommand, out: &mut dyn Write) -> Exit {
    let done = match command {
        GrantCommand::Subject(args) => subject(args, out),
        GrantCommand::About(args) => about(args, out),
    };
    done.unwrap_or_else(|fault| {
        complain(&fault);
        Exit::No
    })
}

type Fault = Box<dyn std::error::Error>;

fn subject(args: &SubjectArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    let shown = args.file.display().to_string();
    let text = std::fs::read_to_string(&args.file).map_err(|error| format!("{shown}: {error}"))?;
    let id = id_of(&shown, &text)?;
    let subject = asked(args)?;
    let key_file = key_of(&args.file);
    let key = match read_key(&key_file)? {
        Some(key) => key,
        None => {
            let fresh = SubjectMac::fresh().ok_or("there is no randomness to be had")?;
            write_new(key_file.clone(), fresh.reveal().as_bytes(), Readable::ByOwner)?;
            fresh
        }
    };
    let key = SubjectMac::read(&key).ok_or_else(|| not_a_key(&key_file))?;
    let commitment = key.commitment(&id, &subject).mac.hex();
    if text.contains(&commitment) {
        return Err(format!("{shown}: is about them already").into());
    }
    let gap = if text.ends_with('\n') { "" } else { "\n" };
    let written =
        format!("{text}{gap}\n[[subject]]\nkind = \"{}\"\ncommitment = \"{commitment}\"\n", args.kind);
    replace(args.file.clone(), written.as_bytes())?;
    if args.json {
        say(
            out,
            json!({ "grant": id.to_string(), "kind": args.kind, "commitment": commitment, "key": key_file }),
        );
    } else {
        say(out, format_args!("{id} is about one more, whom {shown} does not name."));
        say(
            out,
            format_args!(
                "Whoever has {} can find out who: keep it as you would their name.",
                key_file.display()
            ),
        );
    }
    Ok(Exit::Yes)
}

fn about(args: &SubjectArgs, out: &mut dyn Write) -> Result<Exit, Fault> {
    let shown = args.file.display().to_string();
    let bytes = std::fs::read(&args.file).map_err(|error| format!("{shown}: {error}"))?;
    let agreement = policy::load(&shown, &bytes)?;
    let grant = agreement.grant.as_ref().ok_or_else(|| format!("{shown}: not a grant"))?;
    let key_file = key_of(&args.file);
    let key = read_key(&key_file)?.ok_or_else(|| {
        format!("{}: the grant's key is not there: ask whoever wrote the grant for it", key_file.display())
    })?;
    let key = SubjectMac::read(&key).ok_or_else(|| not_a_key(&key_file))?;
    let id = &agreement.reference.id;
    let is_about = grant.is_about(id, &key, &[asked(args)?]);
    if args.json {
        say(out, json!({ "grant": id.to_string(), "about": is_about }));
    } else {
        say(out, format_args!("{id} is {}about them", if is_about { "" } else { "not " }));
    }
    Ok(if is_about { Exit::Yes } else { Exit::No })
}

fn asked(args: &SubjectArgs) -> Result<Subject, Fault> {
    let kind = SubjectKind::new(&args.kind).ok_or("not a kind of identifier")?;
    Ok(Subject { kind, identifier: read_identifier(&args.kind)? })
}

/// The id alone: a grant that is about nobody yet does not load.
fn id_of(file: &str, text: &str) -> Result<AgreementId, Faults> {
    strict::read(file, text, |root| {
        root.leave_rest();
        let grant = root.table("grant")?;
        grant.leave_rest();
        grant.required("id")?.parsed(AgreementId::new)
    })
}

fn key_of(file: &Path) -> PathBuf {
    PathBuf::from(subject_key_file(&file.display().to_string()))
}

fn read_key(file: &Path) -> Result<Option<Secret>, Fault> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(Secret::new(text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", file.display()).into()),
    }
}

fn not_a_key(file: &Path) -> String {
    format!("{}: not the key of a grant, which is 64 hex digits on one line", file.display())
}
