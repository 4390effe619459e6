//! `tolbooth template`: what a directory authority and those who rely on it do with templates.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::directory;
use crate::policy::{self, Template, Templates, signature_file};

use super::beside::note_beside;
use super::files::replace;
use super::signing::OfficerArgs;
use super::{Exit, complain, say};

#[derive(Debug, Subcommand)]
pub enum TemplateCommand {
    /// Sign a template with an authority's key
    ///
    /// The key is made as an officer's is, with `tolbooth agreement key`; its public half stands in members.toml
    /// as [[authority]]. The signature lies beside the template, with the ending .sig.
    Sign(SignArgs),
    /// Check a template and its signature against the authorities in members.toml
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub struct SignArgs {
    /// The template's file
    file: PathBuf,
    #[command(flatten)]
    authority: OfficerArgs,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The template's file
    file: PathBuf,
    /// The members, and the authorities' public keys
    #[arg(long, value_name = "FILE", default_value = "members.toml")]
    members: PathBuf,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Runs one of the commands.
pub fn run(command: &TemplateCommand, out: &mut dyn Write) -> Exit {
    let done = match command {
        TemplateCommand::Sign(args) => sign(args, out),
        TemplateCommand::Verify(args) => verify(args, out),
    };
    done.unwrap_or_else(|fault| {
        complain(&fault);
        Exit::No
    })
}

type Done = Result<Exit, Box<dyn std::error::Error>>;

fn read(file: &Path) -> Result<Template, Box<dyn std::error::Error>> {
    let shown = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|error| format!("{shown}: {error}"))?;
    Ok(policy::load_template(&shown, &bytes)?)
}

fn signatures_of(file: &Path) -> PathBuf {
    PathBuf::from(signature_file(&file.display().to_string()))
}

fn sign(args: &SignArgs, out: &mut dyn Write) -> Done {
    let template = read(&args.file)?;
    let signer = args.authority.open(template.stage)?;
    let name = signer.verifier().name();
    // One authority signs: what stood there before was over other bytes, or is this signature again.
    let note = policy::sign_template(None, &template, name, signer.key())?;
    let beside = signatures_of(&args.file);
    replace(beside.clone(), note.as_bytes())?;
    if args.json {
        say(out, json!({ "template": template.reference(), "signed_by": name, "file": beside }));
    } else {
        say(out, format_args!("{} signed by {name}: {}", template.reference(), beside.display()));
    }
    Ok(Exit::Yes)
}

fn verify(args: &VerifyArgs, out: &mut dyn Write) -> Done {
    let template = read(&args.file)?;
    let members = args.members.display().to_string();
    let text = std::fs::read_to_string(&args.members).map_err(|error| format!("{members}: {error}"))?;
    let directory = directory::load(&members, &text, &|path| std::fs::read(path), None)?;
    let note = match note_beside(&signatures_of(&args.file)) {
        Ok(note) => note,
        Err(unread) => {
            complain(&unread);
            return Ok(unread.exit());
        }
    };
    let reference = template.reference();
    let known = Templates::new(vec![(template, note.as_deref())], directory.authorities())?;
    let why_not = known.why_not(&reference);
    if args.json {
        say(out, json!({ "template": reference, "ok": why_not.is_none(), "why_not": why_not }));
    } else {
        match why_not {
            None => say(out, format_args!("{reference}: signed by its authority")),
            Some(why) => say(out, format_args!("{reference} {why}")),
        }
    }
    Ok(if why_not.is_none() { Exit::Yes } else { Exit::No })
}
