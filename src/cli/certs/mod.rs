//! `tolbooth certs`: makes the certificates of a federation and shows what expires when.
//! `certs/README.md` walks through it.

mod export;
mod make;
mod message_key;
mod show;
mod who;

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::exit::Exit;
use crate::clock::Clock;
use crate::model::{Fault, Faults, MemberId, MessageKey, SystemName};
use crate::tls::TrustDomain;
use crate::tls::issue::{CA_YEARS, LEAF_DAYS};

/// Make and show certificates.
///
/// Each member has one CA of its own. Under it are the certificate of its gateway (server) and one
/// for each of its systems (client). Partners list the CA's certificate, the file that ends in
/// `-ca.pem`, in their members.toml; nothing else is handed to anybody.
///
/// Private keys are written so that only their owner can read them, are never overwritten without
/// --force and never shown.
#[derive(Debug, Args)]
pub struct CertsArgs {
    #[command(subcommand)]
    command: Command,
    /// Print JSON for programs instead of words for people.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Ca(CaArgs),
    Server(ServerArgs),
    Client(ClientArgs),
    Sandbox(SandboxArgs),
    Sign(SignArgs),
    Export(ExportArgs),
    MessageKey(MessageKeyArgs),
    Show(ShowArgs),
}

/// Make a member's CA: done once, by each member for itself.
///
/// Whoever holds its key can be any system of this member, and of no other. Keep the key away from
/// the gateway: it is needed only to issue certificates.
#[derive(Debug, Args)]
struct CaArgs {
    /// The member's id, as in members.toml.
    #[arg(long, value_parser = MemberId::new)]
    member: MemberId,
    /// The federation's name, as in members.toml, such as caledonia.example.
    #[arg(long)]
    federation: String,
    /// The organisation's name for people, such as "NHS Lomond".
    #[arg(long)]
    name: String,
    /// How long it lasts.
    #[arg(long, default_value_t = CA_YEARS)]
    years: u32,
    #[command(flatten)]
    output: OutputArgs,
}

/// Make the certificate and key of a gateway, for the names its partners call it by.
#[derive(Debug, Args)]
struct ServerArgs {
    #[command(flatten)]
    issuer: IssuerArgs,
    /// A DNS name of the gateway; may be given several times.
    #[arg(long, required_unless_present = "ip")]
    dns: Vec<String>,
    /// An IP address of the gateway; may be given several times.
    #[arg(long)]
    ip: Vec<IpAddr>,
    /// How many days it lasts, at most 397.
    #[arg(long, default_value_t = LEAF_DAYS)]
    days: u32,
    #[command(flatten)]
    output: OutputArgs,
}

/// Make the certificate and key of a system, with which it asks partners' gateways.
///
/// Better is that the system makes its own key and sends a signing request: see `sign`.
#[derive(Debug, Args)]
struct ClientArgs {
    #[command(flatten)]
    issuer: IssuerArgs,
    #[command(flatten)]
    system: SystemArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Make the CA and the server certificate of a sandbox (`tolbooth serve --sandbox`).
///
/// Whoever holds its key can be any system of any member, in the sandbox, and nobody anywhere else:
/// what is under this CA is named `<member>.sandbox.<federation>`, which no gateway proper takes. With
/// it `certs client --ca sandbox/sandbox-ca.pem --member MEMBER --system SYSTEM` makes the certificate
/// of a partner's developer.
#[derive(Debug, Args)]
struct SandboxArgs {
    /// The federation's name, as in members.toml, such as caledonia.example.
    #[arg(long)]
    federation: String,
    /// A DNS name of the sandbox; may be given several times.
    #[arg(long, required_unless_present = "ip")]
    dns: Vec<String>,
    /// An IP address of the sandbox; may be given several times.
    #[arg(long)]
    ip: Vec<IpAddr>,
    /// How many days the server certificate lasts, at most 397.
    #[arg(long, default_value_t = 365)]
    days: u32,
    /// The folder to write into: tolbooth.toml expects it beside itself.
    #[arg(long, default_value = "sandbox")]
    out: PathBuf,
    /// Overwrite files that are there: this also replaces the private keys.
    #[arg(long)]
    force: bool,
}

/// Make the certificate of a system that keeps its own key, from its signing request (CSR).
///
/// Only the public key is taken from the request. What the certificate says is decided here:
/// names and extensions in the request are ignored.
#[derive(Debug, Args)]
struct SignArgs {
    /// The signing request, PEM. `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256
    /// -nodes -keyout my.key -subj /CN=x -out my.csr` makes one.
    request: PathBuf,
    #[command(flatten)]
    issuer: IssuerArgs,
    #[command(flatten)]
    system: SystemArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Put certificate, key and CA into one PKCS#12 file, for systems that take nothing else.
///
/// The password is asked for, or read from the first line of standard input or of --password-file.
#[derive(Debug, Args)]
struct ExportArgs {
    /// The certificate, PEM.
    certificate: PathBuf,
    /// Its private key, PEM [default: beside the certificate, ending in .key].
    #[arg(long)]
    key: Option<PathBuf>,
    /// The certificate of its CA, to be put in too.
    #[arg(long)]
    ca: Option<PathBuf>,
    /// A file whose first line is the password.
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// Where to write [default: beside the certificate, ending in .p12].
    #[arg(long)]
    out: Option<PathBuf>,
    /// Overwrite a file that is there.
    #[arg(long)]
    force: bool,
}

/// Make the Ed25519 key a system signs its questions with, where an agreement wants them signed.
///
/// Prints what partners list of it. A new key is listed beside the old one, and the old one taken
/// away when the system signs with the new one. docs/signing.md says how to sign.
#[derive(Debug, Args)]
struct MessageKeyArgs {
    /// The member's id, as in members.toml.
    #[arg(long, value_parser = MemberId::new)]
    member: MemberId,
    /// The system's name, as its certificate says it, such as ed-trak.
    #[arg(long, value_parser = SystemName::new)]
    system: SystemName,
    /// What signatures call it by [default: the system's name and today's date].
    #[arg(long, value_parser = MessageKey::keyid)]
    keyid: Option<String>,
    /// How many days it counts.
    #[arg(long, default_value_t = LEAF_DAYS)]
    days: u32,
    #[command(flatten)]
    output: OutputArgs,
}

/// Show certificates, what they say and what expires when, soonest first.
///
/// Ends with code 1 if any has expired.
#[derive(Debug, Args)]
struct ShowArgs {
    /// PEM files, or folders whose .pem, .crt and .cer files are shown.
    #[arg(default_value = "certs")]
    paths: Vec<PathBuf>,
    /// A members.toml: also says which system each certificate would be at a gateway that has it.
    #[arg(long)]
    members: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct IssuerArgs {
    /// The certificate of the member's CA, as `certs ca` made it.
    #[arg(long)]
    ca: PathBuf,
    /// The CA's private key [default: beside its certificate, ending in .key].
    #[arg(long)]
    ca_key: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct SystemArgs {
    /// The system's name, as agreements call it, such as ed-trak.
    #[arg(long, value_parser = SystemName::new)]
    system: SystemName,
    /// `<member>.<federation>`; only needed under a CA that `certs ca` did not make.
    #[arg(long, value_parser = TrustDomain::parse)]
    trust_domain: Option<TrustDomain>,
    /// Under a sandbox's CA: the member whose system it is.
    #[arg(long, value_parser = MemberId::new, conflicts_with = "trust_domain")]
    member: Option<MemberId>,
    /// How many days it lasts, at most 397.
    #[arg(long, default_value_t = LEAF_DAYS)]
    days: u32,
}

#[derive(Debug, Args)]
struct OutputArgs {
    /// The folder to write into.
    #[arg(long, default_value = "certs")]
    out: PathBuf,
    /// Overwrite files that are there: this also replaces the private key.
    #[arg(long)]
    force: bool,
}

/// Runs one command; what it made or found goes to `out`.
///
/// # Errors
/// What is wrong with the files or arguments. Nothing has been written then.
pub fn run(args: &CertsArgs, out: &mut dyn Write, clock: &Clock) -> Result<Exit, Faults> {
    let report = match &args.command {
        Command::Ca(ca) => make::ca(ca, clock)?,
        Command::Server(server) => make::server(server, clock)?,
        Command::Client(client) => make::client(client, clock)?,
        Command::Sandbox(sandbox) => make::sandbox(sandbox, clock)?,
        Command::Sign(sign) => make::sign(sign, clock)?,
        Command::Export(export) => export::export(export)?,
        Command::MessageKey(key) => message_key::make(key, clock)?,
        Command::Show(show) => show::show(show, clock)?,
    };
    let text = if args.json { format!("{:#}\n", report.json) } else { report.words };
    out.write_all(text.as_bytes()).map_err(|error| Fault::new("standard output", None, error.to_string()))?;
    Ok(report.exit)
}

/// What a command says, both ways.
struct Report {
    words: String,
    json: serde_json::Value,
    exit: Exit,
}

#[cfg(test)]
mod tests;
