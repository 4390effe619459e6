//! External issuers: what a real OAuth 2.0 server says of a partner's user is proven, within what the
//! member it speaks for lists, and nothing else is believed.
#![cfg(test)]

mod support;

use support::gateway::Gateway;
use support::issuer::{self, Issuer};

#[test]
fn the_issuer_of_the_tests_is_a_real_one() {
    let gateway = Gateway::start("issuer");
    let mut issuer = Issuer::start(&gateway.home, 60);
    let jwt = issuer.token(&gateway.trial.nhs, issuer::NURSE_CLIENT, issuer::JWT);
    assert_eq!(jwt.split('.').count(), 3);
    let opaque = issuer.token(&gateway.trial.nhs, issuer::NURSE_CLIENT, issuer::OPAQUE);
    assert!(!opaque.contains('.'));
    assert_eq!(issuer.token_by_key(&gateway.trial.nhs, issuer::JWT).split('.').count(), 3);
    issuer.revoke(&gateway.trial.nhs, issuer::NURSE_CLIENT, &opaque);
    issuer.rotate(false);
    issuer.restart();
    assert_ne!(issuer.token(&gateway.trial.nhs, issuer::NURSE_CLIENT, issuer::JWT), jwt);
}
