//! The auditor's part of the walk, and the forger's.

use std::path::{Path, PathBuf};

use super::asking::Said;
use super::steps::CHI;
use super::told::Told;
use super::{Fault, Stage};
use crate::cli::ledger::{Asked, Verified, VerifyWhat, find_subject, journal_key, show};

fn head_file(stage: &Stage) -> PathBuf {
    stage.scratch.join("answer.head")
}

fn body_file(stage: &Stage) -> PathBuf {
    stage.scratch.join("answer.json")
}

/// Keeps an answer as `curl -D answer.head -o answer.json` would.
pub(super) fn keep(stage: &Stage, said: &Said, receipt: &str) -> Result<(), Fault> {
    let head = format!(
        "HTTP/1.1 {} \r\ncontent-type: {}\r\ntolbooth-outcome: {}\r\ntolbooth-receipt: {receipt}\r\n\r\n",
        said.status, said.content_type, said.outcome
    );
    std::fs::write(head_file(stage), head)?;
    std::fs::write(body_file(stage), &said.body)?;
    Ok(())
}

pub(super) fn walk(stage: &Stage, told: &mut Told<'_>) {
    told.step("The council's auditor asks who enquired about this child");
    let found = search(stage, told);
    told.judge(
        "search",
        "every enquiry is found, and the look itself is recorded",
        found.map_err(|fault| fault.to_string()),
    );
    told.step("NHS Lomond verifies its receipt, and anybody the whole log, offline");
    let verified = verify(stage, told);
    told.judge(
        "verify",
        "the answer received is the answer recorded, and the log is whole",
        verified.map_err(|fault| fault.to_string()),
    );
    told.step("Somebody with a shell changes one byte of the log; somebody else swaps the kept answer");
    let caught = tamper(stage, told);
    told.judge("tamper", "both are caught", caught.map_err(|fault| fault.to_string()));
}

fn search(stage: &Stage, told: &Told<'_>) -> Result<(), Fault> {
    let purpose = "subject access request SAR-7";
    told.about(
        "asks",
        "by CHI, which is typed or piped in and never an argument; a purpose goes on the record",
    );
    told.by_hand(&format!(
        "echo {CHI} | tolbooth ledger search --config {} \\\n    --purpose '{purpose}' --subject chi --sealed",
        stage.within(&stage.trial.configuration)
    ));
    let asked = Asked::at(&stage.admin_socket);
    let mut outcomes = Vec::new();
    let found = find_subject(&asked, purpose, "chi", CHI, &mut |record| {
        let mut shown = Vec::new();
        show(record, &mut shown);
        let shown = String::from_utf8_lossy(&shown).into_owned();
        for (index, line) in shown.lines().enumerate() {
            told.about(if index == 0 { "found" } else { "" }, line.trim());
        }
        let outcome = record.pointer("/envelope/outcome").and_then(|value| value.as_str());
        outcomes.push(outcome.unwrap_or_default().to_owned());
    })?;
    // Of the steps above: answered, without the safe address, and stopped. The refusals before a
    // permit never opened the question, and so name nobody.
    if found == 3 && outcomes.iter().filter(|outcome| *outcome == "answered").count() == 2 {
        Ok(())
    } else {
        Err(format!("{found} were found").into())
    }
}

fn verify(stage: &Stage, told: &Told<'_>) -> Result<(), Fault> {
    let key = journal_key(&stage.ledger)?;
    let (head, body) = (head_file(stage), body_file(stage));
    let public = stage.ledger.with_file_name("keys").join("ledger.vkey");
    told.about("kept", "by NHS Lomond in step 1: the answer's head, with the receipt in it, and its body");
    told.by_hand(&format!(
        "tolbooth ledger verify --receipt {} --body {} \\\n    --key {}",
        stage.within(&head),
        stage.within(&body),
        stage.within(&public)
    ));
    let text = std::fs::read_to_string(&head)?;
    let bytes = std::fs::read(&body)?;
    let receipt = VerifyWhat::Receipt { text: &text, body: Some(&bytes) }.verify(&key, &[])?;
    tell(told, "receipt", &receipt);
    told.by_hand(&format!(
        "tolbooth ledger verify {} \\\n    --against {}",
        stage.within(&stage.ledger),
        stage.within(&head)
    ));
    let log = VerifyWhat::Log(&stage.ledger).verify(&key, &[&text])?;
    tell(told, "log", &log);
    Ok(())
}

fn tell(told: &Told<'_>, label: &str, verified: &Verified) {
    told.about(label, &verified.about);
    verified.proven.iter().for_each(|line| told.about("", &format!("proven: {line}")));
    verified.not_proven.iter().for_each(|line| told.about("", &format!("not proven: {line}")));
}

fn tamper(stage: &Stage, told: &Told<'_>) -> Result<(), Fault> {
    let key = journal_key(&stage.ledger)?;
    let copy = stage.scratch.join("journal");
    copy_folder(&stage.ledger.join("journal"), &copy)?;
    let segment = first_file(&copy)?;
    let mut bytes = std::fs::read(&segment)?;
    let needle = b"nhs-lomond";
    let at = bytes.windows(needle.len()).position(|window| window == needle).ok_or("no record to change")?;
    if let Some(byte) = bytes.get_mut(at) {
        *byte = b'm';
    }
    std::fs::write(&segment, bytes)?;
    match VerifyWhat::Log(&copy).verify(&key, &[]) {
        Ok(_) => return Err("the changed log verified".into()),
        Err(fault) => told.about("caught", &fault.to_string()),
    }
    let head = std::fs::read_to_string(head_file(stage))?;
    let body = std::fs::read_to_string(body_file(stage))?.replace("true", "false");
    let swapped = VerifyWhat::Receipt { text: &head, body: Some(body.as_bytes()) };
    match swapped.verify(&key, &[]) {
        Ok(_) => Err("the swapped answer verified".into()),
        Err(fault) => {
            told.about("caught", &fault.to_string());
            Ok(())
        }
    }
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn first_file(folder: &Path) -> Result<PathBuf, Fault> {
    let mut segments: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "segment"))
        .collect();
    segments.sort();
    segments.into_iter().next().ok_or_else(|| "the journal has no segment".into())
}
