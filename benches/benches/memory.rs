//! Prints how many bytes of heap an entry takes beyond its key and value: in a cache that is full, in one through which as
//! many entries have gone again, with lifetimes, and what is held of entries that are over, after some traffic.
//!
//! Counted, not timed: `cargo bench -p larder-benches --bench memory [-- ENTRIES]`.

use std::{env, process::ExitCode, thread, time::Duration};

use allocation_counter::measure;
use larder_benches::peers::{
    CachedLru, CoarseLarder, Fibre, Foyer, Larder, Lru, MicroMoka, MiniMoka, Moka, Peer, Pingora, Quick, Setup,
    TimedQuick, TinyUfo,
};

/// A key and a value.
const OWN: f64 = 16.0;
const LONG: Duration = Duration::from_secs(3_600);
const SHORT: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let entries = env::args().skip(1).find(|argument| argument != "--bench").unwrap_or_else(|| "1000000".to_owned());
    let Ok(entries) = entries.parse() else {
        eprintln!("usage: cargo bench -p larder-benches --bench memory [-- ENTRIES]");
        return ExitCode::from(2);
    };
    println!("bytes of heap an entry beyond its key and value, {entries} entries");
    println!(
        "{:<34}{:>8}{:>9}{:>12}{:>14}{:>20}",
        "", "full", "churned", "TTL, full", "TTL, churned", "held of what is over"
    );
    line::<Larder>(entries, true);
    line::<CoarseLarder>(entries, true);
    line::<Quick>(entries, false);
    line::<TimedQuick>(entries, true);
    line::<Moka>(entries, true);
    line::<MiniMoka>(entries, true);
    line::<Foyer>(entries, false);
    line::<Pingora>(entries, true);
    line::<TinyUfo>(entries, false);
    line::<MicroMoka>(entries, false);
    line::<CachedLru>(entries, false);
    line::<Lru>(entries, false);
    line::<Fibre>(entries, true);
    ExitCode::SUCCESS
}

fn line<P: Peer<u64>>(entries: u64, expires: bool) {
    let (full, churned) = held::<P>(entries, None);
    print!("{:<34}{full:>8.1}{churned:>9.1}", P::NAME);
    if expires {
        let (full, churned) = held::<P>(entries, Some(LONG));
        print!("{full:>12.1}{churned:>14.1}{:>19.0}%", 100.0 * after_expiry::<P>(entries));
    }
    println!();
}

/// What an entry takes in a full cache, and once as many others have been inserted.
fn held<P: Peer<u64>>(entries: u64, ttl: Option<Duration>) -> (f64, f64) {
    let mut cache = None;
    let full = measure(|| {
        let cache = cache.insert(P::new(&Setup { ttl, ..Setup::new(entries as usize) }));
        (0..entries).for_each(|key| cache.insert(key, key));
    });
    let more = measure(|| {
        if let Some(cache) = &cache {
            (entries..2 * entries).for_each(|key| cache.insert(key, key));
        }
    });
    let each = |bytes: i64| bytes as f64 / entries as f64 - OWN;
    (each(full.bytes_current), each(full.bytes_current + more.bytes_current))
}

/// The share that is held of entries that are over, after a tenth as many looks and inserts as there were entries.
fn after_expiry<P: Peer<u64>>(entries: u64) -> f64 {
    // (Few enough to be inserted before the first is over.)
    let entries = entries.min(100_000);
    let mut cache = None;
    let full = measure(|| {
        let cache = cache.insert(P::new(&Setup { ttl: Some(SHORT), ..Setup::new(2 * entries as usize) }));
        (0..entries).for_each(|key| cache.insert(key, key));
    });
    // Real time: most of these caches have no clock but their own.
    thread::sleep(2 * SHORT);
    let later = measure(|| {
        if let Some(cache) = &cache {
            (0..entries / 10).for_each(|key| {
                cache.get(&(7 * key));
                cache.insert(entries + key, key);
            });
        }
    });
    (full.bytes_current + later.bytes_current) as f64 / full.bytes_current as f64
}
