//! A heap that ends, for the tests of what is done then.

use core::cell::Cell;
use std::thread_local;

thread_local! {
    static REFUSES: Cell<bool> = const { Cell::new(false) };
}

/// Is no memory to be had on this thread?
pub(in crate::store) fn refuses() -> bool {
    REFUSES.get()
}

/// Does `work` while the store gets no memory.
pub(crate) fn without_memory<T>(work: impl FnOnce() -> T) -> T {
    REFUSES.set(true);
    let done = work();
    REFUSES.set(false);
    done
}
