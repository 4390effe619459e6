//! `tolbooth agreement page` and `changes`: what officers read before they sign. Files are read here; what is said
//! of them is made in `desk/paper/`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::desk::paper::{self, Names, Saying};
use crate::directory::{self, Directory};
use crate::model::MemberId;
use crate::policy::{self, Agreement, Grounds, KeyRing, Standing};

use super::agreement::signatures_beside;
use super::beside::text_beside;
use super::{Exit, say};

type Done = Result<Exit, Box<dyn std::error::Error>>;

#[derive(Debug, Args)]
pub struct PageArgs {
    /// The agreement's file
    file: PathBuf,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    members: MembersArgs,
}

#[derive(Debug, Args)]
pub struct ChangesArgs {
    /// The file of the older version
    old: PathBuf,
    /// The file of the newer version
    new: PathBuf,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    members: MembersArgs,
}

/// How a page is written.
#[derive(Debug, Args)]
struct Form {
    /// Print one HTML file that holds everything it needs, to read in a browser or to print
    #[arg(long, conflicts_with = "json")]
    html: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Who the members are, if that is to be read.
#[derive(Debug, Args)]
struct MembersArgs {
    /// The members, for their names and to say who has signed; without it members.toml, if it is here
    #[arg(long, value_name = "FILE")]
    members: Option<PathBuf>,
}

impl MembersArgs {
    /// A file that was named has to be there; members.toml need not.
    fn read(&self) -> Result<Option<Directory>, Box<dyn std::error::Error>> {
        let usual = Path::new("members.toml");
        let file = self.members.as_deref().unwrap_or(usual);
        if self.members.is_none() && !file.exists() {
            return Ok(None);
        }
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
        Ok(Some(directory::load(&name, &text, &|path| std::fs::read(path), None)?))
    }
}

/// What a member is called; by its id where nobody says more.
fn name_of(directory: Option<&Directory>, member: &MemberId) -> String {
    let known = directory.and_then(|directory| directory.member(member));
    known.map_or_else(|| member.to_string(), |known| known.name.clone())
}

fn read(file: &Path) -> Result<Agreement, Box<dyn std::error::Error>> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|error| format!("{name}: {error}"))?;
    Ok(policy::load(&name, &bytes)?)
}

/// A version of an agreement: a grant has none.
fn read_version(file: &Path) -> Result<Agreement, Box<dyn std::error::Error>> {
    let agreement = read(file)?;
    if agreement.grant.is_some() {
        let name = file.display();
        let why = "is a single-use grant, and has no versions: what is decided anew is another grant";
        return Err(format!("{name}: {why} (docs/grant-file.md)").into());
    }
    Ok(agreement)
}

pub(super) fn page(args: &PageArgs, out: &mut dyn Write) -> Done {
    let agreement = read(&args.file)?;
    let directory = args.members.read()?;
    let standing =
        directory.as_ref().map(|directory| signed(&args.file, &agreement, directory)).transpose()?;
    let names = |member: &MemberId| name_of(directory.as_ref(), member);
    if args.form.json {
        say(out, as_json(&agreement, &names, standing.as_ref()));
    } else {
        args.form.write(&paper::page(&agreement, &names, standing.as_ref()), out);
    }
    Ok(Exit::Yes)
}

pub(super) fn changes(args: &ChangesArgs, out: &mut dyn Write) -> Done {
    let (old, new) = (read_version(&args.old)?, read_version(&args.new)?);
    let directory = args.members.read()?;
    let names = |member: &MemberId| name_of(directory.as_ref(), member);
    if args.form.json {
        let found = paper::changes(&old, &new, &names);
        let found: Vec<Value> = found.iter().map(change).collect();
        let same = old.digest == new.digest;
        say(
            out,
            json!({
                "from": old.reference.to_string(), "to": new.reference.to_string(),
                "from_digest": old.digest.to_string(), "to_digest": new.digest.to_string(),
                "same_bytes": same, "changes": found,
            }),
        );
    } else {
        args.form.write(&paper::changes_page(&old, &new, &names), out);
    }
    Ok(Exit::Yes)
}

impl Form {
    /// As text or HTML.
    fn write(&self, document: &paper::Document, out: &mut dyn Write) {
        let page = if self.html { paper::html(document) } else { paper::text(document) };
        say(out, page.trim_end());
    }
}

/// Whose signatures beside the file are good. Whether what is released still is what was sealed only the provider's
/// gateway knows, and the seal is taken at its word.
fn signed(
    file: &Path,
    agreement: &Agreement,
    directory: &Directory,
) -> Result<Standing, Box<dyn std::error::Error>> {
    let ring = KeyRing::new(directory.officers())?;
    let note = text_beside(&signatures_beside(file))?;
    let grounds = Grounds {
        note: note.as_deref(),
        ring: &ring,
        view: agreement.seal,
        highest_seen: None,
        source_synthetic: true,
    };
    Ok(policy::standing(agreement, &grounds))
}

fn as_json(agreement: &Agreement, names: Names<'_>, standing: Option<&Standing>) -> Value {
    let says: Vec<Value> = paper::sayings(agreement, names).iter().map(saying).collect();
    let wanted: Vec<&str> = agreement.controllers().map(|member| member.as_str()).collect();
    let signed = standing.map(|standing| {
        let signer = |one: &policy::Signer| json!({ "for": one.member.as_str(), "officer": one.officer, "office": one.office });
        standing.signers().iter().map(signer).collect::<Vec<_>>()
    });
    json!({
        "agreement": agreement.reference.to_string(), "title": agreement.title, "digest": agreement.digest.to_string(),
        "says": says, "signatures_wanted": wanted, "signed_by": signed,
    })
}

fn saying(one: &Saying) -> Value {
    json!({
        "key": one.key, "section": one.section(), "of": one.of, "label": one.label, "says": one.shown,
        "held": one.held.as_str(),
    })
}

fn change(one: &paper::Change) -> Value {
    json!({
        "key": one.key, "what": one.title, "direction": one.direction.as_str(), "before": one.before,
        "after": one.after,
    })
}
