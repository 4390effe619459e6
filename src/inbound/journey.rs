//! An exchange under way, which goes on to its end whether or not its caller waits for it.

use std::pin::Pin;
use std::task::{Context, Poll};

use super::road::Answer;

/// Runs within its connection while the caller waits, which costs no task of its own. Dropped before its
/// end, it becomes one.
pub struct Journey(Step);

enum Step {
    UnderWay(Pin<Box<dyn Future<Output = Answer>>>),
    /// The answer, until it is handed over.
    Ended(Option<Answer>),
}

impl Journey {
    pub(super) fn begin(exchange: impl Future<Output = Answer> + 'static) -> Self {
        Self(Step::UnderWay(Box::pin(exchange)))
    }

    pub(super) fn ended(answer: Answer) -> Self {
        Self(Step::Ended(Some(answer)))
    }
}

impl Future for Journey {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        match &mut self.0 {
            Step::UnderWay(exchange) => {
                let answer = std::task::ready!(exchange.as_mut().poll(context));
                self.0 = Step::Ended(None);
                Poll::Ready(answer)
            }
            // Nobody asks again after an answer.
            Step::Ended(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
        }
    }
}

impl Drop for Journey {
    fn drop(&mut self) {
        let Step::UnderWay(exchange) = std::mem::replace(&mut self.0, Step::Ended(None)) else { return };
        // An exchange that panicked has no end to go on to; the panic is logged and nothing has left.
        if !std::thread::panicking() {
            tokio::task::spawn_local(exchange);
        }
    }
}
