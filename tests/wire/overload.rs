//! Ten times as many as there is room for, for a second, each on a connection of its own: everybody is answered,
//! refused by a documented code or closed, and afterwards all is as before. No time is asserted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::agreements::edit;
use crate::support::gateway::{CHECK, CHI, NURSE, asks, local, records};
use crate::support::partner::{Partner, Said, question};
use crate::support::served::Served;
use crate::support::site::Site;
use crate::support::system::Reply;
use crate::support::until;

/// Room for so many connections, and a quarter as many exchanges.
const ROOM: usize = 64;
const CROWD: usize = 10 * ROOM;

/// What became of a crowd.
#[derive(Debug, Default)]
struct Became {
    answered: usize,
    /// Told that a limit is reached.
    limited: usize,
    /// Closed before or within a question, by the bounds on connections.
    closed: usize,
}

fn site() -> Site {
    let site = Site::new("overload");
    edit(&site.home.join("tolbooth.toml"), |text| {
        let bounds = format!(
            "connections_max = {ROOM}\nconnections_per_member_max = {ROOM}\nconnections_per_address_max = {ROOM}\n\
             handshakes_per_address_per_second = 100000\n"
        );
        let text = text.replace("[gateway]", "[gateway]\nworkers = 2");
        let text = text.replace("[partners]", &format!("[partners]\n{bounds}"));
        format!("{text}\n[limits]\nexchanges_max = {}\n", ROOM / 8)
    });
    // As slow as a real one, so that questions pile up.
    site.system.now_says(|heard| {
        std::thread::sleep(Duration::from_millis(2));
        records(heard)
    });
    site
}

/// Comes again and again for a second: each time a connection, and questions until it is closed.
async fn press(partner: Arc<Partner>, until: Instant) -> Became {
    let mut became = Became::default();
    while Instant::now() < until {
        let Ok(mut sender) = partner.sender().await else {
            became.closed += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        while Instant::now() < until && sender.ready().await.is_ok() {
            let said = match sender.send_request(question(CHECK, &NURSE, &asks(CHI))).await {
                Ok(response) => Said::read(response).await,
                Err(_) => {
                    became.closed += 1;
                    break;
                }
            };
            let said = said.unwrap();
            match said.status {
                200 => became.answered += 1,
                429 => {
                    assert_eq!((said.code().as_str(), said.outcome()), ("limit_reached", "unrecorded"));
                    assert!(!said.header("retry-after").is_empty());
                    became.limited += 1;
                }
                _ => panic!("{said:?}"),
            }
        }
    }
    became
}

/// A crowd for a second. Whoever came is told something, or the test does not end.
fn crowd(partner: &Arc<Partner>) -> Became {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let end = Instant::now() + Duration::from_secs(1);
    runtime.block_on(async {
        let pressing: Vec<_> = (0..CROWD).map(|_| tokio::spawn(press(Arc::clone(partner), end))).collect();
        let mut all = Became::default();
        for one in pressing {
            let one =
                tokio::time::timeout(Duration::from_secs(120), one).await.expect("somebody waits for ever");
            let one = one.unwrap();
            all.answered += one.answered;
            all.limited += one.limited;
            all.closed += one.closed;
        }
        all
    })
}

/// A line of the process's status, in KiB.
fn resident_kib(served: &Served) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", served.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn open_files(served: &Served) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", served.pid())).unwrap().count()
}

/// Waits until nothing is open or under way.
fn settled(served: &Served) {
    until("all is quiet", || {
        let (_, text) = local(served.local, "/metrics");
        let is_zero = |name: &str| text.lines().any(|line| line == format!("{name} 0"));
        (is_zero("tolbooth_connections") && is_zero("tolbooth_exchanges_under_way")).then_some(())
    });
}

#[test]
fn ten_times_what_there_is_room_for_leaves_everything_as_before() {
    let site = site();
    let served = Served::start(&site);
    let partner = Arc::new(served.nhs(&site));
    let files = open_files(&served);
    // The first crowd makes what is made once: pools, buffers, pages of the allocator.
    let first = crowd(&partner);
    assert!(first.answered > 0 && first.limited + first.closed > 0, "not an overload: {first:?}");
    settled(&served);
    let memory = resident_kib(&served);
    for _ in 0..2 {
        let again = crowd(&partner);
        assert!(again.answered > 0, "{again:?}");
        settled(&served);
    }
    // Connections to the system behind too; the journal has gone on to another segment.
    until("no file is left open", || (open_files(&served) <= files + 2).then_some(()));
    let after = resident_kib(&served);
    assert!(after < memory + 32 * 1024, "{memory} KiB before, {after} KiB after");
    site.system.now_says(records);
    let good = partner.ask(CHECK, &NURSE, &asks(CHI));
    for _ in 0..100 {
        let said = partner.ask(CHECK, &NURSE, &asks(CHI));
        assert_eq!((said.status, &said.body), (200, &good.body), "{said:?}");
        assert!(said.receipt().is_some());
    }
    let (status, ready) = local(served.local, "/ready");
    assert_eq!(status, 200, "{ready}");
    // A system behind that says nothing holds places, and gives them back.
    site.system.now_says(|_| Reply::Stalled(Vec::new()));
    let stalled = partner.ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!(stalled.code(), "source_timeout");
    settled(&served);
}
