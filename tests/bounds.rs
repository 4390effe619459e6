//! What one partner may take of a gateway: connections and exchanges have bounds of their own, and who
//! breaks off does not get around them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use serde_json::json;
use support::agreements::edit;
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::partner::question;
use support::system::Reply;
use support::until;

fn configured(name: &str, table: &str, keys: &str) -> Gateway {
    Gateway::start_changed(name, |home| {
        edit(&home.join("tolbooth.toml"), |text| match text.contains(table) {
            true => text.replace(table, &format!("{table}\n{keys}")),
            false => format!("{text}\n{table}\n{keys}\n"),
        });
    })
}

#[test]
fn who_breaks_off_still_holds_the_place_of_the_exchange_under_way() {
    let mut gateway = Gateway::start_changed("places", |home| {
        edit(&home.join("tolbooth.toml"), |text| {
            let text = text.replace("[gateway]", "[gateway]\nworkers = 1");
            format!("{text}\n[limits]\nexchanges_max = 1\n")
        });
        edit(&home.join("policies/datasets/child-protection.toml"), |text| {
            text.replace("timeout_ms = 3000", "timeout_ms = 5000")
        });
    });
    gateway.system.now_says(|_| Reply::Silence(Duration::from_secs(90)));
    let body = asks(CHI);
    let asked = format!(
        "POST {CHECK} HTTP/1.1\r\nhost: x\r\n{}: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        NURSE[0].0,
        NURSE[0].1,
        body.len()
    );
    gateway.nhs().hang_up_after_told(asked.as_bytes(), || {
        until("the system behind is asked", || (!gateway.system.heard().is_empty()).then_some(()));
    });
    let said = gateway.police().ask(CHECK, &NURSE, &body);
    assert_eq!((said.status, said.code().as_str()), (429, "limit_reached"), "{said:?}");
    assert_eq!((said.outcome(), said.receipt()), ("unrecorded", None));
    assert_eq!(said.header("retry-after"), "1");
    // Once it has ended there is a place again.
    until("there is a place", || (gateway.police().ask(CHECK, &NURSE, &body).status == 403).then_some(()));
    gateway.restart();
    let counted = gateway.search(json!({ "kind": "summary" })).iter().any(|found| {
        let envelope = &found["envelope"];
        envelope["member"] == "police-caledonia" && envelope["cause"] == "limit_reached"
    });
    assert!(counted, "nobody counted it");
}

#[test]
fn a_member_that_holds_its_share_of_connections_leaves_the_others_theirs() {
    let gateway = configured("shares", "[partners]", "connections_per_member_max = 1");
    let ask = || question(CHECK, &NURSE, &asks(CHI));
    let mut line = gateway.nhs().connect().unwrap();
    assert_eq!(line.try_send(ask()).unwrap().status, 200);
    assert!(gateway.nhs().try_send(ask()).is_err(), "a second connection of one member");
    assert_eq!(gateway.police().try_send(ask()).unwrap().status, 403);
    assert_eq!(line.try_send(ask()).unwrap().status, 200);
    drop(line);
    until("the connection is given back", || gateway.nhs().try_send(ask()).ok());
    let turned = "tolbooth_handshakes_failed_total{cause=\"too_many_of_one_member\"}";
    assert!(gateway.metric(turned) >= 1);
}
