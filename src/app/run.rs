//! Starting and stopping a gateway. Each step either holds or the gateway does not start; nothing
//! listens before the ruleset in force is on the record.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use jiff::civil::Date;
use tokio::task::LocalSet;

use crate::admin::{Admin, Levers, serve_admin};
use crate::clock::Clock;
use crate::config::Gateway;
use crate::desk::{self, Lived, Retention, Ruleset};
use crate::inbound::{Allowances, Bounds, Chains, KEEPERS_MAX, LogReads, Quiet, READS_MAX, Road, Tally};
use crate::journal::Disk;
use crate::ledger::{Ledger, LedgerConfig, LedgerError, Opened, journal_directory};
use crate::merkle::checkpoint::Checkpoint;
use crate::model::{Digest, Fault, Faults};
use crate::observe::{Condition, Health, Light, Metrics};
use crate::serve::{Doorway, Local, Shares, TokenDoor, serve_local, serve_partners};
use crate::signature::Verifier;
use crate::stop::{Stop, Stopper};
use crate::tls::Credential;

use super::anchor::{self, Anchor};
use super::fault::{StartFault, io_fault};
use super::known::Known;
use super::publish::{self, Place};
use super::seen::Seen;
use super::tokens::Tokens;
use super::{
    App, behind, configuration, days, erase, issuers, keys, pack, reload, revoke, rules, tokens, watch,
};

/// Records that may wait for the writer: a second at the rate one core answers.
const WAITING_MAX: usize = 16_384;

/// What the address of a Unix socket has room for (unix(7)).
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Threads beside the road that may block: one each for callers' chains, reloads, revocations, token keys, the
/// configuration, replaced files, erasures, folding, the anchor, stops and what is sent outside, which must never
/// wait for somebody who looks into the ledger and does not read the answer.
const BLOCKING_MAX: usize = crate::admin::LOOKS_MAX + READS_MAX + KEEPERS_MAX + 10;

/// A gateway that serves.
pub struct Running {
    pub partners: SocketAddr,
    pub local: SocketAddr,
    pub admin_socket: PathBuf,
    pub app: Arc<App>,
    stopper: Stopper,
    thread: JoinHandle<()>,
}

impl Running {
    /// Tells everything to finish what it has begun.
    pub fn stop(&self) {
        self.stopper.stop();
    }

    /// Waits until all has ended.
    pub fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("the control thread ended by a panic");
        }
    }
}

/// Opens the ledger, loads the rules, records them, and serves.
pub fn start(gateway: Gateway, clock: Clock) -> Result<Running, StartFault> {
    let publish = Place::of(&gateway)?;
    let (app, anchor) = open(gateway, clock)?;
    let app = Arc::new(app);
    if let Some(anchor) = &anchor {
        anchor::begin(&app, anchor);
    }
    app.health.set(Condition::Ruleset, Light::Green);
    rules::warn_of_what_is_not_in_force(&app, &app.ruleset.load());
    let bind =
        |address: SocketAddr| TcpListener::bind(address).map_err(io_fault(format!("listening on {address}")));
    let partners = bind(app.gateway.partners.address)?;
    let local = bind(app.gateway.local)?;
    let admin = bind_admin(&app.gateway.admin_socket)?;
    let (partners_at, local_at) = (local_address(&partners)?, local_address(&local)?);
    let tokens = Credential::load(&app.gateway.partners.certificate, &app.gateway.partners.key)?;
    let tokens = tokens::open(&app.gateway, tokens.certificate(), partners_at, &app.clock)
        .map_err(io_fault("the keys that sign tokens"))?;
    rules::record_start(&app, &tokens)?;
    let (stopper, stop) = Stopper::new();
    let sockets = Sockets { partners, local, admin };
    let at_work = AtWork { sockets, tokens, publish };
    behind::read_the_rest(&app, &stop).map_err(io_fault("starting the thread that reads the journal"))?;
    days::begin(&app, &stop).map_err(io_fault("starting the thread that counts the day's answers"))?;
    let thread = std::thread::Builder::new()
        .name("control".to_owned())
        .spawn({
            let (app, stopper) = (Arc::clone(&app), stopper.clone());
            move || control(app, at_work, &stopper, stop)
        })
        .map_err(io_fault("starting the control thread"))?;
    let admin_socket = app.gateway.admin_socket.clone();
    Ok(Running { partners: partners_at, local: local_at, admin_socket, app, stopper, thread })
}

fn open(gateway: Gateway, clock: Clock) -> Result<(App, Option<Anchor>), StartFault> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&gateway.data)
        .map_err(io_fault(gateway.data.display().to_string()))?;
    let log_name = desk::log_name(&gateway)?;
    let directory = gateway.data.join("ledger");
    let anchor = Anchor::read(&gateway)?;
    anchor.as_ref().map_or(Ok(()), |anchor| anchor.expects(&directory))?;
    // Held before any key is read or made: of two first starts at once the other must not replace this one's.
    let journal = Disk::open(&journal_directory(&directory)).map_err(LedgerError::from)?;
    let what = format!("the gateway's keys in {}", gateway.data.join("keys").display());
    let keys = keys::open(&gateway.data, &log_name, &clock).map_err(io_fault(what))?;
    of_this_log(&gateway, &log_name, &keys)?;
    let held = anchor.as_ref().map(|anchor| anchor.held(keys.ledger.verifier(), &directory)).transpose()?;
    let config = LedgerConfig {
        directory,
        origin: keys.ledger.verifier().name().to_owned(),
        key: crate::crypto::SigningKey::from_seed(keys.ledger.key().seed())
            .map_err(|error| io_fault("the ledger's key")(io::Error::other(error)))?,
        segment_bytes: gateway.segment_bytes,
        waiting_max: WAITING_MAX,
        recovery_keys: gateway.keeping.recovery_keys.clone(),
    };
    let (ledger, opened) = open_ledger(journal, config, &clock, anchor.as_ref(), held.flatten().as_ref())?;
    let retention = Arc::new(Retention::new(ledger.clone(), gateway.keeping.audit_years));
    tracing::info!(records = opened.records, unread_segments = opened.unread_segments, "the ledger is open");
    if opened.dropped {
        tracing::warn!("a batch that was never acknowledged was dropped from the end of the journal");
    }
    behind::close_intents(&ledger, &opened.intents)?;
    let known = Known::read(&gateway, &keys, &ledger, &opened)?;
    let first_look = reload::look(&gateway, &[]);
    let mut ruleset = known.load(&gateway, &keys, clock.today()).inspect_err(|faults| {
        rules::record_refused_start((&ledger, &opened), Ruleset::digest_of(&gateway), faults);
    })?;
    let tls = reload::tls(&gateway, &ruleset)?;
    let epochs = tokio::sync::watch::Sender::new(ruleset.epoch);
    // The ledger's lock is held, and so the process before this has ended.
    let signatures = Arc::new(Verifier::new(clock.now(), gateway.limits.nonces_max));
    let Known { fold, seen, uses, lived } = known;
    record_in_force((&ledger, &lived), &seen, clock.today(), &ruleset)?;
    ruleset.files.are_kept();
    keep_names(&gateway.data).map_err(io_fault(gateway.data.display().to_string()))?;
    let app = App {
        signatures,
        gateway,
        clock,
        health: Arc::new(Health::default()),
        metrics: Arc::new(Metrics::new()),
        tally: Arc::new(Tally::default()),
        ledger,
        fold,
        retention,
        lived,
        ruleset: Arc::new(ArcSwap::from_pointee(ruleset)),
        tls: Arc::new(ArcSwap::from_pointee(tls)),
        epochs,
        in_use: rules::InUse::new(&opened),
        seen,
        uses,
        changing: Default::default(),
        lists: Default::default(),
        first_look,
        keys,
        opened,
    };
    Ok((app, anchor))
}

/// Opens the ledger, unless its journal is not the one the anchor was kept for.
fn open_ledger(
    journal: Disk,
    config: LedgerConfig,
    clock: &Clock,
    anchor: Option<&Anchor>,
    held: Option<&Checkpoint>,
) -> Result<(Ledger, Opened), StartFault> {
    Ledger::open_held(journal, config, clock.clone(), held).map_err(|error| match anchor {
        Some(anchor) => anchor.explain(error).map_or_else(StartFault::Ledger, StartFault::from),
        None => StartFault::Ledger(error),
    })
}

/// Makes the names of folders that a first start has made durable: what is in them is durable already. If we
/// crash before here, nobody has been answered yet.
fn keep_names(data: &Path) -> io::Result<()> {
    let parent = data.parent().filter(|parent| !parent.as_os_str().is_empty());
    for folder in [parent.unwrap_or(Path::new(".")), data, &data.join("ledger")] {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// A sandbox's log is named as one, and neither goes on with the other's: what is recorded of made-up rows
/// must never be taken for what was released.
fn of_this_log(gateway: &Gateway, log_name: &str, keys: &keys::Keys) -> Result<(), StartFault> {
    let origin = keys.ledger.verifier().name();
    let of_sandbox = origin.starts_with(&format!("{}.{}", gateway.member, crate::tls::sandbox_of("")));
    if of_sandbox == gateway.in_sandbox {
        return Ok(());
    }
    let what = if of_sandbox { "a sandbox's" } else { "the gateway's own" };
    let message = format!("the ledger in it is {what} ({origin}), and here that of {log_name} is kept");
    Err(Fault::new(gateway.data.display().to_string(), None, message).into())
}

/// Keeps every file of a ruleset as evidence and records that it comes into force.
pub(super) fn record_ruleset(app: &App, ruleset: &Ruleset) -> Result<(), Faults> {
    record_in_force((&app.ledger, &app.lived), &app.seen, app.clock.today(), ruleset)
}

fn record_in_force(
    (ledger, lived): (&Ledger, &Lived),
    seen: &Seen,
    today: Date,
    ruleset: &Ruleset,
) -> Result<(), Faults> {
    let unrecorded = |error: LedgerError| Faults::from(Fault::new("ledger", None, error.to_string()));
    let all = ruleset.files.all();
    let held: Vec<&[u8]> = all.iter().filter_map(|file| file.held()).collect();
    ledger.keep_all_evidence(&held).map_err(unrecorded)?;
    // What officers did is kept as evidence by now, and stronger than its file from here on.
    lived.act(&ruleset.acts).map_err(|fault| unrecorded(LedgerError::Unrecorded(fault)))?;
    let files: Vec<(String, Digest)> = all.iter().map(|file| (file.name.clone(), file.digest)).collect();
    let in_force = ruleset.in_force(today);
    ledger.ruleset((ruleset.digest, seen.ruleset()), &files, in_force.clone()).map_err(unrecorded)?;
    seen.recorded(ruleset.digest, in_force);
    Ok(())
}

/// What the control thread serves, once everything holds.
struct AtWork {
    sockets: Sockets,
    tokens: Tokens,
    publish: Option<Place>,
}

struct Sockets {
    partners: TcpListener,
    local: TcpListener,
    admin: std::os::unix::net::UnixListener,
}

fn local_address(listener: &TcpListener) -> Result<SocketAddr, StartFault> {
    listener.local_addr().map_err(io_fault("a listener's address"))
}

/// The admin socket is for whoever may read the data folder. One left by a killed gateway is taken
/// away: the ledger's lock has already shown that no other gateway runs.
fn bind_admin(path: &std::path::Path) -> Result<std::os::unix::net::UnixListener, StartFault> {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
    // Anything else of that name stays, and binding says so.
    if path.symlink_metadata().is_ok_and(|about| about.file_type().is_socket()) {
        std::fs::remove_file(path).map_err(io_fault(path.display().to_string()))?;
    }
    let mut what = path.display().to_string();
    if path.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
        what.push_str(" (too long for the admin socket: set a shorter `socket` in [admin])");
    }
    let listener = std::os::unix::net::UnixListener::bind(path).map_err(io_fault(what.clone()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(io_fault(what))?;
    Ok(listener)
}

/// The control thread: everything but exchanges.
fn control(app: Arc<App>, at_work: AtWork, stopper: &Stopper, stop: Stop) {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_MAX)
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the control thread could not start");
            return;
        }
    };
    let tasks = LocalSet::new();
    let served = tasks.block_on(&runtime, beside_the_road(Arc::clone(&app), at_work, stop));
    if let Err(error) = served {
        tracing::error!(%error, "a listener could not be served");
        stopper.stop();
    }
    // The data-plane threads hold a `Stop` until their last exchange has ended.
    tasks.block_on(&runtime, stopper.all_gone());
    drop(tasks);
    watch::record_the_end(&app);
    anchor::write_last(&app);
    // A thread that ends may hold the ledger for an instant more; whoever waits for us opens it next.
    app.ledger.close();
}

async fn beside_the_road(app: Arc<App>, at_work: AtWork, stop: Stop) -> io::Result<()> {
    let AtWork { sockets, tokens, publish } = at_work;
    let local = Local { health: Arc::clone(&app.health), metrics: Arc::clone(&app.metrics) };
    sockets.local.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(sockets.local)?;
    tokio::task::spawn_local(serve_local(local, listener));
    sockets.admin.set_nonblocking(true)?;
    let listener = tokio::net::UnixListener::from_std(sockets.admin)?;
    let (ruleset, clock) = (Arc::clone(&app.ruleset), app.clock.clone());
    let published = Arc::new(desk::Published::new(app.ledger.clone(), Arc::clone(&app.fold)));
    behind::read_earlier(&app, Arc::clone(&published), &stop)?;
    let looked_into = (Arc::clone(&app.fold), Arc::clone(&published));
    let (member, retention) = (app.gateway.member.clone(), Arc::clone(&app.retention));
    // One waits while one is under way.
    let (reloads, asked) = tokio::sync::mpsc::channel(1);
    let levers = Levers { lived: Arc::clone(&app.lived), reloads, uses: Arc::clone(&app.uses) };
    let admin = Admin::new(app.ledger.clone(), looked_into, member, ruleset, clock, (retention, levers));
    tokio::task::spawn_local(serve_admin(admin, listener, stop.clone()));
    tokio::task::spawn_local(watch::watch_lights(Arc::clone(&app), stop.clone()));
    tokio::task::spawn_local(watch::watch_sources(Arc::clone(&app), stop.clone()));
    tokio::task::spawn_local(erase::watch_terms(Arc::clone(&app), stop.clone()));
    tokio::task::spawn_local(watch::watch_fold(Arc::clone(&app), stop.clone()));
    tokio::task::spawn_local(anchor::watch(Arc::clone(&app), stop.clone()));
    if let Some(place) = publish {
        tokio::task::spawn_local(publish::watch(Arc::clone(&app), place, stop.clone()));
    }
    tokio::task::spawn_local(pack::watch_pack(Arc::clone(&app), stop.clone()));
    tokio::task::spawn_local(revoke::watch_directory(Arc::clone(&app), stop.clone()));
    tokio::task::spawn_local(reload::watch_rules(Arc::clone(&app), asked, stop.clone()));
    tokio::task::spawn_local(configuration::watch(Arc::clone(&app), stop.clone()));
    tokio::task::spawn_local(tokens::watch(Arc::clone(&app), tokens.clone(), stop.clone()));
    tokio::task::spawn_local(issuers::watch(Arc::clone(&app), stop.clone()));
    let tally = tokio::task::spawn_local(watch::watch_tally(Arc::clone(&app), stop.clone()));
    app.health.set(Condition::Serving, Light::Green);
    let doorway = Doorway {
        bounds: app.gateway.partners.clone(),
        tls: Arc::clone(&app.tls),
        road: Arc::new(road(&app, &tokens, published)),
        metrics: Arc::clone(&app.metrics),
        tally: Arc::clone(&app.tally),
        shares: Shares::default(),
        tokens: Arc::new(TokenDoor::new(tokens.mint, app.gateway.token.per_member_per_minute)),
        epochs: app.epochs.subscribe(),
    };
    let (workers, drain) = (app.gateway.workers, app.gateway.limits.drain);
    let served = serve_partners(doorway, sockets.partners, workers, drain, stop).await;
    app.health.set(Condition::Serving, Light::Red("stopping".to_owned()));
    let _counted = tally.await;
    served
}

fn road(app: &App, tokens: &Tokens, published: Arc<desk::Published>) -> Road {
    Road {
        member: app.gateway.member.clone(),
        ruleset: Arc::clone(&app.ruleset),
        lived: Arc::clone(&app.lived),
        ledger: app.ledger.clone(),
        clock: app.clock.clone(),
        metrics: Arc::clone(&app.metrics),
        tally: Arc::clone(&app.tally),
        quiet: Quiet::default(),
        chains: Chains::new(tokio::runtime::Handle::current()),
        signatures: Arc::clone(&app.signatures),
        issuer: Arc::clone(tokens.mint.issuer()),
        synthetic: app.gateway.in_sandbox,
        log: LogReads::new(published, tokio::runtime::Handle::current()),
        uses: Arc::clone(&app.uses),
        allowances: Allowances::new(app.gateway.limits.member),
        bounds: Bounds {
            body_max: app.gateway.partners.body_max,
            question_bytes_max: app.gateway.partners.question_bytes_max,
            refusals_per_minute: app.gateway.limits.recorded_refusals_per_minute,
            exchange_max: app.gateway.limits.exchange_max,
            record_max: app.gateway.limits.record_max,
            exchanges_max: app.gateway.limits.exchanges_max,
            expired_crl: app.gateway.revocation.expired_crl,
        },
    }
}
