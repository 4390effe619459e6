//! Talking to what answers: TLS, both certificates, whether it is a gateway, and what it says.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::Target;
use super::answer::judge;
use super::papers::Papers;
use super::report::{Report, Stopped};
use crate::clock::Clock;
use crate::tls::{Certificate, Probe, ProbeFault, Seen, alert_in};

const TLS: &str = "TLS";
const SERVER: &str = "server certificate";
const ACCEPTED: &str = "accepted";
pub(super) const GATEWAY: &str = "gateway";
/// The largest view that is read.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A server says that it does not accept a certificate only after its own part of the handshake (RFC 8446
/// section 2), so it is given at least this long to.
const ALERT_WITHIN: Duration = Duration::from_millis(300);

/// What came back.
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Halfway between asking and hearing, as this machine has it.
    pub(super) heard_at: Timestamp,
}

pub(super) async fn talk(
    target: &Target,
    papers: &Papers,
    stream: TcpStream,
    report: &mut Report,
    clock: &Clock,
    within: Duration,
) -> Result<(), Stopped> {
    let probe = Probe::new(&papers.ca, papers.credential.as_ref()).map_err(|error| {
        report.bad(TLS, error.to_string(), "give --cacert, --cert and --key PEM files that belong together")
    })?;
    let began = Instant::now();
    let shaken = timeout(within, probe.connect(&target.host, stream)).await;
    let took = began.elapsed();
    let seen = probe.seen();
    let mut stream = match shaken {
        Ok(Ok(stream)) => stream,
        Ok(Err(fault)) => return Err(handshake(&fault, &seen, target, papers, report, clock)),
        Err(_) => {
            let next = "try again; if it stays so, ask the host whether the gateway is overloaded";
            return Err(report.unsure(TLS, "the handshake did not end in time", next));
        }
    };
    report.good(TLS, "TLS 1.3");
    let days = seen.chain.first().map_or(0, |leaf| leaf.days_left(clock.now()));
    report.good(SERVER, format!("it is proven to be {}, for another {days} days", target.host));
    // Nothing is sent yet, so all that can come is an alert, or the end.
    let patience = (took * 2).max(ALERT_WITHIN).min(within);
    if let Ok(ended) = timeout(patience, stream.read_u8()).await {
        let alert = ended.err().and_then(|error| alert_in(&error));
        return Err(not_accepted(alert, papers, report));
    }
    // A token is for a gateway, and what asks for no certificate is none.
    let token = papers.token.as_ref().filter(|_| seen.asked);
    let said = match timeout(within, ask(target, token, stream, clock)).await {
        Ok(Ok(said)) => said,
        Ok(Err(Unheard::Alert(alert))) => return Err(not_accepted(Some(alert), papers, report)),
        Ok(Err(Unheard::Broken(why))) => {
            return Err(report.unsure(GATEWAY, format!("no answer: {why}"), "try again, then ask the host"));
        }
        Err(_) => return Err(report.unsure(GATEWAY, "no answer in time", "try again, then ask the host")),
    };
    judge(&said, target, papers, seen.asked, report)
}

/// Why a handshake failed, in the order of its parts.
fn handshake(
    fault: &ProbeFault,
    seen: &Seen,
    target: &Target,
    papers: &Papers,
    report: &mut Report,
    clock: &Clock,
) -> Stopped {
    let host = &target.host;
    match fault {
        ProbeFault::Name => {
            report.bad(TLS, format!("{host} is no name a certificate can prove"), "check the URL")
        }
        ProbeFault::NotTls => {
            let said = "what answers does not speak TLS: perhaps plain HTTP, or a proxy's own page";
            report.bad(TLS, said, "check the port: a gateway speaks nothing but TLS")
        }
        ProbeFault::NoTls13 => {
            let said = "what answers does not speak TLS 1.3";
            let next = "ask the network team whether something between ends TLS 1.2 connections; a gateway speaks 1.3";
            report.bad(TLS, said, next)
        }
        ProbeFault::Alert(alert) => {
            let said = format!("the server ended the handshake: {alert}");
            report.bad(TLS, said, "send the host this line and the time")
        }
        ProbeFault::Closed(why) => {
            let next =
                "try again; if it stays so, a firewall or proxy between may cut TLS: ask the network team";
            report.unsure(TLS, format!("the connection broke in the handshake: {why}"), next)
        }
        certificate => {
            report.good(TLS, "TLS 1.3");
            server_certificate(certificate, seen.chain.first(), target, papers, report, clock)
        }
    }
}

fn server_certificate(
    fault: &ProbeFault,
    leaf: Option<&Certificate>,
    target: &Target,
    papers: &Papers,
    report: &mut Report,
    clock: &Clock,
) -> Stopped {
    let (host, ca) = (&target.host, &papers.ca_file);
    let issuer = leaf.map_or("nobody known", |leaf| leaf.issuer.as_str());
    let subject = leaf.map_or("nobody known", |leaf| leaf.subject.as_str());
    let here = format!("here it is {:.0}", clock.now());
    match fault {
        ProbeFault::UnknownIssuer => {
            let said = format!(
                "it was issued by `{issuer}`, which is not in {ca}: an intercepting proxy shows certificates of its own, under its own CA"
            );
            let next = format!(
                "if `{issuer}` is your own organisation's proxy, have {host} taken out of TLS inspection; else give --cacert the gateway's CA"
            );
            report.bad(SERVER, said, next)
        }
        ProbeFault::WrongName => {
            let names = leaf.map_or_else(Vec::new, |leaf| {
                leaf.dns.iter().cloned().chain(leaf.ips.iter().map(ToString::to_string)).collect()
            });
            let said = format!(
                "it is for {}, not for {host}",
                if names.is_empty() { "no name".into() } else { names.join(", ") }
            );
            report.bad(
                SERVER,
                said,
                "use a name the certificate is for, or ask the host for one with this name",
            )
        }
        ProbeFault::Expired => {
            let end = leaf.map_or_else(|| "some time ago".to_owned(), |leaf| leaf.not_after.to_string());
            let next = "if this machine's clock is right, ask the host to renew it";
            report.bad(SERVER, format!("it expired at {end} ({here})"), next)
        }
        ProbeFault::NotYetValid => {
            let begin = leaf.map_or_else(|| "later".to_owned(), |leaf| leaf.not_before.to_string());
            report.bad(SERVER, format!("it begins at {begin}, and {here}"), "set this machine's clock")
        }
        other => {
            let said = format!("`{subject}`, issued by `{issuer}`, was not accepted: {other:?}");
            report.bad(SERVER, said, "send the host this line")
        }
    }
}

/// The server took its own part of the handshake and refused ours.
fn not_accepted(alert: Option<String>, papers: &Papers, report: &mut Report) -> Stopped {
    let Some(alert) = alert else {
        let said = "the server closed the connection once it had seen the certificate, without a word";
        let next =
            "ask the host for what its gateway counted at this minute (tolbooth_handshakes_failed_total)";
        return report.unsure(ACCEPTED, said, next);
    };
    if papers.credential.is_none() {
        let said = format!("a client certificate is wanted, and none was sent ({alert})");
        return report.bad(ACCEPTED, said, "give --cert and --key");
    }
    let (said, next) = match alert.as_str() {
        "UnknownCA" => (
            "the gateway does not know the CA of this certificate",
            "the host must list your member's CA in members.toml; a sandbox's certificate is for the sandbox alone, and others are for the gateway alone",
        ),
        "CertificateExpired" => (
            "the gateway says that this certificate has expired: by its clock, or its CA has",
            "compare clocks with the host, and renew certificate and CA",
        ),
        "BadCertificate" | "CertificateUnknown" | "UnsupportedCertificate" => (
            "the gateway cannot use this certificate",
            "ask for one that is for clients, made by `tolbooth certs client`",
        ),
        "CertificateRevoked" => ("this certificate was revoked", "ask your member's CA for a new one"),
        _ => ("the gateway did not accept this certificate", "send the host this line and the time"),
    };
    report.bad(ACCEPTED, format!("{said} ({alert})"), next)
}

enum Unheard {
    Alert(String),
    Broken(String),
}

/// Asks for the caller's own view of the dataset, or, without one, for nothing that is there.
async fn ask<IO>(
    target: &Target,
    token: Option<&Zeroizing<String>>,
    stream: IO,
    clock: &Clock,
) -> Result<Said, Unheard>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let unheard = |error: &(dyn std::error::Error + 'static)| match alert_in(error) {
        Some(alert) => Unheard::Alert(alert),
        None => Unheard::Broken(error.to_string()),
    };
    let path =
        target.dataset.as_ref().map_or_else(|| "/".to_owned(), |dataset| format!("/{dataset}/openapi.json"));
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| unheard(&error))?;
    let driven = tokio::spawn(connection);
    let mut request = Request::get(path).header("host", &target.authority);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {}", token.as_str()));
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(|error| unheard(&error))?;
    let began = clock.now();
    let response = sender.send_request(request).await.map_err(|error| unheard(&error))?;
    let half = clock.now().duration_since(began).as_millis() / 2;
    let heard_at = began.checked_add(jiff::SignedDuration::from_millis(i64::try_from(half).unwrap_or(0)));
    let (parts, body) = response.into_parts();
    let collected = Limited::new(body, BODY_BYTES_MAX).collect().await;
    let body = collected.map_err(|error| Unheard::Broken(error.to_string()))?.to_bytes();
    driven.abort();
    Ok(Said {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
        heard_at: heard_at.unwrap_or(began),
    })
}
