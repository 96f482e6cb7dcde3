//! The command line.

use std::{error::Error, path::PathBuf};

use larder_benches::{Random, Zipf};
use larder_tests::logs::{self, Log};
use lexopt::{Arg, Parser, ValueExt};

use crate::policies::{ALL, Policy};

const HELP: &str = "\
Replays logs of keys and says how often caches of several capacities would have hit.

usage: cargo run --release -p larder-benches --bin replay -- [FILE...] [--capacity LIST] [--policy LIST] [--draw SVG]

  FILE             a log: a key in each line; or keys of 8 bytes each in a file called .u64; or lines of
                   time_s,key,size,ttl, with that as the first line; each may be packed as .zst. Without a file there
                   is a made one: keys by Zipf's law, with scans
  --capacity LIST  entries (bytes where there are sizes), or shares of all that is different, by commas: 1000,5%,10%
  --policy LIST    by commas, of: larder, larder-lru, quick_cache, moka, mini-moka, foyer-memory, TinyUFO, micro-moka,
                   fibre_cache, MIN. A log with sizes is replayed by larder and larder-lru alone
  --draw SVG       draws the hit ratios over the capacities, of the last log

MIN knows the future: no cache can hit more often. Each access is a look; what is not there is inserted.";

/// How much a cache is to hold.
#[derive(Clone, Copy)]
enum Capacity {
    Of(u64),
    Percent(f64),
}

pub(crate) struct Args {
    files: Vec<PathBuf>,
    capacities: Vec<Capacity>,
    policies: Vec<&'static Policy>,
    pub(crate) draw: Option<PathBuf>,
}

impl Args {
    /// Reads the command line; nothing if that asked for help, which has been printed.
    pub(crate) fn read() -> Result<Option<Self>, lexopt::Error> {
        let shares = [0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0];
        let mut args = Self {
            files: Vec::new(),
            capacities: shares.map(Capacity::Percent).to_vec(),
            policies: ALL.iter().collect(),
            draw: None,
        };
        let mut parser = Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Long("capacity") => args.capacities = list(&parser.value()?.string()?, capacity)?,
                Arg::Long("policy") => args.policies = list(&parser.value()?.string()?, policy)?,
                Arg::Long("draw") => args.draw = Some(parser.value()?.into()),
                Arg::Long("help") | Arg::Short('h') => {
                    println!("{HELP}");
                    return Ok(None);
                }
                Arg::Value(file) => args.files.push(file.into()),
                _ => return Err(arg.unexpected()),
            }
        }
        Ok(Some(args))
    }

    /// The logs, each with its name.
    pub(crate) fn logs(&self) -> Result<Vec<(String, Log)>, Box<dyn Error>> {
        if self.files.is_empty() {
            return Ok(vec![("a made log".to_owned(), Log::Keys(made()))]);
        }
        let read = |file: &PathBuf| match logs::read(file) {
            Ok(log) => Ok((file.display().to_string(), log)),
            Err(error) => Err(format!("{}: {error}", file.display()).into()),
        };
        self.files.iter().map(read).collect()
    }

    /// The capacities, of `whole` entries or bytes; each once, the smallest first.
    pub(crate) fn capacities(&self, whole: u64) -> Vec<u64> {
        let of = |capacity: &Capacity| match *capacity {
            Capacity::Of(capacity) => capacity,
            Capacity::Percent(share) => (whole as f64 * share / 100.0).round() as u64,
        };
        let mut capacities: Vec<_> = self.capacities.iter().map(of).map(|capacity| capacity.max(1)).collect();
        capacities.sort_unstable();
        capacities.dedup();
        capacities
    }

    /// Those who can replay this log.
    pub(crate) fn policies(&self, log: &Log) -> Vec<&'static Policy> {
        let can = |policy: &&&Policy| matches!(log, Log::Keys(_)) || policy.sized.is_some();
        self.policies.iter().filter(can).copied().collect()
    }
}

fn list<T>(text: &str, one: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    text.split(',').map(str::trim).map(one).collect()
}

fn capacity(text: &str) -> Result<Capacity, String> {
    let wrong = || format!("{text}: neither a number nor a share such as 5%");
    match text.strip_suffix('%') {
        Some(share) => {
            share.parse().ok().filter(|share| *share > 0.0 && *share <= 100.0).map(Capacity::Percent).ok_or_else(wrong)
        }
        None => text.parse().ok().filter(|capacity| *capacity > 0).map(Capacity::Of).ok_or_else(wrong),
    }
}

fn policy(text: &str) -> Result<&'static Policy, String> {
    ALL.iter().find(|policy| policy.name.eq_ignore_ascii_case(text)).ok_or_else(|| format!("{text}: no such policy"))
}

/// A million accesses by Zipf's law; after each ten thousand, a scan of a thousand keys that are used once.
fn made() -> Vec<u64> {
    let zipf = Zipf::new(100_000, 0.9);
    let mut random = Random::new(1);
    let mut keys = Vec::new();
    for part in 0..100 {
        keys.extend((0..10_000).map(|_| zipf.draw(&mut random)));
        keys.extend((0..1_000).map(|nth| 1_000_000 + part * 1_000 + nth));
    }
    keys
}
