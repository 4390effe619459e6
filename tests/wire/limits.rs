//! What one address and one member may take: connections, handshakes, requests, bytes. Each refusal is told or
//! counted, and nobody else is held up.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::support::agreements::edit;
use crate::support::gateway::{CHECK, CHI, NURSE, asks};
use crate::support::here::Here;
use crate::support::ledger;
use crate::support::partner::{Said, question};
use crate::support::site::Site;
use crate::support::until;

/// A gateway with these keys in its configuration.
fn limited(name: &str, partners: &str, limits: &str) -> Here {
    let site = Site::new(name);
    edit(&site.home.join("tolbooth.toml"), |text| {
        let text = text.replace("[partners]", &format!("[partners]\n{partners}"));
        format!("{text}\n[limits]\n{limits}\n")
    });
    Here::start(site)
}

fn metric(here: &Here, line: &str) -> u64 {
    let (_, text) = here.local("/metrics");
    text.lines().find_map(|known| known.strip_prefix(line)?.trim().parse().ok()).unwrap_or(0)
}

/// Whether the ledger says that this was refused, once the counts of the last minute are on it.
fn is_summarised(here: &mut Here, cause: &str) -> bool {
    here.restart();
    let found = ledger::search(&here.running().admin_socket, json!({ "kind": "summary" }));
    found.iter().any(|found| found["envelope"]["cause"] == cause)
}

fn is_limited(said: &Said) -> bool {
    if said.status != 429 {
        return false;
    }
    assert_eq!((said.code().as_str(), said.outcome()), ("limit_reached", "unrecorded"), "{said:?}");
    assert_eq!(said.receipt(), None);
    assert!(said.header("retry-after").parse::<u64>().unwrap() >= 1, "{said:?}");
    true
}

#[test]
fn an_address_holds_its_share_of_connections_whoever_it_is() {
    let mut here = limited("addresses", "connections_per_address_max = 3", "");
    // Two that never say a word of TLS, and one that does.
    let silent = [(); 2].map(|()| std::net::TcpStream::connect(here.running().partners).unwrap());
    let line = until("the two are let in", || here.nhs().connect().ok());
    assert!(here.nhs().connect().is_err(), "a fourth of one address");
    assert!(here.police().connect().is_err(), "whoever it is");
    let elsewhere = here.nhs().coming_from("127.0.0.2");
    assert_eq!(elsewhere.ask(CHECK, &NURSE, &asks(CHI)).status, 200);
    drop((silent, line));
    until("the connections are given back", || here.nhs().connect().ok());
    assert!(metric(&here, "tolbooth_handshakes_failed_total{cause=\"too_many_of_one_address\"}") >= 2);
    assert!(is_summarised(&mut here, "too_many_of_one_address"));
}

#[test]
fn an_address_comes_no_faster_than_it_may_and_no_other_is_held_up() {
    let mut here = limited("pace", "handshakes_per_address_per_second = 5", "");
    for _ in 0..200 {
        drop(std::net::TcpStream::connect(here.running().partners));
    }
    let elsewhere = here.nhs().coming_from("127.0.0.3");
    assert_eq!(elsewhere.ask(CHECK, &NURSE, &asks(CHI)).status, 200);
    until("it may come again", || here.nhs().connect().ok());
    assert!(metric(&here, "tolbooth_handshakes_failed_total{cause=\"too_fast_of_one_address\"}") >= 50);
    assert!(is_summarised(&mut here, "too_fast_of_one_address"));
}

#[test]
fn a_member_asks_no_more_a_second_than_one_member_may() {
    let mut here = limited("requests", "", "requests_per_member_per_second = 3");
    let mut line = here.nhs().connect().unwrap();
    let said: Vec<Said> =
        (0..60).map(|_| line.try_send(question(CHECK, &NURSE, &asks(CHI))).unwrap()).collect();
    let limited = said.iter().filter(|said| is_limited(said)).count();
    assert!(limited > 0, "never refused");
    assert_eq!(said.iter().filter(|said| said.status == 200).count(), 60 - limited);
    assert_eq!(here.site.system.heard().len(), 60 - limited, "what was refused was not asked");
    assert_eq!(here.police().ask(CHECK, &NURSE, &asks(CHI)).status, 403, "another member is not held up");
    until("the next second", || (line.ask(CHECK, &NURSE, &asks(CHI)).status == 200).then_some(()));
    drop(line);
    assert!(is_summarised(&mut here, "limit_reached"));
}

/// Over HTTP/2 too, and over all connections of a member.
#[test]
fn a_member_asks_no_more_over_many_connections() {
    let here = limited("connections", "", "requests_per_member_per_second = 2");
    let said: Vec<Said> = std::thread::scope(|scope| {
        let ask = || match here.nhs().connect() {
            Ok(mut line) => (0..10).map(|_| line.ask(CHECK, &NURSE, &asks(CHI))).collect::<Vec<_>>(),
            Err(why) => panic!("{why}"),
        };
        let asking = [(); 4].map(|()| scope.spawn(ask));
        asking.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert!(said.iter().any(is_limited));
    assert!(said.iter().all(|said| said.status == 200 || is_limited(said)));
    assert!(until("HTTP/2 is limited", || {
        let said = [(); 3].map(|()| here.nhs().ask_http2(CHECK, &NURSE, &asks(CHI)));
        said.iter().any(is_limited).then_some(true)
    }));
}

#[test]
fn a_member_sends_no_more_bytes_than_one_member_may() {
    let here = limited("asked", "", "asked_mib_per_member_per_day = 1");
    let large = format!("{}{}", asks(CHI), " ".repeat(60_000));
    let mut line = here.nhs().connect().unwrap();
    let (answered, refused) = until_limited(|| line.ask(CHECK, &NURSE, &large), |_| {});
    // 17 of them are less than a mebibyte, and 18 are more.
    assert_eq!(answered, 18);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 3600, "{refused:?}");
    assert_eq!(here.police().ask(CHECK, &NURSE, &asks(CHI)).status, 403, "another member is not held up");
}

/// A question that is refused while it is read has been read so far.
#[test]
fn what_is_refused_while_it_is_read_counts_too() {
    let here = limited("refused", "", "asked_mib_per_member_per_day = 1");
    let chunk = "f000\r\n".to_owned() + &" ".repeat(0xf000) + "\r\n";
    let head = format!(
        "POST {CHECK} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n{chunk}"
    );
    // The second chunk makes it too large: at most 65536 bytes.
    let large = format!("{head}{chunk}");
    let told = |said: &[u8]| String::from_utf8_lossy(said).into_owned();
    for _ in 0..18 {
        let said = told(&here.nhs().raw(large.as_bytes()));
        assert!(said.contains("too_large") || said.contains("limit_reached"), "{said}");
    }
    let said = here.nhs().ask(CHECK, &NURSE, &asks(CHI));
    assert!(is_limited(&said), "{said:?}");
    assert!(said.header("retry-after").parse::<u64>().unwrap() > 3600, "{said:?}");
}

/// What stands beside the road is within the same bounds: keys, metadata, and forms that are refused.
#[test]
fn the_token_endpoint_takes_no_more_than_one_member_may() {
    let here = limited("tokens", "", "requests_per_member_per_second = 10\nasked_mib_per_member_per_day = 1");
    let mut line = here.nhs().connect().unwrap();
    for path in ["/jwks", "/.well-known/oauth-authorization-server"] {
        let get = || http::Request::get(path).header("host", "localhost").body(Default::default()).unwrap();
        let said: Vec<Said> = (0..60).map(|_| line.try_send(get()).unwrap()).collect();
        let refused: Vec<&Said> = said.iter().filter(|said| said.status == 429).collect();
        assert!(!refused.is_empty(), "{path} was never refused");
        assert!(refused.iter().all(|said| said.header("retry-after") == "1"), "{refused:?}");
        assert!(said.iter().all(|said| [200, 429].contains(&said.status)), "{said:?}");
    }
    // Bytes of forms nobody can read are bytes all the same.
    let form = " ".repeat(16_000);
    let refused = until("the day's bytes are used up", || {
        let post = http::Request::post("/token").header("host", "localhost");
        let post = post.header("content-type", "application/x-www-form-urlencoded");
        let said = here.nhs().send(post.body(form.clone().into()).unwrap());
        let wait: u64 = said.header("retry-after").parse().unwrap_or(0);
        (wait > 3600).then_some(said)
    });
    assert_eq!((refused.status, refused.json()["error"].as_str()), (429, Some("temporarily_unavailable")));
    assert!(is_limited(&here.nhs().ask(CHECK, &NURSE, &asks(CHI))), "one allowance for both");
}

#[test]
fn a_member_is_answered_no_more_bytes_than_one_member_may() {
    let here = limited(
        "answered",
        "",
        "answered_mib_per_member_per_day = 1\nrequests_per_member_per_second = 10000000",
    );
    let bytes = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let mut line = here.nhs().connect().unwrap();
                let count = |said: &Said| {
                    let receipt = said.receipt().unwrap().len();
                    bytes.fetch_add(said.body.len() + receipt, Ordering::Relaxed);
                };
                until_limited(|| line.ask(CHECK, &NURSE, &asks(CHI)), count)
            });
        }
    });
    let bytes = bytes.into_inner();
    // What is under way on sixteen lines may go beyond by an answer and its receipt each.
    assert!((1 << 20..(1 << 20) + 16 * 8 * 1024).contains(&bytes), "{bytes} bytes");
}

/// Asks until a limit is reached; how many were answered, and the refusal.
fn until_limited(mut ask: impl FnMut() -> Said, answered: impl Fn(&Said)) -> (usize, Said) {
    let mut count = 0;
    for _ in 0..10_000 {
        let said = ask();
        match said.status {
            200 => {
                count += 1;
                answered(&said);
            }
            // A machine that stands still for a while records nothing in time.
            503 => assert_eq!(said.code(), "cannot_record"),
            _ => {
                assert!(is_limited(&said), "{said:?}");
                return (count, said);
            }
        }
    }
    panic!("never refused")
}
