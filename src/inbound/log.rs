//! Reads of the log: `GET /checkpoint` and `/tile/...` (C2SP tlog-tiles) for every known member,
//! `/receipts/{exchange}` for the system that asked, `/envelopes/{after}` for a member's own.
//!
//! Nothing of a question or an answer is here to leave, and [`Page`] has its one maker here. What is not
//! there for the caller is no page: the request goes on along the road, and is refused there as a question
//! would be. Reads are counted, not recorded one by one (design 5). Disks are read beside the road.

use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::desk::{Published, ReadFault};
use crate::merkle::Tile;
use crate::model::{Code, ENVELOPES_READ, ExchangeId, LOG_READ, RECEIPT_READ, SystemId};

use super::accept::{Connection, Known};
use super::counted::Counted;
use super::identify::still;
use super::read::Asked;
use super::refusal::{Refusal, Why};
use super::road::Worker;

/// Reads at once, each on a thread beside the road.
pub const READS_MAX: usize = 2;
/// Reads that wait or run: the rest of the places stays for exchanges.
const READS_WAITING_MAX: usize = 32;

/// Where the log is read from.
pub struct LogReads {
    published: Arc<Published>,
    /// Beside the road.
    beside: Handle,
    running: Semaphore,
    waiting: Semaphore,
}

impl LogReads {
    pub fn new(published: Arc<Published>, beside: Handle) -> Self {
        let (running, waiting) = (Semaphore::new(READS_MAX), Semaphore::new(READS_WAITING_MAX));
        Self { published, beside, running, waiting }
    }
}

/// What leaves of the log.
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
}

/// A read of the log: a page, or why there is none now.
pub struct LogRead {
    pub(super) known: Box<Known>,
    pub(super) page: Result<Page, Counted>,
}

/// What is asked for.
enum Wanted {
    Checkpoint,
    Tile(Tile),
    Receipt(ExchangeId),
    Envelopes(u64),
}

impl Wanted {
    fn parse(path: &str) -> Option<Self> {
        let (first, rest) = path.strip_prefix('/')?.split_once('/').unwrap_or((path.get(1..)?, ""));
        match first {
            "checkpoint" if path == "/checkpoint" => Some(Self::Checkpoint),
            "tile" => Tile::parse(rest).map(Self::Tile),
            "receipts" => ExchangeId::parse(rest).map(Self::Receipt),
            "envelopes" => {
                rest.parse().ok().filter(|after: &u64| after.to_string() == rest).map(Self::Envelopes)
            }
            _ => None,
        }
    }

    /// What it is counted as, and how often a member may in a minute. A tile is 8 KiB, a receipt some
    /// thirty tiles, a page the reading of a segment.
    fn counted(&self) -> (&'static str, u32) {
        match self {
            Self::Checkpoint | Self::Tile(_) => (LOG_READ, 1200),
            Self::Receipt(_) => (RECEIPT_READ, 120),
            Self::Envelopes(_) => (ENVELOPES_READ, 60),
        }
    }
}

/// A page of the log, or the request again if it asks for none or there is none for this caller.
pub(super) async fn read_log(
    worker: &Worker,
    connection: &Connection,
    asked: Asked,
) -> Result<Result<LogRead, Box<Asked>>, Refusal> {
    let road = &worker.road;
    let Some(wanted) = asked.reading.as_ref().and_then(|_| Wanted::parse(&asked.known.path)) else {
        return Ok(Err(Box::new(asked)));
    };
    let system = asked.identity.system().clone();
    // Others wait already: that is not the member's doing, and is not charged to its rate.
    let Ok(_waiting) = road.log.waiting.try_acquire() else {
        worker.turned_away(connection);
        return Ok(Ok(LogRead { known: asked.known, page: Err(Counted::busy()) }));
    };
    let (what, per_minute) = wanted.counted();
    let now = road.clock.monotonic();
    if !road.tally.may_read(&system.member, what, now.as_secs() / 60, per_minute) {
        return Ok(Ok(LogRead { known: asked.known, page: Err(Counted::beyond_rate()) }));
    }
    let _running = road.log.running.acquire().await;
    let published = Arc::clone(&road.log.published);
    let read = road.log.beside.spawn_blocking(move || page(&published, &wanted, &system, now)).await;
    // It waited, for its turn and for a disk.
    let asked = still(worker, connection, asked)?;
    match read {
        Ok(Ok(Some(page))) => Ok(Ok(LogRead { known: asked.known, page: Ok(page) })),
        Ok(Ok(None)) => Ok(Err(Box::new(asked))),
        Ok(Err(fault)) => Err(unreadable(asked, &fault.to_string())),
        Err(_) => Err(unreadable(asked, "the thread that reads the log ended")),
    }
}

fn unreadable(asked: Asked, fault: &str) -> Refusal {
    tracing::error!(exchange = %asked.known.exchange, fault, "the log could not be read for a partner");
    let why = Why::new(Code::CannotDecide).detail("The log cannot be read now.").truth(fault);
    Refusal::new(asked.known, why)
}

fn page(
    published: &Published,
    wanted: &Wanted,
    system: &SystemId,
    now: std::time::Duration,
) -> Result<Option<Page>, ReadFault> {
    let text = "text/plain; charset=utf-8";
    let of = |content_type, body: Bytes| Page { status: 200, content_type, body };
    Ok(match wanted {
        Wanted::Checkpoint => Some(of(text, Bytes::from(published.checkpoint(now).1))),
        Wanted::Tile(tile) => Some(match published.tile(*tile, now)? {
            Some(hashes) => of("application/octet-stream", Bytes::from(hashes)),
            // Not yet; the tree's size is no secret.
            None => Page { status: 404, ..of(text, Bytes::from_static(b"the log does not reach so far\n")) },
        }),
        Wanted::Receipt(id) => {
            published.receipt(id, system)?.map(|receipt| of(text, Bytes::from(format!("{receipt}\n"))))
        }
        Wanted::Envelopes(after) => {
            Some(of("application/json", Bytes::from(published.envelopes(&system.member, *after, now)?)))
        }
    })
}
