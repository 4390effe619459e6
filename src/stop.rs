//! Stopping: first no new connections and no new requests, then the exchanges under way, then the end.

use tokio::sync::watch;

/// Says when to stop. Clones all see the same.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// Makes everybody stop.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stopper {
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whoever waits for this waits until every holder of a [`Stop`] is gone.
    pub async fn all_gone(&self) {
        self.0.closed().await;
    }
}

impl Stop {
    /// Returns once it is time to stop.
    pub async fn asked(&mut self) {
        // An error means that the stopper is gone, which is as good as being told.
        let _told = self.0.wait_for(|stop| *stop).await;
    }

    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }
}
