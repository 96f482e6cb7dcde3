//! What caches are loaded from: slow, and woken by an interrupt.

use alloc::rc::Rc;
use core::{
    cell::Cell,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use larder::{Cache, Load, Loaded, Runtime};

use crate::{Broken, millis};

/// There is nothing under this key.
pub(crate) const NOTHING: u32 = 404;

/// Answers with twice the key, after a while.
pub(crate) struct Source<R> {
    pub(crate) runtime: R,
    pub(crate) counted: Rc<Counted>,
}

/// How often it was asked, and how it answers.
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) loads: Cell<u32>,
    /// How many milliseconds a load takes.
    pub(crate) takes: Cell<u64>,
    /// The next load never answers.
    pub(crate) hangs: Cell<bool>,
}

/// The error of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unknown(pub(crate) u32);

pub(crate) type Answers<R> = Cache<u32, u32, Unknown, R>;

/// A type of its own, so that all cases share one type of cache: code for a board is counted in kilobytes.
impl<R: Runtime> Load<u32> for Source<R> {
    type Value = u32;
    type Error = Unknown;
    type Future = Answer<R::Sleep>;

    fn load(&self, key: u32) -> Answer<R::Sleep> {
        self.counted.loads.set(self.counted.loads.get() + 1);
        let hangs = self.counted.hangs.replace(false);
        let ends = self.runtime.now().saturating_add(millis(self.counted.takes.get()));
        Answer { sleep: (!hangs).then(|| self.runtime.sleep_until(ends)), key }
    }
}

/// The sleep is none if it never ends.
pub(crate) struct Answer<S> {
    sleep: Option<S>,
    key: u32,
}

impl<S: Future<Output = ()> + Unpin> Future for Answer<S> {
    type Output = Result<Loaded<u32>, Unknown>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(sleep) = &mut self.sleep else { return Poll::Pending };
        if Pin::new(sleep).poll(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(if self.key == NOTHING { Err(Unknown(self.key)) } else { Ok(Loaded::new(2 * self.key)) })
    }
}

impl Counted {
    /// Loads that take so many milliseconds.
    pub(crate) fn of(takes: u64) -> Rc<Self> {
        Rc::new(Self { takes: Cell::new(takes), ..Self::default() })
    }
}

pub(crate) const REFUSED: Broken = Broken { what: "the configuration is accepted", line: line!() };
