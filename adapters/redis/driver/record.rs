//! What has happened, with times that all processes have in common.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Mutex,
    time::Duration,
};

use nix::time::{ClockId, clock_gettime};

/// Nanoseconds of the machine's monotonic clock.
pub(crate) fn now() -> u64 {
    nanos(Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap()))
}

pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap()
}

/// What is stored: the number of a version, and how long the load took that has brought it.
pub(crate) type Version = (u64, u64);

#[derive(Default)]
pub(crate) struct Record {
    pub(crate) reads: Vec<Read>,
    pub(crate) loads: Vec<Load>,
    /// When the source was written, by key and version.
    pub(crate) writes: HashMap<(u64, u64), u64>,
    /// When that was acknowledged in the second tier.
    pub(crate) acknowledged: HashMap<(u64, u64), u64>,
    /// From when to when the server was not there, or had lost its state.
    pub(crate) outages: Vec<(u64, u64)>,
    pub(crate) faults: u64,
    pub(crate) kills: u64,
    /// Values in the second tier that were looked at, and those that were older than what was acknowledged before.
    pub(crate) looked_at: u64,
    pub(crate) old_ones: Vec<String>,
    /// Loads that the source let fail, and errors for which there is no such reason.
    pub(crate) failed: u64,
    pub(crate) errors: Vec<String>,
    /// The workers' `TierStats`, added up.
    pub(crate) stats: BTreeMap<String, u64>,
}

pub(crate) struct Read {
    pub(crate) key: u64,
    pub(crate) version: u64,
    pub(crate) begin: u64,
    pub(crate) end: u64,
    /// Whether the caller was told that it is stale.
    pub(crate) is_stale: bool,
    /// How long the load of what was read took.
    pub(crate) took: u64,
}

#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) key: u64,
    /// When its lease was asked for and granted; `None` if it had none.
    pub(crate) lease: Option<(u64, u64)>,
    /// When the source answered; `None` if the worker was gone by then.
    pub(crate) end: Option<u64>,
}

/// What the tasks of the driver have in common.
pub(crate) struct World {
    pub(crate) record: Mutex<Record>,
    /// The versions at the source, by key.
    pub(crate) versions: Mutex<Vec<u64>>,
    /// The highest version of each key that has been acknowledged in the second tier.
    pub(crate) floor: Mutex<Vec<u64>>,
    /// The processes that may be killed.
    pub(crate) workers: Mutex<HashSet<i32>>,
}

impl World {
    pub(crate) fn new(keys: u64) -> Self {
        let keys = usize::try_from(keys).unwrap();
        Self {
            record: Mutex::default(),
            versions: Mutex::new(vec![1; keys]),
            floor: Mutex::new(vec![0; keys]),
            workers: Mutex::default(),
        }
    }

    /// Takes down what a worker says in a line.
    pub(crate) fn take_down(&self, line: &str) {
        let mut record = self.record.lock().unwrap();
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        let numbers: Vec<u64> = rest.split(' ').filter_map(|word| word.parse().ok()).collect();
        match (kind, &*numbers) {
            ("read", &[key, version, begin, end, stale, took]) => {
                record.reads.push(Read { key, version, begin, end, is_stale: stale == 1, took });
            }
            ("acknowledged", &[key, version, at]) => {
                record.acknowledged.insert((key, version), at);
                let mut floor = self.floor.lock().unwrap();
                let floor = &mut floor[usize::try_from(key).unwrap()];
                *floor = version.max(*floor);
            }
            ("failed", _) => record.failed += 1,
            ("error", _) => record.errors.push(rest.into()),
            ("stat", &[count]) => {
                let name = rest.split(' ').next().unwrap_or_default();
                *record.stats.entry(name.into()).or_default() += count;
            }
            // (The last line of one that was killed may be torn.)
            _ => {}
        }
    }
}
