use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{HttpsBounds, HttpsClient, HttpsFault, HttpsUrl};
use crate::model::{MemberId, SystemName};
use crate::tls::issue::{self, Authority, Lifetime};
use crate::tls::{Anchor, ClientTls, Credential, ServerTls, SpiffeId, TrustDomain};

const PATIENCE: Duration = Duration::from_secs(60);
const BOUNDS: HttpsBounds = HttpsBounds { time_max: PATIENCE, bytes_max: 64 };

/// A server under a CA of its own, and the client that knows that CA, or another.
struct Place {
    server: ServerTls,
    client: ClientTls,
    other: ClientTls,
}

impl Place {
    fn new() -> Self {
        let domain = TrustDomain::new(MemberId::new("glenmore").unwrap(), "caledonia.example").unwrap();
        let life = Lifetime { now: crate::clock::Clock::new().unwrap().now(), days: 30 };
        let (ca, made) = Authority::create(&domain, "Issuer", 1, life.now).unwrap();
        let (_, other) = Authority::create(&domain, "Others", 1, life.now).unwrap();
        let server = ca.server(&["issuer.test".to_owned()], &["127.0.0.1".parse().unwrap()], life).unwrap();
        let own =
            Credential::from_pem(("server", server.certificate.as_bytes()), ("key", server.key.as_bytes()));
        let anchor = Anchor::from_der(&issue::der_of(&made.certificate).unwrap()).unwrap();
        let client = SpiffeId { domain, system: SystemName::new("gateway").unwrap() };
        let client = ca.client(&client, life).unwrap();
        let client = Credential::from_pem(("c", client.certificate.as_bytes()), ("k", client.key.as_bytes()));
        Self {
            server: ServerTls::new(&own.unwrap(), &[anchor], false).unwrap(),
            client: ClientTls::new(made.certificate.as_bytes(), Some(&client.unwrap())).unwrap(),
            other: ClientTls::new(other.certificate.as_bytes(), None).unwrap(),
        }
    }
}

/// What the server says, in bytes; it is asked once at `host`.
async fn ask(place: &Place, tls: &ClientTls, host: &str, says: &[u8], bounds: HttpsBounds) -> Asked {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = HttpsUrl::parse(&format!("https://{host}:{port}/keys")).unwrap();
    let client = HttpsClient::new(tls.clone(), bounds);
    let serves = async {
        let mut head = vec![0; 1024];
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            if let Ok(mut connection) = place.server.accept(tcp, PATIENCE).await {
                let read = connection.stream.read(&mut head).await.unwrap_or(0);
                head.truncate(read);
                let _ = connection.stream.write_all(says).await;
                let _ = connection.stream.flush().await;
                std::future::pending::<()>().await;
            }
        }
    };
    let request = Request::get("/elsewhere").body(Bytes::new()).unwrap();
    let answer = tokio::select! { answer = client.send(&url, request) => answer, () = serves => panic!() };
    answer.map(|answer| (answer.status().as_u16(), answer.into_body()))
}

type Asked = Result<(u16, Bytes), HttpsFault>;

#[tokio::test]
async fn an_answer_is_read_whole_and_nothing_is_followed() {
    let place = Place::new();
    let says = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    let asked = ask(&place, &place.client, "127.0.0.1", says, BOUNDS).await;
    assert_eq!(asked, Ok((200, Bytes::from_static(b"{}"))));
    let says = b"HTTP/1.1 302 Found\r\nlocation: https://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(ask(&place, &place.client, "127.0.0.1", says, BOUNDS).await, Ok((302, Bytes::new())));
}

#[tokio::test]
async fn a_server_that_does_not_prove_its_name_is_not_asked() {
    let place = Place::new();
    let says = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
    for (tls, host) in [(&place.other, "127.0.0.1"), (&place.client, "localhost")] {
        let fault = ask(&place, tls, host, says, BOUNDS).await.unwrap_err();
        assert!(matches!(fault, HttpsFault::Unreachable(_)), "{host}: {fault}");
    }
}

#[tokio::test]
async fn what_is_too_large_compressed_broken_or_late_is_no_answer() {
    let place = Place::new();
    let large =
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n41\r\n{}\r\n0\r\n\r\n", "x".repeat(65));
    for (says, wanted) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 65\r\n\r\n", HttpsFault::TooLarge),
        (&large, HttpsFault::TooLarge),
        ("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}", HttpsFault::Compressed),
        ("SSH-2.0-OpenSSH\r\n\r\n", HttpsFault::Broken),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}", HttpsFault::Broken),
    ] {
        assert_eq!(
            ask(&place, &place.client, "127.0.0.1", says.as_bytes(), BOUNDS).await,
            Err(wanted),
            "{says}"
        );
    }
    let soon = HttpsBounds { time_max: Duration::from_millis(300), ..BOUNDS };
    for says in ["", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{"] {
        assert_eq!(
            ask(&place, &place.client, "127.0.0.1", says.as_bytes(), soon).await,
            Err(HttpsFault::Late)
        );
    }
}

#[test]
fn an_address_is_https_and_a_place_alone() {
    let url = HttpsUrl::parse("https://issuer.example/keys").unwrap();
    assert_eq!(
        (url.server.host.as_str(), url.server.port, url.path.as_str()),
        ("issuer.example", 443, "/keys")
    );
    assert_eq!(HttpsUrl::parse("https://[::1]:8443").unwrap().server.host, "::1");
    for bad in [
        "",
        "http://issuer.example/",
        "HTTPS://issuer.example/",
        "https://",
        "https:///keys",
        "https://user:word@issuer.example/",
        "https://issuer.example/?a=b",
        "https://issuer.example/#a",
        "https://issuer.example:99999/",
        "https://issuer.example:/",
        " https://issuer.example/",
    ] {
        assert!(HttpsUrl::parse(bad).is_err(), "{bad}");
    }
}
