//! The gate end to end: a partner with a certificate asks, gets exactly what the agreement releases,
//! and holds a receipt.

mod support;

use support::gateway::{CHI, Gateway};

#[test]
fn a_child_protection_check_is_answered_with_what_was_agreed_and_no_more() {
    let gateway = Gateway::start("check");
    let said = gateway.nhs().ask(
        "/child-protection/v1/check",
        &[("tolbooth-role", "ed_nurse")],
        &format!("{{\"chi\":\"{CHI}\"}}"),
    );
    assert_eq!(said.status, 200, "{said:?}");
    assert_eq!(said.outcome(), "answered");
    let names: Vec<String> = said.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        names,
        ["registered", "status", "start_date", "lead_officer", "date_of_birth", "recent_enquiries"]
    );
    assert_eq!(said.json()["date_of_birth"], 2017);
    assert!(!said.header("tolbooth-receipt").is_empty());
}
