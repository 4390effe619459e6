//! Signed questions over real sockets: each is answered once, within its minute, and only as it was
//! signed; what is wrong with a signature is told at once, is on the record, and says nothing of what
//! is here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;

use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use jiff::SignedDuration;

use tolbooth::signature::Component;

use support::agreements::{CHILD, edit, reword};
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::partner::{Partner, Said};
use support::signer::{Signer, Terms, list, unsigned};
use support::{ledger, until};

const REFUSED: &str = "signature_not_accepted";

type Question = Request<Full<Bytes>>;

/// A gateway and NHS Lomond's signer. It has run for longer than a signature lives.
fn start(name: &str) -> (Gateway, Signer) {
    start_changed(name, |_| {})
}

fn start_changed(name: &str, change: impl FnOnce(&Path)) -> (Gateway, Signer) {
    let mut signer = None;
    let gateway = Gateway::start_changed(name, |home| {
        signer = Some(list(home, "nhs-lomond", "ed-trak", "ed-trak-1", ""));
        reword(home, CHILD, |text| {
            text.replace("per_minute = 30", "per_minute = 100000")
                .replace("per_day = 400", "per_day = 100000")
        });
        edit(&home.join("tolbooth.toml"), |text| text.replace("[gateway]\n", "[gateway]\nworkers = 2\n"));
        change(home);
    });
    gateway.clock.shift(SignedDuration::from_secs(120));
    (gateway, signer.unwrap())
}

/// A question signed as it should be and then changed.
fn changed(gateway: &Gateway, signer: &Signer, change: impl FnOnce(&mut Question)) -> Said {
    let mut question = signer.question(gateway, &NURSE, &asks(CHI));
    change(&mut question);
    gateway.nhs().send(question)
}

/// A question signed under other terms.
fn termed(gateway: &Gateway, signer: &Signer, change: impl FnOnce(&mut Terms)) -> Said {
    let mut terms = signer.terms(gateway);
    change(&mut terms);
    let mut question = unsigned(CHECK, &NURSE, &asks(CHI));
    signer.sign(&mut question, &terms);
    gateway.nhs().send(question)
}

fn is_answered(said: &Said) {
    assert_eq!((said.status, said.outcome()), (200, "answered"), "{:?}", said.body);
}

/// Refused for what is wrong with its signature: on the record, and nobody behind was asked.
fn is_refused(gateway: &Gateway, said: &Said, detail: &str) {
    assert_eq!((said.status, said.outcome(), said.code().as_str()), (403, "refused", REFUSED), "{said:?}");
    assert_eq!(said.json()["detail"], detail, "{said:?}");
    let envelope = ledger::envelope(&gateway.home, said);
    assert_eq!(envelope["code"], REFUSED);
    assert_eq!(envelope["consumer"], "nhs-lomond/ed-trak");
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
}

fn set(question: &mut Question, name: &'static str, value: &str) {
    question.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
}

#[test]
fn a_signed_question_is_answered_over_both_versions_of_http() {
    let (gateway, signer) = start("signed");
    let said = gateway.nhs().send(signer.question(&gateway, &NURSE, &asks(CHI)));
    is_answered(&said);

    let signed = signer.question(&gateway, &NURSE, &asks(CHI));
    let headers: Vec<(&str, &str)> = signed
        .headers()
        .iter()
        .filter(|(name, _)| !["host", "content-type"].contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    let said = gateway.nhs().ask_http2(CHECK, &headers, &asks(CHI));
    assert_eq!((said.version, said.status), (http::Version::HTTP_2, 200), "{said:?}");
}

#[test]
fn whatever_is_changed_on_the_way_is_refused() {
    let (gateway, signer) = start("changed");
    const WRONG: &str = "It is not that of this question.";
    type Change = fn(&mut Question);
    let cases: [(Change, &str); 13] = [
        (|q| *q.method_mut() = Method::PUT, WRONG),
        (|q| *q.uri_mut() = "/child-protection/v1/other".parse().unwrap(), WRONG),
        (|q| *q.uri_mut() = format!("{CHECK}?x=1").parse().unwrap(), WRONG),
        (|q| set(q, "host", "gateway.glenmore.example"), WRONG),
        (|q| set(q, "content-type", "application/json; charset=utf-8"), WRONG),
        (|q| set(q, "x-request-id", "q-of-somebody-else"), WRONG),
        (|q| set(q, "tolbooth-role", "ed_clinician"), WRONG),
        (|q| *q.body_mut() = Full::from(asks("0101019999")), "Content-Digest is not that of the body."),
        (|q| drop(q.headers_mut().remove("content-digest")), "`content-digest` is covered and not there."),
        (
            |q| {
                *q.body_mut() = Full::from(asks("0101019999"));
                set(q, "content-digest", &tolbooth::signature::content_digest(asks("0101019999").as_bytes()));
            },
            WRONG,
        ),
        (|q| set(q, "tolbooth-user", "m.macleod"), "`tolbooth-user` is not covered."),
        (|q| set(q, "tolbooth-never-heard-of", "x"), "`tolbooth-never-heard-of` is not covered."),
        (|q| set(q, "x-correlation-id", "c-1"), "`x-correlation-id` is not covered."),
    ];
    for (change, detail) in cases {
        let said = changed(&gateway, &signer, change);
        is_refused(&gateway, &said, detail);
    }
    // Nothing of all this has used the signer up.
    is_answered(&gateway.nhs().send(signer.question(&gateway, &NURSE, &asks(CHI))));
}

#[test]
fn a_question_is_answered_once_on_whatever_connection_and_thread() {
    let (gateway, signer) = start("replayed");
    let question = signer.question(&gateway, &NURSE, &asks(CHI));
    is_answered(&gateway.nhs().send(question.clone()));
    gateway.system.now_says(|_| panic!("the system behind was asked again"));
    // Connections are dealt to two threads in turn.
    for _ in 0..4 {
        let said = gateway.nhs().send(question.clone());
        assert_eq!((said.code().as_str(), said.outcome()), (REFUSED, "refused"));
        assert_eq!(said.json()["detail"], "Its nonce was used before.");
    }
}

#[test]
fn of_many_at_once_with_one_nonce_one_is_answered() {
    let (gateway, signer) = start("raced");
    let question = signer.question(&gateway, &NURSE, &asks(CHI));
    let partners: Vec<Partner> = (0..8).map(|_| gateway.nhs()).collect();
    let answered: usize = std::thread::scope(|scope| {
        let asking: Vec<_> = partners
            .iter()
            .map(|partner| {
                let question = question.clone();
                scope.spawn(move || usize::from(partner.send(question).status == 200))
            })
            .collect();
        asking.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert_eq!(answered, 1);
}

#[test]
fn a_signature_counts_in_its_minute_alone() {
    let (gateway, signer) = start("minute");
    let at = |from: i64, to: i64| {
        termed(&gateway, &signer, |terms| {
            (terms.created, terms.expires) = (terms.created + from, terms.created + to);
        })
    };
    is_refused(&gateway, &at(-70, -10), "It has expired.");
    is_refused(&gateway, &at(30, 60), "It was made in the future: look at the clock.");
    is_refused(&gateway, &at(0, 61), "It expires before it was made, or more than 60 s after.");
    is_refused(&gateway, &at(0, -1), "It expires before it was made, or more than 60 s after.");
    is_answered(&at(-50, 10));
}

#[test]
fn nothing_from_before_the_process_started_is_answered() {
    let (mut gateway, signer) = start("restarted");
    let question = signer.question(&gateway, &NURSE, &asks(CHI));
    is_answered(&gateway.nhs().send(question.clone()));
    gateway.system.now_says(|_| panic!("the system behind was asked again"));
    gateway.restart();
    let said = gateway.nhs().send(question.clone());
    assert_eq!(said.code(), REFUSED, "{said:?}");
    assert!(
        said.json()["detail"].as_str().unwrap().contains("before this gateway could remember"),
        "{said:?}"
    );
    assert!(said.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds <= 6), "{said:?}");
    // Still so when a new signature would be answered.
    gateway.clock.shift(SignedDuration::from_secs(8));
    assert_eq!(gateway.nhs().send(question).code(), REFUSED);
    gateway.system.now_says(support::gateway::records);
    is_answered(&gateway.nhs().send(signer.question(&gateway, &NURSE, &asks(CHI))));
}

#[test]
fn only_a_key_of_this_very_system_signs() {
    let (mut hub, mut police) = (None, None);
    let (gateway, signer) = start_changed("keys", |home| {
        hub = Some(list(home, "nhs-lomond", "gp-hub", "gp-hub-1", ""));
        police = Some(list(home, "police-caledonia", "control-room", "control-room-1", ""));
        list(home, "nhs-lomond", "ed-trak", "ed-trak-0", "not_after = 2020-01-01\n");
    });
    let unknown = "Its keyid names no key of this system.";
    // Another system of the same member, and another member's, each under its own keyid and ours.
    for other in [hub.unwrap(), police.unwrap()] {
        is_refused(&gateway, &changed_signer(&gateway, &other), unknown);
        let mut terms = other.terms(&gateway);
        terms.keyid.clone_from(&signer.keyid);
        let mut question = unsigned(CHECK, &NURSE, &asks(CHI));
        other.sign(&mut question, &terms);
        is_refused(&gateway, &gateway.nhs().send(question), "It is not that of this question.");
    }
    let old = termed(&gateway, &signer, |terms| terms.keyid = "ed-trak-0".to_owned());
    is_refused(&gateway, &old, "Its key is not valid now.");
    let none = termed(&gateway, &signer, |terms| terms.keyid = "ed-trak-9".to_owned());
    is_refused(&gateway, &none, unknown);
}

fn changed_signer(gateway: &Gateway, signer: &Signer) -> Said {
    gateway.nhs().send(signer.question(gateway, &NURSE, &asks(CHI)))
}

#[test]
fn a_key_that_is_taken_away_ends_on_open_connections() {
    let (gateway, signer) = start("removed");
    let mut line = gateway.nhs().connect().unwrap();
    assert_eq!(line.try_send(signer.question(&gateway, &NURSE, &asks(CHI))).unwrap().status, 200);
    edit(&gateway.home.join("members.toml"), |text| text.replace("\"ed-trak-1\"", "\"ed-trak-2\""));
    let said = until("the key is gone", || {
        let said = line.try_send(signer.question(&gateway, &NURSE, &asks(CHI))).unwrap();
        (said.status != 200).then_some(said)
    });
    assert_eq!(said.json()["detail"], "Its keyid names no key of this system.");
}

#[test]
fn a_body_may_have_its_digest_by_sha_512() {
    let (gateway, signer) = start("sha-512");
    let ask = |spoil: &str| {
        let body = asks(CHI);
        let digest = tolbooth::crypto::sha512(format!("{body}{spoil}").as_bytes());
        let digest = base64::engine::general_purpose::STANDARD.encode(digest);
        let mut question = unsigned(CHECK, &NURSE, &body);
        set(&mut question, "content-digest", &format!("sha-512=:{digest}:"));
        signer.sign(&mut question, &signer.terms(&gateway));
        gateway.nhs().send(question)
    };
    is_refused(&gateway, &ask(" "), "Content-Digest is not that of the body.");
    is_answered(&ask(""));
}

#[test]
fn one_signature_and_no_half_of_one() {
    let (gateway, signer) = start("two");
    let unpaired = "Signature-Input and Signature do not go together.";
    is_refused(
        &gateway,
        &changed(&gateway, &signer, |q| drop(q.headers_mut().remove("signature"))),
        unpaired,
    );
    let inputless = changed(&gateway, &signer, |q| drop(q.headers_mut().remove("signature-input")));
    is_refused(&gateway, &inputless, unpaired);
    for (label, tag) in [("other", "tolbooth/v1"), ("proxy", "somebody/else")] {
        let mut question = unsigned(CHECK, &NURSE, &asks(CHI));
        signer.sign(&mut question, &signer.terms(&gateway));
        signer.sign_as(&mut question, &signer.terms(&gateway), label, tag);
        is_refused(&gateway, &gateway.nhs().send(question), "There is more than one signature.");
    }
    let mut question = unsigned(CHECK, &NURSE, &asks(CHI));
    signer.sign_as(&mut question, &signer.terms(&gateway), "sig", "somebody/else");
    is_refused(&gateway, &gateway.nhs().send(question), "Its tag is not `tolbooth/v1`.");
    // An empty header is a header.
    let mut question = unsigned(CHECK, &NURSE, &asks(CHI));
    set(&mut question, "signature-input", "");
    is_refused(&gateway, &gateway.nhs().send(question), unpaired);
}

#[test]
fn what_a_signature_does_not_cover_is_refused_by_name() {
    let (gateway, signer) = start("uncovered");
    type Cover = fn(Vec<Component>) -> Vec<Component>;
    let cases: [(Cover, &str); 4] = [
        (|all| all.into_iter().filter(|one| one.name() != "@method").collect(), "`@method` is not covered."),
        (|all| all.into_iter().filter(|one| one.name() != "@query").collect(), "`@query` is not covered."),
        (
            |all| all.into_iter().filter(|one| one.name() != "tolbooth-role").collect(),
            "`tolbooth-role` is not covered.",
        ),
        (|_| Vec::new(), "`@method` is not covered."),
    ];
    for (cover, detail) in cases {
        is_refused(&gateway, &termed(&gateway, &signer, |terms| terms.cover = cover), detail);
    }
}

#[test]
fn a_wrong_signature_says_nothing_of_what_is_here() {
    let (gateway, signer) = start("quiet");
    // The police have no agreement about children, nor a key.
    let told: Vec<_> = [CHECK, "/child-protection/v1/other", "/no-such-dataset/v1/check", "/"]
        .into_iter()
        .map(|path| {
            let mut question = unsigned(path, &[], &asks(CHI));
            signer.sign(&mut question, &signer.terms(&gateway));
            let said = gateway.police().send(question);
            let mut problem = said.json();
            let mut envelope = ledger::envelope(&gateway.home, &said);
            problem.as_object_mut().unwrap().remove("exchange");
            for name in ["index", "time", "exchange", "request", "answer", "sealed", "correlation"] {
                envelope.as_object_mut().unwrap().remove(name);
            }
            (said.status, problem, envelope)
        })
        .collect();
    assert_eq!(told[0].1["code"], REFUSED);
    told.iter().for_each(|one| assert_eq!(*one, told[0]));
}

/// What is no question leaves the road early, and a signature on it counts or refuses as on any other.
#[test]
fn a_wrong_signature_on_a_read_is_refused_as_on_a_question() {
    let (gateway, signer) = start("reads");
    for path in ["/child-protection/v1/openapi.json", "/checkpoint"] {
        let signed = |change: fn(&mut Question)| {
            let mut question = unsigned(path, &[], "");
            *question.method_mut() = Method::GET;
            signer.sign(&mut question, &signer.terms(&gateway));
            change(&mut question);
            gateway.nhs().send(question)
        };
        let said = signed(|_| {});
        assert_eq!(said.status, 200, "{path}: {said:?}");
        let said = signed(|question| set(question, "x-request-id", "another"));
        is_refused(&gateway, &said, "It is not that of this question.");
        let said = signed(|question| drop(question.headers_mut().remove("signature")));
        assert_eq!(said.code(), REFUSED, "{path}: {said:?}");
    }
}

#[test]
fn a_body_that_is_too_large_is_told_as_such_and_uses_up_no_nonce() {
    let (gateway, signer) = start("large");
    let terms = signer.terms(&gateway);
    let large = format!("{{\"chi\":\"{}\"}}", "1".repeat(70_000));
    let mut question = unsigned(CHECK, &NURSE, &large);
    signer.sign(&mut question, &terms);
    assert_eq!(gateway.nhs().send(question).code(), "too_large");
    let mut question = unsigned(CHECK, &NURSE, &asks(CHI));
    signer.sign(&mut question, &terms);
    is_answered(&gateway.nhs().send(question));
}

#[test]
fn one_member_that_signs_too_much_is_told_to_wait_and_others_are_answered() {
    let mut police = None;
    let (gateway, signer) = start_changed("full", |home| {
        police = Some(list(home, "police-caledonia", "control-room", "control-room-1", ""));
        edit(&home.join("tolbooth.toml"), |text| format!("{text}\n[limits]\nnonces_max = 1000\n"));
    });
    let mut line = gateway.nhs().connect().unwrap();
    for _ in 0..500 {
        // Signed as it should be, and about nothing that is here: the nonce is used up all the same.
        let mut question = unsigned("/nothing/v1/check", &NURSE, "{}");
        signer.sign(&mut question, &signer.terms(&gateway));
        assert_eq!(line.try_send(question).unwrap().code(), "not_agreed");
    }
    let said = gateway.nhs().send(signer.question(&gateway, &NURSE, &asks(CHI)));
    assert_eq!((said.status, said.code().as_str()), (429, "limit_reached"), "{said:?}");
    assert_eq!(said.header("retry-after"), "60");
    let mut question = unsigned("/nothing/v1/check", &[], "{}");
    let police = police.unwrap();
    police.sign(&mut question, &police.terms(&gateway));
    assert_eq!(gateway.police().send(question).code(), "not_agreed");
    // With the minute its share is free again.
    gateway.clock.shift(SignedDuration::from_secs(62));
    is_answered(&gateway.nhs().send(signer.question(&gateway, &NURSE, &asks(CHI))));
}

/// A gateway whose agreement about children wants questions signed, and a token for it.
fn start_wanting(name: &str) -> (Gateway, Signer, String) {
    let (gateway, signer) = start_changed(name, |home| {
        reword(home, CHILD, |text| text.replace("assurance = \"certificate\"", "assurance = \"signed\""));
    });
    let token = token_of(&gateway);
    (gateway, signer, token)
}

fn token_of(gateway: &Gateway) -> String {
    format!("Bearer {}", gateway.nhs().token(""))
}

#[test]
fn an_agreement_that_wants_a_signature_takes_no_less() {
    let (gateway, signer, token) = start_wanting("wanted");
    let told = |said: &Said| (said.status, said.code());
    let bare = gateway.check(CHI);
    assert_eq!(told(&bare), (401, "token_missing".to_owned()));
    let bearer = [NURSE[0], ("authorization", token.as_str())];
    let unsigned = gateway.nhs().ask(CHECK, &bearer, &asks(CHI));
    assert_eq!(told(&unsigned), (403, "signature_missing".to_owned()), "{:?}", unsigned.body);
    // A signature proves no token.
    let tokenless = gateway.nhs().send(signer.question(&gateway, &NURSE, &asks(CHI)));
    assert_eq!(told(&tokenless), (401, "token_missing".to_owned()));
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
    is_answered(&gateway.nhs().send(signer.question(&gateway, &bearer, &asks(CHI))));
    for said in [bare, unsigned, tokenless] {
        assert_eq!(ledger::envelope(&gateway.home, &said)["outcome"], "refused");
    }
}

#[test]
fn the_token_is_under_the_signature() {
    let (gateway, signer, token) = start_wanting("token-covered");
    let bearer = [NURSE[0], ("authorization", token.as_str())];
    // Left out of what is covered, and put in after it was signed.
    let mut terms = signer.terms(&gateway);
    terms.cover = |all| all.into_iter().filter(|one| one.name() != "authorization").collect();
    let mut question = unsigned(CHECK, &bearer, &asks(CHI));
    signer.sign(&mut question, &terms);
    is_refused(&gateway, &gateway.nhs().send(question), "`authorization` is not covered.");
    let mut question = signer.question(&gateway, &NURSE, &asks(CHI));
    set(&mut question, "authorization", &token);
    is_refused(&gateway, &gateway.nhs().send(question), "`authorization` is not covered.");
    // Another token of the same system, in the place of the one that was signed.
    let mut question = signer.question(&gateway, &bearer, &asks(CHI));
    let other = token_of(&gateway);
    assert_ne!(other, token, "each token has its own id");
    set(&mut question, "authorization", &other);
    is_refused(&gateway, &gateway.nhs().send(question), "It is not that of this question.");
}

#[test]
fn with_everything_covered_each_thing_changed_is_refused() {
    let (gateway, signer, token) = start_wanting("everything");
    let all = [
        NURSE[0],
        ("authorization", token.as_str()),
        ("tolbooth-user", "m.macleod"),
        ("tolbooth-reason", "a fall"),
        ("tolbooth-case", "c-17"),
        ("tolbooth-purpose", "safeguarding_child"),
        ("tolbooth-agreement", CHILD),
        ("x-correlation-id", "c-1"),
        ("idempotency-key", "n-1"),
    ];
    for name in ["tolbooth-user", "tolbooth-reason", "tolbooth-case", "x-correlation-id", "idempotency-key"] {
        let mut question = signer.question(&gateway, &all, &asks(CHI));
        set(&mut question, name, "another");
        is_refused(&gateway, &gateway.nhs().send(question), "It is not that of this question.");
        let mut question = signer.question(&gateway, &all, &asks(CHI));
        question.headers_mut().remove(name);
        let gone = format!("`{name}` is covered and not there.");
        is_refused(&gateway, &gateway.nhs().send(question), &gone);
    }
    is_answered(&gateway.nhs().send(signer.question(&gateway, &all, &asks(CHI))));
}
