//! Long work behind the road, each piece on a thread of its own that ends with it.

use std::io;
use std::thread;

use tokio::sync::oneshot;

/// Does the work on a thread of this name, and gives what it gives. A thread that ends hands back what it freed, and
/// what others freed a second or more before: those of a pool are kept, and their memory with them.
pub(super) async fn on_a_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (done, ended) = oneshot::channel();
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        // Nobody waits any more: then nobody is told.
        let _ = done.send(work());
    })?;
    ended.await.map_err(|_| io::Error::other("the thread ended by a panic"))
}
