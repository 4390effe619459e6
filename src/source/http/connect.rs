//! Making a connection to the system behind, over TCP or TLS.

use std::path::Path;
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Key;
use super::file::{HttpFile, TlsFile};
use super::pool::Whole;
use crate::model::{Digest, Fault, Faults};
use crate::source::SourceFault;
use crate::tls::{ClientTls, ConnectError, Credential};

/// Answers' heads are small; what does not fit is not an answer we know.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 100;

/// Where to connect to, and how.
#[derive(Debug)]
pub struct Upstream {
    /// Names whom we trust and what we show too, so that a connection made under other certificates
    /// is never used.
    pub key: Key,
    host: String,
    port: u16,
    tls: Option<ClientTls>,
    connect_timeout: Duration,
}

impl Upstream {
    pub fn build(name: &str, file: &HttpFile, base: &Path) -> Result<Self, Faults> {
        let url = &file.url;
        let (key, tls) = match &file.tls {
            None => (format!("http://{}:{}", url.server.host, url.server.port), None),
            Some(tls) => {
                let (tls, digest) = client(name, tls, base)?;
                (format!("https://{}:{} {digest}", url.server.host, url.server.port), Some(tls))
            }
        };
        Ok(Self {
            key: key.into(),
            host: url.server.host.clone(),
            port: url.server.port,
            tls,
            connect_timeout: file.connect_timeout,
        })
    }

    pub async fn connect(&self) -> Result<SendRequest<Whole>, SourceFault> {
        timeout(self.connect_timeout, self.connect_at_leisure()).await.unwrap_or(Err(SourceFault::Timeout))
    }

    async fn connect_at_leisure(&self) -> Result<SendRequest<Whole>, SourceFault> {
        let no_connection = |error: std::io::Error| {
            SourceFault::Unavailable(format!("no connection: {}", error.kind()).into())
        };
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(no_connection)?;
        stream.set_nodelay(true).map_err(no_connection)?;
        let Some(tls) = &self.tls else { return start(stream).await };
        let stream = tls.connect(&self.host, stream).await.map_err(|error| match error {
            ConnectError::Io(error) => no_connection(error),
            error => SourceFault::Unavailable(error.to_string().into()),
        })?;
        start(stream).await
    }
}

async fn start<IO>(stream: IO) -> Result<SendRequest<Whole>, SourceFault>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| SourceFault::Unavailable("the connection broke at once".into()))?;
    // Ends when the sender is dropped or the other side closes; what went wrong, the sender hears.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// Whom to trust and what to show, and a digest of both.
fn client(name: &str, tls: &TlsFile, base: &Path) -> Result<(ClientTls, Digest), Faults> {
    let fault = |file: &str, why: String| Fault::new(name, Some(tls.line), format!("`{file}`: {why}"));
    let ca = std::fs::read(base.join(&tls.ca)).map_err(|error| fault(&tls.ca, error.to_string()))?;
    let credential = match &tls.client {
        None => None,
        Some((certificate, key)) => Some(Credential::load(&base.join(certificate), &base.join(key))?),
    };
    let client =
        ClientTls::new(&ca, credential.as_ref()).map_err(|error| fault(&tls.ca, error.to_string()))?;
    let shown = credential.map(|own| own.certificate().digest.to_string()).unwrap_or_default();
    Ok((client, Digest::of(&[Digest::of(&ca).to_string().as_bytes(), shown.as_bytes()].concat())))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use crate::model::{MemberId, SystemName};
    use crate::source::fixtures::{Folder, build, id, json, shown, single};
    use crate::source::{Fetched, Pool, SourceFault};
    use crate::tls::issue::{self, Authority, Lifetime};
    use crate::tls::{Anchor, Credential, ServerTls, SpiffeId, TrustDomain};

    const PATIENCE: Duration = Duration::from_secs(60);
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

    /// A system behind that wants a client certificate, and the files to reach it.
    struct Behind {
        server: ServerTls,
        base: Folder,
    }

    impl Behind {
        fn new() -> Self {
            let domain = TrustDomain::new(MemberId::new("glenmore").unwrap(), "caledonia.example").unwrap();
            let life = Lifetime { now: crate::clock::Clock::new().unwrap().now(), days: 30 };
            let (ca, made) = Authority::create(&domain, "Glenmore", 1, life.now).unwrap();
            let (_, other) = Authority::create(&domain, "Others", 1, life.now).unwrap();
            let server =
                ca.server(&["records.test".to_owned()], &["127.0.0.1".parse().unwrap()], life).unwrap();
            let client = SpiffeId { domain, system: SystemName::new("gateway").unwrap() };
            let client = ca.client(&client, life).unwrap();
            let base = Folder::new();
            for (name, text) in [
                ("ca.pem", made.certificate.as_str()),
                ("other.pem", &other.certificate),
                ("client.pem", &client.certificate),
                ("client.key", &client.key),
            ] {
                base.write(name, text);
            }
            let own = Credential::from_pem(
                ("server", server.certificate.as_bytes()),
                ("key", server.key.as_bytes()),
            );
            let anchor = Anchor::from_der(&issue::der_of(&made.certificate).unwrap()).unwrap();
            Self { server: ServerTls::new(&own.unwrap(), &[anchor], false).unwrap(), base }
        }

        fn text(port: u16, host: &str, tls: &str) -> String {
            format!(
                "[source]\nkind = \"http\"\nurl = \"https://{host}:{port}\"\n{tls}\n\
                 [[operation]]\nid = \"check\"\nmethod = \"GET\"\npath = \"/r\"\n"
            )
        }

        /// Asks once with these TLS settings.
        async fn ask(&self, host: &str, tls: &str) -> Result<Fetched, SourceFault> {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let text = Self::text(listener.local_addr().unwrap().port(), host, tls);
            let source = build(&text, vec![single("check", &[], &["name! string"])], &self.base).unwrap();
            let (pool, question) = (Pool::new(), json("{}"));
            let serves = async {
                let (tcp, _) = listener.accept().await.unwrap();
                if let Ok(mut connection) = self.server.accept(tcp, PATIENCE).await {
                    let _ = connection.stream.read(&mut [0; 1024]).await;
                    let _ = connection.stream.write_all(ANSWER).await;
                }
                std::future::pending::<()>().await
            };
            let deadline = tokio::time::Instant::now() + PATIENCE;
            let check = id("check");
            let asks = source.fetch(&pool, &check, question.root(), &|_| None, deadline);
            tokio::select! { fetched = asks => fetched, () = serves => panic!("it never ends") }
        }
    }

    #[tokio::test]
    async fn a_system_behind_tls_is_asked_only_if_both_sides_prove_themselves() {
        let behind = Behind::new();
        let client = "certificate = \"client.pem\"\nkey = \"client.key\"";
        let good = format!("ca = \"ca.pem\"\n{client}");
        assert!(matches!(behind.ask("127.0.0.1", &good).await, Ok(Fetched::Document(_))));
        for (host, tls) in [
            ("127.0.0.1", "ca = \"ca.pem\""),
            ("127.0.0.1", &format!("ca = \"other.pem\"\n{client}")),
            // Resolves to the same place, but the certificate is not for it.
            ("localhost", &good),
        ] {
            let fault = behind.ask(host, tls).await.unwrap_err();
            assert!(matches!(fault, SourceFault::Unavailable(_)), "{host} {tls} {fault}");
        }
    }

    #[test]
    fn the_files_of_tls_have_to_be_there_and_right() {
        let behind = Behind::new();
        behind.base.write("empty.pem", "");
        for (tls, wanted) in [
            ("ca = \"absent.pem\"", "`absent.pem`"),
            ("ca = \"empty.pem\"", "no usable CA certificate"),
            ("ca = \"ca.pem\"\ncertificate = \"client.pem\"\nkey = \"ca.pem\"", "private key"),
            ("ca = \"ca.pem\"\nkey = \"client.key\"", "go together"),
            ("", "an https url wants `ca`"),
        ] {
            let text = Behind::text(1, "127.0.0.1", tls);
            let shown = shown(build(&text, vec![single("check", &[], &["name! string"])], &behind.base));
            assert!(shown.contains(wanted), "{wanted}\nin\n{shown}");
        }
    }
}
