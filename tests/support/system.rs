//! The system behind: plain HTTP on a real socket, answering what a test tells it to, and keeping
//! what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Rule = Box<dyn Fn(&Heard) -> Reply + Send>;

/// A request as the system heard it.
#[derive(Debug, Clone)]
pub struct Heard {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Request line and headers, byte for byte.
    pub head: String,
}

/// What the system says.
pub enum Reply {
    Json(u16, String),
    /// Bytes as they are, then the connection is closed.
    Raw(Vec<u8>),
    /// Nothing, for this long, then the connection is closed.
    Silence(Duration),
    /// Bytes as they are, on a connection that stays.
    Kept(Vec<u8>),
    /// Bytes, and others a while later, on a connection that stays.
    Late(Vec<u8>, Duration, Vec<u8>),
    /// Bytes, and then nothing until the other side gives up.
    Stalled(Vec<u8>),
    /// Bytes, and then these others again and again, with a pause between, until the other side gives up.
    Endless(Vec<u8>, Vec<u8>, Duration),
}

pub struct System {
    pub address: SocketAddr,
    rule: Arc<Mutex<Rule>>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl System {
    pub fn start(rule: impl Fn(&Heard) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let rule: Arc<Mutex<Rule>> = Arc::new(Mutex::new(Box::new(rule)));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (rules, hearing) = (Arc::clone(&rule), Arc::clone(&heard));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (rules, hearing) = (Arc::clone(&rules), Arc::clone(&hearing));
                std::thread::spawn(move || converse(&stream, &rules, &hearing));
            }
        });
        Self { address, rule, heard }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn now_says(&self, rule: impl Fn(&Heard) -> Reply + Send + 'static) {
        *self.rule.lock().unwrap() = Box::new(rule);
    }

    /// What it was asked so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

fn converse(stream: &TcpStream, rule: &Mutex<Rule>, hearing: &Mutex<Vec<Heard>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(heard) = hear(&mut reader) {
        hearing.lock().unwrap().push(heard.clone());
        let reply = (rule.lock().unwrap())(&heard);
        let mut out = stream;
        match reply {
            Reply::Json(status, body) => {
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                if out.write_all(&[head.as_bytes(), body.as_bytes()].concat()).is_err() {
                    return;
                }
            }
            Reply::Raw(bytes) => {
                let _ = out.write_all(&bytes);
                return;
            }
            Reply::Kept(bytes) => {
                if out.write_all(&bytes).is_err() {
                    return;
                }
            }
            Reply::Late(first, pause, then) => {
                let first = out.write_all(&first);
                std::thread::sleep(pause);
                if first.and_then(|()| out.write_all(&then)).is_err() {
                    return;
                }
            }
            Reply::Stalled(bytes) => {
                let _ = out.write_all(&bytes);
                let _ = reader.read_to_end(&mut Vec::new());
                return;
            }
            Reply::Endless(first, again, pause) => {
                let mut sent = out.write_all(&first);
                while sent.is_ok() {
                    sent = out.write_all(&again);
                    std::thread::sleep(pause);
                }
                return;
            }
            Reply::Silence(how_long) => {
                std::thread::sleep(how_long);
                return;
            }
        }
    }
}

fn hear(reader: &mut BufReader<TcpStream>) -> Option<Heard> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut head = line.clone();
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        head.push_str(&line);
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Heard { method, target, headers, body, head })
}
