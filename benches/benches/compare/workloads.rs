//! All workloads, and who takes part in which.

use std::time::Duration;

use larder_benches::peers::{
    CachedLru, CoarseLarder, CoarseQuick, Fibre, Floor, Foyer, Larder, Lru, MicroMoka, MiniMoka, Moka, NearLarder,
    Pingora, Quick, TimedQuick, TinyUfo, TokioLarder,
};

use crate::{
    contest::Entrant,
    hits::Hits,
    loads::{Ask, Asks, Waiters},
    stops::{Beside, Stops},
    writes::{Write, Writes},
};

/// A workload: the first entrant is the one that all others are held against.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) entrants: fn() -> Vec<Box<dyn Entrant>>,
}

const TTL: Option<Duration> = Some(Duration::from_secs(3_600));

/// Entrants of one kind: `entrants!(Hits<u64, _>::entrant(1, None), [Larder, Moka])`.
macro_rules! entrants {
    ($kind:ident<$key:ty>::$new:ident $arguments:tt, [$($peer:ident),* $(,)?]) => {
        vec![$($kind::<$key, $peer<$key>>::$new $arguments),*]
    };
    ($kind:ident::$new:ident $arguments:tt, [$($peer:ident),* $(,)?]) => {
        vec![$($kind::<$peer>::$new $arguments),*]
    };
}

/// Entrants of all caches that direct calls can be made of.
macro_rules! direct {
    ($($kind:tt)*) => {
        entrants!($($kind)*, [Larder, Quick, Moka, MiniMoka, Foyer, Pingora, TinyUfo, MicroMoka, CachedLru, Lru, Fibre])
    };
}

/// A hit of a map that never evicts is the floor.
macro_rules! hits {
    ($key:ty, $threads:literal) => {
        || {
            let mut entrants = direct!(Hits<$key>::entrant($threads, None));
            entrants.push(Hits::<$key, Floor<$key>>::entrant($threads, None));
            entrants
        }
    };
}

pub(crate) fn all() -> Vec<Workload> {
    let ns = |name, entrants| Workload { name, unit: "ns", entrants };
    let us = |name, entrants| Workload { name, unit: "us", entrants };
    vec![
        ns("hit, u64, 1 thread", hits!(u64, 1)),
        ns("hit, u64, 2 threads", hits!(u64, 2)),
        ns("hit, String, 1 thread", hits!(String, 1)),
        ns(
            "hit, TTL, 1 thread",
            || entrants!(Hits<u64>::entrant(1, TTL), [Larder, TimedQuick, Moka, MiniMoka, Pingora, Fibre]),
        ),
        ns(
            "hit, TTL, 2 threads",
            || entrants!(Hits<u64>::entrant(2, TTL), [Larder, TimedQuick, Moka, MiniMoka, Pingora, Fibre]),
        ),
        ns("hit, TTL, coarse clock, 1 thread", || entrants!(Hits<u64>::entrant(1, TTL), [CoarseLarder, CoarseQuick])),
        ns("hit, TTL, coarse clock, 2 threads", || entrants!(Hits<u64>::entrant(2, TTL), [CoarseLarder, CoarseQuick])),
        ns("hit, 64 hot keys, 1 thread", || entrants!(Hits<u64>::hot(1), [NearLarder, Larder, Quick, Fibre])),
        ns("hit, 64 hot keys, 2 threads", || entrants!(Hits<u64>::hot(2), [NearLarder, Larder, Quick, Fibre])),
        ns("look that finds nothing", || direct!(Hits<u64>::absent(1))),
        ns("async hit, 1 thread", || entrants!(Asks::entrant(Ask::Present, 1), [Larder, Quick, Moka, Pingora])),
        ns("async hit, 2 threads", || entrants!(Asks::entrant(Ask::Present, 2), [Larder, Quick, Moka, Pingora])),
        ns("async miss, full, ready, 1 thread", || {
            entrants!(Asks::entrant(Ask::Absent, 1), [Larder, Quick, Moka, Pingora])
        }),
        ns("async miss, full, ready, 2 threads", || {
            entrants!(Asks::entrant(Ask::Absent, 2), [Larder, Quick, Moka, Pingora])
        }),
        ns("1000 waiters", || entrants!(Waiters::entrant(None), [TokioLarder, Quick, Moka, Foyer, Pingora])),
        ns("1000 waiters, lock timeout", || {
            entrants!(Waiters::entrant(Some(Duration::from_secs(60))), [TokioLarder, Pingora])
        }),
        ns("read-through mix, 1 thread", || entrants!(Asks::entrant(Ask::Mix, 1), [Larder, Quick, Moka, Pingora])),
        ns("read-through mix, 2 threads", || entrants!(Asks::entrant(Ask::Mix, 2), [Larder, Quick, Moka, Pingora])),
        ns("read-through mix, p99.9 of a call", || {
            entrants!(Asks::entrant(Ask::Tail, 1), [Larder, Quick, Moka, Pingora])
        }),
        ns("insert and evict", || direct!(Writes::entrant(Write::Insert, None))),
        ns("insert and evict, TTL", || {
            entrants!(Writes::entrant(Write::Insert, TTL), [Larder, TimedQuick, Moka, MiniMoka, Pingora, Fibre])
        }),
        ns("insert and evict, TTL, coarse clock", || {
            entrants!(Writes::entrant(Write::Insert, TTL), [CoarseLarder, CoarseQuick])
        }),
        ns("replace", || direct!(Writes::entrant(Write::Replace, None))),
        ns("remove", || direct!(Writes::entrant(Write::Remove, None))),
        us("longest stop beside iter of a million", || {
            entrants!(Stops::entrant(Beside::Walk), [Larder, Quick, Moka, Fibre])
        }),
        us("longest stop beside clear of a million", || {
            entrants!(Stops::entrant(Beside::Clear), [Larder, Quick, Moka, Foyer, Fibre])
        }),
    ]
}
