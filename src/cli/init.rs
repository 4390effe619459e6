//! `tolbooth init`: a first configuration that passes `check` and answers, to be changed from there.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::clock::Clock;

use super::trial::{self, Offer, Plan, TAXI, Trial};
use super::{Exit, complain, say};

#[derive(Debug, Args)]
pub struct InitArgs {
    /// The gateway's folder, new or empty
    dir: PathBuf,
    /// Where the keys go that a gateway must not hold: member CAs, officers' keys, partners'
    /// certificates [default: DIR-trial-keys]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Also offer this dataset of made-up rows, without an agreement over it: `tolbooth agreement new` writes
    /// one. May be repeated
    #[arg(long, value_enum, value_name = "DATASET")]
    with: Vec<Offer>,
    /// Where partners ask
    #[arg(long, value_name = "ADDRESS", default_value = PARTNERS)]
    partners: SocketAddr,
    /// Where this machine's monitoring asks
    #[arg(long, value_name = "ADDRESS", default_value = LOCAL)]
    local: SocketAddr,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

const PARTNERS: &str = "127.0.0.1:8443";
const LOCAL: &str = "127.0.0.1:9464";

/// Makes a trial of one dataset: taxi licences from a CSV file, for a police force.
pub fn run(args: &InitArgs, out: &mut dyn Write, clock: &Clock) -> Exit {
    let keys = match keys_folder(args) {
        Ok(keys) => keys,
        Err(why) => {
            complain(&why);
            return Exit::Usage;
        }
    };
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
        partners: &args.partners.to_string(),
        local: &args.local.to_string(),
        system: None,
        level: "info",
    };
    let made = trial::make(&plan, clock).and_then(|trial| {
        let mut offers = args.with.clone();
        offers.sort();
        offers.dedup();
        offers.into_iter().try_for_each(|offer| offer.write(&args.dir)).map(|()| trial)
    });
    match made {
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

/// Where the keys go: beside the gateway's folder, however that is spelt, and never within it.
fn keys_folder(args: &InitArgs) -> Result<PathBuf, String> {
    // Without a last slash, and without `.`, which is a folder's name for itself.
    let plain = |path: &Path| {
        std::path::absolute(path)
            .map(|path| path.components().collect::<PathBuf>())
            .map_err(|error| format!("{}: {error}", path.display()))
    };
    let dir = plain(&args.dir)?;
    let keys = match &args.keys {
        Some(keys) => keys.clone(),
        None => {
            let mut name = dir.file_name().ok_or("--keys is wanted: this folder has no name")?.to_owned();
            name.push("-trial-keys");
            // As it was given where that says the same, since it is printed to be typed again.
            match args.dir.file_name() {
                Some(_) => args.dir.with_file_name(name),
                None => dir.with_file_name(name),
            }
        }
    };
    if plain(&keys)?.starts_with(&dir) {
        return Err(format!("{} is within the gateway's folder: these keys are not for it", keys.display()));
    }
    Ok(keys)
}

fn tell(args: &InitArgs, keys: &Path, trial: &Trial, out: &mut dyn Write) {
    let curl = format!(
        "curl -i --cert {} \\\n    --key {} \\\n    --cacert {} \\\n    \
         -H 'Tolbooth-User: pc.1234' --json '{{\"licence_no\":\"TX-1042\"}}' \\\n    \
         https://localhost:{}/taxi-licence/v1/check",
        trial.police.certificate.display(),
        trial.police.key.display(),
        trial.ca.display(),
        args.partners.port()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(dir: &str, keys: Option<&str>) -> Result<PathBuf, String> {
        keys_folder(&InitArgs {
            dir: dir.into(),
            keys: keys.map(PathBuf::from),
            with: Vec::new(),
            partners: PARTNERS.parse().unwrap(),
            local: LOCAL.parse().unwrap(),
            json: false,
        })
    }

    #[test]
    fn keys_lie_beside_the_gateways_folder_however_it_is_spelt() {
        for (dir, keys) in [
            ("gateway", "gateway-trial-keys"),
            ("gateway/", "gateway-trial-keys"),
            ("./gateway/.", "./gateway-trial-keys"),
            ("/srv/gateway/", "/srv/gateway-trial-keys"),
        ] {
            assert_eq!(folder(dir, None), Ok(PathBuf::from(keys)), "{dir}");
        }
        let here = std::env::current_dir().unwrap();
        assert_eq!(folder(".", None).unwrap().parent(), here.parent());
        for (dir, keys) in [("gateway", "gateway/keys"), (".", "keys"), ("gateway", "gateway/")] {
            assert!(folder(dir, Some(keys)).is_err(), "{dir} {keys}");
        }
        assert!(folder("/", None).is_err());
    }
}
