//! Every way we know to misuse a signature, each refused for its own reason.

use http::HeaderValue;
use jiff::{Timestamp, ToSpan as _};

use super::super::{Component, ComponentFault, SignatureFault as Fault, Value, Verifier, content_digest};
use super::samples::{BODY, NOW, Sample, listed};
use crate::crypto;

/// A sample spoiled before it is signed, and after.
fn told(before: impl FnOnce(&mut Sample), after: impl FnOnce(&mut Sample)) -> Result<(), Fault> {
    let mut sample = Sample::default();
    before(&mut sample);
    sample.sign();
    after(&mut sample);
    sample.verify().map(drop)
}

fn signed(before: impl FnOnce(&mut Sample)) -> Result<(), Fault> {
    told(before, |_| {})
}

fn changed(after: impl FnOnce(&mut Sample)) -> Result<(), Fault> {
    told(|_| {}, after)
}

fn without(components: Vec<Component>, name: &str) -> Vec<Component> {
    components.into_iter().filter(|component| component.name() != name).collect()
}

fn uncovered(name: &str) -> Result<(), Fault> {
    Err(Fault::Uncovered(name.to_owned()))
}

/// Puts other bytes into a field that is there.
fn reword(sample: &mut Sample, name: &'static str, from: &str, to: &str) {
    let before = sample.fields[name].to_str().unwrap().to_owned();
    assert!(before.contains(from), "{before}");
    sample.set(name, &before.replacen(from, to, 1));
}

#[test]
fn what_is_signed_as_it_should_be_is_verified() {
    assert_eq!(signed(|_| {}), Ok(()));
    // `alg` is optional, a body may have its digest by sha-512, and more may be covered.
    assert_eq!(signed(|s| s.parameter("alg", Some(Value::Text("ed25519")))), Ok(()));
    assert_eq!(
        signed(|s| {
            use base64::Engine as _;
            let digest = base64::engine::general_purpose::STANDARD.encode(crypto::sha512(BODY.as_bytes()));
            s.set("content-digest", &format!("sha-512=:{digest}:"));
        }),
        Ok(())
    );
    assert_eq!(
        signed(|s| {
            s.set("date", "Tue, 20 Apr 2021 02:07:55 GMT");
            s.cover = |mut all| {
                all.extend(["date", "@target-uri", "@scheme"].map(|name| Component::named(name).unwrap()));
                all
            };
        }),
        Ok(())
    );
    // A name beyond ASCII is covered byte-wrapped.
    let beyond = HeaderValue::from_bytes("M\u{e0}iri".as_bytes()).unwrap();
    assert_eq!(signed(|s| drop(s.fields.insert("tolbooth-user", beyond))), Ok(()));
    let mut sample = Sample::default();
    sample.sign();
    assert_eq!(sample.verify().unwrap().keyid(), "ed-trak-1");
}

#[test]
fn what_was_changed_after_it_was_signed_is_refused() {
    type Change = fn(&mut Sample);
    let cases: [(&str, Change); 11] = [
        ("method", |s| s.method = "PUT"),
        ("authority", |s| s.set("host", "other.example")),
        ("path", |s| s.target = "/child-protection/v1/search"),
        ("query", |s| s.target = "/child-protection/v1/check?all"),
        ("content type", |s| s.set("content-type", "text/plain")),
        ("request id", |s| s.set("x-request-id", "another")),
        ("role", |s| s.set("tolbooth-role", "ed_clinician")),
        ("user", |s| s.set("tolbooth-user", "somebody.else")),
        ("expiry", |s| reword(s, "signature-input", "expires=1800000060", "expires=1800000059")),
        ("nonce", |s| reword(s, "signature-input", "b3k2", "b3k3")),
        ("signature", |s| reword(s, "signature", "sig=:", "sig=:A")),
    ];
    for (what, change) in cases {
        let told = changed(change);
        let wrong = matches!(told, Err(Fault::Wrong | Fault::Malformed("Signature")));
        assert!(wrong, "{what}: {told:?}");
    }
    // The digest is covered, and so are both together: only the two of one mind hold.
    assert_eq!(changed(|s| s.body = "{}".to_owned()), Err(Fault::Body));
    assert_eq!(
        changed(|s| {
            s.body = "{}".to_owned();
            s.set("content-digest", &content_digest(b"{}"));
        }),
        Err(Fault::Wrong)
    );
}

#[test]
fn what_must_be_covered_and_is_not_is_refused_by_name() {
    assert_eq!(signed(|s| s.cover = |all| without(all, "@method")), uncovered("@method"));
    assert_eq!(signed(|s| s.cover = |all| without(all, "@authority")), uncovered("@authority"));
    assert_eq!(signed(|s| s.cover = |all| without(all, "@path")), uncovered("@path"));
    assert_eq!(signed(|s| s.cover = |all| without(all, "@query")), uncovered("@query"));
    assert_eq!(signed(|s| s.cover = |all| without(all, "content-type")), uncovered("content-type"));
    assert_eq!(signed(|s| s.cover = |all| without(all, "content-digest")), uncovered("content-digest"));
    assert_eq!(signed(|s| s.cover = |all| without(all, "x-request-id")), uncovered("x-request-id"));
    assert_eq!(signed(|s| s.cover = |all| without(all, "tolbooth-role")), uncovered("tolbooth-role"));
    // What is added on the way, known here or not, and whatever may change the answer.
    for name in ["tolbooth-case", "tolbooth-made-up", "authorization", "idempotency-key", "x-correlation-id"]
    {
        assert_eq!(changed(|s| s.set(name, "x")), uncovered(name));
    }
    let missing = |name: &str| {
        Err(Fault::Component(ComponentFault { name: name.to_owned(), why: "is covered and not there" }))
    };
    for name in ["content-digest", "x-request-id", "content-type", "tolbooth-user"] {
        assert_eq!(changed(|s| drop(s.fields.remove(name))), missing(name));
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    for name in ["tolbooth-user", "content-digest", "content-type", "x-request-id", "authorization"] {
        let twice = signed(|s| {
            let value = s.fields.get(name).cloned().unwrap_or(HeaderValue::from_static("x"));
            s.fields.insert(name, value.clone());
            s.fields.append(name, value);
        });
        assert_eq!(twice, Err(Fault::TwoLines(name.to_owned())));
    }
    let again = |all: Vec<Component>| [all, vec![Component::wrapped("tolbooth-user").unwrap()]].concat();
    // The same field in both forms says the same twice.
    assert_eq!(signed(|s| s.cover = again), Ok(()));
    let twice = |all: Vec<Component>| [all, vec![Component::named("@path").unwrap()]].concat();
    assert_eq!(signed(|s| s.cover = twice), Err(Fault::CoveredTwice("@path".to_owned())));
    // Lenient forms of structured fields, where the last of two counts.
    let input = "Signature-Input";
    for (from, to) in [
        (";created", "; created"),
        (";created", ";created=1;created"),
        ("sig=(", "sig=(  "),
        ("sig=(", "sig=(\"@path\"), sig=("),
        ("\"@path\"", "\"@path\"  "),
        (";tag=", ";tag=\"other\";tag="),
        ("created=1800000000", "created=01800000000"),
    ] {
        assert_eq!(changed(|s| reword(s, "signature-input", from, to)), Err(Fault::Malformed(input)), "{to}");
    }
    for bad in ["", "sig", "sig=1", "sig=:AAAA", "sig=\"text\"", "sig=:A===:", "sig=:AA==:,", "sig=(:AA==:)"]
    {
        let told = changed(|s| s.set("signature", bad));
        assert!(matches!(told, Err(Fault::Malformed("Signature") | Fault::Unpaired)), "{bad}: {told:?}");
    }
    let long = format!("sig=({})", "\"@path\" ".repeat(300));
    assert_eq!(changed(|s| s.set("signature-input", &long)), Err(Fault::TooLong(input)));
}

#[test]
fn there_is_one_signature_with_its_input() {
    assert_eq!(changed(|s| drop(s.fields.remove("signature"))), Err(Fault::Unpaired));
    assert_eq!(changed(|s| drop(s.fields.remove("signature-input"))), Err(Fault::Unpaired));
    assert_eq!(changed(|s| reword(s, "signature", "sig=", "gis=")), Err(Fault::Unpaired));
    // A second one, on lines of its own or in the same, with our tag or another.
    let doubled = |s: &mut Sample, tag: &str| {
        let input = s.fields["signature-input"].to_str().unwrap().replacen("sig=", "other=", 1);
        let signature = s.fields["signature"].to_str().unwrap().replacen("sig=", "other=", 1);
        let input = input.replace("tolbooth/v1", tag);
        s.fields.append("signature-input", HeaderValue::from_str(&input).unwrap());
        s.fields.append("signature", HeaderValue::from_str(&signature).unwrap());
    };
    assert_eq!(changed(|s| doubled(s, "tolbooth/v1")), Err(Fault::Several));
    assert_eq!(changed(|s| doubled(s, "proxy")), Err(Fault::Several));
    // A signature of nothing under our tag is one too many as well.
    assert_eq!(
        changed(|s| {
            reword(s, "signature-input", "sig=(", "empty=();tag=\"tolbooth/v1\", sig=(");
            reword(s, "signature", "sig=", "empty=:AAAA:, sig=");
        }),
        Err(Fault::Several)
    );
}

#[test]
fn parameters_say_one_thing_and_all_of_it() {
    for name in ["created", "expires", "nonce", "keyid"] {
        let name: &'static str = name;
        assert_eq!(signed(|s| s.parameter(name, None)), Err(Fault::Parameter(name)));
    }
    assert_eq!(signed(|s| s.parameter("tag", None)), Err(Fault::Tag));
    for tag in ["tolbooth/v2", "Tolbooth/v1", "", "web-bot-auth"] {
        assert_eq!(signed(|s| s.parameter("tag", Some(Value::Text(tag)))), Err(Fault::Tag), "{tag}");
    }
    for alg in ["hmac-sha256", "rsa-v1_5-sha256", "none", "Ed25519", ""] {
        assert_eq!(signed(|s| s.parameter("alg", Some(Value::Text(alg)))), Err(Fault::Algorithm), "{alg}");
    }
    assert_eq!(signed(|s| s.parameter("alg", Some(Value::Integer(0)))), Err(Fault::Algorithm));
    assert_eq!(
        signed(|s| s.parameter("created", Some(Value::Text("now")))),
        Err(Fault::Parameter("created"))
    );
    assert_eq!(signed(|s| s.parameter("nonce", Some(Value::Integer(1)))), Err(Fault::Parameter("nonce")));
    let unknown = signed(|s| s.parameter("jku", Some(Value::Text("https://attacker.example"))));
    assert_eq!(unknown, Err(Fault::UnknownParameter("jku".to_owned())));
    for nonce in ["", "short", "fifteen-letters", "with a space in it", "with:a:colon:in:it"] {
        assert_eq!(signed(|s| s.parameter("nonce", Some(Value::Text(nonce)))), Err(Fault::Nonce), "{nonce}");
    }
    let long: &'static str = "n".repeat(65).leak();
    assert_eq!(signed(|s| s.parameter("nonce", Some(Value::Text(long)))), Err(Fault::Nonce));
}

#[test]
fn a_signature_counts_within_its_minute_and_no_longer() {
    let at = |now| changed(|s| s.now = now);
    assert_eq!(at(NOW - 6), Err(Fault::Future));
    assert_eq!(at(NOW - 5), Ok(()));
    assert_eq!(at(NOW + 60), Ok(()));
    assert_eq!(at(NOW + 61), Err(Fault::Expired));
    for (created, expires) in
        [(NOW, NOW + 61), (NOW, NOW - 1), (NOW - 999, NOW + 1), (-1, 999_999_999_999_999)]
    {
        let told = signed(|s| {
            s.parameter("created", Some(Value::Integer(created)));
            s.parameter("expires", Some(Value::Integer(expires)));
        });
        assert_eq!(told, Err(Fault::Window), "{created} {expires}");
    }
}

#[test]
fn nothing_counts_from_before_the_process_could_remember() {
    let started =
        |ms: i64| signed(|s| s.verifier = Verifier::new(Timestamp::from_millisecond(ms).unwrap(), 100));
    // A question made in this second may have been answered by the process before, whose clock allowed
    // for five seconds.
    assert_eq!(started(NOW * 1000), Err(Fault::BeforeStart { wait_seconds: 5 }));
    assert_eq!(started((NOW - 5) * 1000 + 1), Err(Fault::BeforeStart { wait_seconds: 1 }));
    assert_eq!(started((NOW - 5) * 1000), Ok(()));
}

#[test]
fn only_a_listed_key_of_this_system_counts_and_only_in_its_time() {
    assert_eq!(signed(|s| s.signer = 2), Err(Fault::Wrong));
    assert_eq!(signed(|s| s.keys.clear()), Err(Fault::Key));
    assert_eq!(signed(|s| s.keys = vec![listed("ed-trak-2", 1)]), Err(Fault::Key));
    assert_eq!(signed(|s| s.keys = vec![listed("ed-trak-1", 2), listed("ed-trak-2", 1)]), Err(Fault::Wrong));
    assert_eq!(signed(|s| s.keys = vec![listed("ed-trak-0", 3), listed("ed-trak-1", 1)]), Ok(()));
    let (today, a_day) =
        (Timestamp::from_second(NOW).unwrap().to_zoned(jiff::tz::TimeZone::UTC).date(), 1.day());
    assert_eq!(signed(|s| s.keys[0].not_before = Some(today + a_day)), Err(Fault::KeyNotNow));
    assert_eq!(signed(|s| s.keys[0].not_after = Some(today - a_day)), Err(Fault::KeyNotNow));
    assert_eq!(signed(|s| (s.keys[0].not_before, s.keys[0].not_after) = (Some(today), Some(today))), Ok(()));
    // A signature of the wrong length, of zeros, or with its scalar moved by the group's order.
    assert_eq!(changed(|s| s.set("signature", "sig=:AAAA:")), Err(Fault::Wrong));
    let zeros = format!("sig=:{}==:", "A".repeat(86));
    assert_eq!(changed(|s| s.set("signature", &zeros)), Err(Fault::Wrong));
    assert_eq!(changed(malleable), Err(Fault::Wrong));
}

/// RFC 8032 section 5.1.7: S and S + L would both verify where S is not compared with L.
fn malleable(sample: &mut Sample) {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let text = sample.fields["signature"].to_str().unwrap().to_owned();
    let mut bytes =
        STANDARD.decode(text.strip_prefix("sig=:").and_then(|text| text.strip_suffix(':')).unwrap()).unwrap();
    let mut carry = 0_u16;
    for (byte, add) in bytes[32..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    sample.set("signature", &format!("sig=:{}:", STANDARD.encode(bytes)));
}

#[test]
fn a_question_is_answered_once() {
    let mut sample = Sample::default();
    sample.sign();
    assert!(sample.verify().is_ok());
    assert_eq!(sample.verify().map(drop), Err(Fault::Replayed));
    // Signed anew with the same nonce it is the same to us, whatever it asks.
    sample.body = "{}".to_owned();
    sample.set("content-digest", &content_digest(b"{}"));
    sample.parameter("expires", Some(Value::Integer(NOW + 59)));
    sample.sign();
    assert_eq!(sample.verify().map(drop), Err(Fault::Replayed));
    sample.parameter("nonce", Some(Value::Text("another-nonce-of-mine")));
    sample.sign();
    assert_eq!(sample.verify().map(drop), Ok(()));
}

#[test]
fn what_is_refused_uses_up_no_nonce() {
    let mut sample = Sample::default();
    sample.sign();
    sample.body.push(' ');
    assert_eq!(sample.verify().map(drop), Err(Fault::Body));
    sample.body.pop();
    assert_eq!(sample.verify().map(drop), Ok(()));
}

#[test]
fn faults_name_what_is_wrong_and_show_no_value() {
    let shown = changed(|s| s.set("tolbooth-case", "CASE-1403170129")).unwrap_err().to_string();
    assert_eq!(shown, "`tolbooth-case` is not covered");
    let long = signed(|s| s.parameter("x".repeat(100).leak(), Some(Value::Integer(1)))).unwrap_err();
    assert!(long.to_string().len() < 120, "{long}");
}
