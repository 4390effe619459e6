//! One thread's way to the writer: what becomes ready in one turn of its runtime goes over together, so
//! that a busy thread makes full batches and an idle one waits for nobody.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::sync::oneshot;

use super::entry::Record;
use super::fault::Unrecorded;
use super::handle::Ledger;
use super::queue::Item;
use super::receipt::Receipt;

/// Records of one thread on their way to the writer. It works within a `LocalSet`.
pub struct Outbox {
    ledger: Ledger,
    ready: Rc<RefCell<Vec<Item>>>,
}

impl Outbox {
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger, ready: Rc::default() }
    }

    /// As [`Ledger::append`].
    pub async fn append(&self, record: Record) -> Result<Receipt, Unrecorded> {
        let (answer, receipt) = oneshot::channel();
        let first = {
            let mut ready = self.ready.borrow_mut();
            ready.push(Item { record, answer });
            ready.len() == 1
        };
        if first {
            let (ledger, ready) = (self.ledger.clone(), Rc::clone(&self.ready));
            tokio::task::spawn_local(async move {
                // Behind everything that can go on now, and one look at the sockets.
                tokio::task::yield_now().await;
                ledger.append_all(&mut ready.borrow_mut());
            });
        }
        receipt.await.unwrap_or(Err(Unrecorded::Stopped))
    }
}
