//! A partner that asks without pause on one connection, the system behind that always says the same, and the host who
//! has files loaded again.

use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tolbooth::tls::{ClientTls, Credential};

type Done<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// One record of about a kilobyte, whoever is asked for.
const RECORD: &str = concat!(
    r#"{"id":"0000000001","name":{"given":"Catr\u00econa","family":"Synthetic"},"birthDate":"1980-04-02","#,
    r#""nationalNumber":"none","email":"c.synthetic@example.test","income":12345.5,"address":{"street":"1 Made Up Street","#,
    r#""city":"Glenmore","postcode":"ZZ99 1AA","country":"NO"},"entitlements":[{"code":"A1","from":"2020-01-01","#,
    r#""to":null,"amount":12.5},{"code":"B2","from":"2021-01-01","to":"2026-01-01","amount":99}],"status":"active","#,
    r#""note":"A note of some length that never leaves, since no agreement releases it, and that is read past each time."}"#
);

/// Serves the record on connections that stay.
pub fn records() -> Result<SocketAddr, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    Ok(address)
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line == "\r\n" {
            let length = RECORD.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{RECORD}"
            )?;
        }
    }
}

/// Has the running gateway load changed files, and waits until it has.
pub fn reload(socket: &Path) -> Result<(), Box<dyn Error>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(
        b"POST /reload HTTP/1.1\r\nhost: admin\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
    )?;
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    if said.contains("\"loaded\":true") { Ok(()) } else { Err(said.into()) }
}

pub struct Steady {
    runtime: tokio::runtime::Runtime,
    sender: SendRequest<Full<Bytes>>,
}

impl Steady {
    pub fn connect(home: &Path, address: SocketAddr) -> Done<Self> {
        let file = |name: &str| home.join(name);
        let credential = Credential::load(&file("keys/client.pem"), &file("keys/client.key"))
            .map_err(|faults| faults.to_string())?;
        let ca = std::fs::read(file("certs/provider-ca.pem"))?;
        let tls = ClientTls::new(&ca, Some(&credential)).map_err(|fault| fault.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let sender = runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let stream = tls.connect("localhost", stream).await?;
            let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            Ok::<_, Box<dyn Error + Send + Sync>>(sender)
        })?;
        Ok(Self { runtime, sender })
    }

    /// How long each answer took. Anything but an answer ends it.
    pub fn ask_until(mut self, over: &AtomicBool) -> Done<Vec<Duration>> {
        let mut latencies = Vec::with_capacity(100_000);
        while !over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            self.ask()?;
            latencies.push(begun.elapsed());
        }
        Ok(latencies)
    }

    fn ask(&mut self) -> Done<()> {
        let request = Request::post("/records-0/v1/one")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("tolbooth-user", "u-4711")
            .header("tolbooth-reason", "bench")
            .body(Full::new(Bytes::from_static(b"{\"id\":\"1\"}")))?;
        let Self { runtime, sender } = self;
        runtime.block_on(async {
            sender.ready().await?;
            let response = sender.send_request(request).await?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            if parts.status.as_u16() != 200 {
                return Err(format!("{}: {}", parts.status, String::from_utf8_lossy(&body)).into());
            }
            Ok(())
        })
    }
}
