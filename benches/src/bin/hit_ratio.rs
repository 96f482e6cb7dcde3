//! Prints the hit ratios of the policies on the recorded traces, beside what is known of them.

use larder::policy::{GatedFifo, Lru, Policy};
use larder_tests::goals::{HEAD, RECORDINGS, capacity, distinct};
use larder_tests::replay::{RealCache, hit_ratio};
use larder_tests::traces;

fn main() -> std::io::Result<()> {
    if traces::folder().is_none() {
        println!("no recorded traces: set LARDER_TRACES to their folder");
        return Ok(());
    }
    heads()?;
    wholes()
}

/// The sixteen cells of the goal.
fn heads() -> std::io::Result<()> {
    println!("the first {HEAD} accesses; hits in percent");
    println!("{:12} {:>8} {:>6} {:>6} {:>6} {:>6}", "trace", "entries", "lru", "gated", "best", "ahead");
    let (mut cells, mut lru_sum, mut gated_sum, mut worst) = (0.0, 0.0, 0.0, f64::INFINITY);
    for recording in &RECORDINGS {
        let keys = traces::recorded(recording.name, HEAD)?;
        let different = distinct(&keys);
        for (per_mille, best) in [10, 100].into_iter().zip(recording.best) {
            let entries = capacity(different, per_mille);
            let (lru, gated) = (replay::<Lru>(entries, &keys), replay::<GatedFifo>(entries, &keys));
            let ahead = gated - best;
            println!("{:12} {entries:8} {lru:6.2} {gated:6.2} {best:6.1} {ahead:+6.2}", recording.name);
            (cells, lru_sum, gated_sum, worst) = (cells + 1.0, lru_sum + lru, gated_sum + gated, worst.min(ahead));
        }
    }
    println!("mean: lru {:.3}, gated {:.3}; worst {worst:+.2}\n", lru_sum / cells, gated_sum / cells);
    Ok(())
}

/// LRU over the whole traces, whose figures are known.
fn wholes() -> std::io::Result<()> {
    println!("whole traces; hits in percent");
    println!("{:12} {:>8} {:>6} {:>6} {:>6}", "trace", "entries", "lru", "known", "gated");
    for recording in &RECORDINGS {
        let keys = traces::recorded(recording.name, usize::MAX)?;
        for (per_mille, known) in [1, 10, 100, 250].into_iter().zip(recording.lru) {
            let entries = capacity(distinct(&keys), per_mille);
            let (lru, gated) = (replay::<Lru>(entries, &keys), replay::<GatedFifo>(entries, &keys));
            println!("{:12} {entries:8} {lru:6.2} {known:6.2} {gated:6.2}", recording.name);
        }
    }
    Ok(())
}

fn replay<P: Policy>(entries: usize, keys: &[u64]) -> f64 {
    hit_ratio(&mut RealCache::<P>::new(entries, 1), keys)
}
