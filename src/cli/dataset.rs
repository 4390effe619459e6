//! `tolbooth dataset`: what a host hands to a partner's developer, from the files as they are. The partner
//! can ask the gateway for the same at `GET /{dataset}/v{major}/openapi.json`.

use std::io::Write;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::clock::Clock;
use crate::config;
use crate::desk::{AskedFrom, OwnView, openapi, samples};
use crate::model::{Fault, Faults, MemberId, SystemId, SystemName};

use super::{ConfigArgs, Exit, complain, say};

#[derive(Debug, Subcommand)]
pub enum DatasetCommand {
    /// Questions to copy, in curl and Python, as one partner's system may ask them today
    Examples(ForArgs),
    /// The OpenAPI document of what one partner's system may ask today
    Openapi(ForArgs),
}

#[derive(Debug, Args)]
pub struct ForArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The dataset and its major version, such as child-protection/v1
    dataset: String,
    /// Whose question: MEMBER/SYSTEM, such as nhs-lomond/ed-trak
    #[arg(long = "for", value_name = "MEMBER/SYSTEM", value_parser = system)]
    system: SystemId,
    /// Host and port the partner knows the gateway by
    #[arg(long, default_value = "gateway.example:8443")]
    at: String,
    /// The partner's certificate, as its own machine names the file
    #[arg(long, default_value = "client.pem")]
    cert: String,
    /// Its private key
    #[arg(long, default_value = "client.key")]
    key: String,
    /// The CA the gateway's certificate is under
    #[arg(long, default_value = "gateway-ca.pem")]
    cacert: String,
    /// As the sandbox answers, where drafts of agreements count
    #[arg(long)]
    sandbox: bool,
}

fn system(text: &str) -> Result<SystemId, String> {
    let (member, system) = text.split_once('/').ok_or("wanted MEMBER/SYSTEM")?;
    let member = MemberId::new(member).map_err(|error| error.to_string())?;
    Ok(SystemId { member, system: SystemName::new(system).map_err(|error| error.to_string())? })
}

/// Prints what was asked for; no, if the system may ask nothing of the dataset.
pub fn run(command: &DatasetCommand, out: &mut dyn Write, clock: &Clock) -> Exit {
    match show(command, out, clock) {
        Ok(()) => Exit::Yes,
        Err(faults) => {
            complain(&faults);
            Exit::No
        }
    }
}

fn show(command: &DatasetCommand, out: &mut dyn Write, clock: &Clock) -> Result<(), Faults> {
    let (DatasetCommand::Examples(args) | DatasetCommand::Openapi(args)) = command;
    let gateway = config::load(&args.config.config)?;
    let gateway = if args.sandbox { gateway.into_sandbox()? } else { gateway };
    let ruleset = super::check::load_ruleset(&gateway)?;
    let (dataset, major) = args.dataset.split_once("/v").unwrap_or((&args.dataset, ""));
    let view = OwnView::of(&ruleset, &args.system, dataset, major, clock.today()).ok_or_else(|| {
        let fault = Fault::new(&args.dataset, None, format!("{} may ask nothing of it today", args.system));
        fault.with_help("`tolbooth agreement status` says what is not in force, and why")
    })?;
    let from = AskedFrom {
        authority: args.at.clone(),
        certificate: args.cert.clone(),
        key: args.key.clone(),
        ca: args.cacert.clone(),
    };
    if let DatasetCommand::Openapi(_) = command {
        say(out, format_args!("{:#}", openapi(&view, &from, args.sandbox)));
        return Ok(());
    }
    for operation in &view.operations {
        let id = &operation.offered.operation.id;
        for sample in operation.under.iter().flat_map(|under| samples(&view, operation, under, &from)) {
            if args.config.json {
                say(
                    out,
                    json!({ "operation": id, "lang": sample.lang, "label": sample.label, "source": sample.source }),
                );
            } else {
                say(out, format_args!("# {id}: {}\n{}", sample.label, sample.source));
            }
        }
    }
    Ok(())
}
