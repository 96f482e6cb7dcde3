//! Traces of accesses: recorded ones, if they are available, and generated ones.

use std::io::{BufReader, Read, Result};
use std::path::PathBuf;

use crate::frames::Frames;

/// Returns the folder with the recorded traces, if there is one.
///
/// The environment variable `LARDER_TRACES` names it. If it is unset, this is a folder `traces` with recordings in one
/// of the folders beside the workspace.
pub fn folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("LARDER_TRACES") {
        return Some(PathBuf::from(folder)).filter(|folder| folder.is_dir());
    }
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let folders = std::fs::read_dir(beside).ok()?.filter_map(Result::ok).map(|folder| folder.path().join("traces"));
    folders.into_iter().find(|folder| folder.join("multi3.u64.zst").is_file())
}

/// Reads at most the first `limit` keys of the recorded trace `name`.
pub fn recorded(name: &str, limit: usize) -> Result<Vec<u64>> {
    let folder = folder().ok_or(std::io::ErrorKind::NotFound)?;
    let file = std::fs::File::open(folder.join(name).with_extension("u64.zst"))?;
    let unpacked = Frames::new(BufReader::new(file));
    let mut bytes = Vec::new();
    unpacked.take(limit.saturating_mul(8) as u64).read_to_end(&mut bytes)?;
    let word = |word: &[u8]| word.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
    Ok(bytes.chunks_exact(8).map(word).collect())
}

/// Returns a cycle over `keys` keys, as many rounds as fit.
pub fn cycle(keys: u64, accesses: usize) -> Vec<u64> {
    (0..keys).cycle().take(accesses).collect()
}

/// Returns accesses to keys that are each used twice, `lag` new keys apart.
pub fn pairs(lag: u64, accesses: usize) -> Vec<u64> {
    (lag..).flat_map(|key| [key, key - lag]).take(accesses).collect()
}

/// Returns accesses to `keys` keys by Zipf's law with exponent 1, the same ones each time.
pub fn zipf(keys: usize, accesses: usize) -> Vec<u64> {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=keys)
        .map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        })
        .collect();
    let mut random = Random(keys as u64);
    let draw = |_| sums.partition_point(|&below| below < random.unit() * sum) as u64;
    (0..accesses).map(draw).collect()
}

/// Returns `trace` with `length` new keys inserted after every `every` accesses.
pub fn with_scans(trace: &[u64], every: usize, length: u64) -> Vec<u64> {
    let mut fresh = 1 << 40;
    let mut mixed = Vec::new();
    for part in trace.chunks(every) {
        mixed.extend_from_slice(part);
        mixed.extend(fresh..fresh + length);
        fresh += length;
    }
    mixed
}

/// Numbers that look random (xorshift64*: Marsaglia 2003, Vigna 2016).
struct Random(u64);

impl Random {
    /// Returns the next number from 0 up to 1.
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
