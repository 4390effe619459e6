//! `tolbooth check`: everything together, as `serve` would load it, and more: what is otherwise
//! compiled on first use is compiled, and what is not in force says why.

use std::io::Write;
use std::path::Path;

use clap::Args;
use serde_json::json;

use crate::app::publish::Place;
use crate::clock::Clock;
use crate::config::{self, Gateway};
use crate::desk::drafting::faults_of_organisation;
use crate::desk::policy_tests::PolicyTests;
use crate::desk::{Circumstances, Ruleset, issuer_warnings, without_examples};
use crate::model::{AgreementId, DatasetVersion, Digest, Fault, Faults, Life};
use crate::policy::{Stage, habits, unwise};
use crate::tls::{Credential, ServerTls, key_file_warning};

use super::known::Known;
use super::{ConfigArgs, Exit, complain, say};

#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Check the sandbox (`serve --sandbox`) instead, where drafts of agreements count
    #[arg(long)]
    sandbox: bool,
}

/// Yes if a gateway would start; no, with every fault, if not.
pub fn run(args: &CheckArgs, out: &mut dyn Write, clock: &Clock) -> Exit {
    match look(args, clock) {
        Ok(found) => {
            found.show(args.config.json, out);
            Exit::Yes
        }
        Err(faults) => {
            if args.config.json {
                let faults: Vec<_> = faults.0.iter().map(fault_json).collect();
                say(out, json!({ "ok": false, "faults": faults }));
            } else {
                complain(&faults);
                complain(&format!("{} to put right", counted(faults.0.len(), "fault")));
            }
            Exit::No
        }
    }
}

struct Found {
    gateway: Gateway,
    ruleset: Ruleset,
    warnings: Faults,
    today: jiff::civil::Date,
    policy_tests: usize,
    known: Known,
}

/// Loads the ruleset of a configuration as `serve` would, without a ledger behind it.
pub(super) fn load_ruleset(gateway: &Gateway) -> Result<Ruleset, Faults> {
    load_ruleset_with(gateway, &|_| None, &Life::default())
}

/// As [`load_ruleset`], with what a running gateway said of its ledger.
pub(super) fn load_ruleset_knowing(gateway: &Gateway, known: &Known) -> Result<Ruleset, Faults> {
    load_ruleset_with(gateway, &|id| known.newer(id.as_str()), &known.life)
}

fn load_ruleset_with(
    gateway: &Gateway,
    seen: &(dyn Fn(&AgreementId) -> Option<(u32, Digest)> + Sync),
    life: &Life,
) -> Result<Ruleset, Faults> {
    let today = jiff::civil::Date::MIN; // Only a sandbox makes rows, and only `serve` answers with them.
    Ruleset::load(gateway, &Circumstances { seen, life, before: None, pseudonym_master: &[0; 32], today })
}

fn look(args: &CheckArgs, clock: &Clock) -> Result<Found, Faults> {
    let gateway = config::load(&args.config.config)?;
    let gateway = if args.sandbox { gateway.into_sandbox()? } else { gateway };
    let mut faults = Faults::default();
    let known = Known::ask(&gateway.admin_socket);
    let ruleset = load_ruleset_knowing(&gateway, &known).map_err(|more| faults.extend(more)).ok();
    faults.extend(faults_of_organisation(&gateway));
    let partners = &gateway.partners;
    let credential =
        Credential::load(&partners.certificate, &partners.key).map_err(|more| faults.extend(more)).ok();
    let (Some(ruleset), Some(credential)) = (ruleset, credential) else { return Err(faults) };
    if let Err(more) = ruleset.compile_all() {
        faults.extend(more);
    }
    let tested = PolicyTests::run(&gateway, &ruleset, clock.zone().clone());
    let tested = tested.map_err(|more| faults.extend(more)).ok();
    faults.extend(tested.as_ref().map(PolicyTests::faults).unwrap_or_default());
    let policy_tests = tested.map_or(0, |tested| tested.outcomes.len());
    if let Err(error) = ServerTls::new(&credential, &ruleset.directory.anchors(), partners.tls12) {
        faults.push(Fault::new(partners.certificate.display().to_string(), None, error.to_string()));
    }
    let expired = ruleset.directory.lists().filter(|list| list.is_expired(clock.now()));
    faults.0.extend(expired.map(|list| list.expired()));
    faults.0.extend(Place::of(&gateway).err());
    let mut kept = Faults::default();
    kept.0.extend(without_recovery_keys(&gateway, &args.config.config));
    if needs_recovery_keys(&gateway, &ruleset) {
        faults.extend(std::mem::take(&mut kept));
    }
    faults.into_result()?;
    let mut warnings = Faults(ruleset.directory.warnings(clock.now()));
    warnings.extend(kept);
    warnings.0.extend(issuer_warnings(&ruleset));
    warnings.0.extend(key_file_warning(&partners.key));
    if gateway.outside.anchor.is_none() && !args.sandbox {
        let file = args.config.config.display().to_string();
        let message =
            "no `anchor` in [ledger]: an older copy of the data folder, put back, would not be noticed";
        warnings.push(Fault::new(file, None, message).with_help(
            "name a file where a restore of the data folder does not reach: anchor = \"/mnt/elsewhere/anchor\"",
        ));
    }
    for contract in ruleset.offers().map(|offer| &offer.contract) {
        let dataset = contract.version.to_string();
        let wrong = without_examples(contract).into_iter();
        warnings.0.extend(wrong.map(|why| Fault::new(&dataset, None, why)));
    }
    warnings.0.extend(unwise_agreements(&ruleset));
    warnings.0.extend(habits(ruleset.register.all().iter().map(|entry| &*entry.agreement)));
    Ok(Found { gateway, ruleset, warnings, today: clock.today(), policy_tests, known })
}

/// What officers may want to think about again.
fn unwise_agreements(ruleset: &Ruleset) -> Vec<Fault> {
    let agreements = ruleset.register.all().iter().map(|entry| &entry.agreement);
    let with_operations = agreements.filter_map(|agreement| {
        let DatasetVersion { dataset, major } = &agreement.dataset;
        Some((agreement, ruleset.offer(dataset.as_str(), &major.to_string())?))
    });
    with_operations
        .flat_map(|(agreement, offer)| {
            let operations = agreement.operations.iter().filter_map(|id| offer.contract.operation(id));
            operations.flat_map(move |operation| unwise(agreement, operation))
        })
        .collect()
}

/// A lost subject key is a lost person search, for good (decision 0022).
fn without_recovery_keys(gateway: &Gateway, file: &Path) -> Option<Fault> {
    let none = gateway.keeping.recovery_keys.is_empty();
    none.then(|| {
        let message = "`recovery_keys` is missing in [ledger]: if the gateway's disk is lost, nothing recorded can \
                       be found by person any more";
        Fault::new(file.display().to_string(), None, message).with_help(
            "`tolbooth ledger recovery-key make --out FILE`, on the machines of two people; each prints a line",
        )
    })
}

/// A trial's people do not exist, nor do a sandbox's.
fn needs_recovery_keys(gateway: &Gateway, ruleset: &Ruleset) -> bool {
    !gateway.in_sandbox && ruleset.register.all().iter().any(|entry| entry.agreement.stage == Stage::Live)
}

impl Found {
    fn show(&self, as_json: bool, out: &mut dyn Write) {
        let agreements: Vec<_> = self
            .ruleset
            .register
            .all()
            .iter()
            .map(|entry| {
                let reference = &entry.agreement.reference;
                (reference.to_string(), self.known.why_not(reference, &entry.standing.reasons(self.today)))
            })
            .collect();
        let mut datasets: Vec<String> =
            self.ruleset.offers().map(|offer| offer.contract.version.to_string()).collect();
        datasets.sort();
        if as_json {
            let agreements: Vec<_> = agreements
                .iter()
                .map(|(agreement, why)| json!({ "agreement": agreement, "in_force": why.is_empty(), "why_not": why }))
                .collect();
            let warnings: Vec<_> = self.warnings.0.iter().map(fault_json).collect();
            let ruleset = self.ruleset.digest.to_string();
            say(
                out,
                json!({ "ok": true, "ruleset": ruleset, "datasets": datasets, "agreements": agreements, "warnings": warnings,
                        "policy_tests": self.policy_tests, "gateway_asked": self.known.is_asked() }),
            );
            return;
        }
        for warning in &self.warnings.0 {
            say(out, format_args!("warning: {warning}"));
        }
        say(out, format_args!("{} of member {}", counted(datasets.len(), "dataset"), self.gateway.member));
        for dataset in datasets {
            say(out, format_args!("  {dataset}"));
        }
        say(out, counted(agreements.len(), "agreement"));
        let mut any_not_in_force = false;
        for (agreement, why) in agreements {
            match why.as_slice() {
                [] => say(out, format_args!("  {agreement}: in force")),
                why => {
                    any_not_in_force = true;
                    say(out, format_args!("  {agreement}: NOT in force ({})", why.join("; ")));
                }
            }
        }
        if any_not_in_force {
            say(out, "  (`tolbooth agreement status` says what to do next)");
        }
        say(out, format_args!("  ({})", self.known.sentence(&self.ruleset.digest.to_string())));
        match self.policy_tests {
            0 => say(out, "no policy tests (policies/tests/; `tolbooth policy test --help`)"),
            tests => say(out, format_args!("{}: as expected", counted(tests, "policy test"))),
        }
        say(out, format_args!("ruleset {}", self.ruleset.digest));
        say(out, "no faults");
    }
}

pub(super) fn fault_json(fault: &crate::model::Fault) -> serde_json::Value {
    json!({ "file": fault.file, "line": fault.line, "message": fault.message, "help": fault.help })
}

pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
