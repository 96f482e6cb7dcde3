use alloc::vec::Vec;

use super::Member;

/// The number of events of each group.
fn happened(members: &[Member]) -> Vec<u64> {
    members.iter().map(|member| member.with(|happened| *happened)).collect()
}

/// C118: events of one group do not affect others. (D82)
#[test]
fn c118_others_are_not_held_up() {
    let caches: Vec<_> = (0..4).map(|_| Member::new()).collect();
    caches[0].join(&caches[1]);
    let before = happened(&caches);
    caches[0].with(|happened| {
        *happened += 1;
        // Meanwhile another group can be taken.
        caches[2].with(|other| *other += 1);
    });
    let now = happened(&caches);
    assert_eq!((now[0], now[1], now[3]), (before[0] + 1, before[1] + 1, before[3]));
}

/// A note from before two groups were merged is not mistaken for one from after that.
#[test]
fn joining_counts_on() {
    let caches: Vec<_> = (0..100).map(|_| Member::new()).collect();
    for (nth, cache) in caches.iter().enumerate() {
        (0..nth % 7).for_each(|_| cache.with(|happened| *happened += 1));
    }
    for step in [1, 2, 4, 8, 16, 32, 64, 3, 5] {
        let before = happened(&caches);
        (step..100).step_by(2 * step).for_each(|nth| caches[nth].join(&caches[nth - step]));
        let after = happened(&caches);
        for nth in (step..100).step_by(2 * step) {
            assert_eq!(after[nth], after[nth - step]);
            assert!(after[nth] >= before[nth].max(before[nth - step]));
        }
    }
    let before = happened(&caches);
    assert!(before.iter().all(|happened| *happened == before[0]));
    caches[0].join(&caches[99]);
    assert_eq!(happened(&caches), before, "they are one already");
}
