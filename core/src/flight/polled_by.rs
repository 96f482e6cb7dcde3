//! Which caller polls a load, to recognize calls that come from inside it.

use core::task::Waker;

/// What a load is polled with, which caller polls it and, with `std`, on which thread.
///
/// Only addresses are kept: the wakers live at least as long as the poll. Two callers on two threads may have the same
/// waker (for example `Waker::noop`), so the thread counts as well. Without `std` the wakers alone decide.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PolledBy {
    /// The waker that the load is polled with. A call that comes from inside the load has it.
    load: Address,
    /// The waker that its caller is polled with. A call from inside that blocks the thread has it.
    caller: Address,
    #[cfg(feature = "std")]
    thread: usize,
}

/// Where a waker is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Address {
    data: usize,
    vtable: usize,
}

impl Address {
    #[inline]
    fn of(waker: &Waker) -> Self {
        Self { data: waker.data().addr(), vtable: core::ptr::from_ref(waker.vtable()).addr() }
    }
}

impl PolledBy {
    /// A caller that is polled with this waker, here and now.
    #[inline]
    pub(crate) fn here(waker: &Waker) -> Self {
        Self::with(waker, waker)
    }

    /// The same, polling a load with a waker that it shares with others.
    #[inline]
    pub(crate) fn with(load: &Waker, caller: &Waker) -> Self {
        Self {
            load: Address::of(load),
            caller: Address::of(caller),
            #[cfg(feature = "std")]
            thread: thread(),
        }
    }

    /// Does this caller come from inside the load that is being polled so?
    pub(crate) fn is_inside(&self, polled: &Self) -> bool {
        #[cfg(feature = "std")]
        if self.thread != polled.thread {
            return false;
        }
        self.caller == polled.load || self.caller == polled.caller || self.blocks()
    }

    /// Would this caller block the thread that polls?
    #[cfg(feature = "std")]
    fn blocks(&self) -> bool {
        crate::blocked::is_by(self.caller.data)
    }

    #[cfg(not(feature = "std"))]
    #[expect(clippy::unused_self, reason = "with std it is not")]
    const fn blocks(&self) -> bool {
        false
    }

    /// Would this caller block the thread with this mark, which polls?
    pub(crate) fn blocks_on(&self, thread: usize) -> bool {
        thread != 0 && thread == here() && self.blocks()
    }

    /// Is it polled with this load's waker, on any thread? For a load that several callers drive.
    ///
    /// That waker is made for each poll, of a place that nothing else has; its table may be there more than once.
    pub(crate) fn is_waker(&self, polled: &Self) -> bool {
        self.caller.data == polled.load.data
    }
}

/// A mark of this thread; zero without std.
pub(crate) fn here() -> usize {
    #[cfg(feature = "std")]
    return thread();
    #[cfg(not(feature = "std"))]
    0
}

/// Identifies the thread.
#[cfg(feature = "std")]
#[inline]
fn thread() -> usize {
    std::thread_local! {
        static MARK: u8 = const { 0 };
    }
    // An address in the thread's own memory, which is cheaper than its number.
    MARK.try_with(|mark| core::ptr::from_ref(mark).addr()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
