//! `tolbooth.toml`: what one gateway is, where it listens and where its files lie. Everything has a
//! default but the member; every bound has its reason beside it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::allowance::{self, MemberAllowance};
use super::keeping::Keeping;
use super::outside::{self, Outside};
use super::revocation::{Revocation, revocation};
use super::sandbox::Sandbox;
use super::strict::{self, Item, Table};
use super::token::{self, Token};
use crate::model::limits::QUESTION_BYTES_MAX;
use crate::model::{Digest, Fault, Faults, MemberId};

/// A gateway's whole configuration. Paths are made whole against the file's own folder.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// The folder `tolbooth.toml` lies in; file names in messages are relative to it.
    pub home: PathBuf,
    /// `tolbooth.toml` itself.
    pub file: PathBuf,
    pub member: MemberId,
    pub members: PathBuf,
    pub policies: PathBuf,
    pub data: PathBuf,
    /// Data-plane threads; one per core unless said otherwise.
    pub workers: usize,
    pub partners: Partners,
    pub local: SocketAddr,
    pub admin_socket: PathBuf,
    pub log: Log,
    pub limits: Limits,
    pub token: Token,
    pub revocation: Revocation,
    pub segment_bytes: u64,
    pub outside: Outside,
    pub keeping: Keeping,
    pub sandbox: Sandbox,
    /// Of the file's bytes.
    pub digest: Digest,
    /// Whether this gateway answers with made-up rows alone; see [`Gateway::into_sandbox`].
    pub in_sandbox: bool,
}

/// The listener partners reach.
#[derive(Debug, Clone)]
pub struct Partners {
    pub address: SocketAddr,
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Open connections at once: memory is bounded by configuration, not by traffic.
    pub connections_max: usize,
    /// Of those, what one member may hold.
    pub connections_per_member_max: usize,
    /// What one address may hold, known or not: a handshake that never ends holds one too.
    pub connections_per_address_max: usize,
    /// Handshakes cost more than anything else a stranger may ask for.
    pub handshakes_per_address_per_second: u32,
    /// A write that makes no progress for longer is somebody who does not read.
    pub send_max: Duration,
    /// A handshake that takes longer is somebody holding a slot.
    pub handshake_max: Duration,
    /// From the end of the exchange before, or of the handshake, to the last header of a request: also
    /// how long an HTTP/1.1 connection may be idle, and how often HTTP/2 is asked whether it lives.
    pub head_max: Duration,
    /// From the last header to the last byte of the question.
    pub body_max: Duration,
    pub question_bytes_max: usize,
    /// Also TLS 1.2, in the one profile partners with older systems need.
    pub tls12: bool,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    pub format: LogFormat,
    pub level: Level,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Human,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// Limits over all agreements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Refusals to one member written to the ledger one by one; beyond it they are counted.
    pub recorded_refusals_per_minute: u32,
    /// How long a stopping gateway waits for exchanges under way.
    pub drain: Duration,
    /// The longest the system behind may take, whatever its dataset's file says.
    pub exchange_max: Duration,
    /// The longest the ledger may take for a record; after half of it readiness is red.
    pub record_max: Duration,
    /// Exchanges under way at once on each data-plane thread.
    pub exchanges_max: usize,
    /// Nonces of signed questions remembered for their minute, in equal shares for the members that sign:
    /// so many signed questions a minute are answered. A nonce takes about 100 bytes.
    pub nonces_max: usize,
    pub member: MemberAllowance,
}

/// Reads `tolbooth.toml`. All faults at once.
pub fn load(path: &Path) -> Result<Gateway, Faults> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Fault::new(&name, None, format!("cannot be read: {error}"))
            .with_help("`tolbooth init DIR` writes a first configuration; `--config FILE` names another")
    })?;
    let home = path.parent().unwrap_or(Path::new("")).to_path_buf();
    let home = if home.as_os_str().is_empty() { PathBuf::from(".") } else { home };
    let gateway = parse(&name, &text, &home)?;
    // A name as it is shown may be none.
    Ok(Gateway { file: path.to_path_buf(), ..gateway })
}

/// Reads the text of a `tolbooth.toml` that lies in `home`.
pub fn parse(name: &str, text: &str, home: &Path) -> Result<Gateway, Faults> {
    strict::read(name, text, |root| {
        strict::format_1(root);
        let gateway = root.table("gateway");
        let who = gateway.as_ref().and_then(|table| identity(table, home));
        drop(gateway);
        let partners = root.table("partners").and_then(|table| partners(&table, home));
        let local = root.optional("local").and_then(Item::table);
        let local = address(local.as_ref(), "127.0.0.1:9464");
        if let (Some(partners), Some(local)) = (&partners, local)
            && are_one(partners.address, local)
        {
            root.fault_with_help(
                format!("`partners.address` and `local.address` are both {local}"),
                "what partners reach and what the house alone may see are two listeners: give each its own port",
            );
        }
        let log = log(root.optional("log").and_then(Item::table).as_ref());
        let limits = limits(root.optional("limits").and_then(Item::table).as_ref());
        let token = token::read(root.optional("token").and_then(Item::table).as_ref());
        let revocation = revocation(root.optional("revocation").and_then(Item::table).as_ref());
        let ledger = root.optional("ledger").and_then(Item::table);
        let segment_bytes = count(ledger.as_ref(), "segment_mib", 32, 1..=1024) * 1024 * 1024;
        let keeping = Keeping::read(ledger.as_ref());
        let (member, members, policies, data, workers) = who?;
        let outside = outside::read(ledger.as_ref(), home, &data);
        drop(ledger);
        let admin = root.optional("admin").and_then(Item::table);
        let admin_socket = path(admin.as_ref(), "socket", home).unwrap_or_else(|| data.join("admin.sock"));
        let sandbox = Sandbox::read(root.optional("sandbox").and_then(Item::table).as_ref(), home);
        let partners = partners?;
        Some(Gateway {
            home: home.to_path_buf(),
            file: PathBuf::from(name),
            member,
            members,
            policies,
            data,
            workers,
            partners,
            local: local?,
            admin_socket,
            log: log?,
            limits,
            token: token?,
            revocation: revocation?,
            segment_bytes,
            outside,
            keeping: keeping?,
            sandbox: sandbox?,
            digest: Digest::of(text.as_bytes()),
            in_sandbox: false,
        })
    })
}

type Identity = (MemberId, PathBuf, PathBuf, PathBuf, usize);

fn identity(table: &Table<'_>, home: &Path) -> Option<Identity> {
    let member = table.required("member").and_then(|item| item.parsed(MemberId::new));
    let members = path(Some(table), "members", home).unwrap_or_else(|| home.join("members.toml"));
    let policies = path(Some(table), "policies", home).unwrap_or_else(|| home.join("policies"));
    let data = path(Some(table), "data", home).unwrap_or_else(|| home.join("data"));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = count(Some(table), "workers", cores as u64, 1..=256);
    Some((member?, members, policies, data, usize::try_from(workers).unwrap_or(1)))
}

fn partners(table: &Table<'_>, home: &Path) -> Option<Partners> {
    let address = address(Some(table), "0.0.0.0:8443");
    let certificate = table.required("certificate").and_then(|item| item.text()).map(|text| home.join(text));
    let key = table.required("key").and_then(|item| item.text()).map(|text| home.join(text));
    let seconds = |key, default| Duration::from_secs(count(Some(table), key, default, 1..=300));
    let handshake_max = seconds("handshake_seconds_max", 10);
    let head_max = seconds("head_seconds_max", 10);
    let body_max = seconds("body_seconds_max", 10);
    let connections_max = count(Some(table), "connections_max", 4096, 1..=1_000_000);
    let per_member =
        count(Some(table), "connections_per_member_max", connections_max.div_ceil(2), 1..=1_000_000);
    let per_address =
        count(Some(table), "connections_per_address_max", connections_max.div_ceil(2), 1..=1_000_000);
    let handshakes = count(Some(table), "handshakes_per_address_per_second", 200, 1..=1_000_000);
    let send_max = seconds("send_seconds_max", 30);
    let question =
        count(Some(table), "question_bytes_max", QUESTION_BYTES_MAX as u64, 64..=QUESTION_BYTES_MAX as u64);
    let tls12 = match table.optional("tls12") {
        Some(item) => item.boolean()?,
        None => false,
    };
    Some(Partners {
        address: address?,
        tls12,
        certificate: certificate?,
        key: key?,
        handshake_max,
        head_max,
        body_max,
        connections_max: usize::try_from(connections_max).unwrap_or(usize::MAX),
        connections_per_member_max: usize::try_from(per_member).unwrap_or(usize::MAX),
        connections_per_address_max: usize::try_from(per_address).unwrap_or(usize::MAX),
        handshakes_per_address_per_second: u32::try_from(handshakes).unwrap_or(u32::MAX),
        send_max,
        question_bytes_max: usize::try_from(question).unwrap_or(QUESTION_BYTES_MAX),
    })
}

fn log(table: Option<&Table<'_>>) -> Option<Log> {
    let Some(table) = table else { return Some(Log { format: LogFormat::Human, level: Level::Info }) };
    let format = table.optional("format").map_or(Some(LogFormat::Human), |item| {
        item.word(&[LogFormat::Human, LogFormat::Json], |format| match format {
            LogFormat::Human => "human",
            LogFormat::Json => "json",
        })
    });
    let level = table.optional("level").map_or(Some(Level::Info), |item| {
        item.word(&[Level::Error, Level::Warn, Level::Info, Level::Debug], Level::as_str)
    });
    Some(Log { format: format?, level: level? })
}

fn limits(table: Option<&Table<'_>>) -> Limits {
    let refusals = count(table, "recorded_refusals_per_minute", 600, 1..=1_000_000);
    let drain = Duration::from_secs(count(table, "drain_seconds", 20, 0..=600));
    let exchange_max = Duration::from_secs(count(table, "exchange_seconds_max", 30, 1..=600));
    let record_max = Duration::from_secs(count(table, "record_seconds_max", 10, 1..=300));
    let recorded_refusals_per_minute = u32::try_from(refusals).unwrap_or(u32::MAX);
    let exchanges_max = usize::try_from(count(table, "exchanges_max", 1024, 1..=1_000_000)).unwrap_or(1024);
    let nonces_max =
        usize::try_from(count(table, "nonces_max", 262_144, 1_000..=10_000_000)).unwrap_or(262_144);
    let member = allowance::read(table);
    Limits {
        recorded_refusals_per_minute,
        drain,
        exchange_max,
        record_max,
        exchanges_max,
        nonces_max,
        member,
    }
}

pub(super) fn count(
    table: Option<&Table<'_>>,
    key: &'static str,
    default: u64,
    within: std::ops::RangeInclusive<u64>,
) -> u64 {
    table.and_then(|table| table.optional(key)).and_then(|item| item.count(within)).unwrap_or(default)
}

pub(super) fn path(table: Option<&Table<'_>>, key: &'static str, home: &Path) -> Option<PathBuf> {
    table.and_then(|table| table.optional(key)).and_then(|item| item.text()).map(|text| home.join(text))
}

pub(super) fn address(table: Option<&Table<'_>>, default: &str) -> Option<SocketAddr> {
    match table.and_then(|table| table.optional("address")) {
        Some(item) => item.parsed(|text| {
            text.parse::<SocketAddr>().map_err(|_| "an address such as 0.0.0.0:8443 is wanted")
        }),
        None => default.parse().ok(),
    }
}

/// Whether two listeners would be one. Port 0 is any that is free.
fn are_one(one: SocketAddr, other: SocketAddr) -> bool {
    let everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (one.ip() == other.ip() || everywhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str =
        "format = 1\n[gateway]\nmember = \"glenmore\"\n[partners]\ncertificate = \"c\"\nkey = \"k\"\n";

    #[test]
    fn the_least_configuration_has_defaults() {
        let gateway = parse("tolbooth.toml", LEAST, Path::new("/etc/tolbooth")).unwrap();
        assert_eq!(gateway.members, Path::new("/etc/tolbooth/members.toml"));
        assert_eq!(gateway.admin_socket, Path::new("/etc/tolbooth/data/admin.sock"));
        assert!(gateway.local.ip().is_loopback());
    }

    #[test]
    fn two_listeners_have_two_addresses() {
        let both = |partners: &str, local: &str| {
            let partners = format!("[partners]\naddress = \"{partners}\"");
            let text =
                format!("{}\n[local]\naddress = \"{local}\"\n", LEAST.replace("[partners]", &partners));
            parse("tolbooth.toml", &text, Path::new(".")).map(|_| ()).map_err(|faults| faults.to_string())
        };
        for same in ["0.0.0.0:9464", "127.0.0.1:9464"] {
            let told = both(same, "127.0.0.1:9464").unwrap_err();
            assert!(told.contains("are both 127.0.0.1:9464"), "{told}");
        }
        for (partners, local) in [("127.0.0.1:0", "127.0.0.1:0"), ("10.0.0.1:9464", "127.0.0.1:9464")] {
            assert_eq!(both(partners, local), Ok(()));
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let text = "format = 2\n[gateway]\nmembr = \"glenmore\"\n[partners]\naddress = \"here\"\n[log]\nlevel = \"inf\"\n";
        let faults = parse("tolbooth.toml", text, Path::new(".")).unwrap_err().to_string();
        for expected in [
            "tolbooth.toml:1: `format`: written for a newer Tolbooth",
            "`member` is missing in [gateway]",
            "unknown key `membr` in [gateway]\n    did you mean `member`?",
            "tolbooth.toml:5: `partners.address`: an address such as 0.0.0.0:8443 is wanted",
            "`certificate` is missing in [partners]",
            "tolbooth.toml:7: `log.level`: `inf` is not known here\n    did you mean `info`?",
        ] {
            assert!(faults.contains(expected), "{expected}\n---\n{faults}");
        }
    }
}
