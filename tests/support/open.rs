//! A partner's connection that stays open, over HTTP/1.1 or HTTP/2.

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::partner::{Line, Partner, Said, question};

pub enum Open {
    One(Line),
    Two(tokio::runtime::Runtime, http2::SendRequest<Full<Bytes>>),
}

impl Open {
    /// One of each.
    pub fn both(partner: &Partner) -> [Self; 2] {
        [Self::One(partner.connect().unwrap()), Self::http2(partner)]
    }

    pub fn http2(partner: &Partner) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sender = runtime.block_on(async {
            let stream = partner.tls_http2().await.unwrap();
            let (sender, connection) =
                http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            sender
        });
        Self::Two(runtime, sender)
    }

    pub fn ask(&mut self, path: &str, headers: &[(&str, &str)], body: &str) -> Said {
        match self {
            Self::One(line) => line.ask(path, headers, body),
            Self::Two(runtime, sender) => runtime.block_on(async {
                let mut question = question(&format!("https://localhost{path}"), headers, body);
                question.headers_mut().remove("host");
                Said::read(sender.send_request(question).await.unwrap()).await.unwrap()
            }),
        }
    }

    /// Whether the gateway still keeps the connection.
    pub fn is_open(&mut self) -> bool {
        match self {
            Self::One(line) => line.is_open(),
            Self::Two(runtime, sender) => runtime.block_on(async {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                !sender.is_closed()
            }),
        }
    }
}
