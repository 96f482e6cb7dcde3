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
impl<O, T> First<O, T> {
    /// Polls a load for the first time, and erases its type if it goes on.
    #[inline(always)]
    pub(crate) fn of<L>(mut load: Option<L>, cx: &mut Context<'_>, erase: fn(L) -> T) -> Self
    where
        L: Future<Output = O> + Unpin,
    {
        match load.as_mut().map_or(Poll::Pending, |load| Pin::new(load).poll(cx)) {
            Poll::Ready(output) => {
                // Should this panic, the result is dropped and not forgotten.
                drop(load);
                Self::Ready(output)
            }
            Poll::Pending => Self::Pending(load.map(erase)),
        }
    }
}
