//! `tolbooth agreement key`, `sign`, `statement` and `attach`: how an officer's signature comes under an
//! agreement, by a key under a passphrase or by a tool of the officer's own.

use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::json;
use zeroize::Zeroizing;

use crate::crypto::{PublicKey, SigningKey};
use crate::directory;
use crate::merkle::note::VerifierKey;
use crate::merkle::signer::SignerKey;
use crate::model::Secret;
use crate::policy::{self, Agreement, Brought, KeyRing, SignError, Stage};

use super::agreement::{Done, read, signatures_beside};
use super::files::{Readable, replace, write_new};
use super::{Exit, passphrase, say};

type Fault = Box<dyn std::error::Error>;

/// What stands before the 32 bytes of an Ed25519 key in a file of its own (RFC 8410 section 4).
const ED25519_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// A note with every signature a note may have is far below; more is another file.
const SIGNATURE_BYTES_MAX: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub struct KeyArgs {
    /// The officer's name in signatures, unique in the federation, such as m.macleod.glenmore
    name: String,
    /// Where the private key goes, under a passphrase; it is never overwritten
    #[arg(long, value_name = "FILE", required_unless_present = "public")]
    out: Option<PathBuf>,
    /// A file whose first line is the passphrase, instead of asking for it
    #[arg(long, value_name = "FILE", conflicts_with = "public")]
    passphrase_file: Option<PathBuf>,
    /// Make no key: take the public half of one that another tool made, as PEM
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    public: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// The private key of an officer, or of a directory authority, and how it is opened.
#[derive(Debug, Args)]
pub struct OfficerArgs {
    /// The private key, as `tolbooth agreement key` made it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A file whose first line is the key's passphrase, instead of asking for it
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct SignArgs {
    /// The agreement's file; the signature goes beside it, with the ending .sig
    file: PathBuf,
    #[command(flatten)]
    officer: OfficerArgs,
    /// Begin the signatures anew: the agreement was changed, and those made before count no longer
    #[arg(long)]
    anew: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct StatementArgs {
    /// The agreement's file
    file: PathBuf,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct AttachArgs {
    /// The agreement's file; the signature goes beside it, with the ending .sig
    file: PathBuf,
    /// What the officer sent: a signed note, or the 64 bytes of a signature
    #[arg(long, value_name = "FILE")]
    signature: PathBuf,
    /// Whose signature it is, where the file does not say
    #[arg(long, value_name = "NAME")]
    officer: Option<String>,
    /// The members and their officers' public keys
    #[arg(long, value_name = "FILE", default_value = "members.toml")]
    members: PathBuf,
    /// Begin the signatures anew: the agreement was changed, and those made before count no longer
    #[arg(long)]
    anew: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// The officers' public keys in a members' file.
pub(super) fn key_ring(members: &Path) -> Result<KeyRing, Fault> {
    let name = members.display().to_string();
    let text = std::fs::read_to_string(members).map_err(|error| format!("{name}: {error}"))?;
    let directory = directory::load(&name, &text, &|path| std::fs::read(path), None)?;
    Ok(KeyRing::new(directory.officers())?)
}

pub(super) fn key(args: &KeyArgs, out: &mut dyn Write) -> Done {
    let public = match (&args.public, &args.out) {
        (Some(pem), _) => VerifierKey::new(&args.name, public_of(pem)?)?,
        (None, Some(file)) => made(args, file)?,
        (None, None) => return Err("--out says where the private key goes".into()),
    };
    if args.json {
        say(out, json!({ "name": args.name, "key": public.to_string(), "private": args.out }));
        return Ok(Exit::Yes);
    }
    if let Some(file) = &args.out {
        say(
            out,
            format_args!(
                "The private key is in {}, under its passphrase: keep both to yourself, and not together.",
                file.display()
            ),
        );
    }
    say(out, "The host adds this to your member in members.toml:\n");
    say(
        out,
        format_args!("[[member.officer]]\nname = \"{}\"\noffice = \"...\"\nkey = \"{public}\"", args.name),
    );
    Ok(Exit::Yes)
}

fn made(args: &KeyArgs, file: &Path) -> Result<VerifierKey, Fault> {
    let signer = SignerKey::new(&args.name, SigningKey::generate()?)?;
    let passphrase = passphrase_of(args.passphrase_file.as_deref(), "Passphrase for the key: ", true)?;
    let text = policy::lock_key(&signer, &passphrase)?;
    write_new(file.to_path_buf(), text.as_bytes(), Readable::ByOwner)?;
    Ok(signer.verifier().clone())
}

fn passphrase_of(file: Option<&Path>, question: &str, is_new: bool) -> Result<Secret, Fault> {
    match file {
        Some(file) => {
            passphrase::of_file(file).map_err(|error| format!("{}: {error}", file.display()).into())
        }
        None => Ok(passphrase::ask(question, is_new)?),
    }
}

/// The key in a PEM file (RFC 7468, RFC 8410).
fn public_of(pem: &Path) -> Result<PublicKey, Fault> {
    let wrong = || {
        format!(
            "{}: not an Ed25519 public key as PEM: `openssl pkey -in officer.pem -pubout` writes one",
            pem.display()
        )
    };
    let text = std::fs::read_to_string(pem).map_err(|error| format!("{}: {error}", pem.display()))?;
    let body = text.trim().strip_prefix("-----BEGIN PUBLIC KEY-----").ok_or_else(wrong)?;
    let body = body.strip_suffix("-----END PUBLIC KEY-----").ok_or_else(wrong)?;
    let body: String = body.split_whitespace().collect();
    let bytes = STANDARD.decode(body).map_err(|_| wrong())?;
    let key = bytes.strip_prefix(&ED25519_PREFIX).ok_or_else(wrong)?;
    Ok(PublicKey(key.try_into().map_err(|_| wrong())?))
}

impl OfficerArgs {
    /// Opens the key. One that lies there plain was made for trials.
    pub(super) fn open(&self, stage: Stage) -> Result<SignerKey, Fault> {
        let name = self.key.display();
        let text =
            Zeroizing::new(std::fs::read_to_string(&self.key).map_err(|error| format!("{name}: {error}"))?);
        if policy::is_locked_key(&text) {
            let passphrase =
                passphrase_of(self.passphrase_file.as_deref(), "Passphrase of the key: ", false)?;
            return policy::unlock_key(&text, &passphrase).map_err(|fault| format!("{name}: {fault}").into());
        }
        let signer = SignerKey::parse(&text).map_err(|_| format!("{name}: not a private key for signing"))?;
        if stage == Stage::Live {
            let why = format!(
                "{name}: this key lies in its file without a passphrase, and so signs trials alone: make one with \
                 `tolbooth agreement key`, and have the host list it"
            );
            return Err(why.into());
        }
        Ok(signer)
    }
}

pub(super) fn sign(args: &SignArgs, out: &mut dyn Write) -> Done {
    let (agreement, _) = read(&args.file)?;
    if agreement.seal.is_none() {
        return Err("the agreement is not sealed: tolbooth agreement seal comes first".into());
    }
    let signer = args.officer.open(agreement.stage)?;
    let beside = signatures_beside(&args.file);
    let existing = existing(&beside)?.filter(|_| !args.anew);
    let name = signer.verifier().name();
    let note = policy::add_signature(existing.as_deref(), &agreement, name, signer.key());
    let note = note.map_err(|error| match error {
        SignError::OtherBytes => anew(&beside, &error),
        other => other.to_string(),
    })?;
    written(&agreement, &beside, &note, &[name.to_owned()], (args.json, out))
}

pub(super) fn statement(args: &StatementArgs, out: &mut dyn Write) -> Done {
    let (agreement, _) = read(&args.file)?;
    if agreement.seal.is_none() {
        return Err(SignError::Unsealed.into());
    }
    let text = policy::signature_text(&agreement);
    if args.json {
        say(out, json!({ "agreement": agreement.reference.to_string(), "statement": text }));
    } else {
        // Its own last newline, and no other: these are the bytes that are signed.
        let _written = out.write_all(text.as_bytes());
    }
    Ok(Exit::Yes)
}

pub(super) fn attach(args: &AttachArgs, out: &mut dyn Write) -> Done {
    let (agreement, _) = read(&args.file)?;
    let ring = key_ring(&args.members)?;
    let bytes = brought(&args.signature)?;
    let shown = args.signature.display();
    let bare = bare(&bytes);
    let brought = match (&bare, std::str::from_utf8(&bytes)) {
        (Some(signature), _) => {
            let officer = args.officer.as_deref().ok_or_else(|| {
                format!("{shown}: a bare signature does not say whose it is: --officer does")
            })?;
            Brought::Bare { officer, signature }
        }
        (None, Ok(note)) => Brought::Note(note),
        (None, Err(_)) => {
            return Err(format!("{shown}: neither a signed note nor the 64 bytes of a signature").into());
        }
    };
    let beside = signatures_beside(&args.file);
    let existing = existing(&beside)?.filter(|_| !args.anew);
    let attached = policy::attach(existing.as_deref(), &agreement, &ring, brought);
    let (note, names) = attached.map_err(|error| match error {
        policy::AttachError::Sign(SignError::OtherBytes) => anew(&beside, &error),
        other => format!("{shown}: {other}"),
    })?;
    written(&agreement, &beside, &note, &names, (args.json, out))
}

fn brought(file: &Path) -> Result<Vec<u8>, Fault> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file)
        .and_then(|opened| opened.take(SIGNATURE_BYTES_MAX + 1).read_to_end(&mut bytes));
    opened.map_err(|error| format!("{}: {error}", file.display()))?;
    if bytes.len() as u64 > SIGNATURE_BYTES_MAX {
        return Err(format!("{}: longer than any signature", file.display()).into());
    }
    Ok(bytes)
}

/// A signature as bytes, or written in base64 or hex.
fn bare(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() == 64 {
        return Some(bytes.to_vec());
    }
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let of_hex = || {
        let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        text.as_bytes().chunks(2).map(pair).collect::<Option<Vec<u8>>>()
    };
    let decoded = if text.len() == 128 { of_hex() } else { STANDARD.decode(text).ok() };
    decoded.filter(|decoded| decoded.len() == 64)
}

/// Others' signatures may be in it: never written over unread.
fn existing(beside: &Path) -> Result<Option<String>, Fault> {
    match std::fs::read_to_string(beside) {
        Ok(existing) => Ok(Some(existing)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", beside.display()).into()),
    }
}

fn anew(beside: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}\n    --anew drops them and begins again with yours", beside.display())
}

fn written(
    agreement: &Agreement,
    beside: &Path,
    note: &str,
    names: &[String],
    (as_json, out): (bool, &mut dyn Write),
) -> Done {
    replace(beside.to_path_buf(), note.as_bytes())?;
    let reference = &agreement.reference;
    let by = names.join(", ");
    if as_json {
        say(out, json!({ "agreement": reference.to_string(), "signed_by": by, "file": beside }));
    } else {
        say(out, format_args!("{reference} signed by {by}: {}", beside.display()));
    }
    Ok(Exit::Yes)
}
