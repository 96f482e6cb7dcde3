//! A runtime whose clock stands still.

use core::{
    future::{Pending, pending},
    marker::PhantomData,
};

use crate::{Clock, Instant, Runtime, Timer};

/// The locks of another runtime, without its time: what is shared while it is under way has no deadlines.
pub(crate) struct Timeless<R>(PhantomData<fn() -> R>);

impl<R> Timeless<R> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<R> Clock for Timeless<R> {
    fn now(&self) -> Instant {
        Instant::ZERO
    }
}

impl<R> Timer for Timeless<R> {
    type Sleep = Pending<()>;

    fn sleep_until(&self, _: Instant) -> Self::Sleep {
        pending()
    }
}

impl<R: Runtime> Runtime for Timeless<R> {
    type Lock<T> = R::Lock<T>;
    type Notify = R::Notify;
    type Threads = R::Threads;
}
