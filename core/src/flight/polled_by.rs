//! Who polls a load, to find calls that come from inside it.

use core::task::Waker;

/// The waker that a load is polled with and, with `std`, the thread.
///
/// Only its address is kept: the waker lives at least as long as the poll. Two callers on two threads may have the same
/// waker (`Waker::noop`, say), so the thread counts as well. Without `std` the waker alone decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolledBy {
    data: usize,
    vtable: usize,
    #[cfg(feature = "std")]
    thread: usize,
}

impl PolledBy {
    /// Whoever polls with this waker, here and now.
    #[inline]
    pub(crate) fn here(waker: &Waker) -> Self {
        Self {
            data: waker.data().addr(),
            vtable: core::ptr::from_ref(waker.vtable()).addr(),
            #[cfg(feature = "std")]
            thread: thread(),
        }
    }

    /// The same waker on any thread, for a load that several callers drive.
    pub(crate) fn is_waker(&self, other: &Self) -> bool {
        self.data == other.data && self.vtable == other.vtable
    }
}

/// Tells threads apart.
#[cfg(feature = "std")]
#[inline]
fn thread() -> usize {
    std::thread_local! {
        static MARK: u8 = const { 0 };
    }
    // A place in memory of the thread's own, which is cheaper than its number.
    MARK.try_with(|mark| core::ptr::from_ref(mark).addr()).unwrap_or(0)
}
