//! Who polls a load right now.

use core::task::Waker;

/// Whoever polls a load: the waker he is polled with and, where threads can be told apart, the thread he is on.
///
/// The waker alone would take two for one who poll with one waker on two threads, as `now_or_never` does everywhere.
pub(crate) struct Poller {
    waker: Waker,
    #[cfg(feature = "std")]
    thread: usize,
}

impl Poller {
    /// Returns the one who is polled with this waker, here.
    pub(crate) fn here(waker: &Waker) -> Self {
        Self {
            waker: waker.clone(),
            #[cfg(feature = "std")]
            thread: thread(),
        }
    }

    /// Tells whether it is he who is polled with this waker, here: then he is inside the poll of that load.
    pub(crate) fn is_here(&self, waker: &Waker) -> bool {
        #[cfg(feature = "std")]
        if self.thread != thread() {
            return false;
        }
        self.waker.will_wake(waker)
    }

    pub(crate) fn into_waker(self) -> Waker {
        self.waker
    }
}

/// Returns what tells this thread from all others that are alive.
#[cfg(feature = "std")]
fn thread() -> usize {
    std::thread_local! {
        static MARK: u8 = const { 0 };
    }
    // A place in memory of the thread's own, which is cheaper than its number.
    MARK.try_with(|mark| core::ptr::from_ref(mark).addr()).unwrap_or(0)
}
