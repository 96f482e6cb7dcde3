//! Larder beside its peers, in turn, many short rounds: prints the ratio of times of the same round.
//!
//! Times on a shared machine vary and ratios less; nothing is asserted. Below 1.00 Larder is the faster one.

mod peer;
mod source;
mod work;

use std::{env, sync::Arc};

use larder_benches::Quartiles;

use crate::{
    peer::{Larder, Moka, Peer, Quick},
    work::{Bench, Work},
};

const WORKS: [(&str, Work); 8] = [
    ("sync hit, 1 thread", Work::SyncHit { threads: 1 }),
    ("sync hit, 2 threads", Work::SyncHit { threads: 2 }),
    ("async hit", Work::AsyncHit),
    ("async miss, ready, full", Work::AsyncMiss),
    ("1000 waiters, each", Work::Waiters),
    ("insert and evict", Work::InsertEvict),
    ("mix, 1 thread", Work::Mix { threads: 1 }),
    ("mix, 2 threads", Work::Mix { threads: 2 }),
];

const ROUNDS: usize = 15;

fn main() {
    // Cargo passes `--bench`; any other argument picks the works whose names contain it.
    let wanted = env::args().skip(1).find(|argument| !argument.starts_with("--")).unwrap_or_default();
    let keys = work::mix();
    println!("{:<26}{:>12}   ratio to {} and to {} (quartiles)", "work", "ns", Quick::NAME, Moka::NAME);
    for (name, work) in WORKS.into_iter().filter(|(name, _)| name.contains(&wanted)) {
        compare(name, work, &keys);
    }
}

fn compare(name: &str, work: Work, keys: &Arc<[u64]>) {
    let mut larder = Bench::<Larder>::new(work, keys.clone());
    let mut quick = Bench::<Quick>::new(work, keys.clone());
    let mut moka = Bench::<Moka>::new(work, keys.clone());
    let (mut times, mut to_quick, mut to_moka) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Nobody is always the one who comes after the slowest.
        let mut took = [0.0; 3];
        for turn in 0..3 {
            let whose = (round + turn) % 3;
            took[whose] = match whose {
                0 => larder.round(),
                1 => quick.round(),
                _ => moka.round(),
            };
        }
        times.push(took[0]);
        to_quick.push(took[0] / took[1]);
        to_moka.push(took[0] / took[2]);
    }
    print!("{name:<26}{:>12.1}", Quartiles::of(times).median);
    for ratios in [to_quick, to_moka] {
        let Quartiles { lower, median, upper } = Quartiles::of(ratios);
        print!("   {median:.2} ({lower:.2} to {upper:.2})");
    }
    println!();
    if matches!(work, Work::Mix { threads: 1 }) {
        let ratios = [larder.hit_ratio(), quick.hit_ratio(), moka.hit_ratio()].map(|ratio| 100.0 * ratio);
        println!(
            "  hit ratio in percent: {} {:.2}, {} {:.2}, {} {:.2}",
            Larder::NAME,
            ratios[0],
            Quick::NAME,
            ratios[1],
            Moka::NAME,
            ratios[2]
        );
    }
}
