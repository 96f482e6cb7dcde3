//! Logs with sizes and lifetimes, in a cache that holds so many bytes, by a clock that the log sets.

use std::time::Duration;

use larder_tests::logs::Row;
use larder_tokio::{Instant, Loaded, ManualClock, Ttl, Tuned, larder::Cache, parts::Std, policy::Policy};

/// The hits in percent.
#[derive(Clone, Copy)]
pub(crate) struct SizedRatio {
    pub(crate) accesses: f64,
    pub(crate) bytes: f64,
}

pub(crate) fn replay<P: Policy>(rows: &[Row], capacity: u64) -> SizedRatio {
    let clock = ManualClock::new();
    let builder = Cache::<u64, (), (), _, _>::builder_with(Std::new(clock.clone()), Tuned::<P>::new());
    let cache = builder.capacity(capacity).build().expect("a sound configuration");
    let (mut hits, mut hit_bytes, mut bytes) = (0_u64, 0_u128, 0_u128);
    for row in rows {
        clock.set(Instant::from_nanos(row.time.saturating_mul(1_000_000_000)));
        bytes += u128::from(row.size);
        if cache.get_if_present(&row.key).is_some() {
            (hits, hit_bytes) = (hits + 1, hit_bytes + u128::from(row.size));
            continue;
        }
        let ttl = if row.ttl == 0 { Ttl::Forever } else { Duration::from_secs(row.ttl).into() };
        cache.insert_with(row.key, Loaded::new(()).weight(row.size.max(1)).ttl(ttl));
    }
    let percent = |part: u128, whole: u128| 100.0 * part as f64 / whole.max(1) as f64;
    SizedRatio { accesses: percent(hits.into(), rows.len() as u128), bytes: percent(hit_bytes, bytes) }
}
