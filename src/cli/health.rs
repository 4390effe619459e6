//! `tolbooth agreement register --format health`: what the files say, and what the running gateway says of its record.
//! The register itself is made in `desk/paper/health/`.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::admin::ReportQuestion;
use crate::clock::Clock;
use crate::config::Gateway;
use crate::desk::Ruleset;
use crate::desk::paper::{Look, Record, health as made_of, html, text};
use crate::model::{AgreementRef, MemberId};
use crate::policy::{Agreement, Reason};

use super::known::Known;
use super::ledger::{Asked, Told};
use super::next_step::next_step;
use super::register::{Form, RegisterArgs, csv, name_of};
use super::{complain, say};

pub(super) fn health(
    args: &RegisterArgs,
    (gateway, ruleset): (&Gateway, &Ruleset),
    out: &mut dyn Write,
    clock: &Clock,
) {
    let known = Known::ask(&gateway.admin_socket);
    let record = asked(&gateway.admin_socket, &args.purpose);
    let names = |member: &MemberId| name_of(ruleset, member);
    let next = |reasons: &[Reason], agreement: &Agreement| {
        let file = gateway.home.join(&agreement.file);
        next_step(reasons, file.strip_prefix(".").unwrap_or(&file))
    };
    let look = Look {
        now: clock.now(),
        today: clock.today(),
        member: &gateway.member,
        names: &names,
        record: record.as_ref().ok(),
        recorded: &|agreement: &AgreementRef| {
            known.life.against(agreement).into_iter().map(Reason::of).collect()
        },
        templates: &ruleset.newest_templates(),
        next: &next,
    };
    let made = made_of(ruleset.register.all(), &look);
    let unknown = record.as_ref().err().map(ToString::to_string);
    match args.form(Form::Text) {
        Form::Text => say(out, text(&made.document()).trim_end()),
        Form::Html => say(out, html(&made.document()).trim_end()),
        Form::Csv => csv(&made.sheet(), out),
        Form::Json => {
            let mut json = made.json();
            if let Value::Object(all) = &mut json {
                all.insert("record".to_owned(), json!({ "asked": unknown.is_none(), "why_not": unknown }));
            }
            say(out, json);
            return;
        }
    }
    if let Some(why) = unknown {
        complain(&format!("when each was last used, and what was suspended since, is unknown: {why}"));
    }
}

/// The uses of all agreements, as the gateway's record has them.
fn asked(socket: &Path, purpose: &str) -> Result<Record, Box<dyn std::error::Error>> {
    let question = ReportQuestion {
        purpose: purpose.to_owned(),
        report: "uses".to_owned(),
        ..ReportQuestion::default()
    };
    let mut record = None;
    let mut done = false;
    let told = Told::new();
    Asked::at(socket).ask("/report", &question, &mut |line| {
        let line = told.line(line)?;
        if let Some(head) = line.get("head") {
            record = Some(Record::new(head));
        }
        if let Some(row) = line.get("row") {
            record.as_mut().and_then(|record| record.take(row)).ok_or("the gateway said something else")?;
        }
        done |= line.get("done").is_some();
        Ok(())
    })?;
    told.clear();
    record.filter(|_| done).ok_or_else(|| "the gateway's answer broke off".into())
}
