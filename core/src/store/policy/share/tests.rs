use super::*;

/// Returns the longest probation queue that is allowed.
fn target(share: &Share) -> u64 {
    share.whole()
}

#[test]
fn it_starts_at_six_percent_and_stays_within_its_bounds() {
    let mut share = Share::new(10_000);
    assert_eq!(target(&share), 595);
    share.widen(u64::MAX);
    assert_eq!(target(&share), 9003);
    share.narrow(u64::MAX);
    assert_eq!(target(&share), 97);
}

#[test]
fn it_moves_by_the_weight_of_what_came_back() {
    let mut share = Share::new(10_000);
    share.widen(100);
    assert_eq!(target(&share), 695);
    share.narrow(100);
    assert_eq!(target(&share), 570);
    for _ in 0..512 {
        share.drift(1);
    }
    assert_eq!(target(&share), 569);
}

#[test]
fn probation_is_never_left_without_room() {
    for capacity in 0..20 {
        let mut share = Share::new(capacity);
        share.narrow(u64::MAX);
        assert!(target(&share) >= 1, "capacity {capacity}");
        assert!(share.window() >= 1);
        share.drift(u64::MAX);
        assert!(!share.is_exceeded(0) && !share.is_exceeded(1));
    }
}

#[test]
fn extreme_capacities_do_not_overflow() {
    let mut share = Share::new(u64::MAX);
    for _ in 0..4 {
        share.widen(u64::MAX);
    }
    assert!(target(&share) > u64::MAX / 10 * 9 - 10_000);
    assert!(!share.is_respected(u64::MAX));
    assert!(share.is_respected(1));
    for _ in 0..4 {
        share.narrow(u64::MAX);
        share.drift(u64::MAX);
    }
    assert!(target(&share) >= 1);
}

#[test]
fn another_capacity_keeps_the_part_that_was_learned() {
    for capacity in [1000, 1 << 33, u64::MAX] {
        let mut share = Share::new(capacity);
        share.widen(capacity / 4);
        for other in [100_000, u64::MAX, 1 << 40, 100_000] {
            share.set_capacity(other);
            let percent = u128::from(target(&share)) * 100 / u128::from(other);
            assert!((30..=31).contains(&percent), "{capacity} to {other}: {percent}%");
        }
    }
}

/// D46: at so small a capacity that the least target is a large part of it, nothing was learned of that.
#[test]
fn d46_a_small_capacity_for_a_while_keeps_the_part_that_was_learned() {
    for small in [&[1][..], &[2], &[10, 1], &[1, 10], &[0], &[5, 0, 5]] {
        for learned in [0, 250] {
            let mut share = Share::new(1000);
            share.widen(learned);
            let before = target(&share);
            small.iter().for_each(|small| share.set_capacity(*small));
            assert!(target(&share) >= 1);
            share.set_capacity(1000);
            assert!(before.abs_diff(target(&share)) <= 1, "{small:?}: {before} to {}", target(&share));
        }
    }
    let mut share = Share::new(1);
    share.set_capacity(1000);
    assert_eq!(target(&share), 59, "it has started with little");
    // What is learned there is.
    share.set_capacity(10);
    share.widen(3);
    share.set_capacity(1000);
    assert_eq!(target(&share), 400);
}

#[test]
fn it_starts_anew_after_a_capacity_of_zero() {
    let mut share = Share::new(0);
    share.set_capacity(10_000);
    assert_eq!(target(&share), 595);
    share.set_capacity(0);
    assert_eq!(target(&share), 1);
}
