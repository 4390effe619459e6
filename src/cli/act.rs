//! `tolbooth agreement propose`, `accept`, `decline`, `suspend`, `resume` and `withdraw`: what a party's officer
//! does to an agreement, as a small signed file beside it.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::agreement::{Done, read};
use super::files::{Readable, write_new};
use super::halt::tell_gateway;
use super::say;
use super::signing::{OfficerArgs, key_ring};
use super::{Exit, complain};
use crate::clock::Clock;
use crate::model::{Action, Digest, Life, LifeEvent, MemberId};
use crate::policy::{self, Act, Agreement, KeyRing, SignedAct};

type Fault = Box<dyn std::error::Error>;

#[derive(Debug, Args)]
pub struct ActArgs {
    /// The agreement's file; the act goes beside it, in a file of its own
    file: PathBuf,
    /// Why, in one line: the other parties read it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    officer: OfficerArgs,
    /// The members and their officers' public keys
    #[arg(long, value_name = "FILE", default_value = "members.toml")]
    members: PathBuf,
    /// What is taken back, where its file is not here: the statement's digest, as the ledger has it
    #[arg(long, value_name = "DIGEST")]
    lifts: Option<String>,
    /// The gateway's configuration, to have it act at once; it looks by itself within two seconds
    #[arg(long, value_name = "FILE", default_value = "tolbooth.toml")]
    config: PathBuf,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ActArgs, action: Action, out: &mut dyn Write, clock: &Clock) -> Done {
    let (agreement, _) = read(&args.file)?;
    if !policy::is_reason(&args.reason) {
        let most = policy::ACT_REASON_CHARS_MAX;
        return Err(format!("--reason: wanted one line of 1 to {most} characters").into());
    }
    let signer = args.officer.open(agreement.stage)?;
    let ring = key_ring(&args.members)?;
    let name = signer.verifier().name();
    let member = party(&agreement, &ring, name, &args.members)?;
    let acts = lifted(args, action, &agreement, (&ring, &member))?.into_iter().map(|lifts| Act {
        action,
        agreement: agreement.reference.clone(),
        digest: agreement.digest,
        at: clock.now(),
        lifts,
        reason: args.reason.clone(),
    });
    let mut written = Vec::new();
    for act in acts {
        let (text, file) = (act.signed(&signer), act.file(&args.file.display().to_string()));
        // What would count for nothing is not written.
        let judged = SignedAct::read(&file, text.as_bytes())?.judged(&agreement, &ring);
        judged.map_err(|fault| format!("{name}: {fault}"))?;
        write_new(PathBuf::from(&file), text.as_bytes(), Readable::ByAll)?;
        written.push((file, act.statement()));
    }
    told((&agreement, &member), action, &written, args, out)
}

fn party(agreement: &Agreement, ring: &KeyRing, name: &str, members: &Path) -> Result<MemberId, Fault> {
    let officer = ring
        .officer(name)
        .ok_or_else(|| format!("{}: lists no officer `{name}`: the host adds them", members.display()))?;
    if !agreement.controllers().any(|party| *party == officer.member) {
        return Err(format!("{name} is an officer of {}, which is no party to it", officer.member).into());
    }
    Ok(officer.member.clone())
}

/// What each act takes back; one that takes back nothing is one act. Whoever suspended several times resumes from all.
fn lifted(
    args: &ActArgs,
    action: Action,
    agreement: &Agreement,
    (ring, member): (&KeyRing, &MemberId),
) -> Result<Vec<Option<Digest>>, Fault> {
    let Some(wanted) = action.lifts() else { return Ok(vec![None]) };
    if let Some(text) = &args.lifts {
        let digest = Digest::parse(text).ok_or("--lifts: wanted a digest such as sha256:...")?;
        return Ok(vec![Some(digest)]);
    }
    let mut life = Life::default();
    for signed in beside(&args.file)? {
        if signed.act.agreement == agreement.reference
            && let Ok(counted) = signed.judged(agreement, ring)
        {
            life.note(LifeEvent::Act(counted.done));
        }
    }
    let open = life.against(&agreement.reference);
    let mine: Vec<Option<Digest>> = open
        .iter()
        .filter(|act| act.action == wanted && act.member == *member)
        .map(|act| Some(act.statement))
        .collect();
    match (mine.is_empty(), action) {
        // A party may accept what it never declined.
        (true, Action::Accept) => Ok(vec![None]),
        (true, _) => {
            if let Some(act) = open.iter().find(|act| act.action == Action::Withdraw) {
                return Err(format!(
                    "{} was withdrawn for good by {}, which nothing takes back: the parties agree on a new `version`",
                    agreement.reference, act.member
                )
                .into());
            }
            let others = open.iter().filter(|act| act.action == wanted).map(|act| act.member.to_string());
            let others: BTreeSet<String> = others.collect();
            let others: Vec<&str> = others.iter().map(String::as_str).collect();
            let others =
                if others.is_empty() { String::new() } else { format!(" (it is, by {})", others.join(", ")) };
            Err(format!(
                "{} is not suspended by {member}{others}: who suspended resumes; where the file of it is not here, \
                 --lifts names it",
                agreement.reference
            )
            .into())
        }
        (false, _) => Ok(mine),
    }
}

/// The acts that lie beside an agreement's file.
fn beside(file: &Path) -> Result<Vec<SignedAct>, Fault> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut acts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "act") {
            acts.push(SignedAct::read(&path.display().to_string(), &std::fs::read(&path)?)?);
        }
    }
    Ok(acts)
}

fn told(
    (agreement, member): (&Agreement, &MemberId),
    action: Action,
    written: &[(String, Digest)],
    args: &ActArgs,
    out: &mut dyn Write,
) -> Done {
    let reference = &agreement.reference;
    let files: Vec<&str> = written.iter().map(|(file, _)| file.as_str()).collect();
    let gateway = tell_gateway(&args.config);
    let at_once = matches!(gateway, Ok(true));
    if args.json {
        let statements: Vec<String> = written.iter().map(|(_, statement)| statement.to_string()).collect();
        say(
            out,
            json!({
                "agreement": reference.to_string(), "action": action.as_str(), "member": member.as_str(),
                "files": files, "statements": statements, "gateway_told": at_once,
            }),
        );
    } else {
        say(out, format_args!("{reference}: {} for {member}, in {}", action.as_str(), files.join(", ")));
        if at_once {
            say(out, "The gateway has taken it, and it is on the record.");
        }
        say(out, "Hand the file round: it belongs beside the agreement at every gateway concerned.");
    }
    match gateway {
        Ok(_) => Ok(Exit::Yes),
        Err(fault) => {
            // The file is there: the gateway takes it as soon as what is wrong beside it is mended.
            complain(&fault);
            Ok(Exit::No)
        }
    }
}
