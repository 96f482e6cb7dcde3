//! What must not have happened.

use std::collections::HashMap;

use crate::{
    plan::{ALONE_TTL, Fault, HEARING_LIMIT, LEASE, Phase, TTL, Writes, load_millis},
    record::{Load, Record, nanos},
};

/// How much later than it should something may happen on a busy machine: five times what was ever seen.
const SLACK: u64 = 400_000_000;

/// A phase, judged.
pub(crate) struct Verdict {
    columns: String,
    broken: Vec<String>,
}

pub(crate) fn heading() {
    println!(
        "| phase | reads | failed | loads | of them alone | kills, faults | side by side | old in the second tier | reads below what was acknowledged, for ms at most | p50 us | p99 ms | longest ms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
}

/// Prints a line; returns how many promises were broken.
pub(crate) fn report(name: &str, verdict: &Verdict) -> usize {
    println!("| {name} | {} |", verdict.columns);
    for broken in &verdict.broken {
        println!("  {name}: BROKEN: {broken}");
    }
    verdict.broken.len()
}

pub(crate) fn judge(phase: &Phase, record: &Record) -> Verdict {
    let mut broken = Vec::new();
    let mut require = |holds: bool, what: String| {
        if !holds {
            broken.push(what);
        }
    };
    let (side, excused) = side_by_side(record);
    require(side.is_empty(), format!("T1: {} loads side by side, such as {:?}", side.len(), side.first()));
    let old = record.old_ones.len();
    require(old == 0, format!("T4: {old} old values in the second tier, such as {:?}", record.old_ones.first()));
    let (below, worst, too_old) = staleness(record);
    require(too_old.is_none(), format!("T5: {}", too_old.unwrap_or_default()));
    let longest_load = load_millis(phase.slow).1 * 1_000_000;
    let mut times: Vec<u64> = record.reads.iter().map(|read| read.end - read.begin).collect();
    times.sort_unstable();
    let at = |share: f64| times.get(((times.len().max(1) - 1) as f64 * share) as usize).copied().unwrap_or(0);
    // (Workers that are stopped wait for as long as they are.)
    // (Where loads are slow, one that a write has voided is waited for in vain, and begun anew.)
    let longest = if phase.slow { 10 } else { 5 } * (nanos(LEASE) + longest_load);
    let is_stopped = phase.fault == Fault::StopWorkers;
    require(
        is_stopped || at(1.0) <= longest,
        format!("T2, T7: a read took {} ms, more than {}", ms(at(1.0)), ms(longest)),
    );
    require(record.errors.is_empty(), format!("{} errors, such as {:?}", record.errors.len(), record.errors.first()));
    let stat = |name: &str| record.stats.get(name).copied().unwrap_or(0);
    if phase.slow {
        let (published, leased) = (stat("published"), stat("leased"));
        require(published * 5 >= leased, format!("T3: only {published} of {leased} slow loads were stored"));
    }
    if phase.fault == Fault::Nothing && phase.writes == Writes::No {
        let (loads, lives) = (record.loads.len(), lives(record));
        require(loads * 10 <= lives * 13, format!("T1: {loads} loads for {lives} lives of keys that were read"));
    }
    let alone = record.loads.iter().filter(|load| load.lease.is_none()).count();
    let is_well = matches!(phase.fault, Fault::Nothing | Fault::KillHolders);
    require(
        !is_well || alone * 100 <= record.loads.len(),
        format!("T7: {alone} loads alone although nothing is wrong"),
    );
    // What was not tried holds nothing.
    require(record.reads.len() > 300, "hardly anything was read".into());
    let kills = phase.fault == Fault::KillHolders;
    require(!kills || record.kills > 0, "nobody was killed".into());
    require(is_well || record.faults > 0, "nothing went wrong".into());
    // (In a storm hardly any value lives for long enough to be seen.)
    let few = if phase.writes == Writes::Storm { 0 } else { 20 };
    require(record.looked_at > few, "the second tier was hardly looked at".into());
    let columns = format!(
        "{} | {} | {} | {alone} | {}, {} | {} ({excused} excused) | {old} of {} | {below}, {} | {} | {} | {}",
        record.reads.len(),
        record.failed,
        record.loads.len(),
        record.kills,
        record.faults,
        side.len(),
        record.looked_at,
        ms(worst),
        at(0.5) / 1_000,
        ms(at(0.99)),
        ms(at(1.0)),
    );
    Verdict { columns, broken }
}

fn ms(nanos: u64) -> String {
    format!("{:.1}", nanos as f64 / 1e6)
}

/// Returns pairs of loads of one key whose leases must have excluded each other, and how many a write or the loss of the
/// server's state excuses.
fn side_by_side(record: &Record) -> (Vec<String>, usize) {
    let mut by_key: HashMap<u64, Vec<(&Load, u64, u64)>> = HashMap::new();
    for load in &record.loads {
        if let Some((asked, granted)) = load.lease {
            by_key.entry(load.key).or_default().push((load, asked, granted));
        }
    }
    // From when to when each write may have reached the server. One that was not acknowledged is sent again, and may have
    // hung in a connection meanwhile.
    let mut voids: HashMap<u64, Vec<(u64, u64)>> = HashMap::new();
    for (&(key, version), &begin) in &record.writes {
        let end = record.acknowledged.get(&(key, version)).copied().unwrap_or(begin + 5_000_000_000);
        voids.entry(key).or_default().push((begin, end));
    }
    let (mut pairs, mut excused) = (Vec::new(), 0);
    for (key, loads) in &mut by_key {
        loads.sort_by_key(|(_, _, granted)| *granted);
        for (at, &(later, later_asked, granted)) in loads.iter().enumerate() {
            for &(earlier, earlier_asked, _) in loads[..at].iter().rev().take(8) {
                // (Which of the two the server has granted first is not known.)
                let asked = earlier_asked.min(later_asked);
                let runs = earlier.end.is_none_or(|end| end > granted);
                if !runs || granted.saturating_sub(asked) >= nanos(LEASE) {
                    continue;
                }
                let overlaps = |&(begin, end): &(u64, u64)| begin < granted && end > asked;
                if voids.get(key).is_some_and(|voids| voids.iter().any(overlaps)) || record.outages.iter().any(overlaps)
                {
                    excused += 1;
                } else {
                    pairs.push(format!("{earlier:?} and {later:?}"));
                }
            }
        }
    }
    (pairs, excused)
}

/// Returns how many reads that were not told to be stale were below what had been acknowledged when they began, and for how
/// long it had been at most; and one that was so for too long.
///
/// A process that does not hear holds what it has loaded for a while, and a load may take long: its process may be stopped.
fn staleness(record: &Record) -> (usize, u64, Option<String>) {
    let mut by_key: HashMap<u64, Vec<(u64, u64)>> = HashMap::new();
    for (&(key, version), &at) in &record.acknowledged {
        by_key.entry(key).or_default().push((at, version));
    }
    for all in by_key.values_mut() {
        all.sort_unstable();
    }
    let (mut below, mut worst, mut too_old) = (0, 0, None);
    for read in record.reads.iter().filter(|read| !read.is_stale) {
        let Some(all) = by_key.get(&read.key) else { continue };
        let before = &all[..all.partition_point(|(at, _)| *at <= read.begin)];
        if let Some((at, _)) = before.iter().find(|(_, version)| *version > read.version) {
            below += 1;
            let age = read.begin - at;
            worst = worst.max(age);
            let bound = nanos(HEARING_LIMIT).max(nanos(ALONE_TTL) + read.took) + SLACK;
            if age > bound {
                too_old = Some(format!("a read {} ms below what was acknowledged, more than {}", ms(age), ms(bound)));
            }
        }
    }
    (below, worst, too_old)
}

/// Returns how many lives of values the reads fell into, were each loaded at the first read of it: the fewest loads there
/// can be.
fn lives(record: &Record) -> usize {
    let mut reads: Vec<_> = record.reads.iter().map(|read| (read.key, read.begin, read.end)).collect();
    reads.sort_unstable();
    let (mut lives, mut last) = (0, None);
    for (key, begin, end) in reads {
        if last.is_none_or(|(of, until)| of != key || begin >= until) {
            lives += 1;
            last = Some((key, end + nanos(TTL)));
        }
    }
    lives
}
