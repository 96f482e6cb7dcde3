//! The hit ratios of a log: a line for each policy, a column for each capacity.

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use larder_tests::logs::Log;

use crate::policies::Policy;

pub(crate) struct Cells {
    pub(crate) capacities: Vec<u64>,
    pub(crate) lines: Vec<(String, Vec<f64>)>,
    is_sized: bool,
}

impl Cells {
    pub(crate) fn of(
        log: &Log,
        policies: &[&'static Policy],
        capacities: &[u64],
        mut after_each: impl FnMut(),
    ) -> Self {
        let mut lines = Vec::new();
        for policy in policies {
            let (mut accesses, mut bytes) = (Vec::new(), Vec::new());
            for capacity in capacities {
                match (log, policy.sized) {
                    // (Some set aside all that they may ever need, so no more than can matter.)
                    (Log::Keys(keys), _) => {
                        accesses.push((policy.keys)(keys, (*capacity).min((4 * keys.len() as u64).max(1))))
                    }
                    (Log::Sized(rows), Some(replay)) => {
                        let ratio = replay(rows, *capacity);
                        accesses.push(ratio.accesses);
                        bytes.push(ratio.bytes);
                    }
                    (Log::Sized(_), None) => {}
                }
                after_each();
            }
            lines.push((policy.name.to_owned(), accesses));
            if !bytes.is_empty() {
                lines.push((format!("{}, of bytes", policy.name), bytes));
            }
        }
        Self { capacities: capacities.to_vec(), lines, is_sized: matches!(log, Log::Sized(_)) }
    }
}

impl fmt::Display for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_sized { "hits in %, by bytes" } else { "hits in %, by entries" };
        write!(f, "{what:<22}")?;
        self.capacities.iter().try_for_each(|capacity| write!(f, "{capacity:>12}"))?;
        for (name, ratios) in &self.lines {
            write!(f, "\n{name:<22}")?;
            ratios.iter().try_for_each(|ratio| write!(f, "{ratio:>12.2}"))?;
        }
        writeln!(f)
    }
}

/// What a log holds in all.
pub(crate) struct Whole {
    accesses: usize,
    distinct: usize,
    bytes: Option<u64>,
}

impl Whole {
    pub(crate) fn of(log: &Log) -> Self {
        match log {
            Log::Keys(keys) => {
                let distinct = keys.iter().collect::<HashSet<_>>().len();
                Self { accesses: keys.len(), distinct, bytes: None }
            }
            Log::Sized(rows) => {
                let sizes: HashMap<_, _> = rows.iter().map(|row| (row.key, row.size)).collect();
                let bytes = sizes.values().fold(0, |sum: u64, size| sum.saturating_add(*size));
                Self { accesses: rows.len(), distinct: sizes.len(), bytes: Some(bytes) }
            }
        }
    }

    /// What would be held if nothing ever left: entries, or bytes where there are sizes.
    pub(crate) fn most(&self) -> u64 {
        self.bytes.unwrap_or(self.distinct as u64)
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} accesses to {} keys", self.accesses, self.distinct)?;
        self.bytes.map_or(Ok(()), |bytes| write!(f, " of {bytes} bytes"))
    }
}
