//! This gateway as an issuer: its name, its keys on disk, and when they change.
//!
//! `data/keys/token.key` has a line for each key. It is looked at every two seconds: an operator who takes a
//! line out ends every token that key signed, and one who takes the file away ends all of them.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::config::Gateway;
use crate::model::Fault;
use crate::stop::Stop;
use crate::tls::Certificate;
use crate::token::{Mint, MintKeys};

use super::keys::write_durably;
use super::{App, rules};

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Who signs tokens.
#[derive(Clone)]
pub(super) struct Tokens {
    pub(super) mint: Arc<Mint>,
    file: Arc<KeyFile>,
    clock: Clock,
}

struct KeyFile {
    path: PathBuf,
    seconds_max: i64,
}

type Look = Option<(SystemTime, u64)>;

impl KeyFile {
    fn look(&self) -> Look {
        std::fs::metadata(&self.path).ok().and_then(|about| Some((about.modified().ok()?, about.len())))
    }

    /// The keys as the file has them, with a new one where one is due: durable before it signs anything.
    fn read(&self, now: i64) -> io::Result<MintKeys> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Zeroizing::default(),
            Err(error) => return Err(error),
        };
        let keys = MintKeys::parse(&text)
            .map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, format!("token.key: {fault}")))?;
        match keys.renewed(now, self.seconds_max) {
            None => Ok(keys),
            Some(renewed) => {
                let renewed = renewed.map_err(io::Error::other)?;
                write_durably(&self.path, renewed.reveal().as_bytes(), 0o600)?;
                tracing::info!(keys = renewed.count(), "the keys that sign tokens have changed");
                Ok(renewed)
            }
        }
    }
}

/// Opens the keys, making one on first start. `address` is where partners reach the listener.
pub(super) fn open(
    gateway: &Gateway,
    certificate: &Certificate,
    address: SocketAddr,
    clock: &Clock,
) -> io::Result<Tokens> {
    let name = gateway.token.issuer.clone().unwrap_or_else(|| issuer_name(certificate, address));
    let seconds_max = i64::try_from(gateway.token.rotate.as_secs()).unwrap_or(i64::MAX);
    let file = KeyFile { path: key_file(&gateway.data), seconds_max };
    let keys = file.read(clock.now().as_second())?;
    let lifetime = i64::try_from(gateway.token.lifetime.as_secs()).unwrap_or(0);
    let mint = Arc::new(Mint::new(&name, lifetime, keys));
    tracing::info!(issuer = name, "this gateway gives out tokens");
    Ok(Tokens { mint, file: Arc::new(file), clock: clock.clone() })
}

fn key_file(data: &Path) -> PathBuf {
    data.join("keys/token.key")
}

/// The first name in the gateway's certificate, and the port unless it is the one `https` means.
fn issuer_name(certificate: &Certificate, address: SocketAddr) -> String {
    let ip = |ip: std::net::IpAddr| SocketAddr::new(ip, 0).to_string().trim_end_matches(":0").to_owned();
    let host = certificate.dns.iter().find(|name| !name.contains('*')).map(|name| name.to_ascii_lowercase());
    let host = host.or_else(|| certificate.ips.first().copied().map(ip)).unwrap_or_else(|| ip(address.ip()));
    match address.port() {
        443 => format!("https://{host}"),
        port => format!("https://{host}:{port}"),
    }
}

/// Watches the key file and the age of its keys until told to stop.
pub(super) async fn watch(app: Arc<App>, tokens: Tokens, mut stop: Stop) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    let mut known = tokens.file.look();
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.asked() => return,
        }
        let now = tokens.clock.now().as_second();
        let seen = tokens.file.look();
        if seen == known && tokens.mint.keys().are_current(now, tokens.file.seconds_max) {
            continue;
        }
        let file = Arc::clone(&tokens.file);
        let read = tokio::task::spawn_blocking(move || file.read(now)).await;
        match read.unwrap_or_else(|_| Err(io::Error::other("reading it ended by a panic"))) {
            Ok(keys) => {
                tokens.mint.replace(keys);
                told(&app, &tokens, None).await;
            }
            // What signed before goes on: a file half written must not end every partner's token.
            Err(error) => {
                tracing::error!(%error, "the keys that sign tokens stay as they were");
                told(&app, &tokens, Some(error)).await;
            }
        }
        // As it was seen before it was read, or looks since it was written here.
        known = if seen == known { tokens.file.look() } else { seen };
    }
}

/// Puts what became of the key file on the record, beside the listeners: a disk may be slow.
async fn told(app: &Arc<App>, tokens: &Tokens, refused: Option<io::Error>) {
    let (app, tokens) = (Arc::clone(app), tokens.clone());
    let told = tokio::task::spawn_blocking(move || match refused {
        None => rules::record_tokens(&app, &tokens),
        Some(error) => {
            let fault = Fault::new("data/keys/token.key", None, error.to_string());
            // Never a digest of bytes that may be half a secret.
            rules::record_refusal(&app, (rules::TOKEN_KEYS, None, None), Some(&fault));
        }
    });
    let _told = told.await;
}
