//! Where every peer's values come from: at once, or when a gate is opened.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use larder::{Load, Loaded};

/// Answers a key with itself and counts.
#[derive(Clone)]
pub(crate) struct Source(Arc<State>);

struct State {
    loads: AtomicU64,
    open: AtomicBool,
    waiting: Mutex<Option<Waker>>,
}

impl Source {
    pub(crate) fn new() -> Self {
        Self(Arc::new(State { loads: AtomicU64::new(0), open: AtomicBool::new(true), waiting: Mutex::new(None) }))
    }

    /// How many loads there have been.
    pub(crate) fn loads(&self) -> u64 {
        self.0.loads.load(Ordering::Relaxed)
    }

    /// Holds back the loads to come.
    pub(crate) fn close(&self) {
        self.0.open.store(false, Ordering::Release);
    }

    /// Lets the held load go.
    pub(crate) fn open(&self) {
        self.0.open.store(true, Ordering::Release);
        let waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Begins the load of `key`.
    pub(crate) fn answer(&self, key: u64) -> Answer {
        self.0.loads.fetch_add(1, Ordering::Relaxed);
        let held = (!self.0.open.load(Ordering::Acquire)).then(|| self.clone());
        Answer { key, held }
    }
}

/// A load: ready at once, unless the source was closed when it began.
pub(crate) struct Answer {
    key: u64,
    held: Option<Source>,
}

impl Answer {
    fn poll_key(&self, cx: &Context<'_>) -> Poll<u64> {
        if let Some(Source(state)) = &self.held {
            // Registered before the look, so that no opening is missed.
            *state.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
            if !state.open.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
        Poll::Ready(self.key)
    }
}

impl Future for Answer {
    type Output = Result<Loaded<u64>, ()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_key(cx).map(|key| Ok(Loaded::new(key)))
    }
}

/// The same load for the peers, whose values are bare.
pub(crate) struct Bare(pub(crate) Answer);

impl Future for Bare {
    type Output = Result<u64, ()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_key(cx).map(Ok)
    }
}

impl Load<u64> for Source {
    type Value = u64;
    type Error = ();
    type Future = Answer;

    fn load(&self, key: u64) -> Answer {
        self.answer(key)
    }
}
