//! `tolbooth agreement`: what officers and hosts do with agreements. An officer's private key is
//! made and used on the officer's own machine; the gateway only ever sees the public one.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::clock::{Clock, date_in_words};
use crate::config;
use crate::model::Action;
use crate::policy::{self, Agreement, Grounds};

use super::act::{self, ActArgs};
use super::beside::note_beside;
use super::drafting::{self, NewArgs};
use super::files::replace;
use super::halt;
use super::known::Known;
use super::next_step::next_step;
use super::signing::{self, AttachArgs, KeyArgs, SignArgs, StatementArgs, key_ring};
use super::{ConfigArgs, Exit, complain, paper, register, say};

#[derive(Debug, Subcommand)]
pub enum AgreementCommand {
    /// Write a whole agreement from at most 15 answers, in plain words
    ///
    /// What the organisations say of themselves is taken from policies/organisation.toml and
    /// --partner, what a template fixes from --template, and the fields from the contract; the rest is
    /// asked. An answer that will not do is said to at its question. The file is whole, since the whole
    /// file is what is signed, and is never written over another. Answers may also come from a pipe, a
    /// line each, or from a file:
    ///
    ///   tolbooth agreement new --partner nhs-lomond.toml
    ///   tolbooth agreement new --answers answers.toml --json
    #[command(verbatim_doc_comment)]
    New(NewArgs),
    /// Make an officer's signing key, on the officer's own machine, under a passphrase
    ///
    /// The passphrase is typed twice, or is the first line of a file or of standard input. The public
    /// half goes to every partner's host, who lists it in members.toml under your member. With
    /// --public nothing is made: it shows what the host adds for a key that your own tool made.
    ///
    ///   tolbooth agreement key m.macleod.glenmore --out m.macleod.key
    #[command(verbatim_doc_comment)]
    Key(KeyArgs),
    /// Write the digest of the view into the agreement: what officers sign is what is released
    ///
    /// The view is everything the agreement releases and how it is read: fields, transforms, row
    /// condition, the released part of the contract and the mapping. Sealing edits one line and
    /// nothing else; signatures made before no longer count.
    Seal(SealArgs),
    /// Sign an agreement with an officer's key
    ///
    /// An officer of every party signs the same file, in any order. The signatures lie beside it,
    /// with the ending .sig: hand both files round, and to every gateway concerned. Where the agreement
    /// names a Caldicott Guardian, an officer of that office signs beside the others of their party.
    Sign(SignArgs),
    /// Print exactly what an officer signs, for signing with another tool on another machine
    ///
    /// A few lines: the kind, the agreement, its version and the digest of the file's bytes. Whoever
    /// signs compares the digest with that of the file they read (sha256sum).
    ///
    ///   tolbooth agreement statement FILE > statement.txt
    ///   openssl pkeyutl -sign -rawin -inkey officer.pem \
    ///       -in statement.txt -out signature
    #[command(verbatim_doc_comment)]
    Statement(StatementArgs),
    /// Bring back a signature that was made elsewhere: it is verified before it is written
    ///
    /// A C2SP signed note over the statement, or the bare 64 bytes of an Ed25519 signature, as they are or in
    /// base64 or hex, with --officer to say whose it is.
    Attach(AttachArgs),
    /// Put this version to the other parties, signed
    Propose(ActArgs),
    /// Agree to a version, or take your party's own decline back
    Accept(ActArgs),
    /// Say no to a version: it is not in force until your party accepts
    Decline(ActArgs),
    /// Take an agreement out of force at once, for any party alone, at any hour, until the same party resumes
    ///
    /// The partner is told `agreement_not_in_force`. The act is a small signed file beside the
    /// agreement; the gateway puts it on the record, and from then on it holds whatever becomes of the
    /// file.
    ///
    ///   tolbooth agreement suspend FILE --key m.macleod.key --reason "An account was misused"
    #[command(verbatim_doc_comment)]
    Suspend(ActArgs),
    /// Take your party's own suspension back
    Resume(ActArgs),
    /// End a version for good: no file brings it back, and only a new version, signed by all, follows it
    Withdraw(ActArgs),
    /// Check the signatures of one agreement against the officers in members.toml
    ///
    /// For officers, before and after they sign. Whether what is released still is what was sealed
    /// only the provider's gateway knows: `tolbooth agreement status`.
    Verify(VerifyArgs),
    /// Show in plain English what an agreement says: what officers read before they sign
    ///
    /// Everything the file says, in the order of the Scottish Information Sharing Agreement, and of each
    /// line whether the gateway enforces it, its record evidences it, or the parties promise it. It ends
    /// with the digest that is signed, and with who has signed. As text of 80 columns, or with --html as
    /// one file to read in a browser or to print:
    ///
    ///   tolbooth agreement page policies/agreements/x.toml --html > x.html
    #[command(verbatim_doc_comment)]
    Page(paper::PageArgs),
    /// Show in plain English what changed between two versions of an agreement, what widens first
    ///
    /// More fields, a weaker transform, more rows, systems, roles or purposes, higher limits, longer dates,
    /// less asked of those who ask: what lets more out stands first, with whatever only people can judge.
    /// Then what narrows, then the rest. Nothing is left out:
    ///
    ///   tolbooth agreement changes signed/x.toml policies/agreements/x.toml
    #[command(verbatim_doc_comment)]
    Changes(paper::ChangesArgs),
    /// Write all agreements as a register: their health, the Digital Economy Act's, or Article 30's
    ///
    /// The health of agreements is of every file, signed or not: what is due, who has not signed, when each
    /// was last used, what to do and who, with what needs a decision first. The running gateway is asked for
    /// what only the record knows, and puts the look on it; where none runs that is unknown, and said so.
    ///
    /// The registers that law wants are CSV, or JSON. Only sealed and signed live agreements are in them,
    /// each by its newest version. What `publication.public = false` keeps out of the public register is
    /// counted by its exemption on standard error:
    ///
    ///   tolbooth agreement register --format health
    ///   tolbooth agreement register --format health --as html > health.html
    ///   tolbooth agreement register --format dea > register.csv
    ///   tolbooth agreement register --format art30 > processing.csv
    #[command(verbatim_doc_comment)]
    Register(register::RegisterArgs),
    /// List every key an agreement may hold, and how far the gateway holds it
    ///
    /// As the page docs/fields.md, or with --schema as a JSON Schema, for editors that complete and
    /// check agreements while they are written, such as Taplo.
    Fields(FieldsArgs),
    /// List all agreements: in force or not, why not, and what to do next
    ///
    /// Of the files here, judged with what only the ledger of a running gateway knows: withdrawals and
    /// suspensions whose files are gone, grants that were used, and what the host has stopped. Where no
    /// gateway answers it says so, and judges by the files alone.
    Status(StatusArgs),
}

#[derive(Debug, Args)]
pub struct SealArgs {
    /// The agreement's file, below the policies of the configuration
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The agreement's file
    file: PathBuf,
    /// The members and their officers' public keys
    #[arg(long, value_name = "FILE", default_value = "members.toml")]
    members: PathBuf,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Args)]
pub struct FieldsArgs {
    /// Print the JSON Schema of an agreement
    #[arg(long, conflicts_with = "json")]
    schema: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Runs one of the commands.
pub fn run(command: &AgreementCommand, out: &mut dyn Write, clock: &Clock) -> Exit {
    let done = match command {
        AgreementCommand::New(args) => drafting::run(args, out, clock),
        AgreementCommand::Key(args) => signing::key(args, out),
        AgreementCommand::Seal(args) => seal(args, out),
        AgreementCommand::Sign(args) => signing::sign(args, out),
        AgreementCommand::Statement(args) => signing::statement(args, out),
        AgreementCommand::Attach(args) => signing::attach(args, out),
        AgreementCommand::Propose(args) => act::run(args, Action::Propose, out, clock),
        AgreementCommand::Accept(args) => act::run(args, Action::Accept, out, clock),
        AgreementCommand::Decline(args) => act::run(args, Action::Decline, out, clock),
        AgreementCommand::Suspend(args) => act::run(args, Action::Suspend, out, clock),
        AgreementCommand::Resume(args) => act::run(args, Action::Resume, out, clock),
        AgreementCommand::Withdraw(args) => act::run(args, Action::Withdraw, out, clock),
        AgreementCommand::Verify(args) => verify(args, out, clock),
        AgreementCommand::Page(args) => paper::page(args, out),
        AgreementCommand::Register(args) => register::register(args, out, clock),
        AgreementCommand::Changes(args) => paper::changes(args, out),
        AgreementCommand::Fields(args) => Ok(fields(args, out)),
        AgreementCommand::Status(args) => status(args, out, clock),
    };
    done.unwrap_or_else(|fault| {
        complain(&fault);
        Exit::No
    })
}

pub(super) type Done = Result<Exit, Box<dyn std::error::Error>>;

fn fields(args: &FieldsArgs, out: &mut dyn Write) -> Exit {
    if args.schema {
        say(out, format_args!("{:#}", policy::fields_schema()));
    } else if args.json {
        let listed = policy::fields().map(
            |field| json!({ "key": field.path, "section": field.section, "held": field.held.as_str(), "says": field.words }),
        );
        say(out, listed.collect::<serde_json::Value>());
    } else {
        say(out, policy::fields_page().trim_end());
    }
    Exit::Yes
}

pub(super) fn read(file: &Path) -> Result<(Agreement, String), Box<dyn std::error::Error>> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|error| format!("{name}: {error}"))?;
    let agreement = policy::load(&name, &bytes)?;
    Ok((agreement, String::from_utf8(bytes)?))
}

fn seal(args: &SealArgs, out: &mut dyn Write) -> Done {
    let (agreement, text) = read(&args.file)?;
    let gateway = config::load(&args.config.config)?;
    let ruleset = super::check::load_ruleset(&gateway)?;
    let view = ruleset.view(&agreement.reference).ok_or_else(|| {
        format!("{} is not among the agreements of {}", agreement.reference, gateway.policies.display())
    })?;
    if agreement.seal == Some(view) {
        if args.config.json {
            say(out, json!({ "agreement": agreement.reference.to_string(), "view": view.to_string() }));
        } else {
            say(out, format_args!("{}: already sealed over {view}", agreement.reference));
        }
        return Ok(Exit::Yes);
    }
    replace(args.file.clone(), policy::seal(&text, view)?.as_bytes())?;
    if args.config.json {
        say(out, json!({ "agreement": agreement.reference.to_string(), "view": view.to_string() }));
    } else {
        say(out, format_args!("{}: sealed over {view}", agreement.reference));
        let anew = if signatures_beside(&args.file).exists() {
            "\nSignatures made before count no longer: the first to sign adds --anew."
        } else {
            ""
        };
        let controllers: Vec<&str> = agreement.controllers().map(|member| member.as_str()).collect();
        say(
            out,
            format_args!(
                "Now an officer of each party signs ({}), each with their own key:\n  tolbooth agreement sign {} --key KEY{anew}",
                controllers.join(", "),
                args.file.display()
            ),
        );
    }
    Ok(Exit::Yes)
}

/// The file that holds an agreement's signatures.
pub(super) fn signatures_beside(agreement: &Path) -> PathBuf {
    PathBuf::from(policy::signature_file(&agreement.display().to_string()))
}

fn verify(args: &VerifyArgs, out: &mut dyn Write, clock: &Clock) -> Done {
    let (agreement, _) = read(&args.file)?;
    let ring = key_ring(&args.members)?;
    let note = match note_beside(&signatures_beside(&args.file)) {
        Ok(note) => note,
        Err(unread) => {
            complain(&unread);
            return Ok(unread.exit());
        }
    };
    let grounds = Grounds {
        note: note.as_deref(),
        ring: &ring,
        // The contract is not asked for here: the seal is taken at its word.
        view: agreement.seal,
        highest_seen: None,
        source_synthetic: true,
    };
    let standing = policy::standing(&agreement, &grounds);
    let today = clock.today();
    let why: Vec<String> = standing.reasons(today).iter().map(ToString::to_string).collect();
    let signers: Vec<String> =
        standing.signers().iter().map(|signer| format!("{} for {}", signer.officer, signer.member)).collect();
    if args.json {
        let agreement = agreement.reference.to_string();
        say(
            out,
            json!({ "agreement": agreement, "ok": why.is_empty(), "signed_by": signers, "ignored": standing.ignored(), "why_not": why }),
        );
    } else {
        say(out, agreement.reference.to_string());
        signers.iter().for_each(|signer| say(out, format_args!("  signed by {signer}")));
        standing
            .ignored()
            .iter()
            .for_each(|name| say(out, format_args!("  a line by {name} counts for nobody")));
        why.iter().for_each(|why| say(out, format_args!("  {why}")));
    }
    Ok(if why.is_empty() { Exit::Yes } else { Exit::No })
}

fn status(args: &StatusArgs, out: &mut dyn Write, clock: &Clock) -> Done {
    let gateway = config::load(&args.config.config)?;
    let known = Known::ask(&gateway.admin_socket);
    let ruleset = super::check::load_ruleset_knowing(&gateway, &known)?;
    let today = clock.today();
    let mut all_in_force = true;
    let mut rows = Vec::new();
    for entry in ruleset.register.all() {
        let agreement = &entry.agreement;
        let reasons = entry.standing.reasons(today);
        let file = gateway.home.join(&agreement.file);
        let file = file.strip_prefix(".").unwrap_or(&file);
        let why = known.why_not(&agreement.reference, &reasons);
        let spent = known.unusable(&agreement.reference);
        let spent = spent.map(|_| "officers decide on another disclosure, and sign another grant".to_owned());
        let next = spent.or_else(|| next_step(&reasons, file));
        all_in_force &= why.is_empty();
        let signed: Vec<&str> =
            entry.standing.signers().iter().map(|signer| signer.officer.as_str()).collect();
        if args.config.json {
            rows.push(json!({
                "agreement": agreement.reference.to_string(), "title": agreement.title, "stage": agreement.stage.as_str(),
                "in_force": why.is_empty(), "why_not": why, "next": next, "signed_by": signed, "file": agreement.file,
                "from": agreement.dates.from.to_string(), "until": agreement.dates.until.map(|until| until.to_string()),
                "gateway_asked": known.is_asked(),
            }));
        } else {
            let state = match (why.is_empty(), agreement.dates.until) {
                (true, Some(until)) => format!("in force until {}", date_in_words(until)),
                (true, None) => "in force".to_owned(),
                (false, _) => "NOT in force".to_owned(),
            };
            say(out, format_args!("{} ({}): {state}", agreement.reference, agreement.stage.as_str()));
            say(out, format_args!("  {}", agreement.title));
            signed.iter().for_each(|officer| say(out, format_args!("  signed by {officer}")));
            why.iter().for_each(|why| say(out, format_args!("  - {why}")));
            next.iter().for_each(|next| say(out, format_args!("  next: {next}")));
        }
    }
    if args.config.json {
        say(out, serde_json::Value::from(rows));
    } else {
        known.life.halts().for_each(|stop| say(out, halt::stop_in_words(stop)));
        say(out, format_args!("({})", known.sentence(&ruleset.digest.to_string())));
    }
    Ok(if all_in_force { Exit::Yes } else { Exit::No })
}
