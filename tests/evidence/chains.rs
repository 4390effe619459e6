//! Callers' certificates: kept before the first record under them, named in its sealed part.

use serde_json::{Value, json};
use tolbooth::model::Digest;

use super::support::here::Here;
use super::support::ledger::{exchange, search};
use super::support::site::Site;
use super::{ask, gather};

#[test]
fn a_callers_certificates_are_kept_before_the_first_record_that_names_them() {
    let mut here = Here::start(Site::new("evidence-chains"));
    let said = ask(&here);
    let socket = here.running().admin_socket.clone();
    let sealed = exchange(&socket, said.exchange())["sealed"].clone();
    let shown = std::fs::read_to_string(&here.site.trial.nhs.certificate).unwrap();
    let kept = |sealed: &Value| {
        assert_eq!(sealed["chain_kept"], true, "{sealed}");
        let digest = Digest::parse(sealed["chain"].as_str().unwrap()).unwrap();
        here.ledger().evidence(&digest).unwrap()
    };
    // The same certificates, whatever the file they came from says around them.
    let certificates = |pem: &[u8]| tolbooth::tls::certificates(pem).unwrap();
    assert_eq!(certificates(&kept(&sealed)), certificates(shown.as_bytes()));
    // A refusal to somebody known names them too.
    let refused = here.nhs().ask("/child-protection/v1/check", &[("tolbooth-purpose", "research")], "{}");
    assert_eq!(exchange(&socket, refused.exchange())["sealed"]["chain"], sealed["chain"]);
    // Without a place to keep them, records name them by digest and say so; and so does the pack.
    let evidence = here.site.ledger().join("evidence");
    here.restart();
    let socket = here.running().admin_socket.clone();
    let aside = evidence.with_extension("aside");
    std::fs::rename(&evidence, &aside).unwrap();
    std::fs::write(&evidence, "no folder").unwrap();
    let said = ask(&here);
    let named = exchange(&socket, said.exchange())["sealed"].clone();
    assert_eq!((&named["chain"], &named["chain_kept"]), (&sealed["chain"], &json!(false)));
    std::fs::remove_file(&evidence).unwrap();
    std::fs::rename(&aside, &evidence).unwrap();
    let ran = gather(&here, said.exchange(), "case.pack", &["--sealed"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let key = here.site.key();
    let pack =
        tolbooth::ledger::verify::pack::Pack::read(&std::fs::read(here.site.home.join("case.pack")).unwrap());
    let judged = tolbooth::desk::evidence::judge(&pack.unwrap(), Some(&key)).unwrap();
    let chain = judged.findings.iter().find(|finding| finding.what == "chain").unwrap();
    assert_eq!(chain.verdict.as_str(), "not proven", "{chain:?}");
    assert!(chain.says.contains(sealed["chain"].as_str().unwrap()), "{chain:?}");
    let reads = search(&socket, json!({ "kind": "read" }));
    assert!(reads.iter().any(|read| read["envelope"]["action"] == "evidence"), "{reads:?}");
}
