//! Appendix B of RFC 9421. The published signatures of all its algorithms verify over our signature
//! bases, which are compared byte for byte besides.

use aws_lc_rs::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::super::{Component, Input, Message, Signed, Value, read};
use crate::crypto::{MacKey, PublicKey, SigningKey};

const APPENDIX: &str = include_str!("rfc9421.txt");
const DATE: &str = "Tue, 20 Apr 2021 02:07:55 GMT";

fn section(name: &str) -> Vec<&'static str> {
    let sections = APPENDIX.split("\n= ").skip(1);
    let mut found = sections.filter_map(|section| section.strip_prefix(name)?.strip_prefix('\n'));
    found.next().unwrap().lines().filter(|line| !line.is_empty()).collect()
}

fn lines(name: &str, base: bool) -> Vec<&'static str> {
    section(name).into_iter().filter(|line| line.starts_with('"') == base).collect()
}

/// Fields in their order, with those of the section: `Signature-Input`, `Signature` and others.
fn fields(name: &str, more: &[(&str, &str)]) -> HeaderMap {
    let own = lines(name, false).into_iter().map(|line| line.split_once(": ").unwrap());
    let mut fields = HeaderMap::new();
    for (name, value) in more.iter().copied().chain(own) {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        fields.append(name, HeaderValue::from_str(value).unwrap());
    }
    fields
}

/// `test-request`.
fn request(name: &str, host: &str) -> HeaderMap {
    let digest =
        "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
    fields(
        name,
        &[
            ("Host", host),
            ("Date", DATE),
            ("Content-Type", "application/json"),
            ("Content-Digest", digest),
            ("Content-Length", "18"),
        ],
    )
}

/// `test-response`.
fn response(name: &str) -> HeaderMap {
    let digest =
        "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:";
    fields(
        name,
        &[
            ("Date", "Tue, 20 Apr 2021 02:07:56 GMT"),
            ("Content-Type", "application/json"),
            ("Content-Digest", digest),
            ("Content-Length", "23"),
        ],
    )
}

/// The one signature of a message, and its base, which is that of the section.
fn base(name: &str, message: &Message<'_>) -> (Signed, String) {
    let signed = read(message.fields()).unwrap().pop().unwrap();
    let base = signed.input.base(message).unwrap();
    assert_eq!(base, lines(name, true).join("\n"), "{name}");
    (signed, base)
}

fn foo() -> Uri {
    Uri::from_static("/foo?param=Value&Pet=dog")
}

fn rsa_pss() -> RsaPublicKeyComponents<Vec<u8>> {
    let [n] = section("B.1.2 n").try_into().unwrap();
    RsaPublicKeyComponents { n: URL_SAFE_NO_PAD.decode(n).unwrap(), e: vec![1, 0, 1] }
}

fn p256() -> UnparsedPublicKey<Vec<u8>> {
    let [x, y] =
        ["qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA", "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0"]
            .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, [vec![4], x, y].concat())
}

fn ed25519() -> PublicKey {
    let x = URL_SAFE_NO_PAD.decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs").unwrap();
    PublicKey(x.try_into().unwrap())
}

#[test]
fn b_2_1_to_b_2_3_rsa_pss_signatures_verify_over_our_bases() {
    let foo = foo();
    for name in ["B.2.1", "B.2.2", "B.2.3"] {
        let fields = request(name, "example.com");
        let (signed, base) = base(name, &Message::request("POST", "https", &foo, &fields));
        let verified =
            rsa_pss().verify(&signature::RSA_PSS_2048_8192_SHA512, base.as_bytes(), signed.signature());
        assert!(verified.is_ok(), "{name}");
    }
}

#[test]
fn b_2_4_an_answer_verifies_and_b_3_a_request_by_a_proxy() {
    let foo = foo();
    let fields = response("B.2.4");
    let (signed, base_of_answer) = base("B.2.4", &Message::answer(200, &fields, None));
    assert!(p256().verify(base_of_answer.as_bytes(), signed.signature()).is_ok());

    let fields = request("B.3", "service.internal.example");
    let (signed, base_of_proxy) = base("B.3", &Message::request("POST", "https", &foo, &fields));
    assert!(p256().verify(base_of_proxy.as_bytes(), signed.signature()).is_ok());
}

#[test]
fn b_2_5_a_request_under_a_shared_secret_has_our_mac() {
    let foo = foo();
    let fields = request("B.2.5", "example.com");
    let (signed, base) = base("B.2.5", &Message::request("POST", "https", &foo, &fields));
    let secret = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
    let tag = MacKey::new(&STANDARD.decode(secret).unwrap()).tag(&[base.as_bytes()]);
    assert_eq!(tag.as_slice(), signed.signature());
}

#[test]
fn b_2_6_an_ed25519_signature_verifies_and_ours_is_the_same_bytes() {
    let foo = foo();
    let fields = request("B.2.6", "example.com");
    let message = Message::request("POST", "https", &foo, &fields);
    let (signed, _) = base("B.2.6", &message);
    assert_eq!(signed.verify(&message, &ed25519()), Ok(true));

    // The private half of B.1.4, published there so that this can be compared; nobody's secret.
    let seed = URL_SAFE_NO_PAD.decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU").unwrap();
    let key = SigningKey::from_seed(&seed.try_into().unwrap()).unwrap();
    assert_eq!(key.public(), ed25519());
    let names = ["date", "@method", "@path", "@authority", "content-type", "content-length"];
    let components = names.map(|name| Component::named(name).unwrap());
    let parameters = [("created", Value::Integer(1_618_884_473)), ("keyid", Value::Text("test-key-ed25519"))];
    let input = Input::new("sig-b26", &components, &parameters).unwrap();
    let (made, signature) = input.sign(&message, &key).unwrap();
    assert_eq!(made, fields["signature-input"].to_str().unwrap());
    assert_eq!(signature, fields["signature"].to_str().unwrap());
}

#[test]
fn b_4_what_changes_no_component_changes_no_signature() {
    let demo = Uri::from_static("/demo?name1=Value1&Name2=value2");
    let added = Uri::from_static("/demo?name1=Value1&Name2=value2&param=added");
    let date = ("Date", "Fri, 15 Jul 2022 14:24:55 GMT");
    let (json, any) = (("Accept", "application/json"), ("Accept", "*/*"));
    let host = ("Host", "example.org");
    let verify = |method: &str, target: &Uri, more: &[(&str, &str)]| {
        let fields = fields("B.4", more);
        let message = Message::request(method, "https", target, &fields);
        read(&fields).unwrap().pop().unwrap().verify(&message, &ed25519()).unwrap()
    };
    let (message_fields, target) = (fields("B.4", &[host, date, json, any]), &demo);
    base("B.4", &Message::request("GET", "https", target, &message_fields));

    assert!(verify("GET", &demo, &[host, date, json, any]));
    assert!(verify("GET", &added, &[host, date, json, any, ("Accept-Language", "en-US,en;q=0.5")]));
    let both = ("Accept", "application/json, */*");
    assert!(verify("GET", &demo, &[host, ("Referer", "https://developer.example.org/demo"), both]));
    assert!(verify("GET", &demo, &[json, any, date, host]));
    assert!(!verify("POST", &demo, &[("Host", "example.com"), date, json, any]));
    assert!(!verify("GET", &demo, &[host, date, any, json]));
}

/// A question with fields that appendix B has none of.
fn odd_fields() -> HeaderMap {
    let mut fields = HeaderMap::new();
    for (name, value) in [
        ("host", "www.Example.com:443"),
        ("cache-control", "max-age=60"),
        ("cache-control", "   must-revalidate "),
        ("x-empty", ""),
        ("x-empty", "second"),
        ("example-header", "value, with, lots"),
        ("example-header", "of, commas"),
    ] {
        fields.append(name, HeaderValue::from_str(value).unwrap());
    }
    fields.append("x-utf8", HeaderValue::from_bytes("M\u{e0}iri".as_bytes()).unwrap());
    fields
}

/// The value a list of components begins with in a message, or why there is none.
fn value(message: &Message<'_>, item: &str) -> Result<String, String> {
    let mut fields = HeaderMap::new();
    fields.insert("signature-input", HeaderValue::from_str(&format!("x=({item})")).unwrap());
    fields.insert("signature", HeaderValue::from_static("x=:AAAA:"));
    let base = read(&fields).map_err(|fault| fault.to_string())?.pop().unwrap().input.base(message);
    let base = base.map_err(|fault| fault.to_string())?;
    let line = base.lines().next().unwrap();
    Ok(line.strip_prefix(item).and_then(|rest| rest.strip_prefix(": ")).unwrap().to_owned())
}

const QUERY: &str = "?param=value&foo=bar&baz=bat%2Dman&qux=&q=a+b&fa%C3%A7ade%22%3A%20=x";

#[test]
fn components_have_the_values_of_section_2() {
    let target: Uri = format!("/path{QUERY}").parse().unwrap();
    let fields = odd_fields();
    let question = Message::request("POST", "https", &target, &fields);
    let answer = Message::answer(503, &fields, Some(&question));
    let whole = format!("https://www.example.com/path{QUERY}");
    for (item, wanted) in [
        ("\"@target-uri\"", whole.as_str()),
        ("\"@authority\"", "www.example.com"),
        ("\"@scheme\"", "https"),
        ("\"@query\"", QUERY),
        ("\"@query-param\";name=\"baz\"", "bat-man"),
        ("\"@query-param\";name=\"qux\"", ""),
        ("\"@query-param\";name=\"q\"", "a%20b"),
        ("\"@query-param\";name=\"fa%C3%A7ade%22%3A%20\"", "x"),
        ("\"cache-control\"", "max-age=60, must-revalidate"),
        ("\"x-empty\"", ", second"),
        ("\"example-header\";bs", ":dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:"),
        ("\"x-utf8\";bs", ":TcOgaXJp:"),
    ] {
        assert_eq!(value(&question, item).as_deref(), Ok(wanted), "{item}");
    }
    assert_eq!(value(&answer, "\"@method\";req").as_deref(), Ok("POST"));
    assert_eq!(value(&answer, "\"@status\"").as_deref(), Ok("503"));
}

#[test]
fn what_is_no_component_here_is_refused() {
    let target: Uri = format!("/path{QUERY}").parse().unwrap();
    let fields = odd_fields();
    let question = Message::request("POST", "https", &target, &fields);
    let answer = Message::answer(503, &fields, Some(&question));
    assert!(value(&answer, "\"@method\"").is_err());
    for item in [
        "\"@status\"",
        "\"@method\";req",
        "\"@query-param\"",
        "\"@query-param\";name=\"none\"",
        "\"@signature-params\"",
        "\"@unknown\"",
        "\"x-absent\"",
        "\"x-utf8\"",
        "\"Host\"",
        "\"host\";sf",
        "\"host\";key=\"a\"",
        "\"host\";tr",
        "\"host\";made-up",
        "\"@path\";bs",
        "host",
        "\"@path\" \"@path\"",
        "\"host\" \"host\";bs=?0",
    ] {
        assert!(value(&question, item).is_err(), "{item}");
    }
}

#[test]
fn a_target_and_a_host_that_differ_name_no_authority() {
    let target = Uri::from_static("https://a.example/x");
    let mut fields = HeaderMap::new();
    let authority = |fields: &HeaderMap| {
        let message = Message::request("GET", "https", &target, fields);
        message.value(&Component::named("@authority").unwrap()).ok()
    };
    assert_eq!(authority(&fields).as_deref(), Some("a.example"));
    fields.append("host", HeaderValue::from_static("A.example:443"));
    assert_eq!(authority(&fields).as_deref(), Some("a.example"));
    fields.append("host", HeaderValue::from_static("a.example"));
    assert_eq!(authority(&fields), None);
    fields.insert("host", HeaderValue::from_static("b.example"));
    assert_eq!(authority(&fields), None);
}
