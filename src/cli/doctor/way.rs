//! The way to the gateway: its name, a proxy if one is set, a connection.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Target;
use super::report::{Report, Stopped};

const DNS: &str = "name";
const PROXY: &str = "proxy";
const TCP: &str = "connection";
/// A proxy's whole answer to CONNECT.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// A connection to the gateway, perhaps through a proxy.
pub(super) async fn go(target: &Target, report: &mut Report, within: Duration) -> Result<TcpStream, Stopped> {
    let Some(proxy) = proxy_for(&target.host) else {
        report.skipped(PROXY, "none is set for this host (HTTPS_PROXY)");
        return connect(&target.host, target.port, report, within).await;
    };
    let Some((host, port, credentials)) = Proxy::parse(&proxy) else {
        let said = "HTTPS_PROXY is set, and not to something such as http://proxy.example:3128";
        return Err(report.bad(PROXY, said, "set HTTPS_PROXY right, or this host into NO_PROXY"));
    };
    let stream = connect(&host, port, report, within).await?;
    tunnel(target, stream, credentials, report, within).await
}

async fn connect(host: &str, port: u16, report: &mut Report, within: Duration) -> Result<TcpStream, Stopped> {
    let check = "check the host name in the URL, and this machine's DNS";
    let found = match timeout(within, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(found)) => found.collect::<Vec<_>>(),
        Ok(Err(error)) => return Err(report.bad(DNS, format!("{host} has no address: {error}"), check)),
        Err(_) => return Err(report.bad(DNS, format!("no answer about {host} from DNS in time"), check)),
    };
    let all: Vec<String> = found.iter().map(|address| address.ip().to_string()).collect();
    if found.is_empty() {
        return Err(report.bad(DNS, format!("{host} has no address"), check));
    }
    report.good(DNS, format!("{host} is {}", all.join(", ")));
    let mut faults = Vec::new();
    for address in found {
        match timeout(within, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                report.good(TCP, format!("{address} answers"));
                return Ok(stream);
            }
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                faults.push(format!("{address} refuses: nothing listens there"));
            }
            Ok(Err(error)) => faults.push(format!("{address}: {error}")),
            Err(_) => faults.push(format!("{address} does not answer: a firewall drops what is sent")),
        }
    }
    let next = "check the port, then ask both sides' network teams to let this machine through";
    Err(report.bad(TCP, faults.join("; "), next))
}

/// The proxy in the environment for this host, as curl reads it.
#[expect(clippy::disallowed_methods, reason = "where curl and every other client look for their proxy")]
fn proxy_for(host: &str) -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let skipped = variable("no_proxy").or_else(|| variable("NO_PROXY")).unwrap_or_default();
    if is_skipped(host, &skipped) {
        return None;
    }
    variable("https_proxy").or_else(|| variable("HTTPS_PROXY"))
}

fn is_skipped(host: &str, list: &str) -> bool {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.trim_start_matches('.');
        entry == "*" || host == entry || host.ends_with(&format!(".{entry}"))
    })
}

struct Proxy;

impl Proxy {
    /// Host, port, and `user:password` if there is one.
    fn parse(text: &str) -> Option<(String, u16, Option<String>)> {
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: http::Uri = text.parse().ok()?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"))?;
        let credentials = authority.as_str().rsplit_once('@').map(|(credentials, _)| credentials.to_owned());
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        Some((host, authority.port_u16().unwrap_or(3128), credentials))
    }
}

/// Asks the proxy for a tunnel (RFC 9110 section 9.3.6).
async fn tunnel(
    target: &Target,
    mut stream: TcpStream,
    credentials: Option<String>,
    report: &mut Report,
    within: Duration,
) -> Result<TcpStream, Stopped> {
    use base64::Engine as _;
    let to = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    let (to, port) = (to, target.port);
    let mut head = format!("CONNECT {to}:{port} HTTP/1.1\r\nHost: {to}:{port}\r\n");
    if let Some(credentials) = credentials {
        let encoded = base64::engine::general_purpose::STANDARD.encode(credentials);
        head.push_str(&format!("Proxy-Authorization: Basic {encoded}\r\n"));
    }
    head.push_str("\r\n");
    let asked = timeout(within, async {
        stream.write_all(head.as_bytes()).await?;
        read_head(&mut stream).await
    });
    let said = match asked.await {
        Ok(Ok(said)) => said,
        Ok(Err(error)) => {
            return Err(report.unsure(PROXY, format!("it broke off: {error}"), "ask whoever runs the proxy"));
        }
        Err(_) => return Err(report.unsure(PROXY, "no answer in time", "ask whoever runs the proxy")),
    };
    match status(&said) {
        Some(200..=299) => {
            report.good(PROXY, "it let the connection through");
            Ok(stream)
        }
        Some(407) => {
            let next = "put the proxy's user and password into HTTPS_PROXY, or this host into NO_PROXY";
            Err(report.bad(PROXY, "it wants to know who asks (407)", next))
        }
        Some(status) => {
            let next = format!("ask whoever runs the proxy to let CONNECT {to}:{port} through");
            Err(report.bad(PROXY, format!("it refuses to connect to {to}:{port} ({status})"), next))
        }
        None => Err(report.bad(PROXY, "what answers is no HTTP proxy", "set HTTPS_PROXY right")),
    }
}

/// Byte by byte: what follows belongs to TLS.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    Ok(head)
}

fn status(head: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(head).ok()?;
    text.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.get(..3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_read_as_curl_reads_it() {
        assert_eq!(Proxy::parse("http://proxy.example:8080"), Some(("proxy.example".into(), 8080, None)));
        assert_eq!(Proxy::parse("proxy.example"), Some(("proxy.example".into(), 3128, None)));
        assert_eq!(Proxy::parse("http://a:b@p.example:1"), Some(("p.example".into(), 1, Some("a:b".into()))));
        assert_eq!(Proxy::parse("socks5://p.example"), None);
        assert!(is_skipped("gateway.council.example", "localhost, .council.example"));
        assert!(is_skipped("localhost", "localhost") && is_skipped("x", "*"));
        assert!(!is_skipped("notcouncil.example", "council.example") && !is_skipped("x", ""));
    }
}
