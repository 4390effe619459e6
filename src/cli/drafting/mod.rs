//! `tolbooth agreement new`: a whole agreement from at most 15 answers. What is asked and how it is drawn up is the
//! desk's; here are the command, its files and what is told at the end.

mod answers;
mod asking;

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::clock::Clock;
use crate::config::{self, Gateway};
use crate::desk::drafting::{Ground, Sheet};
use crate::model::{AgreementId, Fault, Faults};
use crate::policy::{Agreement, organisation_file};

use super::files::{Readable, write_new};
use super::{ConfigArgs, Exit, check, say};

use answers::AnswerFile;
use asking::{Typed, ask};

#[derive(Debug, Args)]
pub struct NewArgs {
    /// What the partner says of itself: its organisation.toml, as it handed it over
    #[arg(long, value_name = "FILE")]
    partner: Option<PathBuf>,
    /// A template in policies/templates, by its file or as name@version: only what it leaves open is asked
    #[arg(long, value_name = "FILE|NAME@N")]
    template: Option<String>,
    /// Answers in a file (TOML), in the place of the questions
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// The agreement's id, and its file's name [default: provider, partner and dataset]
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

type Done = Result<Exit, Box<dyn std::error::Error>>;

/// Asks, writes the file, and says what is next.
pub(super) fn run(args: &NewArgs, out: &mut dyn Write, clock: &Clock) -> Done {
    let gateway = config::load(&args.config.config)?;
    let ruleset = check::load_ruleset(&gateway)?;
    let ground = ground(args, &gateway, &ruleset, clock)?;
    let sheet = Sheet::new(&ground);
    let (sheet, asked) = match &args.answers {
        Some(file) => {
            let mut answers = AnswerFile::read(file)?;
            let (sheet, asked) = ask(sheet, &mut answers)?;
            answers.done()?;
            (sheet, asked)
        }
        None => {
            let (mut input, mut prompts) = (io::stdin().lock(), io::stderr());
            let terminal = io::stdin().is_terminal();
            ask(sheet, &mut Typed::new(&mut input, &mut prompts, terminal))?
        }
    };
    let (name, text) = sheet.text().map_err(Faults)?;
    let agreement = ground.judge(&name, &text)?;
    let path = gateway.policies.join("agreements").join(format!("{}.toml", agreement.reference.id));
    write_new(path.clone(), text.as_bytes(), Readable::ByAll)?;
    // Read once more as a gateway would, with everything that lies beside it: what it could not load would keep a
    // running one from taking any other change.
    if let Err(faults) = check::load_ruleset(&gateway) {
        std::fs::remove_file(&path)?;
        return Err(faults.into());
    }
    tell(args, &ground, &agreement, &path, asked, out);
    Ok(Exit::Yes)
}

fn ground<'r>(
    args: &NewArgs,
    gateway: &Gateway,
    ruleset: &'r crate::desk::Ruleset,
    clock: &Clock,
) -> Result<Ground<'r>, Box<dyn std::error::Error>> {
    let own = organisation_file(&gateway.policies);
    let own = match std::fs::read(&own) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("{}: {error}", own.display()).into()),
    };
    let mut ground = Ground::new(gateway, ruleset, own.as_deref(), clock.today())?;
    if let Some(id) = &args.id {
        ground = ground.with_id(AgreementId::new(id)?)?;
    }
    if let Some(file) = &args.partner {
        let name = file.display().to_string();
        let bytes = std::fs::read(file).map_err(|error| format!("{name}: {error}"))?;
        ground = ground.with_partner(&name, &bytes)?;
    }
    if let Some(named) = &args.template {
        ground = ground.with_template(named)?;
    }
    Ok(ground)
}

fn tell(
    args: &NewArgs,
    ground: &Ground<'_>,
    agreement: &Agreement,
    path: &Path,
    asked: usize,
    out: &mut dyn Write,
) {
    let warnings = ground.warnings(agreement);
    let path = path.strip_prefix(".").unwrap_or(path);
    let next = next(agreement, path);
    if args.config.json {
        let warnings: Vec<_> = warnings.iter().map(check::fault_json).collect();
        let reference = agreement.reference.to_string();
        say(
            out,
            json!({ "agreement": reference, "file": path, "questions": asked, "warnings": warnings, "next": next }),
        );
        return;
    }
    say(out, format_args!("{} is written: {}", agreement.reference, path.display()));
    for Fault { message, help, .. } in &warnings {
        say(out, format_args!("\nThink again: {message}."));
        help.iter().for_each(|help| say(out, format_args!("  {help}")));
    }
    say(out, "\nRead it, and change in it what you like; then, in this order:\n");
    next.iter().for_each(|command| say(out, format_args!("  {command}")));
}

/// The commands that bring it into force.
fn next(agreement: &Agreement, path: &Path) -> Vec<String> {
    let file = path.display();
    let mut next = vec![format!("tolbooth agreement page {file}"), format!("tolbooth agreement seal {file}")];
    let sign = |who: String| format!("tolbooth agreement sign {file} --key KEY    ({who})");
    next.extend(agreement.controllers().map(|member| sign(format!("an officer of {member}"))));
    next.extend(agreement.guardians().map(|(member, office)| sign(format!("the {office} of {member}"))));
    next.push("tolbooth check".to_owned());
    next
}
