//! Sums that always hold, and what "clean" means.

use larder::Stats;

/// Asserts that the statistics add up, for loads and for stored values.
#[track_caller]
pub fn assert_sums(stats: &Stats) {
    assert_eq!(
        stats.loads_begun,
        stats.loads_succeeded + stats.loads_failed + stats.loads_panicked + stats.loads_dropped + stats.loads_in_flight,
        "loads begun = succeeded + failed + panicked + dropped + in flight: {stats:?}"
    );
    assert_eq!(
        stats.stored,
        stats.held + stats.evicted + stats.expired_out + stats.replaced + stats.removed,
        "stored = held + evicted + expired + replaced + removed: {stats:?}"
    );
}

/// Asserts that no flight, waiter or load is left, and that the sums hold.
#[track_caller]
pub fn assert_clean(stats: &Stats) {
    assert_sums(stats);
    assert_eq!(
        (stats.flights, stats.waiters, stats.loads_in_flight),
        (0, 0, 0),
        "flights, waiters and loads are left: {stats:?}"
    );
}
