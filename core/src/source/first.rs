//! What comes of a load that is made and polled at once, while its type is known.

#[cfg(feature = "std")]
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// What comes of a load's first poll.
#[cfg_attr(not(feature = "std"), expect(dead_code, unreachable_pub, reason = "there are no short ways without std"))]
pub enum First<O, L> {
    /// It has answered, and is gone.
    Ready(O),
    /// It goes on; none if there is no load.
    Pending(Option<L>),
}

#[cfg(feature = "std")]
impl<O, L: Future<Output = O> + Unpin> First<O, L> {
    /// Polls a load for the first time.
    #[inline(always)]
    pub(crate) fn of(mut load: Option<L>, cx: &mut Context<'_>) -> Self {
        match load.as_mut().map_or(Poll::Pending, |load| Pin::new(load).poll(cx)) {
            Poll::Ready(output) => {
                // Should this panic, the result is dropped and not forgotten.
                drop(load);
                Self::Ready(output)
            }
            Poll::Pending => Self::Pending(load),
        }
    }

    /// The same of a load whose type is erased.
    #[inline(always)]
    pub(super) fn erased<T>(self, erase: fn(L) -> T) -> First<O, T> {
        match self {
            Self::Ready(output) => First::Ready(output),
            Self::Pending(load) => First::Pending(load.map(erase)),
        }
    }
}
