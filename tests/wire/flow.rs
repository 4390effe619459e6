//! What comes when: several questions on one connection, one in many pieces, none at all, and slowly.

use std::time::Duration;

use crate::case::{
    ANSWERED, CLOSED, Case, MALFORMED, case, drive, gateway, goes_on, post, seen_since, sized, told,
};
use crate::support::until;

/// The question on a connection that stays.
fn kept() -> String {
    sized("").replace("connection: close\r\n", "")
}

fn pipelined() -> Vec<Case> {
    let (kept, last) = (kept(), sized(""));
    let odd = "POST / HTTP/1.1\r\nx-a : b\r\n\r\n";
    let chunked = post("transfer-encoding: chunked\r\n", "14\r\n{\"chi\":\"1403170129\"}\r\n0\r\n\r\n")
        .replace("connection: close\r\n", "");
    let unread = kept.replace("/check", "/unknown");
    vec![
        case("two questions at once", format!("{kept}{last}"), &["200 answered + 200 answered"]),
        case("ten questions at once", format!("{}{last}", kept.repeat(9)), &[TEN]),
        case(
            "a question in chunks and one behind it",
            format!("{chunked}{last}"),
            &["200 answered + 200 answered"],
        ),
        case("an odd head behind a question", format!("{kept}{odd}"), &["200 answered + 400 malformed_http"]),
        case("a question behind an odd head", format!("{odd}{last}"), &[MALFORMED]),
        case("a question between odd heads", format!("{odd}{kept}{odd}"), &[MALFORMED]),
        case(
            "an empty line between questions",
            format!("{kept}\r\n{last}"),
            &["200 answered + 400 malformed_http"],
        ),
        case("a question behind a refusal", format!("{unread}{last}"), &["403 not_agreed + 200 answered"]),
        case("half a question behind a question", format!("{kept}{}", &last[..40]), &[ANSWERED]),
        case("bytes behind the last question", format!("{last}garbage"), &[ANSWERED]),
        case("nothing", "", &[CLOSED]),
        case("half a head", &last[..60], &[CLOSED]),
        case("half a body", &last[..last.len() - 5], &[MALFORMED]),
    ]
}

const TEN: &str = "200 answered + 200 answered + 200 answered + 200 answered + 200 answered + 200 answered + \
    200 answered + 200 answered + 200 answered + 200 answered";

pub fn cases() -> Vec<Case> {
    pipelined()
}

#[test]
fn questions_on_one_connection_are_answered_in_order_up_to_the_first_odd_one() {
    drive("flow", &cases());
}

/// The same bytes cut at every place, in TLS records of their own: each is the same question.
#[test]
fn a_question_cut_anywhere_is_the_same_question() {
    let here = gateway("cut");
    let bytes = sized("").into_bytes();
    let chunked =
        post("transfer-encoding: chunked\r\n", "14\r\n{\"chi\":\"1403170129\"}\r\n0\r\n\r\n").into_bytes();
    for bytes in [&bytes, &chunked] {
        for at in 1..bytes.len() {
            let mut line = here.nhs().line(false).unwrap();
            assert!(line.send(&bytes[..at]), "cut at {at}");
            assert!(line.send(&bytes[at..]), "cut at {at}");
            assert_eq!(told(&line.rest()), ANSWERED, "cut at {at}");
        }
    }
    let mut line = here.nhs().line(false).unwrap();
    for byte in &bytes {
        assert!(line.send(&[*byte]));
    }
    assert_eq!(told(&line.rest()), ANSWERED, "byte by byte");
    let asked = bytes.len() + chunked.len() - 1;
    assert_eq!(seen_since(&here, 0, "cut"), asked);
}

#[test]
fn who_hangs_up_early_has_asked_nothing() {
    let here = gateway("early");
    let bytes = sized("");
    let head = bytes.find("\r\n\r\n").unwrap() + 4;
    for end in [1, 20, head - 1, head, head + 1, bytes.len() - 1] {
        here.nhs().hang_up_after(&bytes.as_bytes()[..end]);
        let mut line = here.nhs().line(false).unwrap();
        line.send(&bytes.as_bytes()[..end]);
        line.half_close();
        let said = told(&line.rest());
        assert!([CLOSED, MALFORMED].contains(&said.as_str()), "half closed at {end}: {said}");
    }
    assert_eq!(seen_since(&here, 0, "early"), 0);
    goes_on(&here.nhs(), here.running());
}

/// A whole question is asked once, whether or not its caller waits.
#[test]
fn who_half_closes_behind_a_question_asked_at_most_once() {
    let here = gateway("half");
    let mut line = here.nhs().line(false).unwrap();
    line.send(sized("").as_bytes());
    line.half_close();
    let said = told(&line.rest());
    assert!([CLOSED, ANSWERED].contains(&said.as_str()), "{said}");
    assert!(seen_since(&here, 0, "half") <= 1);
    goes_on(&here.nhs(), here.running());
}

#[test]
fn a_head_or_a_body_that_trickles_in_is_given_up() {
    let here = gateway("slow");
    let bytes = sized("");
    let head = bytes.find("\r\n\r\n").unwrap() + 4;
    for begin in [0, 10, head - 2, head, head + 3] {
        let mut line = here.nhs().line(false).unwrap();
        line.send(&bytes.as_bytes()[..begin]);
        // One byte each half second: never idle, and never done in time.
        let mut rest = bytes.as_bytes()[begin..].iter();
        let mut all = Vec::new();
        let said = until("it is given up", || {
            rest.next().map(|byte| line.send(&[*byte]));
            match line.some_within(Duration::from_millis(500)) {
                Some(Some(more)) => {
                    all.extend(more);
                    None
                }
                Some(None) => Some(told(&all)),
                None => None,
            }
        });
        assert!([CLOSED, MALFORMED].contains(&said.as_str()), "from {begin}: {said}");
    }
    assert_eq!(seen_since(&here, 0, "slow"), 0);
    goes_on(&here.nhs(), here.running());
}
