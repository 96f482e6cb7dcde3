//! The hit ratios of the policies on traces: recorded ones if they are available, generated ones everywhere.

use larder::policy::{GatedFifo, Lru, Policy};
use larder_tests::goals::{HEAD, LEAST_MEAN, MOST_BEHIND, RECORDINGS, Recording, capacity, distinct};
use larder_tests::replay::{PolicyAlone, RealCache, hit_ratio};
use larder_tests::traces;

/// The one place that defines what is measured.
fn replay<P: Policy>(entries: usize, keys: &[u64]) -> f64 {
    hit_ratio(&mut PolicyAlone::<P>::new(entries), keys)
}

/// Returns whether there are recorded traces to replay, and prints a note if there are none.
fn recorded() -> bool {
    let found = traces::folder().is_some();
    if !found {
        println!("no recorded traces, only generated ones are replayed: set LARDER_TRACES to their folder");
    }
    found
}

/// Asserts that a ratio, rounded as the known one is, equals it.
fn assert_known(ratio: f64, known: f64, decimals: usize, what: &str) {
    assert_eq!(format!("{ratio:.decimals$}"), format!("{known:.decimals$}"), "{what}");
}

#[test]
fn lru_is_exact_on_whole_traces() {
    if !recorded() {
        return;
    }
    // The others take too long without optimization; the benchmark `hit_ratio` replays all.
    let short = RECORDINGS.iter().filter(|recording| ["multi3", "corda", "web12"].contains(&recording.name));
    for recording in short {
        let keys = traces::recorded(recording.name, usize::MAX).expect("a trace");
        assert_eq!(distinct(&keys), recording.keys);
        for (per_mille, known) in [1, 10, 100, 250].into_iter().zip(recording.lru) {
            let entries = capacity(recording.keys, per_mille);
            let what = format!("{} at {entries}", recording.name);
            assert_known(replay::<Lru>(entries, &keys), known, 2, &what);
            let in_the_cache = hit_ratio(&mut RealCache::<Lru>::new(entries, 1), &keys);
            assert_known(in_the_cache, known, 2, &format!("{what}, in the real cache"));
        }
    }
}

#[test]
fn the_default_policy_is_as_good_as_the_best_of_all_others() {
    if !recorded() {
        return;
    }
    // In parallel, because they take longer than all other tests.
    let ratios = std::thread::scope(|scope| {
        let replays: Vec<_> = RECORDINGS.iter().map(|recording| scope.spawn(|| replay_head(recording))).collect();
        replays.into_iter().flat_map(|replay| replay.join().expect("no failure in a replay")).collect::<Vec<_>>()
    });
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    assert!(mean >= LEAST_MEAN, "a mean of {mean:.2}");
}

/// Returns the hit ratios of the default policy over the head of a trace.
fn replay_head(recording: &Recording) -> [f64; 2] {
    let keys = traces::recorded(recording.name, HEAD).expect("a trace");
    let different = distinct(&keys);
    [0, 1].map(|cell| {
        let entries = capacity(different, [10, 100][cell]);
        let what = format!("{} at {entries}", recording.name);
        assert_known(replay::<Lru>(entries, &keys), recording.lru_head[cell], 1, &what);
        let (ratio, best) = (replay::<GatedFifo>(entries, &keys), recording.best[cell]);
        assert!(ratio >= best - MOST_BEHIND, "{what}: {ratio:.2}, and {best} elsewhere");
        ratio
    })
}

#[test]
fn a_loop_is_held_in_part() {
    let keys = traces::cycle(1250, 50_000);
    assert_eq!(replay::<Lru>(1000, &keys), 0.0);
    let ratio = replay::<GatedFifo>(1000, &keys);
    assert!(ratio > 70.0, "{ratio:.2} of at most 80");
}

#[test]
fn popular_keys_stay_and_outlive_scans() {
    let popular = traces::zipf(10_000, 50_000);
    for (keys, ahead) in [(&popular, 4.0), (&traces::with_scans(&popular, 500, 500), 4.0)] {
        let (lru, gated) = (replay::<Lru>(500, keys), replay::<GatedFifo>(500, keys));
        assert!(gated > lru + ahead, "{gated:.2}, and {lru:.2} by recency");
    }
}

#[test]
fn what_was_used_once_is_held_for_its_second_use() {
    for lag in [50, 250, 500] {
        let keys = traces::pairs(lag, 50_000);
        let ratio = replay::<GatedFifo>(1000, &keys);
        assert!(ratio > 44.0, "{ratio:.2} of at most 50, {lag} apart");
    }
}

#[test]
fn what_fits_is_held() {
    let keys = traces::cycle(500, 5_000);
    assert_eq!(replay::<Lru>(500, &keys), 90.0);
    assert_eq!(replay::<GatedFifo>(500, &keys), 90.0);
}
