//! Issuers of others: for whom they speak, and what their words for roles mean here.

use std::sync::Arc;

use super::samples::{Forge, ISSUER, NOW, claims, presenter, system, with};
use crate::token::{Algorithm, Cache, Issuer, Issuers, Presenter, TokenFault};

#[test]
fn an_issuer_of_others_speaks_for_members_that_list_it_on_every_use() {
    let forge = Forge::new();
    let mine = forge.issuer();
    let mut outside = Issuer::outside(
        ISSUER.to_owned(),
        "urn:glenmore".to_owned(),
        mine.mapping.clone(),
        vec![Algorithm::EdDsa],
        600,
    );
    outside.keys = Arc::clone(&mine.keys);
    let issuers = Issuers::new([Arc::new(outside)]);
    let (system, mut cache) = (system(), Cache::new(1));
    let mut present = |hears: &[&str]| {
        let hears: Vec<String> = hears.iter().map(|name| (*name).to_owned()).collect();
        let presenter = Presenter { hears: &hears, ..presenter(&system, NOW) };
        cache.present(&forge.claims(&claims()), &issuers, 1, &presenter).err()
    };
    assert_eq!(present(&[ISSUER]), None);
    // The token is remembered by now.
    for hears in [&[][..], &["https://other.example"], &["https://other.example", "urn:x"]] {
        assert_eq!(present(hears), Some(TokenFault::NotHeard), "{hears:?}");
    }
    assert_eq!(present(&["https://other.example", ISSUER]), None);
}

#[test]
fn of_several_roles_exactly_one_must_be_ours() {
    let forge = Forge::new();
    let present = |role: &str| {
        let token = forge.claims(&with("role", role));
        let system = system();
        let now = presenter(&system, NOW);
        Cache::new(1).present(&token, &forge.issuers, 1, &now).map(|claims| claims.role.clone())
    };
    let nurse = Ok(Some("ed_nurse".to_owned()));
    for good in ["\"Nurse\"", "[\"Nurse\"]", "[\"Porter\",\"Nurse\"]", "[\"Nurse\",\"Nurse\"]"] {
        assert_eq!(present(good), nurse, "{good}");
    }
    let many = format!("[{}]", ["\"Nurse\""; 65].join(","));
    for bad in ["\"Porter\"", "[]", "[\"Nurse\",7]", "{}", "null", "\"ed_nurse\"", "[[\"Nurse\"]]", &many] {
        assert_eq!(present(bad), Err(TokenFault::Claim("of the role")), "{bad}");
    }
}
