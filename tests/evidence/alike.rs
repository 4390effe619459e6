//! What the two verifiers once judged differently: both are run over the same altered packs, and say the same.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::forged::{Forge, signed};
use super::support::agreements::CHILD;
use super::support::here::Here;
use super::support::site::run;
use super::tampered::answered;
use super::{python, told};

/// What both find wrong in a pack, and that both end so.
fn wrong(here: &Here, bytes: &[u8]) -> BTreeSet<String> {
    let home = &here.site.home;
    std::fs::write(home.join("altered.pack"), bytes).unwrap();
    let ran = run(home, &["ledger", "verify", "altered.pack", "--key", "data/keys/ledger.vkey", "--json"]);
    let ours = ran.lines().pop().unwrap_or(Value::Null);
    let path = |name: &str| home.join(name).display().to_string();
    let (code, theirs) = python(&[&path("altered.pack"), "--key", &path("data/keys/ledger.vkey")]);
    assert_eq!(ran.code, code, "{ran:?} {theirs}");
    let all = |said: &Value| told(said, "wrong").into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    // Ours ends without findings where the record cannot be judged.
    if theirs.get("findings").is_none() {
        assert!(ours.get("findings").is_none() && theirs["fault"].is_string(), "{ran:?} {theirs}");
        return ["pack".to_owned()].into();
    }
    let (ours, theirs) = (all(&ours), all(&theirs));
    assert_eq!(ours, theirs);
    ours
}

/// With the agreement's text changed, and signed anew by every party.
fn agreed(forge: &mut Forge, here: &Here, change: impl FnOnce(&str) -> String) {
    forge.edit(&format!("agreements/{CHILD}.toml"), change);
    let text = forge.file(&format!("agreements/{CHILD}.toml")).clone();
    *forge.file(&format!("agreements/{CHILD}.sig")) =
        signed(&here.site.home, &text, &["glenmore", "nhs-lomond"]);
}

#[test]
fn both_verifiers_say_the_same_of_the_same_altered_packs() {
    let (here, pack) = answered("evidence-alike");
    let found = |change: &dyn Fn(&mut Forge)| {
        let mut forge = Forge::new(&pack, &here.site.home);
        change(&mut forge);
        wrong(&here, &forge.pack().write())
    };
    let is = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(found(&|_| {}), is(&[]));
    // A version nobody knows, and records that lack what every exchange has.
    assert_eq!(found(&|forge| forge.record["v"] = 2.into()), is(&["pack"]));
    for key in ["outcome", "consumer", "rows", "time"] {
        let lacks = |forge: &mut Forge| drop(forge.record.as_object_mut().unwrap().remove(key));
        assert_eq!(found(&lacks), is(&["pack"]), "{key}");
    }
    assert!(found(&|forge| forge.record["agreement"] = Value::Null).contains("agreement"));
    // A seal that is not there, and a trial over a source that is not marked synthetic.
    assert_eq!(
        found(&|forge| {
            forge.edit(&format!("agreements/{CHILD}.toml"), |text| {
                text.split("[seal]").next().unwrap().to_owned()
            });
        }),
        // What is not sealed nobody can sign either.
        is(&["seal", "signatures"])
    );
    assert_eq!(
        found(&|forge| {
            forge.edit("datasets/child-protection.toml", |text| {
                text.replace("synthetic = true", "synthetic = false")
            });
        }),
        is(&["seal"])
    );
    // A user that was wanted and not stated, as format 1 asks for one.
    assert!(
        found(&|forge| agreed(forge, &here, |text| text.replace("user = \"none\"", "user = \"required\"")))
            .contains("assurance")
    );
}

#[test]
fn a_user_wanted_by_format_2_and_not_stated_is_wrong_for_both() {
    let (here, pack) = answered("evidence-alike-user");
    let whole = include_str!("../golden/agreements/child-protection.toml");
    for user in ["named_user", "user_pseudonym"] {
        let mut forge = Forge::new(&pack, &here.site.home);
        agreed(&mut forge, &here, |before| {
            let line = |key: &str| before.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
            let until = line("until =");
            let seal = before.split("[seal]").nth(1).unwrap();
            format!("{whole}\n[seal]{seal}")
                .replace("stage = \"live\"", "stage = \"trial\"")
                .replace("user = \"user_pseudonym\"", &format!("user = \"{user}\""))
                .replace("from = 2026-12-01", &line("from ="))
                .replace("until = 2028-11-30", &until)
                .replace("review_due = 2027-12-01", &until.replace("until", "review_due"))
        });
        std::fs::write(here.site.home.join("user.pack"), forge.pack().write()).unwrap();
        let ran = run(
            &here.site.home,
            &["ledger", "verify", "user.pack", "--key", "data/keys/ledger.vkey", "--json"],
        );
        let path = |name: &str| here.site.home.join(name).display().to_string();
        let (_, theirs) = python(&[&path("user.pack"), "--key", &path("data/keys/ledger.vkey")]);
        for said in [ran.lines().pop().unwrap(), theirs] {
            assert!(told(&said, "wrong").contains("assurance"), "{user}: {said}");
        }
    }
}

/// A key that is no text is a fault, told as one.
#[test]
fn a_pack_whose_key_is_no_text_is_not_verified_and_it_is_said() {
    let (here, pack) = answered("evidence-alike-key");
    let bytes = pack.write();
    let at = bytes.windows(pack.key.len()).position(|part| part == pack.key.as_bytes()).unwrap();
    let mut bytes = bytes;
    bytes[at] = 0xff;
    std::fs::write(here.site.home.join("key.pack"), bytes).unwrap();
    let (code, said) = python(&[&here.site.home.join("key.pack").display().to_string()]);
    assert!(code == Some(1) && said["fault"].is_string(), "{said}");
}

/// RSA-PSS, which the listener takes: by the independent program's own reading of a certificate.
#[test]
fn the_independent_verifier_reads_both_kinds_of_rsa_signatures() {
    const PROGRAM: &str = r#"
import datetime, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import verifier
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
key, other = (rsa.generate_private_key(65537, 2048) for _ in range(2))
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
now = datetime.datetime.now(datetime.timezone.utc)
for how in (padding.PKCS1v15(), padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)):
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    made = made.sign(key, hashes.SHA256(), rsa_padding=how)
    body = made.tbs_certificate_bytes
    assert verifier.is_signed_by(made, body, key.public_key()), how
    assert not verifier.is_signed_by(made, body, other.public_key()), how
    assert not verifier.is_signed_by(made, body + b"x", key.public_key()), how
"#;
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let out = Command::new("python3").args(["-B", "-c", PROGRAM]).arg(docs).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}
