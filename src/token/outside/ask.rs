//! Asking an issuer about an opaque token (RFC 7662), as the client it knows us by: by our certificate
//! (`tls_client_auth`, RFC 8705 section 2.1) or a signature (`private_key_jwt`, RFC 7523 section 2.2).
//!
//! The request is `oauth2`'s to write, over our own client. What comes back goes through the house's strict
//! reader first, so that nothing in it has two readings.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use oauth2::basic::{BasicClient, BasicTokenIntrospectionResponse};
use oauth2::{
    AccessToken, AuthType, ClientId, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    IntrospectionUrl, TokenIntrospectionResponse as _,
};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::answers::{Answers, Said};
use super::file::AskFile;
use crate::clock::Clock;
use crate::crypto::{random, sha256};
use crate::https::{HttpsClient, HttpsFault, HttpsUrl};
use crate::json::{Document, Kind, Node};
use crate::tls::MessageKey;
use crate::token::TOKEN_BYTES_MAX;
use crate::token::claims::Claims;
use crate::token::fault::TokenFault;
use crate::token::issuer::Issuer;
use crate::token::verify::{self, Times};

/// Claims of one token, as large as the largest JWT.
pub(super) const ANSWER_BYTES_MAX: usize = 32 * 1024;
const DEPTH_MAX: usize = 8;
/// How long what we sign for the issuer counts, in seconds.
const ASSERTION_SECONDS: i64 = 60;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

type Client = BasicClient<EndpointNotSet, EndpointNotSet, EndpointSet, EndpointNotSet, EndpointNotSet>;

/// One issuer, and how it is asked.
pub struct Ask {
    url: HttpsUrl,
    client: Client,
    https: HttpsClient,
    /// Signs who we are, where our certificate does not say it.
    signs: Option<MessageKey>,
    /// For the issuer, as the audience of what we sign.
    name: Arc<str>,
    /// Over all threads: an issuer that has stopped answering holds so many questions and no more.
    places: Semaphore,
    time_max: Duration,
    answers: Mutex<Answers>,
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ask({}, ***)", self.url)
    }
}

impl Ask {
    /// `None` if the address is not one for `oauth2`.
    pub(super) fn new(
        file: AskFile,
        https: HttpsClient,
        signs: Option<MessageKey>,
        issuer: &Issuer,
    ) -> Option<Self> {
        let url = IntrospectionUrl::new(file.url.as_str().to_owned()).ok()?;
        let client = oauth2::basic::BasicClient::new(ClientId::new(file.client))
            .set_auth_type(AuthType::RequestBody)
            .set_introspection_url(url);
        Some(Self {
            url: file.url,
            client,
            https,
            signs,
            name: Arc::clone(&issuer.name),
            places: Semaphore::new(file.at_once_max),
            time_max: Duration::from_secs(file.seconds_max),
            answers: Mutex::default(),
        })
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        // What is in it is whole after every step.
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the issuer says of a token, now or a moment ago. Whether it fits whoever presents it is
    /// [`Claims::fit`]'s to say.
    pub async fn about(&self, token: &str, issuer: &Issuer, clock: &Clock) -> Said {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenFault::TooLarge);
        }
        if !token.bytes().all(is_token_byte) {
            return Err(TokenFault::Letters);
        }
        let digest = sha256(&[token.as_bytes()]);
        if let Some(said) = self.answers().get(&digest, clock) {
            return said;
        }
        let asked = async {
            let _place = self.places.acquire().await.map_err(|_| TokenFault::Silent)?;
            // Somebody may have asked about the same token while this waited.
            let known = self.answers().get(&digest, clock);
            if let Some(said) = known {
                return said;
            }
            let at = clock.moment();
            let said = self.ask(token, issuer, clock).await;
            // That it did not answer is no answer.
            if said.as_ref().err() != Some(&TokenFault::Silent) {
                self.answers().put(digest, said.clone(), at, clock);
            }
            said
        };
        timeout(self.time_max, asked).await.unwrap_or(Err(TokenFault::Silent))
    }

    async fn ask(&self, token: &str, issuer: &Issuer, clock: &Clock) -> Said {
        let token = AccessToken::new(token.to_owned());
        let mut request = self.client.introspect(&token).set_token_type_hint("access_token");
        if let Some(key) = &self.signs {
            let assertion = self.assertion(key, clock).ok_or(TokenFault::Silent)?;
            request = request
                .add_extra_param("client_assertion_type", ASSERTION_TYPE)
                .add_extra_param("client_assertion", assertion);
        }
        let heard = RefCell::new(None);
        let send = |request: HttpRequest| self.send(request, &heard);
        let answer = request.request_async(&send).await;
        let answer: BasicTokenIntrospectionResponse = answer.map_err(|_| {
            // What it was is the error's to say, and may hold what the issuer wrote: said by kind alone.
            tracing::warn!(issuer = &*self.name, "an issuer gave no answer about a token that can be used");
            TokenFault::Silent
        })?;
        let document = heard.into_inner().ok_or(TokenFault::Silent)?;
        if answer.active() { read(&document.root(), issuer).map(Arc::new) } else { Err(TokenFault::Inactive) }
    }

    /// Over our own client; what comes back is kept in `heard` if it can be read in one way.
    async fn send(
        &self,
        request: HttpRequest,
        heard: &RefCell<Option<Document>>,
    ) -> Result<HttpResponse, HttpsFault> {
        let answer = self.https.send(&self.url, request.map(Bytes::from)).await.inspect_err(|fault| {
            tracing::warn!(issuer = &*self.name, %fault, "an issuer could not be asked about a token");
        })?;
        let document = Document::parse(answer.body().clone(), DEPTH_MAX).map_err(|_| HttpsFault::Broken)?;
        if document.root().kind() != Kind::Object {
            return Err(HttpsFault::Broken);
        }
        *heard.borrow_mut() = Some(document);
        Ok(answer.map(|body| body.to_vec()))
    }

    /// That it is us who ask, signed (RFC 7523 section 3).
    fn assertion(&self, key: &MessageKey, clock: &Clock) -> Option<String> {
        let now = clock.now().as_second();
        let client = self.client.client_id().as_str();
        let header = json!({ "typ": "JWT", "alg": key.algorithm() });
        let claims = json!({
            "iss": client,
            "sub": client,
            "aud": &*self.name,
            "jti": URL_SAFE_NO_PAD.encode(random::<16>()?),
            "iat": now,
            "exp": now.saturating_add(ASSERTION_SECONDS),
        });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = key.sign(message.as_bytes())?;
        Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// `b64token` (RFC 6750 section 2.1).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

/// What an answer about an active token says (RFC 7662 section 2.2, RFC 8705 section 3.2).
fn read(answer: &Node<'_>, issuer: &Issuer) -> Result<Claims, TokenFault> {
    if answer.get("iss").is_some() && verify::text(answer, "iss")? != *issuer.name {
        return Err(TokenFault::Issuer);
    }
    let time = |name| answer.get(name).map(|_| verify::seconds(answer, name)).transpose();
    let (issued, not_before) = (time("iat")?.unwrap_or(0), time("nbf")?);
    let times = Times { issued, not_before, expires: verify::seconds(answer, "exp")? };
    verify::claims_of(answer, issuer, times)
}
