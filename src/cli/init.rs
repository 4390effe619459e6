//! `tolbooth init`: a first configuration that passes `check` and answers, to be changed from there.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::clock::Clock;

use super::trial::{self, Plan, TAXI, Trial};
use super::{Exit, complain, say};

#[derive(Debug, Args)]
pub struct InitArgs {
    /// The gateway's folder, new or empty
    dir: PathBuf,
    /// Where the keys go that a gateway must not hold: member CAs, officers' keys, partners'
    /// certificates [default: DIR-trial-keys]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Makes a trial of one dataset: taxi licences from a CSV file, for a police force.
pub fn run(args: &InitArgs, out: &mut dyn Write, clock: &Clock) -> Exit {
    let keys = args.keys.clone().unwrap_or_else(|| {
        let mut beside = args.dir.as_os_str().to_owned();
        beside.push("-trial-keys");
        PathBuf::from(beside)
    });
    for folder in [&args.dir, &keys] {
        if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            complain(&format!("{} is not empty: init never writes over anything", folder.display()));
            return Exit::No;
        }
    }
    let plan = Plan {
        home: &args.dir,
        keys: &keys,
        datasets: &[&TAXI],
        partners: "127.0.0.1:8443",
        local: "127.0.0.1:9464",
        system: None,
        level: "info",
    };
    match trial::make(&plan, clock) {
        Ok(trial) => {
            tell(args, &keys, &trial, out);
            Exit::Yes
        }
        Err(fault) => {
            complain(&fault);
            Exit::No
        }
    }
}

fn tell(args: &InitArgs, keys: &Path, trial: &Trial, out: &mut dyn Write) {
    let curl = format!(
        "curl -i --cert {} \\\n    --key {} \\\n    --cacert {} \\\n    \
         -H 'Tolbooth-User: pc.1234' --json '{{\"licence_no\":\"TX-1042\"}}' \\\n    \
         https://localhost:8443/taxi-licence/v1/check",
        trial.police.certificate.display(),
        trial.police.key.display(),
        trial.ca.display()
    );
    if args.json {
        say(out, json!({ "configuration": trial.configuration, "keys": keys, "curl": curl }));
        return;
    }
    let configuration = trial.configuration.display();
    say(
        out,
        format_args!(
            "A trial gateway is in {}; keys only others should hold are in {}.",
            args.dir.display(),
            keys.display()
        ),
    );
    say(
        out,
        format_args!(
            "\n  tolbooth check --config {configuration}\n  tolbooth serve --config {configuration}"
        ),
    );
    say(out, format_args!("\nThen, as the police would:\n\n  {curl}"));
    say(
        out,
        "\nAll people in it are made up. To put it before a system of your own, read \"Your own system\" in README.md.",
    );
}
