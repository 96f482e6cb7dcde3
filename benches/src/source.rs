//! Where every peer's values come from: at once, or when a gate is opened.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use larder_tokio::{Load, Loaded};

use crate::peers::Key;

/// Answers a key with itself and counts.
#[derive(Clone)]
pub struct Source(Arc<State>);

struct State {
    loads: AtomicU64,
    open: AtomicBool,
    waiting: Mutex<Option<Waker>>,
}

impl Source {
    /// Returns a source that is open.
    pub fn new() -> Self {
        Self(Arc::new(State { loads: AtomicU64::new(0), open: AtomicBool::new(true), waiting: Mutex::new(None) }))
    }

    /// How many loads there have been.
    pub fn loads(&self) -> u64 {
        self.0.loads.load(Ordering::Relaxed)
    }

    /// Holds back the loads to come.
    pub fn close(&self) {
        self.0.open.store(false, Ordering::Release);
    }

    /// Lets the held load go.
    pub fn open(&self) {
        self.0.open.store(true, Ordering::Release);
        let waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Begins the load of `key`.
    pub fn answer<K: Key>(&self, key: &K) -> Answer<K> {
        self.0.loads.fetch_add(1, Ordering::Relaxed);
        let held = (!self.0.open.load(Ordering::Acquire)).then(|| self.clone());
        Answer { value: Some(K::value(key.number())), held }
    }
}

impl Default for Source {
    fn default() -> Self {
        Self::new()
    }
}

/// A load: ready at once, unless the source was closed when it began.
pub struct Answer<K: Key> {
    value: Option<K::Value>,
    held: Option<Source>,
}

impl<K: Key> Unpin for Answer<K> {}

impl<K: Key> Answer<K> {
    fn poll_value(&mut self, cx: &Context<'_>) -> Poll<Option<K::Value>> {
        if let Some(Source(state)) = &self.held {
            // Registered before the look, so that no opening is missed.
            *state.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
            if !state.open.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
        Poll::Ready(self.value.take())
    }
}

impl<K: Key> Future for Answer<K> {
    type Output = Result<Loaded<K::Value>, ()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_value(cx).map(|value| value.map(Loaded::new).ok_or(()))
    }
}

/// The same load for the peers, whose values are bare.
pub struct Bare<K: Key>(pub Answer<K>);

impl<K: Key> Future for Bare<K> {
    type Output = Result<K::Value, Failed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_value(cx).map(|value| value.ok_or(Failed))
    }
}

/// A load was polled again after its end.
#[derive(Clone, Copy, Debug)]
pub struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a load was polled after its end")
    }
}

impl std::error::Error for Failed {}

impl<K: Key> Load<K> for Source {
    type Value = K::Value;
    type Error = ();
    type Future = Answer<K>;

    fn load(&self, key: K) -> Answer<K> {
        self.answer(&key)
    }
}
