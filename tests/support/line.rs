//! A partner's open TLS connection with nothing of HTTP in it: bytes as they are, in pieces, half closed or
//! broken off.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Far more than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct RawLine {
    runtime: tokio::runtime::Runtime,
    stream: Box<dyn Stream>,
}

impl RawLine {
    pub fn new(runtime: tokio::runtime::Runtime, stream: Box<dyn Stream>) -> Self {
        Self { runtime, stream }
    }

    /// Sends bytes as they are. The gateway may have seen enough before it has seen all.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        let Self { runtime, stream } = self;
        runtime.block_on(async {
            let sent = tokio::time::timeout(PATIENCE, async {
                stream.write_all(bytes).await?;
                stream.flush().await
            });
            sent.await.is_ok_and(|sent| sent.is_ok())
        })
    }

    /// Says that nothing more comes.
    pub fn half_close(&mut self) {
        let Self { runtime, stream } = self;
        let _closed = runtime.block_on(stream.shutdown());
    }

    /// Whatever comes until the gateway closes.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(more) = self.some() {
            all.extend_from_slice(&more);
        }
        all
    }

    /// What comes next; nothing once the gateway has closed.
    pub fn some(&mut self) -> Option<Vec<u8>> {
        self.some_within(PATIENCE).unwrap_or_else(|| panic!("the gateway neither answers nor closes"))
    }

    /// As [`some`](Self::some), and `None` if nothing comes in time.
    pub fn some_within(&mut self, time: Duration) -> Option<Option<Vec<u8>>> {
        let Self { runtime, stream } = self;
        let mut piece = vec![0; 16 * 1024];
        let read = runtime.block_on(async { tokio::time::timeout(time, stream.read(&mut piece)).await });
        match read.ok()? {
            Ok(0) | Err(_) => Some(None),
            Ok(read) => {
                piece.truncate(read);
                Some(Some(piece))
            }
        }
    }
}
