//! The caller's access token (RFC 6750), and the challenges of refusals about it.
//!
//! A token is read from `Authorization` alone, never from a body, a query or a cookie. One that is there is
//! verified whatever the agreement wants: what is wrong is refused, never ignored.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::directory::{Identity, Member};
use crate::model::{AgreementId, Assurance, Code, Origin, PurposeCode, RoleId, Stated};
use crate::token::{Claims, Presenter, TokenFault, issuer_said};

use super::accept::Known;
use super::refusal::Why;
use super::road::Worker;

/// RFC 6750 section 3: without an error code, since no token was given.
const CHALLENGE: &str = "Bearer realm=\"tolbooth\"";

/// How soon to ask again where an issuer could not be asked, or its keys had: it was asked a moment ago.
const UNDECIDED_SECONDS: u64 = 10;

/// Verifies the caller's token, if there is one, as one for this gateway, now, and from this certificate.
/// What it proves is kept with the exchange.
pub(super) async fn present(
    worker: &Worker,
    known: &mut Known,
    identity: &Identity,
    headers: &HeaderMap,
) -> Result<(), Why> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(()) };
    if values.next().is_some() {
        return Err(Why::new(Code::MalformedHttp)
            .detail("The header authorization is there twice.")
            .challenge(format!("{CHALLENGE}, error=\"invalid_request\"")));
    }
    let token = bearer(value.as_bytes()).ok_or(TokenFault::Scheme);
    let claims = match token {
        Ok(token) => verified(worker, known, identity, token).await,
        Err(fault) => Err(fault),
    };
    let claims = claims.map_err(|fault| refused(worker, fault))?;
    // A header may repeat what the token proves. It may not say otherwise, nor what the issuer is there to
    // say and did not.
    let (says, stated) = (claims.says, &known.claims);
    for (header, says, proven, stated) in [
        ("Tolbooth-User", says.user, &claims.user, &stated.user),
        ("Tolbooth-Role", says.role, &claims.role, &stated.role),
    ] {
        if says && stated.is_some() && proven != stated {
            let detail = format!("The header {header} says other than the token.");
            return Err(Why::new(Code::TokenInsufficient).detail(detail).challenge(insufficient("")));
        }
    }
    known.assurance = Assurance::Token;
    known.token = Some(claims);
    Ok(())
}

/// What a token says of whoever presents it: read here if it is a JWT, told by its issuer if it is opaque.
async fn verified(
    worker: &Worker,
    known: &Known,
    identity: &Identity,
    token: &str,
) -> Result<Arc<Claims>, TokenFault> {
    let directory = &known.ruleset.directory;
    let hears = directory.member(&identity.system().member).map(Member::issuers).unwrap_or_default();
    let presenter = Presenter {
        system: identity.system(),
        federation: directory.federation(),
        certificate: &identity.certificate(),
        hears,
        now: worker.road.clock.now(),
    };
    let asked = known.ruleset.outsiders.asked(hears).filter(|one| may_be_of(token, &one.issuer().name));
    if let Some((issuer, ask)) = asked.and_then(|one| Some((one.issuer(), one.asked()?))) {
        let claims = ask.about(token, issuer, &worker.road.clock).await?;
        // The issuer may have thought for a while.
        let presenter = Presenter { now: worker.road.clock.now(), ..presenter };
        return claims.fit(&issuer.audience, &presenter).map(|()| claims);
    }
    let issuers = worker.issuers(&known.ruleset);
    worker.tokens.borrow_mut().present(token, &issuers, known.ruleset.epoch, &presenter)
}

/// Whether the issuer of a member's opaque tokens may be asked about this one. What an opaque token looks like is
/// its issuer's business, two dots or none; only one that says it is another's is never shown to it.
fn may_be_of(token: &str, issuer: &str) -> bool {
    issuer_said(token).is_none_or(|said| said == issuer)
}

/// The token in a header's value (RFC 6750 section 2.1; the scheme in any case, RFC 9110 section 11.1).
fn bearer(value: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn refused(worker: &Worker, fault: TokenFault) -> Why {
    worker.road.metrics.token_refused(fault.as_str());
    // What is missing is on this side: the same token may be good in a moment, and is not challenged.
    if fault.is_undecided() {
        return Why::new(Code::CannotDecide).detail(fault.to_string()).retry_after(UNDECIDED_SECONDS);
    }
    let why = Why::new(Code::TokenNotAccepted).detail(fault.to_string());
    match fault {
        // Section 3.1: an authentication that is not supported is told what is, and no error.
        TokenFault::Scheme => why.challenge(CHALLENGE),
        _ => why.challenge(format!("{CHALLENGE}, error=\"invalid_token\", error_description=\"{fault}\"")),
    }
}

fn insufficient(more: &str) -> String {
    format!("{CHALLENGE}, error=\"insufficient_scope\"{more}")
}

/// Whether what is proven is enough for the agreement, and the token, if there is one, covers the question.
pub(super) fn enough(
    known: &Known,
    wanted: Assurance,
    agreement: &AgreementId,
    purpose: PurposeCode,
) -> Result<(), Why> {
    match known.assurance.lacks(wanted) {
        None => {}
        Some(code @ Code::TokenMissing) => return Err(Why::new(code).challenge(CHALLENGE)),
        Some(code) => return Err(code.into()),
    }
    let scope = known.token.as_ref().and_then(|token| token.scope.as_ref());
    if scope.is_none_or(|scope| scope.covers(agreement, purpose)) {
        return Ok(());
    }
    let needed = format!("agreement:{agreement} purpose:{purpose}");
    Err(Why::new(Code::TokenInsufficient)
        .detail("The token was not asked for with this agreement and purpose in its scope.")
        .challenge(insufficient(&format!(", scope=\"{needed}\""))))
}

/// What is asked for whom, proven by the token or else claimed by a header.
impl Known {
    /// The user, and whether that is proven.
    pub(super) fn user(&self) -> Option<Stated<&str>> {
        stated(self.token.as_ref().and_then(|token| token.user.as_deref()), self.claims.user.as_deref())
    }

    /// The role, in our words, and whether that is proven.
    pub(super) fn stated_role(&self) -> Option<Stated<&str>> {
        stated(self.token.as_ref().and_then(|token| token.role.as_deref()), self.claims.role.as_deref())
    }
}

fn stated<'a>(proven: Option<&'a str>, claimed: Option<&'a str>) -> Option<Stated<&'a str>> {
    let proven = proven.map(|value| Stated { value, origin: Origin::Proven });
    proven.or_else(|| claimed.map(|value| Stated { value, origin: Origin::Claimed }))
}

/// The role the agreement gave, with the origin of what chose it.
pub(super) fn role(known: &Known, chosen: Option<Stated<RoleId>>) -> Option<Stated<RoleId>> {
    let proven = known.stated_role().is_some_and(|stated| stated.origin == Origin::Proven);
    chosen.map(|role| if proven { Stated { origin: Origin::Proven, ..role } } else { role })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::{bearer, may_be_of};

    #[test]
    fn dots_do_not_make_a_token_somebody_elses() {
        let jwt = |claims: &str| format!("e30.{}.e30", URL_SAFE_NO_PAD.encode(claims));
        let ours = "https://id.example";
        for opaque in ["x", "x.y", "x.y.z", "a.b.c.d", "..", &jwt("no JSON"), &jwt("{}"), &jwt("{\"iss\":7}")]
        {
            assert!(may_be_of(opaque, ours), "{opaque}");
        }
        assert!(may_be_of(&jwt("{\"iss\":\"https://id.example\"}"), ours));
        assert!(!may_be_of(&jwt("{\"iss\":\"https://localhost:8443\"}"), ours), "of another, and not shown");
    }

    #[test]
    fn one_scheme_in_any_case_and_one_blank() {
        for good in ["Bearer x.y.z", "bearer x.y.z", "BEARER x.y.z"] {
            assert_eq!(bearer(good.as_bytes()), Some("x.y.z"), "{good}");
        }
        for bad in
            ["", "Bearer", "Bearer ", "Basic x.y.z", "DPoP x.y.z", "Bearer\tx", " Bearer x", "Bearerx y"]
        {
            assert_eq!(bearer(bad.as_bytes()), None, "{bad}");
        }
        // What is no letter of a token is found when the token is read.
        assert_eq!(bearer(b"Bearer  x"), Some(" x"));
        assert_eq!(bearer(b"Bearer \xff"), None);
    }
}
