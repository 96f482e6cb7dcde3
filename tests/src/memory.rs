//! Live bytes of this thread, counted by the global allocator.

use allocation_counter::{AllocationInfo, measure};

/// Runs `work` and returns how many more bytes are live after it than before.
pub fn growth(work: impl FnOnce()) -> i64 {
    measure(work).bytes_current
}

/// Runs `work` and returns how often it allocated memory.
pub fn allocations(work: impl FnOnce()) -> u64 {
    measure(work).count_total
}

/// Runs `work` and returns how many bytes it allocated in total, given back or not.
pub fn bytes(work: impl FnOnce()) -> u64 {
    measure(work).bytes_total
}

/// Runs `work` and returns how many bytes it allocated or gave back, whichever is more.
pub fn moved(work: impl FnOnce()) -> u64 {
    let AllocationInfo { bytes_total, bytes_current, .. } = measure(work);
    bytes_total.max(bytes_total.saturating_add_signed(-bytes_current))
}

/// Runs `work` twice and asserts that the second run leaves no byte behind.
///
/// The first run may fill what is kept for good, such as the capacity of a table.
#[track_caller]
pub fn assert_no_growth(mut work: impl FnMut()) {
    work();
    let AllocationInfo { bytes_current, count_current, .. } = measure(work);
    assert_eq!((bytes_current, count_current), (0, 0), "bytes and allocations left behind by the second run");
}
