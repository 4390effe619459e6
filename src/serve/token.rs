//! The token endpoint (RFC 6749 section 4.4, with `tls_client_auth` of RFC 8705 section 2.1), its metadata
//! (RFC 8414) and its keys (RFC 7517), on the partners' listener.
//!
//! It stands beside the road: a token releases nothing, so there is no agreement to decide under and no
//! answer to record (decision 0010). The client is whoever the handshake and the directory have proven; a
//! form can only narrow what the token is for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, PRAGMA, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use serde_json::{Value, json};

use crate::desk::{ScopeFault, scope_of};
use crate::directory::Identity;
use crate::inbound::{Answer, Connection, Worker, collect, is_utf8};
use crate::model::{Code, MemberId, SystemId};
use crate::tls::{SpiffeId, TrustDomain};
use crate::token::{Grant, Mint};

use super::form::Form;

const TOKEN: &str = "/token";
const JWKS: &str = "/jwks";
const METADATA: &str = "/.well-known/oauth-authorization-server";

const FORM: &str = "application/x-www-form-urlencoded";
/// A form with as many agreements as a token names, every colon escaped.
const FORM_BYTES_MAX: usize = 16 * 1024;
/// What an `Authorization` scheme may be called where it is told back.
const SCHEME_BYTES_MAX: usize = 32;
/// Ways of authenticating that are not the certificate's (RFC 6749 section 2.3: one alone).
const OTHER_SECRETS: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// Gives out tokens; shared by all data-plane threads.
pub struct TokenDoor {
    mint: Arc<Mint>,
    per_minute: u32,
    /// Requests of each member in its minute: as many as members.
    asked: Mutex<HashMap<MemberId, (u64, u32)>>,
}

/// An error of RFC 6749 section 5.2, with its description.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Refused {
    InvalidRequest(&'static str),
    /// The certificate names no system, or not the one the form names.
    InvalidClient(&'static str),
    /// As before, and tried in `Authorization` with this scheme: 401.
    OtherScheme(String),
    UnsupportedGrantType,
    InvalidScope(ScopeFault),
    /// Beyond the member's rate or the gateway's places; the RFC has no word for it at this endpoint.
    Later(u64),
    /// A key or random bytes are missing.
    Unable,
}

impl Refused {
    fn error(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient(_) | Self::OtherScheme(_) => "invalid_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope(_) => "invalid_scope",
            Self::Later(_) => "temporarily_unavailable",
            Self::Unable => "server_error",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::OtherScheme(_) => StatusCode::UNAUTHORIZED,
            Self::Later(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn description(&self) -> String {
        match self {
            Self::InvalidRequest(what) | Self::InvalidClient(what) => (*what).to_owned(),
            Self::OtherScheme(_) => "The client certificate is the one authentication here.".to_owned(),
            Self::UnsupportedGrantType => "The one grant type here is client_credentials.".to_owned(),
            Self::InvalidScope(fault) => fault.to_string(),
            Self::Later(seconds) => format!("Ask again in {seconds} s."),
            Self::Unable => "The gateway cannot sign a token now.".to_owned(),
        }
    }

    fn answer(&self) -> Answer {
        let mut answer =
            page(self.status(), &json!({ "error": self.error(), "error_description": self.description() }));
        let mut put = |name: HeaderName, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                answer.headers_mut().insert(name, value);
            }
        };
        match self {
            Self::OtherScheme(scheme) => put(WWW_AUTHENTICATE, format!("{scheme} realm=\"tolbooth\"")),
            Self::Later(seconds) => put(RETRY_AFTER, seconds.to_string()),
            _ => {}
        }
        answer
    }
}

/// What is known of one request for a token: a token releases nothing, and so leaves no record but this line
/// and a count.
#[derive(Default)]
struct Asking {
    /// Bytes of the form.
    arrived: usize,
    system: Option<SystemId>,
    agreements: usize,
}

impl Asking {
    /// Says who was given what, or with which word it was refused. What nobody known sends, and what is beyond a
    /// rate, could fill a disk.
    fn log(&self, refused: Option<&Refused>) {
        let (system, error) =
            (self.system.as_ref().map(tracing::field::display), refused.map(Refused::error));
        if self.system.is_none() || matches!(refused, Some(Refused::Later(_))) {
            tracing::debug!(system, error, "no token was given out");
        } else {
            tracing::info!(system, error, agreements = self.agreements, "a token was asked for");
        }
    }
}

impl TokenDoor {
    pub fn new(mint: Arc<Mint>, per_minute: u32) -> Self {
        Self { mint, per_minute, asked: Mutex::default() }
    }

    /// Whether a path is this door's, byte for byte.
    pub(super) fn is_at(path: &str) -> bool {
        [TOKEN, JWKS, METADATA].contains(&path)
    }

    /// Within what the member may take of the gateway, as any question.
    pub(super) async fn answer(
        &self,
        worker: &Worker,
        connection: &Connection,
        body_max: Duration,
        request: Request<Incoming>,
    ) -> Answer {
        if let Err(seconds) = worker.admit(connection) {
            worker.turned_away(connection);
            return Refused::Later(seconds).answer();
        }
        let mut asking = Asking::default();
        let answer = self.say(worker, connection, body_max, request, &mut asking).await;
        let answered = answer.body().size_hint().lower();
        worker.used(connection, asking.arrived, usize::try_from(answered).unwrap_or(usize::MAX));
        answer
    }

    async fn say(
        &self,
        worker: &Worker,
        connection: &Connection,
        body_max: Duration,
        request: Request<Incoming>,
        asking: &mut Asking,
    ) -> Answer {
        let post = request.uri().path() == TOKEN;
        let wanted = if post { Method::POST } else { Method::GET };
        if *request.method() != wanted {
            return not_allowed(&wanted);
        }
        match request.uri().path() {
            JWKS => return written(StatusCode::OK, self.mint.jwks()),
            METADATA => return page(StatusCode::OK, &metadata(&self.mint.issuer().name)),
            _ => {}
        }
        let metrics = &worker.road().metrics;
        match self.give(worker, connection, body_max, request, asking).await {
            Ok(answer) => {
                metrics.token_issued();
                asking.log(None);
                answer
            }
            Err(refused) => {
                metrics.token_not_issued(refused.error());
                asking.log(Some(&refused));
                refused.answer()
            }
        }
    }

    async fn give(
        &self,
        worker: &Worker,
        connection: &Connection,
        body_max: Duration,
        request: Request<Incoming>,
        asking: &mut Asking,
    ) -> Result<Answer, Refused> {
        // As many as exchanges, so that forms cannot take more memory than questions.
        let _place = worker.place().ok_or(Refused::Later(1))?;
        let road = worker.road();
        let ruleset = road.ruleset.load_full();
        let identity = worker.identity(connection, &ruleset).map_err(|code: Code| {
            road.tally.stranger_refused(code);
            Refused::InvalidClient(code.sentence())
        })?;
        asking.system = Some(identity.system().clone());
        if let Some(given) = request.headers().get(AUTHORIZATION) {
            return Err(Refused::OtherScheme(scheme(given)));
        }
        let member = &identity.system().member;
        self.within_rate(member, road.clock.monotonic().as_secs()).map_err(Refused::Later)?;
        let form = read(request, body_max, &mut asking.arrived).await?;
        let client = spiffe_id(&identity, ruleset.directory.federation())
            .ok_or(Refused::InvalidClient("The client certificate names no system."))?;
        asks(&form, &client)?;
        let today = road.clock.today();
        let scope =
            scope_of(&ruleset, identity.system(), today, form.get("scope")).map_err(Refused::InvalidScope)?;
        asking.agreements = scope.agreements.len();
        let grant = Grant {
            client: &client,
            certificate: &identity.certificate(),
            scope: &scope,
            now: road.clock.now().as_second(),
        };
        let token = self.mint.mint(&grant).ok_or(Refused::Unable)?;
        // RFC 6749 section 5.1; no refresh token (section 4.4.3).
        Ok(page(
            StatusCode::OK,
            &json!({
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": self.mint.seconds(),
                "scope": scope.to_string(),
            }),
        ))
    }

    /// Counts a member's request, or says in how many seconds it may come again.
    fn within_rate(&self, member: &MemberId, now: u64) -> Result<(), u64> {
        // Each change is one step, so a holder that panicked left nothing half done.
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now / 60;
        let (of, count) = asked.entry(member.clone()).or_insert((minute, 0));
        if *of != minute {
            (*of, *count) = (minute, 0);
        }
        if *count >= self.per_minute {
            return Err(60 - now % 60);
        }
        *count += 1;
        Ok(())
    }
}

/// The form of a request, or why it is not one.
async fn read(request: Request<Incoming>, body_max: Duration, arrived: &mut usize) -> Result<Form, Refused> {
    // RFC 6749 section 3.2: parameters stand in the body alone, since addresses are logged.
    if request.uri().query().is_some() {
        return Err(Refused::InvalidRequest("Parameters stand in the body, not in the address."));
    }
    let mut types = request.headers().get_all(CONTENT_TYPE).iter();
    let is_form = types.next().is_some_and(|value| value.to_str().is_ok_and(|value| is_utf8(value, FORM)));
    if !is_form || types.next().is_some() {
        return Err(Refused::InvalidRequest("The body is to be application/x-www-form-urlencoded."));
    }
    let body = collect(request.into_body(), FORM_BYTES_MAX, arrived);
    let body = match tokio::time::timeout(body_max, body).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Err(Refused::InvalidRequest("The body is too large, or broke off.")),
        Err(_) => return Err(Refused::InvalidRequest("The body did not arrive in time.")),
    };
    let twice = "A parameter is there twice, misspelt, or not UTF-8.";
    Form::parse(&body).ok_or(Refused::InvalidRequest(twice))
}

/// Whether a form asks for what can be had, and by whom it comes. Parameters nobody knows are ignored (RFC
/// 6749 section 3.2).
fn asks(form: &Form, client: &str) -> Result<(), Refused> {
    if OTHER_SECRETS.iter().any(|name| form.get(name).is_some()) {
        return Err(Refused::InvalidRequest("The client certificate is the one authentication here."));
    }
    if form.get("client_id").is_some_and(|named| named != client) {
        return Err(Refused::InvalidClient("The client_id is not the SPIFFE id in the client certificate."));
    }
    match form.get("grant_type") {
        None => Err(Refused::InvalidRequest("There is no grant_type.")),
        Some("client_credentials") => Ok(()),
        Some(_) => Err(Refused::UnsupportedGrantType),
    }
}

fn spiffe_id(identity: &Identity, federation: &str) -> Option<String> {
    let system = identity.system();
    let domain = TrustDomain::new(system.member.clone(), federation).ok()?;
    Some(SpiffeId { domain, system: system.system.clone() }.to_string())
}

/// The scheme of an `Authorization` header, for the challenge that must match it (RFC 6749 section 5.2);
/// what is no token (RFC 9110 section 5.6.2) is not repeated.
fn scheme(given: &HeaderValue) -> String {
    let first = given.to_str().unwrap_or_default().split(' ').next().unwrap_or_default();
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let known = !first.is_empty() && first.len() <= SCHEME_BYTES_MAX && first.bytes().all(legal);
    if known { first.to_owned() } else { "Bearer".to_owned() }
}

/// RFC 8414 section 2, RFC 8705 section 3.3.
fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}{TOKEN}"),
        "jwks_uri": format!("{issuer}{JWKS}"),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["tls_client_auth"],
        "tls_client_certificate_bound_access_tokens": true,
    })
}

fn not_allowed(wanted: &Method) -> Answer {
    let mut answer = Refused::InvalidRequest("This method is not for this address.").answer();
    *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    if let Ok(value) = HeaderValue::from_str(wanted.as_str()) {
        answer.headers_mut().insert(ALLOW, value);
    }
    answer
}

fn page(status: StatusCode, body: &Value) -> Answer {
    written(status, body.to_string())
}

fn written(status: StatusCode, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // RFC 6749 section 5.1: both.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_asks_so_often_in_a_minute_and_each_for_itself() {
        let mint = Mint::new("https://x", 60, crate::token::MintKeys::parse("").unwrap());
        let door = TokenDoor::new(Arc::new(mint), 2);
        let member = |id: &str| MemberId::new(id).unwrap();
        assert_eq!(door.within_rate(&member("a"), 100), Ok(()));
        assert_eq!(door.within_rate(&member("a"), 119), Ok(()));
        assert_eq!(door.within_rate(&member("a"), 119), Err(1));
        assert_eq!(door.within_rate(&member("b"), 119), Ok(()));
        assert_eq!(door.within_rate(&member("a"), 120), Ok(()));
    }

    #[test]
    fn a_scheme_is_told_back_only_as_a_word() {
        let of = |text: &'static str| scheme(&HeaderValue::from_static(text));
        assert_eq!(of("Basic eDp5"), "Basic");
        assert_eq!(of("a\"b x"), "Bearer");
        assert_eq!(of(""), "Bearer");
    }
}
