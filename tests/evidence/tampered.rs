//! Good packs hold under both verifiers; each thing they are to catch is tampered with alone, in the bytes or by
//! a host that forges everything above it anew with its real key.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tolbooth::ledger::verify::pack::Pack;
use tolbooth::merkle::note::VerifierKey;
use tolbooth::model::Digest;

use super::forged::{Forge, signed};
use super::support::agreements::reword;
use super::support::here::Here;
use super::support::lists;
use super::support::site::{Site, run};
use super::support::until;
use super::{ask, gather, python, told, wrong};

/// What the independent program does not do again, and says so.
const OURS_ALONE: [&str; 2] = ["seal", "guardrails"];

const CHILD: &str = super::support::agreements::CHILD;

/// A site whose gateway answered once and whose ruleset was then replaced; stopped. With the pack of that answer.
pub fn answered(name: &str) -> (Here, Pack) {
    let mut here = Here::start(Site::new(name));
    let said = ask(&here);
    let before = here.running().app.ruleset.load().digest;
    reword(&here.site.home, CHILD, |text| text.replace("Child protection status check", "Status check"));
    until("another ruleset is in force", || {
        (here.running().app.ruleset.load().digest != before).then_some(())
    });
    let ran = gather(&here, said.exchange(), "case.pack", &["--sealed"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.lines()[0]["pack"]["missing"], json!([]), "{ran:?}");
    here.stop();
    let bytes = std::fs::read(here.site.home.join("case.pack")).unwrap();
    let pack = Pack::read(&bytes).unwrap();
    assert!(pack.next.is_some() && pack.write() == bytes);
    (here, pack)
}

#[test]
fn a_pack_holds_under_both_verifiers_with_everything_proven() {
    let (here, _) = answered("evidence-holds");
    let home = &here.site.home;
    let ran = run(home, &["ledger", "verify", "case.pack", "--key", "data/keys/ledger.vkey", "--json"]);
    let ours = ran.lines().pop().unwrap();
    assert_eq!(
        (ran.code, told(&ours, "wrong"), told(&ours, "not proven")),
        (Some(0), [].into(), [].into()),
        "{ran:?}"
    );
    assert_eq!(told(&ours, "proven").len(), 18, "{ours}");
    let path = |name: &str| home.join(name).display().to_string();
    let (code, theirs) = python(&[&path("case.pack"), "--key", &path("data/keys/ledger.vkey")]);
    assert_eq!((code, told(&theirs, "wrong")), (Some(0), [].into()), "{theirs}");
    assert_eq!(told(&theirs, "not proven"), OURS_ALONE.into(), "{theirs}");
    let both: BTreeSet<&str> =
        told(&ours, "proven").into_iter().filter(|what| !OURS_ALONE.contains(what)).collect();
    assert_eq!(told(&theirs, "proven"), both);
    // The look was recorded before the file was written, and any tar unpacks it.
    let listed = std::process::Command::new("tar").arg("-tf").arg(path("case.pack")).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.starts_with("README.txt\nlog.vkey\nrecord/envelope.json\n"), "{listed}");
    // Without the key from elsewhere less is proven, and it is said.
    let ran = run(home, &["ledger", "verify", "case.pack", "--json"]);
    assert_eq!((ran.code, told(&ran.lines()[0], "not proven")), (Some(0), ["key"].into()), "{ran:?}");
}

/// One case: what is tampered with, how, and what must then be wrong.
type Tampered = (&'static str, fn(&Here, &Pack) -> Vec<u8>, &'static [&'static str]);

fn each(here: &Here, pack: &Pack, cases: &[Tampered]) {
    let key = VerifierKey::parse(&pack.key).unwrap();
    let path = |name: &str| here.site.home.join(name).display().to_string();
    let mut missed = Vec::new();
    for (name, tamper, expected) in cases {
        let bytes = tamper(here, pack);
        let expected: BTreeSet<&str> = expected.iter().copied().collect();
        std::fs::write(path("tampered.pack"), &bytes).unwrap();
        let arguments = ["ledger", "verify", "tampered.pack", "--key", "data/keys/ledger.vkey"];
        let ours = (wrong(&bytes, &key), run(&here.site.home, &arguments).code);
        let theirs: BTreeSet<&str> =
            expected.iter().copied().filter(|what| !OURS_ALONE.contains(what)).collect();
        let (code, said) = python(&[&path("tampered.pack"), "--key", &path("data/keys/ledger.vkey")]);
        let ends = |wrong: &BTreeSet<&str>| Some(i32::from(!wrong.is_empty()));
        if ours != (expected.clone(), ends(&expected))
            || (told(&said, "wrong"), code) != (theirs.clone(), ends(&theirs))
        {
            missed.push(format!("{name}: wanted {expected:?}, ours {ours:?}, theirs {said} {code:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

fn flip(bytes: &mut [u8], what: &str) {
    let at = bytes.windows(what.len()).position(|part| part == what.as_bytes()).unwrap();
    bytes[at + what.len() - 1] ^= 1;
}

/// A pack with one thing of it changed, and nothing put right.
fn with(pack: &Pack, change: impl FnOnce(&mut Pack)) -> Vec<u8> {
    let mut pack = pack.clone();
    change(&mut pack);
    pack.write()
}

fn evidence<'p>(pack: &'p mut Pack, holds: &str) -> (Digest, &'p mut Vec<u8>) {
    let found = pack.evidence.iter_mut().find(|(_, bytes)| String::from_utf8_lossy(bytes).contains(holds));
    found.map(|(digest, bytes)| (*digest, bytes)).unwrap()
}

#[test]
fn whatever_is_changed_in_a_packs_bytes_is_caught() {
    let (here, pack) = answered("evidence-bytes");
    // The last is no tar at all: it is taken for an export, and is none.
    let (last, packs) = IN_BYTES.split_last().unwrap();
    each(&here, &pack, packs);
    std::fs::write(here.site.home.join("none"), (last.1)(&here, &pack)).unwrap();
    let ran = run(&here.site.home, &["ledger", "verify", "none", "--key", "data/keys/ledger.vkey"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let ran = run(&here.site.home, &["ledger", "verify", "gone.pack", "--key", "data/keys/ledger.vkey"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let (code, _) = python(&[&here.site.home.join("none").display().to_string()]);
    assert_eq!(code, Some(1));
}

/// A key of the same name.
fn other_key(key: &str) -> String {
    let name = VerifierKey::parse(key).unwrap().name().to_owned();
    let other = tolbooth::crypto::SigningKey::from_seed(&[9; 32]).unwrap();
    VerifierKey::new(&name, other.public()).unwrap().to_string()
}

/// The tar with one more part before its end, its head that of `record/sealed` under another name.
fn with_part(tar: &[u8], name: &str) -> Vec<u8> {
    let at = tar.chunks(512).position(|block| block.starts_with(b"record/sealed\0")).unwrap() * 512;
    let mut head = tar[at..at + 512].to_vec();
    head[..100].fill(0);
    head[..name.len()].copy_from_slice(name.as_bytes());
    head[124..135].copy_from_slice(b"00000000000");
    head[148..156].fill(b' ');
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    [&tar[..tar.len() - 1024], &head, &[0; 1024]].concat()
}

fn forge(here: &Here, pack: &Pack, change: impl FnOnce(&mut Forge)) -> Forge {
    let mut forge = Forge::new(pack, &here.site.home);
    change(&mut forge);
    forge
}

/// With the agreement's text changed, and signed anew by every party.
fn agreed(here: &Here, pack: &Pack, change: impl FnOnce(&str) -> String) -> Vec<u8> {
    let forged = forge(here, pack, |forge| {
        forge.edit(&format!("agreements/{CHILD}.toml"), change);
        let text = forge.file(&format!("agreements/{CHILD}.toml")).clone();
        *forge.file(&format!("agreements/{CHILD}.sig")) =
            signed(&here.site.home, &text, &["glenmore", "nhs-lomond"]);
    });
    forged.pack().write()
}

/// With a revocation list of the caller's CA among the ruleset's files.
fn with_list(here: &Here, pack: &Pack, serials: &[Vec<u8>]) -> Vec<u8> {
    let ca = super::support::forge::ca(&here.site.home, "nhs-lomond");
    let list = lists::signed(&ca, 1, serials, std::time::Duration::from_secs(24 * 3600));
    let line = lists::line("nhs-lomond");
    let forged = forge(here, pack, |forge| {
        forge.files.push((lists::file("nhs-lomond"), list.into_bytes()));
        forge.edit("members.toml", |text| super::support::forge::with_member(text, "nhs-lomond", &line));
    });
    forged.pack().write()
}

/// The line of a key with another value.
fn line(text: &str, key: &str, value: &str) -> String {
    let line = |line: &str| {
        if line.starts_with(&format!("{key} = ")) {
            format!("{key} = {value}\n")
        } else {
            format!("{line}\n")
        }
    };
    text.lines().map(line).collect()
}

#[test]
fn a_host_that_forges_its_whole_log_cannot_forge_what_was_agreed() {
    let (here, pack) = answered("evidence-forged");
    each(&here, &pack, FORGED);
}

/// In the bytes, with nothing put right.
const IN_BYTES: &[Tampered] = &[
    ("the key", |_, pack| with(pack, |pack| pack.key = other_key(&pack.key)), &["key"]),
    ("the envelope", |_, pack| with(pack, |pack| flip(&mut pack.record.envelope, "\"rows\":1")), &["record"]),
    ("the proof", |_, pack| with(pack, |pack| pack.record.proof[0][0] ^= 1), &["record"]),
    ("the place", |_, pack| with(pack, |pack| pack.record.index += 1), &["record"]),
    (
        "the checkpoint",
        |_, pack| with(pack, |pack| pack.record.note = pack.record.note.replacen("\n", "x\n", 1)),
        &["record", "ruleset", "in_force"],
    ),
    (
        "the sealed part",
        |_, pack| with(pack, |pack| flip(&mut pack.sealed.as_mut().unwrap().0, "\"outcome\":\"answered")),
        &["sealed"],
    ),
    (
        "the ruleset's entry",
        |_, pack| with(pack, |pack| flip(&mut pack.ruleset.as_mut().unwrap().envelope, "\"time\":\"2")),
        &["ruleset"],
    ),
    (
        "the ruleset's entry, gone",
        |_, pack| with(pack, |pack| pack.ruleset = None),
        &["ruleset", "in_force", "members", "agreement"],
    ),
    (
        "the next ruleset's entry",
        |_, pack| with(pack, |pack| flip(&mut pack.next.as_mut().unwrap().envelope, "\"time\":\"2")),
        &["in_force"],
    ),
    ("a guardrail", |_, pack| with(pack, |pack| flip(evidence(pack, "safe_address").1, "forbi")), &["files"]),
    (
        "a guardrail, gone",
        |_, pack| {
            with(pack, |pack| {
                let (digest, _) = evidence(pack, "context.categories.contains(");
                pack.evidence.remove(&digest);
            })
        },
        &["files"],
    ),
    (
        "the certificates",
        |_, pack| {
            with(pack, |pack| {
                let chain =
                    serde_json::from_slice::<Value>(pack.sealed.as_ref().unwrap().json()).unwrap()["chain"]
                        .clone();
                pack.evidence.remove(&Digest::parse(chain.as_str().unwrap()).unwrap());
            })
        },
        &["chain"],
    ),
    ("cut short", |_, pack| pack.write()[..2000].to_vec(), &["pack"]),
    ("something behind the end", |_, pack| [pack.write().as_slice(), b"x"].concat(), &["pack"]),
    ("a part no pack has", |_, pack| with_part(&pack.write(), "record/more.txt"), &["pack"]),
    ("a part twice", |_, pack| with_part(&pack.write(), "record/sealed"), &["pack"]),
    ("not a pack", |_, _| b"{}".repeat(1000), &["pack"]),
];

/// By a host with the log's real key, consistent to the last hash.
const FORGED: &[Tampered] = &[
    ("nothing", |here, pack| forge(here, pack, |_| {}).pack().write(), &[]),
    (
        "a party that did not sign",
        |here, pack| {
            forge(here, pack, |forge| {
                let text = forge.file(&format!("agreements/{CHILD}.toml")).clone();
                *forge.file(&format!("agreements/{CHILD}.sig")) =
                    signed(&here.site.home, &text, &["glenmore"]);
            })
            .pack()
            .write()
        },
        &["signatures"],
    ),
    (
        "words nobody signed",
        |here, pack| {
            forge(here, pack, |forge| {
                forge.edit(&format!("agreements/{CHILD}.toml"), |text| {
                    text.replace("status check", "status cheque")
                })
            })
            .pack()
            .write()
        },
        &["signatures"],
    ),
    (
        "an officer of nobody",
        |here, pack| {
            forge(here, pack, |forge| {
                forge.edit("members.toml", |text| {
                    let (before, nhs) = text.split_once("id = \"nhs-lomond\"").unwrap();
                    let (nhs, officer) = nhs.split_once("[[member.officer]]").unwrap();
                    let (_, after) = officer.split_once("\n[[member]]").unwrap();
                    format!("{before}id = \"nhs-lomond\"{nhs}\n[[member]]{after}")
                });
            })
            .pack()
            .write()
        },
        &["signatures"],
    ),
    (
        "not yet in force",
        |here, pack| {
            let today = tolbooth::clock::Clock::new().unwrap().today();
            let tomorrow = today.tomorrow().unwrap().tomorrow().unwrap();
            agreed(here, pack, |text| line(text, "from", &tomorrow.to_string()))
        },
        &["dates"],
    ),
    (
        "another mapping than was sealed",
        |here, pack| {
            forge(here, pack, |forge| {
                forge.edit("datasets/child-protection.toml", |text| text.replace("/clients/0", "/clients/1"))
            })
            .pack()
            .write()
        },
        &["seal"],
    ),
    (
        "another contract than was sealed",
        |here, pack| {
            forge(here, pack, |forge| {
                forge.edit("child-protection.v1.json", |text| {
                    text.replacen("\"description\": \"", "\"description\": \"Not ", 9)
                })
            })
            .pack()
            .write()
        },
        &["seal"],
    ),
    (
        "another dataset",
        |here, pack| {
            forge(here, pack, |forge| forge.record["dataset"] = "taxi-licence/v1".into()).pack().write()
        },
        &["parties"],
    ),
    (
        "another system",
        |here, pack| {
            forge(here, pack, |forge| forge.record["consumer"] = "nhs-lomond/payroll".into()).pack().write()
        },
        &["parties", "purpose", "role", "guardrails", "chain"],
    ),
    (
        "another purpose",
        |here, pack| forge(here, pack, |forge| forge.record["purpose"] = "research".into()).pack().write(),
        &["purpose", "guardrails"],
    ),
    (
        "another role",
        |here, pack| forge(here, pack, |forge| forge.record["role"] = "porter".into()).pack().write(),
        &["role", "guardrails"],
    ),
    (
        "less proof than is wanted",
        |here, pack| agreed(here, pack, |text| line(text, "assurance", "\"token\"")),
        &["assurance", "guardrails"],
    ),
    (
        "an hour nobody agreed to",
        |here, pack| {
            // Two days on: whenever this runs, not now.
            let other = (tolbooth::clock::Clock::new().unwrap().today() + jiff::ToSpan::days(2)).weekday();
            let (_, day) = tolbooth::model::DAYS.iter().find(|(day, _)| *day == other).unwrap();
            let hours = format!("\nhours = {{ {day} = [\"00:00-24:00\"] }}\n\n[data]");
            agreed(here, pack, |text| text.replacen("\n[data]", &hours, 1))
        },
        &["dates"],
    ),
    (
        "more records than were agreed",
        |here, pack| {
            forge(here, pack, |forge| {
                forge.record["rows"] = 2.into();
                forge.edit(&format!("agreements/{CHILD}.toml"), |text| {
                    text.replacen("per_minute = ", "rows_per_answer = 1\nper_minute = ", 1)
                });
                let text = forge.file(&format!("agreements/{CHILD}.toml")).clone();
                *forge.file(&format!("agreements/{CHILD}.sig")) =
                    signed(&here.site.home, &text, &["glenmore", "nhs-lomond"]);
            })
            .pack()
            .write()
        },
        &["fields"],
    ),
    (
        "a field nobody agreed to",
        |here, pack| {
            forge(here, pack, |forge| {
                forge.record["fields"].as_array_mut().unwrap().push("case_notes".into())
            })
            .pack()
            .write()
        },
        &["fields"],
    ),
    (
        "a guardrail that forbids it",
        |here, pack| {
            forge(here, pack, |forge| {
                *forge.file("voluntary.cedar") =
                    b"@id(\"none\")\nforbid (principal, action, resource);\n".to_vec()
            })
            .pack()
            .write()
        },
        &["guardrails"],
    ),
    (
        "a ruleset that never was",
        |here, pack| {
            let other = Digest::of(b"other").to_string();
            forge(here, pack, |_| {}).pack_with(|record, _, _| record["ruleset"] = other.into()).write()
        },
        &["ruleset", "in_force", "files"],
    ),
    (
        "an agreement its ruleset did not have in force",
        |here, pack| {
            forge(here, pack, |_| {}).pack_with(|_, entry, _| entry["agreements"] = json!([])).write()
        },
        &["agreement"],
    ),
    (
        "another ruleset between",
        |here, pack| {
            let other = Digest::of(b"other").to_string();
            forge(here, pack, |_| {}).pack_with(|_, _, next| next["before"] = other.into()).write()
        },
        &["in_force"],
    ),
    (
        "a question after its ruleset was replaced",
        |here, pack| {
            let forged = forge(here, pack, |forge| {
                let next = forge.next.as_mut().unwrap();
                (forge.record["index"], next["index"]) =
                    (next["index"].clone(), forge.record["index"].clone());
                next["time"] = "2026-01-01T00:00:00.000Z".into();
            });
            forged.pack().write()
        },
        &["in_force"],
    ),
    (
        "somebody else's certificate",
        |here, pack| {
            let police = std::fs::read(&here.site.trial.police.certificate).unwrap();
            forge(here, pack, |forge| forge.chain = police).pack().write()
        },
        &["chain"],
    ),
    (
        "a certificate that was revoked",
        |here, pack| {
            let digest = super::support::forge::digest(&here.site.home, "nhs-lomond", "ed-trak");
            let revoked = format!("revoked = [\"{digest}\"]\n");
            forge(here, pack, |forge| {
                forge.edit("members.toml", |text| {
                    super::support::forge::with_member(text, "nhs-lomond", &revoked)
                });
            })
            .pack()
            .write()
        },
        &["chain"],
    ),
    (
        "a certificate on its CA's list",
        |here, pack| {
            let serial = super::support::forge::serial(&here.site.home, "nhs-lomond", "ed-trak");
            with_list(here, pack, &[serial])
        },
        &["chain"],
    ),
    ("another certificate on its CA's list", |here, pack| with_list(here, pack, &[vec![9; 16]]), &[]),
    (
        "another federation",
        |here, pack| {
            forge(here, pack, |forge| {
                forge.edit("members.toml", |text| text.replace("caledonia.example", "albion.example"))
            })
            .pack()
            .write()
        },
        &["members", "chain"],
    ),
];
