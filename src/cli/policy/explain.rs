//! `tolbooth policy explain`: whether a question would be permitted, on which clause it would stop, and who can change
//! that. Judged by the road's own parts as far as *decide*.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use jiff::civil::{Date, Time};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::config;
use crate::desk::policy_tests::{Asks, Bench, Supposing, Unpermitted, dataset_version, system_id};
use crate::desk::{Denied, Remedy, Ruleset};
use crate::model::{Assurance, Code, Faults, SystemId};
use crate::policy::Agreement;

use super::super::check::load_ruleset_knowing;
use super::super::explain::show_remedy;
use super::super::halt::stop_in_words;
use super::super::known::Known;
use super::super::{ConfigArgs, Exit, complain, say};

#[derive(Debug, Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Who would ask, as member/system
    #[arg(long, value_parser = system_id)]
    consumer: SystemId,
    /// Of which dataset, as dataset/v1
    #[arg(long, value_parser = dataset_version)]
    dataset: (String, String),
    /// Which operation of it
    #[arg(long)]
    operation: String,
    /// What the caller would state in Tolbooth-Purpose
    #[arg(long)]
    purpose: Option<String>,
    /// What the caller would state in Tolbooth-Role
    #[arg(long)]
    role: Option<String>,
    /// What the caller would state in Tolbooth-Agreement
    #[arg(long)]
    agreement: Option<String>,
    /// What the caller would state in Tolbooth-Reason
    #[arg(long)]
    reason: Option<String>,
    /// A user would be stated
    #[arg(long)]
    user: bool,
    /// A case would be stated
    #[arg(long)]
    case: bool,
    /// What would be proven: certificate, token or signed
    #[arg(long, default_value = "certificate", value_parser = assurance)]
    assurance: Assurance,
    /// The day in London, as 2026-12-07 [default: today]
    #[arg(long)]
    on: Option<Date>,
    /// The hour in London, as 09:30 [default: now]
    #[arg(long)]
    at: Option<Time>,
    /// As though all agreements were sealed and signed
    #[arg(long)]
    supposing_signed: bool,
}

pub(super) fn run(args: &ExplainArgs, out: &mut dyn Write, clock: &Clock) -> Exit {
    explain(args, out, clock).unwrap_or_else(|faults| {
        complain(&faults);
        Exit::No
    })
}

fn explain(args: &ExplainArgs, out: &mut dyn Write, clock: &Clock) -> Result<Exit, Faults> {
    let gateway = config::load(&args.config.config)?;
    let known = Known::ask(&gateway.admin_socket);
    let ruleset = load_ruleset_knowing(&gateway, &known)?;
    let zone = clock.zone().clone();
    let bench = if args.supposing_signed {
        Bench::new(&ruleset, &gateway.member, zone)?
    } else {
        Bench::as_it_stands(&ruleset, zone)
    };
    let asks = args.asks(clock);
    let told = bench.explain(&asks);
    let told =
        if args.supposing_signed { told } else { told.and_then(|agreement| known.permits(agreement, &asks)) };
    let by = known.sentence(&ruleset.digest.to_string());
    match told {
        Ok(agreement) => {
            let (reference, file) = (agreement.reference.to_string(), &agreement.file);
            if args.config.json {
                say(
                    out,
                    json!({ "would_be": "permitted", "agreement": reference, "file": file,
                        "gateway_asked": known.is_asked() }),
                );
            } else {
                say(out, format_args!("it would be permitted under {reference} ({file})"));
                say(out, "whether there is a record, and whether it may leave, was not looked at");
                say(out, format_args!("({by})"));
            }
            Ok(Exit::Yes)
        }
        Err(why) => {
            let remedy = remedy(&ruleset, &why, &asks).json();
            tell(args, &why, &remedy, out);
            if !args.config.json {
                say(out, format_args!("({by})"));
            }
            Ok(Exit::No)
        }
    }
}

fn tell(args: &ExplainArgs, why: &Unpermitted, remedy: &Value, out: &mut dyn Write) {
    let code = why.denied.code;
    let agreement = why.agreement.as_ref().map(|agreement| agreement.reference.to_string());
    if args.config.json {
        let told = json!({
            "would_be": "refused", "code": code.as_str(), "sentence": code.sentence(), "detail": why.denied.detail,
            "agreement": agreement, "not_in_force": why.not_in_force, "remedy": remedy,
        });
        return say(out, told);
    }
    let under = agreement.map(|agreement| format!(" under {agreement}")).unwrap_or_default();
    say(out, format_args!("it would be refused{under}: {code}: {}", code.sentence()));
    why.denied.detail.iter().for_each(|detail| say(out, detail));
    why.not_in_force.iter().for_each(|reason| say(out, format_args!("not in force: {reason}")));
    show_remedy(remedy, out);
}

/// What would have to change, with the lines it stands on in the files as they are.
fn remedy(ruleset: &Ruleset, why: &Unpermitted, asks: &Asks) -> Remedy {
    let code = why.denied.code;
    let Some(agreement) = &why.agreement else { return Remedy::without_agreement(code) };
    let file = ruleset.files.agreements.iter().find(|file| file.name == agreement.file);
    let text = file.and_then(|file| file.held()).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let why = (code, why.denied.truth.as_deref());
    Remedy::of(why, agreement, text.unwrap_or_default(), &asks.consumer, asks.on)
}

impl ExplainArgs {
    fn asks(&self, clock: &Clock) -> Asks {
        Asks {
            consumer: self.consumer.clone(),
            dataset: self.dataset.clone(),
            operation: self.operation.clone(),
            agreement: self.agreement.clone(),
            purpose: self.purpose.clone(),
            role: self.role.clone(),
            reason: self.reason.clone(),
            user: self.user,
            case: self.case,
            assurance: self.assurance,
            on: self.on.unwrap_or_else(|| clock.today()),
            at: self.at.unwrap_or_else(|| clock.london().time()),
            asked: 1,
            answered_today: 0,
            answered_user_today: 0,
            question: String::new(),
            record: None,
            record_times: 1,
            supposing: Supposing::default(),
        }
    }
}

fn assurance(text: &str) -> Result<Assurance, &'static str> {
    let known = Assurance::ALL.into_iter().find(|known| known.as_str() == text);
    known.ok_or("certificate, token or signed is wanted")
}

impl Known {
    /// Whether what the files permit is answered: the host may have stopped it, and a grant is for one answer.
    fn permits(&self, agreement: Arc<Agreement>, asks: &Asks) -> Result<Arc<Agreement>, Unpermitted> {
        let refused = |code: Code, detail: String| Unpermitted {
            denied: Denied { code, detail: Some(detail), truth: None, retry_after: None },
            agreement: Some(Arc::clone(&agreement)),
            not_in_force: Vec::new(),
        };
        if let Some(why) = self.unusable(&agreement.reference) {
            return Err(refused(Code::GrantSpent, why.to_owned()));
        }
        match self.life.halt(&asks.consumer.member, &agreement.dataset.dataset) {
            Some(stop) => Err(refused(Code::Stopped, stop_in_words(stop))),
            None => Ok(agreement),
        }
    }
}
