//! Evidence packs: gathered through the running gateway, judged offline by two programs that share no code, and
//! each thing they are to catch tampered with alone. Also what else is kept for that: callers' certificates,
//! rules on the record, and explaining a past exchange.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../support/mod.rs"]
mod support;

mod alike;
mod chains;
mod explain;
mod forged;
mod grant;
mod guardian;
mod page;
mod rules;
mod tampered;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::gateway::CHI;
use support::here::Here;
use support::partner::Said;
use support::site::{Ran, run};
use tolbooth::desk::evidence::{Verdict, judge};
use tolbooth::ledger::verify::pack::Pack;
use tolbooth::merkle::note::VerifierKey;

/// What the nurse asks, answered.
fn ask(here: &Here) -> Said {
    let body = format!("{{\"chi\":\"{CHI}\"}}");
    let said = here.nhs().ask("/child-protection/v1/check", &[("tolbooth-role", "ed_nurse")], &body);
    assert_eq!((said.status, said.outcome()), (200, "answered"), "{said:?}");
    said
}

fn gather(here: &Here, exchange: &str, out: &str, more: &[&str]) -> Ran {
    let arguments =
        ["ledger", "evidence", "--exchange", exchange, "--purpose", "a complaint", "--out", out, "--json"];
    run(&here.site.home, &[&arguments, more].concat())
}

/// The independent program.
fn python(arguments: &[&str]) -> (Option<i32>, Value) {
    let verifier = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verifier.py");
    let out = Command::new("python3").arg(verifier).args(arguments).arg("--json").output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let said = serde_json::from_str(&text);
    (out.status.code(), said.unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&out.stderr))))
}

/// What is told as `verdict`; of bytes that are no pack at all, `pack` alone.
fn told<'v>(said: &'v Value, verdict: &str) -> BTreeSet<&'v str> {
    let Some(findings) = said["findings"].as_array() else {
        assert!(said["fault"].is_string(), "{said}");
        return if verdict == "wrong" { BTreeSet::from(["pack"]) } else { BTreeSet::new() };
    };
    let of = findings.iter().filter(|finding| finding["verdict"] == verdict);
    of.map(|finding| finding["what"].as_str().unwrap()).collect()
}

/// What ours finds wrong.
fn wrong(bytes: &[u8], key: &VerifierKey) -> BTreeSet<&'static str> {
    let Ok(judgement) =
        Pack::read(bytes).map_err(|fault| fault.to_string()).and_then(|pack| judge(&pack, Some(key)))
    else {
        return BTreeSet::from(["pack"]);
    };
    judgement.of(Verdict::Wrong).map(|finding| finding.what).collect()
}
