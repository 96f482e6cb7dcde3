//! What the fault driver records of leases: with the feature `driver`, a load can ask under which lease it was begun.

use larder::Instant;

#[cfg(feature = "driver")]
std::thread_local! {
    static LEASE: std::cell::Cell<Option<(Instant, Instant)>> = const { std::cell::Cell::new(None) };
}

/// Begins a load under a lease that was asked for and granted at these times.
#[cfg(feature = "driver")]
pub(crate) fn during<T>(asked: Instant, granted: Instant, begin: impl FnOnce() -> T) -> T {
    /// (Also if the user's closure panics.)
    struct Ended;
    impl Drop for Ended {
        fn drop(&mut self) {
            LEASE.set(None);
        }
    }
    LEASE.set(Some((asked, granted)));
    let _ended = Ended;
    begin()
}

#[cfg(not(feature = "driver"))]
pub(crate) fn during<T>(_: Instant, _: Instant, begin: impl FnOnce() -> T) -> T {
    begin()
}

/// Returns when the lease of the load that is being begun was asked for and granted, by the cache's clock.
///
/// For this crate's fault driver; in the closure itself, not in the future that it returns.
#[cfg(feature = "driver")]
#[doc(hidden)]
pub fn lease() -> Option<(Instant, Instant)> {
    LEASE.get()
}
