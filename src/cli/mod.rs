//! The command line: noun first. Every command has `--json`; exit codes are 0 yes, 1 refused or
//! invalid, 2 usage, 3 could not decide.

mod act;
pub mod agreement;
mod beside;
pub mod certs;
mod check;
mod dataset;
mod demo;
mod doctor;
mod drafting;
mod exit;
mod explain;
mod files;
mod grant;
mod halt;
mod health;
mod init;
mod known;
mod ledger;
mod next_step;
mod output;
mod paper;
mod passphrase;
mod plain;
mod policy;
mod register;
mod report;
mod serve;
mod signing;
mod template;
pub mod trial;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use exit::Exit;
use output::{Output, unless_closed};

use crate::clock::Clock;

/// Answers partners' questions under signed data-sharing agreements, on the record.
///
/// See it work:                tolbooth demo
/// Begin with your own:        tolbooth init DIR, then check, then serve
/// What is in force:           tolbooth agreement status
/// Who asked about somebody:   tolbooth ledger search --subject chi --purpose "..."
/// What to tell them:          tolbooth report person --subject chi --cut releasable --purpose "..."
/// Was the record changed:     tolbooth ledger verify
///
/// Exit codes: 0 yes, 1 refused or invalid, 2 usage, 3 could not decide.
#[derive(Debug, Parser)]
#[command(
    name = "tolbooth",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    verbatim_doc_comment
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Walk through everything on this machine, with synthetic people; needs nothing else
    ///
    /// Makes keys, agreements and data in a temporary folder, starts a gateway before a synthetic
    /// records system, asks it as partners would, lets an auditor look, and tampers with the log.
    Demo(demo::DemoArgs),
    /// Write a commented configuration and a first trial dataset that answers
    ///
    /// The trial is between a council and a police force that do not exist. All their keys are made
    /// at once, and so count for trials only. Change it file by file into your own; `tolbooth check`
    /// says at each step what is missing.
    Init(init::InitArgs),
    /// Check everything together: configuration, members, contracts, sources, agreements, signatures
    ///
    /// All faults at once, each with its file and line. Ends with 1 if a gateway would not start. An
    /// agreement that is not in force is no fault: it is listed with its reasons.
    Check(check::CheckArgs),
    /// Run the gateway
    ///
    /// Ends on SIGTERM or Ctrl-C when the exchanges under way are done. Changed files take force by
    /// themselves, or at once on SIGHUP; if anything in them is wrong, what was in force stays.
    /// Readiness is at /ready of the local listener (127.0.0.1:9464).
    Serve(serve::ServeArgs),
    /// Make, sign and show certificates
    Certs(certs::CertsArgs),
    /// Hand a partner's developer what they may ask: examples, OpenAPI
    #[command(subcommand)]
    Dataset(dataset::DatasetCommand),
    /// Name what is wrong between here and a partner's gateway, step by step
    ///
    /// Looks at the name, the connection, proxies, TLS, both certificates, clocks, a token and the
    /// agreement, in the order in which they can fail, and says one next step. Ends with 0 if all is
    /// well, 1 if something is wrong, 3 if it could not be decided what.
    Doctor(doctor::DoctorArgs),
    /// Seal, sign and inspect data-sharing agreements
    #[command(subcommand)]
    Agreement(agreement::AgreementCommand),
    /// Say whom a single-use grant is about, without writing their name
    ///
    /// A grant is leave for one disclosure, once: a file in policies/grants/, sealed and signed with
    /// `tolbooth agreement`.
    #[command(subcommand)]
    Grant(grant::GrantCommand),
    /// Sign and check templates, under which agreements may be no looser
    #[command(subcommand)]
    Template(template::TemplateCommand),
    /// Test what agreements and guardrails say, question by question
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Verify, search and export the audit ledger
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Say why a past exchange ended as it did: agreement, clauses and facts
    ///
    /// Asks the running gateway, which puts the look on the record first, and decides once more from the files
    /// that were in force then and are kept as evidence: what lies in policies/ today does not matter. Ends
    /// with 0 if it was found, 1 if not or refused, 3 if the gateway could not be asked.
    Explain(explain::ExplainArgs),
    /// Stop answering a dataset, a partner or everybody, at once, with a message for callers
    ///
    /// Asks the running gateway, which puts it on the record first; it holds from the next question
    /// on, also on open connections, and through restarts and crashes, until `tolbooth start`.
    /// Callers with an agreement are told `stopped`, the message and when to ask again; anybody else
    /// sees no difference.
    ///
    ///   tolbooth stop --dataset child-protection --until "2026-12-04 10:00" \
    ///       --message "The register moves to a new system" --purpose "Change 4711"
    #[command(verbatim_doc_comment)]
    Stop(halt::StopArgs),
    /// Answer again what `tolbooth stop` has stopped
    ///
    /// What was stopped by itself is started by itself: `start --all` ends `stop --all`, and no other stop.
    Start(halt::StartArgs),
    /// Report on the record: about a person, on recipients, refusals, activity
    ///
    /// Asks the running gateway, which puts the look and its purpose on the record before it shows
    /// anything. As text to read, as CSV for a spreadsheet, or as JSON. Days are London's, and both ends
    /// of a period are included. Ends with 0 if there is anything to report, 1 if there is nothing or it
    /// was refused, 3 if the gateway could not be asked.
    #[command(subcommand)]
    Report(report::ReportCommand),
}

/// Where the configuration is; shared by commands that read it.
#[derive(Debug, Clone, Args)]
pub struct ConfigArgs {
    /// The gateway's configuration
    #[arg(long, value_name = "FILE", default_value = "tolbooth.toml")]
    pub config: PathBuf,
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    /// The arguments of this process, or how it ended for them: help that was asked for, or what is wrong.
    ///
    /// # Errors
    /// How the process ends, once help or the fault has been shown.
    pub fn of_process() -> Result<Self, Exit> {
        Self::try_parse().map_err(|told| {
            let asked_for = if told.use_stderr() { Exit::Usage } else { Exit::Yes };
            whole(told.print().and_then(|()| std::io::stdout().flush()).or_else(unless_closed), asked_for)
        })
    }

    /// Runs the command and says how it ended. Results go to standard output, complaints to
    /// standard error.
    pub fn run(self) -> Exit {
        std::panic::set_hook(Box::new(|panic| complain(&told(panic.location()))));
        let mut out = Output::standard();
        let exit = self.run_to(&mut out);
        whole(out.finish(), exit)
    }

    fn run_to(self, out: &mut dyn Write) -> Exit {
        let clock = match Clock::new() {
            Ok(clock) => clock,
            Err(fault) => {
                complain(&fault);
                return Exit::Undecided;
            }
        };
        match self.command {
            Command::Demo(args) => demo::run(&args, out, &clock),
            Command::Init(args) => init::run(&args, out, &clock),
            Command::Check(args) => check::run(&args, out, &clock),
            Command::Serve(args) => serve::run(&args, &clock),
            Command::Certs(args) => certs::run(&args, out, &clock).unwrap_or_else(|faults| {
                complain(&faults);
                Exit::No
            }),
            Command::Dataset(command) => dataset::run(&command, out, &clock),
            Command::Doctor(args) => doctor::run(&args, out, &clock),
            Command::Agreement(command) => agreement::run(&command, out, &clock),
            Command::Grant(command) => grant::run(&command, out),
            Command::Template(command) => template::run(&command, out),
            Command::Policy(command) => policy::run(&command, out, &clock),
            Command::Ledger(command) => ledger::run(&command, out, &clock),
            Command::Explain(args) => explain::run(&args, out),
            Command::Stop(args) => halt::run_stop(&args, out, &clock),
            Command::Start(args) => halt::run_start(&args, out),
            Command::Report(command) => report::run(&command, out),
        }
    }
}

/// How a command ended, unless what it printed is not whole.
fn whole(written: std::io::Result<()>, exit: Exit) -> Exit {
    match written {
        Ok(()) => exit,
        Err(error) => {
            complain(&format!("standard output: {error}: what was printed is not whole"));
            Exit::Undecided
        }
    }
}

/// What is told of a panic: its place. Its message can hold the text that was cut or parsed.
fn told(place: Option<&std::panic::Location<'_>>) -> String {
    let place = place.map_or_else(|| "a place that is not known".to_owned(), ToString::to_string);
    format!("a fault of this program, at {place}: please report it")
}

/// Prints a complaint to standard error.
pub(crate) fn complain(fault: &dyn std::fmt::Display) {
    let _written = writeln!(std::io::stderr(), "tolbooth: {fault}");
}

/// Prints a line to `out`, which keeps what could not be written for the end.
pub(crate) fn say(out: &mut dyn Write, line: impl std::fmt::Display) {
    let _written = writeln!(out, "{line}");
}
