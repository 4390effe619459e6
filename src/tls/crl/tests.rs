//! Lists made byte by byte, so that each can be wrong in just one way.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SigningKey as _,
};

use super::*;

/// One element of DER.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut out = vec![tag];
    match u32::try_from(body.len()).unwrap() {
        length @ 0..128 => out.push(u8::try_from(length).unwrap()),
        length => {
            let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            out.push(0x80 | u8::try_from(bytes.len()).unwrap());
            out.extend(bytes);
        }
    }
    out.extend(body);
    out
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, parts)
}

const ECDSA_SHA256: &[u8] = &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ECDSA_SHA1: &[u8] = &[0x30, 9, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1];

/// `2.5.29.x` with a value.
fn extension(x: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let flag: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    sequence(&[&[6, 3, 0x55, 0x1d, x], flag, &der(4, &[value])])
}

fn time(text: &str) -> Vec<u8> {
    der(0x18, &[text.as_bytes()])
}

fn entry(serial: &[u8], more: &[u8]) -> Vec<u8> {
    sequence(&[&der(2, &[serial]), &time("20260101000000Z"), more])
}

/// A list before it is signed.
struct Draft {
    method: Vec<u8>,
    next_update: Vec<u8>,
    entries: Vec<Vec<u8>>,
    extensions: Vec<Vec<u8>>,
}

impl Draft {
    fn new(number: u8) -> Self {
        Self {
            method: ECDSA_SHA256.to_vec(),
            next_update: time("20990101000000Z"),
            entries: vec![entry(&[0x41, 1], &[]), entry(&[0x41, 2], &[])],
            extensions: vec![extension(20, false, &der(2, &[&[number]]))],
        }
    }

    fn signed(&self, ca: &Ca) -> Vec<u8> {
        let concat = |parts: &[Vec<u8>]| parts.iter().flatten().copied().collect::<Vec<u8>>();
        let entries = concat(&self.entries);
        let entries = if entries.is_empty() { Vec::new() } else { sequence(&[&entries]) };
        let extensions = concat(&self.extensions);
        let extensions =
            if extensions.is_empty() { Vec::new() } else { der(0xa0, &[&sequence(&[&extensions])]) };
        let (version, issued) = (der(2, &[&[1]]), time("20260101000000Z"));
        let tbs = sequence(&[
            &version,
            &self.method,
            &ca.subject(),
            &issued,
            &self.next_update,
            &entries,
            &extensions,
        ]);
        let signature = ca.issuer.key().sign(&tbs).unwrap();
        sequence(&[&tbs, &self.method, &der(3, &[&[0], &signature])])
    }
}

struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    anchor: Option<Anchor>,
}

impl Ca {
    fn new(name: &str, above: Option<&Self>, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        change(&mut params);
        let certificate = match above {
            Some(above) => params.signed_by(&key, &above.issuer).unwrap(),
            None => params.self_signed(&key).unwrap(),
        };
        let anchor = Anchor::from_der(certificate.der()).ok();
        Self { issuer: Issuer::new(params, key), pem: certificate.pem(), anchor }
    }

    fn root(name: &str) -> Self {
        Self::new(name, None, |_| {})
    }

    fn anchor(&self) -> &Anchor {
        self.anchor.as_ref().unwrap()
    }

    fn subject(&self) -> Vec<u8> {
        let (_, read) = x509_parser::parse_x509_certificate(&self.anchor().der).unwrap();
        read.subject().as_raw().to_vec()
    }

    fn reads(&self, file: &[u8]) -> Result<Vec<Crl>, CrlError> {
        revocation_lists(file, &[self.anchor()])
    }
}

fn pem(label: &str, bytes: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

fn serial(bytes: &[u8]) -> Serial {
    Serial::from_bytes(bytes)
}

#[test]
fn a_list_is_read_in_der_and_in_pem() {
    let ca = Ca::root("one");
    let bytes = Draft::new(3).signed(&ca);
    for file in [bytes.clone(), pem("X509 CRL", &bytes).into_bytes()] {
        let lists = ca.reads(&file).unwrap();
        let [list] = lists.as_slice() else { panic!("{lists:?}") };
        assert_eq!((list.entries(), list.anchor()), (2, ca.anchor().id()));
        assert!(list.revokes(&serial(&[0x41, 1])) && list.revokes(&serial(&[0, 0x41, 2])));
        assert!(!list.revokes(&serial(&[0x41])) && !list.revokes(&serial(&[0x41, 3])));
        assert_eq!(list.issuer(), &ca.anchor().certificate().subject_name);
        assert_eq!(list.next_update().to_string(), "2099-01-01T00:00:00Z");
    }
    let empty = Draft { entries: Vec::new(), ..Draft::new(3) };
    assert_eq!(ca.reads(&empty.signed(&ca)).unwrap()[0].entries(), 0);
    let two = pem("X509 CRL", &bytes) + &pem("X509 CRL", &Draft::new(4).signed(&ca));
    assert_eq!(ca.reads(two.as_bytes()).unwrap().len(), 2);
}

#[test]
fn what_is_not_a_whole_list_of_one_ca_is_refused_by_name() {
    let ca = Ca::root("one");
    let with = |x: u8, value: &[u8]| {
        let mut draft = Draft::new(1);
        draft.extensions.push(extension(x, true, value));
        draft
    };
    let place = der(0xa0, &[&der(0xa0, &[&der(0x86, &[b"http://crl.test/"])])]);
    let point = |more: &[u8]| with(28, &sequence(&[&place, more]));
    let another = entry(&[0x41, 9], &sequence(&[&extension(29, true, &sequence(&[]))]));
    let odd = entry(&[0x41, 9], &sequence(&[&extension(99, true, &[5, 0])]));
    let cases: Vec<(&str, Draft, CrlError)> = vec![
        ("a delta", with(27, &der(2, &[&[1]])), CrlError::Delta),
        ("an indirect list", point(&[0x84, 1, 0xff]), CrlError::Indirect),
        ("another CA's entry", Draft { entries: vec![another], ..Draft::new(1) }, CrlError::Indirect),
        ("some reasons", point(&[0x83, 2, 0, 0x60]), CrlError::Partial),
        ("no place", with(28, &sequence(&[&[0x81, 1, 0xff]])), CrlError::Partial),
        ("an unknown extension", with(99, &[5, 0]), CrlError::Extension),
        (
            "an unknown extension of an entry",
            Draft { entries: vec![odd], ..Draft::new(1) },
            CrlError::Extension,
        ),
        ("no next update", Draft { next_update: Vec::new(), ..Draft::new(1) }, CrlError::Bare),
        ("SHA-1", Draft { method: ECDSA_SHA1.to_vec(), ..Draft::new(1) }, CrlError::Method),
    ];
    for (name, draft, wanted) in cases {
        assert_eq!(ca.reads(&draft.signed(&ca)).unwrap_err(), wanted, "{name}");
    }
    // One of a CA's several places is no less whole a list of what it lists.
    assert!(ca.reads(&point(&[]).signed(&ca)).is_ok());
    let unnumbered = Draft { extensions: vec![extension(35, false, &sequence(&[]))], ..Draft::new(1) };
    assert_eq!(ca.reads(&unnumbered.signed(&ca)).unwrap_err(), CrlError::Bare);
}

#[test]
fn only_the_ca_itself_signs_its_list() {
    let ca = Ca::root("one");
    let good = Draft::new(1).signed(&ca);
    // Another key under the same name.
    let namesake = Ca::root("one");
    assert_eq!(ca.reads(&Draft::new(1).signed(&namesake)).unwrap_err(), CrlError::Signature);
    let stranger = Ca::root("two");
    assert_eq!(ca.reads(&Draft::new(1).signed(&stranger)).unwrap_err(), CrlError::UnknownIssuer);
    let other = Ca::new("three", None, |ca| ca.key_usages = vec![KeyUsagePurpose::KeyCertSign]);
    assert_eq!(other.reads(&Draft::new(1).signed(&other)).unwrap_err(), CrlError::NotItsOffice);
    // Each bit of what is signed counts; a step of 7 keeps the test short.
    for at in (0..good.len()).step_by(7) {
        let mut changed = good.clone();
        changed[at] ^= 1;
        assert!(ca.reads(&changed).is_err(), "byte {at}");
    }
    for file in [&b""[..], b"hello", &good[..good.len() - 1], &[&good[..], &[0]].concat()] {
        assert!(ca.reads(file).is_err());
    }
    let key = ca.issuer.key().serialize_pem() + &pem("X509 CRL", &good);
    assert_eq!(ca.reads(key.as_bytes()).unwrap_err(), CrlError::UnexpectedKey);
}

#[test]
fn a_ca_below_an_anchor_signs_its_own_list_if_its_certificate_is_there() {
    let root = Ca::root("root");
    let below = Ca::new("below", Some(&root), |_| {});
    let deeper = Ca::new("deeper", Some(&below), |_| {});
    let list = Draft::new(1).signed(&deeper);
    assert_eq!(root.reads(&list).unwrap_err(), CrlError::UnknownIssuer);
    // In any order.
    let file = deeper.pem.clone() + &pem("X509 CRL", &list) + &below.pem;
    assert_eq!(root.reads(file.as_bytes()).unwrap()[0].anchor(), root.anchor().id());
    let orphan = deeper.pem.clone() + &pem("X509 CRL", &list);
    assert_eq!(root.reads(orphan.as_bytes()).unwrap_err(), CrlError::Between);
    // A system's certificate makes no CA, whatever it signs.
    let leaf = Ca::new("leaf", Some(&root), |leaf| leaf.is_ca = IsCa::ExplicitNoCa);
    let file = leaf.pem.clone() + &pem("X509 CRL", &Draft::new(1).signed(&root));
    assert_eq!(root.reads(file.as_bytes()).unwrap_err(), CrlError::Between);
}

#[test]
fn an_older_list_of_the_same_ca_is_known_by_its_number() {
    let (ca, other) = (Ca::root("one"), Ca::root("two"));
    let read = |ca: &Ca, number: u8| ca.reads(&Draft::new(number).signed(ca)).unwrap().remove(0);
    assert!(read(&ca, 1).is_before(&read(&ca, 2)));
    assert!(!read(&ca, 2).is_before(&read(&ca, 2)) && !read(&ca, 3).is_before(&read(&ca, 2)));
    assert!(!read(&other, 1).is_before(&read(&ca, 2)));
    let long = Draft { extensions: vec![extension(20, false, &der(2, &[&[1, 0]]))], ..Draft::new(1) };
    let long = ca.reads(&long.signed(&ca)).unwrap().remove(0);
    assert!(read(&ca, 127).is_before(&long), "a longer number is a greater one");
}

#[test]
fn a_file_and_a_list_have_bounds() {
    let ca = Ca::root("one");
    assert_eq!(ca.reads(&vec![0x30; CRL_BYTES_MAX + 1]).unwrap_err(), CrlError::TooLong);
    let entries: Vec<u8> = (0..u32::try_from(CRL_ENTRIES_MAX).unwrap() + 1)
        .flat_map(|number| entry(&[&[1], &number.to_be_bytes()[..]].concat(), &[]))
        .collect();
    let most = Draft { entries: vec![entries], ..Draft::new(1) }.signed(&ca);
    assert!(most.len() < CRL_BYTES_MAX);
    assert_eq!(ca.reads(&most).unwrap_err(), CrlError::TooMany);
}
