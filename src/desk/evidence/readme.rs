//! The page in a pack that says in plain words what lies in it, for whoever opens it without this program.
//! Nothing is proved by it, and it says so.

use std::fmt::Write as _;

use crate::clock::date_in_words;
use crate::ledger::verify::pack::Pack;
use crate::model::Digest;

use super::record::{Exchange, Manifest, RulesetEntry};

const ABOUT: &str = "\
This is the evidence for one exchange: a question one organisation asked another, and the answer it was
given. It was made by Tolbooth, the gateway of the organisation that answered. It is an ordinary tar file;
every file in it is text but `record/sealed`, if that is there, which begins with 32 random bytes.

Nothing in this page proves anything. To have everything checked, get the log's public key from the
organisation by another way than this file (it is one line), and run, without any network:

    tolbooth ledger verify FILE.pack --key LOG.vkey
    python3 verifier.py FILE.pack --key LOG.vkey

The second is an independent program of one file, which needs Python and its package `cryptography`.

By hand: the name of each file below `evidence/` is the SHA-256 of its bytes (`sha256sum`). SHA-256 of
`record/sealed` is the value of `sealed` in `record/envelope.json`. A file `proof.txt` is a C2SP tlog-proof:
an index, the hashes of an RFC 6962 inclusion proof of the envelope beside it, and a signed checkpoint.

";

const FILES: &str = "\
record/     the record as it stands in the log, with the proof that it does
ruleset/    the entry that brought the rules of that moment into force
next/       the entry of the rules that came after them, if others did
evidence/   every file of those rules, under its digest
log.vkey    the log's public key, as the gateway says it
";

pub(super) fn readme(exchange: &Exchange, pack: &Pack, missing: &[Digest]) -> String {
    let mut text = format!("EVIDENCE FOR EXCHANGE {}\n\n{ABOUT}", exchange.exchange);
    let london = exchange.time.in_tz(crate::clock::ZONE).ok();
    let when = london.map(|at| format!("{} at {}", date_in_words(at.date()), at.strftime("%H:%M:%S %Z")));
    let or_none = |what: &Option<String>| what.clone().unwrap_or_else(|| "none".to_owned());
    let told = match &exchange.code {
        Some(code) => format!("{} ({code})", exchange.outcome),
        None => exchange.outcome.clone(),
    };
    let facts = [
        ("Recorded", when.unwrap_or_else(|| exchange.time.to_string())),
        ("Who asked", exchange.consumer.clone()),
        ("Who was asked", exchange.provider.clone()),
        ("For what", or_none(&exchange.dataset)),
        ("Agreement", or_none(&exchange.agreement)),
        ("What they were told", told),
        ("Log", exchange.log.clone()),
        ("Record", exchange.index.to_string()),
    ];
    for (name, value) in facts {
        let _ = writeln!(text, "{name:<20} {value}");
    }
    let _ = write!(text, "\nWhat lies where\n\n{FILES}");
    if pack.sealed.is_none() {
        text.push_str(
            "\nThe sealed part of the record is not in this pack, nor the certificates it names.\n",
        );
    }
    named(&mut text, pack);
    if !missing.is_empty() {
        text.push_str("\nThese are named by the records and were not kept whole, and so are not here:\n\n");
        for digest in missing {
            let _ = writeln!(text, "{}", digest.hex());
        }
    }
    text
}

/// The files of the ruleset by their names.
fn named(text: &mut String, pack: &Pack) {
    let entry = pack.ruleset.as_ref().and_then(|part| RulesetEntry::read(&part.envelope));
    let Some(digest) = entry.and_then(|entry| Digest::parse(&entry.manifest)) else { return };
    let _ = write!(text, "\nThe rules, file by file\n\n{}  (this list)\n", digest.hex());
    let manifest = pack.evidence.get(&digest).and_then(|bytes| Manifest::read(bytes));
    for (name, digest) in manifest.map_or(Vec::new(), |manifest| manifest.files) {
        let _ = writeln!(text, "{}  {name}", digest.trim_start_matches("sha256:"));
    }
}
