use super::*;

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

fn look(stripe: &mut Stripe<u32, u32>, key: u32, version: usize, now: u64) -> Near<u32> {
    stripe.look([key as usize % 4; 2], u64::from(key), version, at(now), |k| *k == key)
}

fn keep(stripe: &mut Stripe<u32, u32>, key: u32, value: u32, version: usize, end: u64) -> Option<u32> {
    let copy = Copied::new(u64::from(key), key, value, version, at(end));
    stripe.keep([key as usize % 4; 2], copy).map(|copy| copy.value)
}

fn furnished<K, V>() -> Stripe<K, V> {
    let mut stripe = Stripe::new();
    assert_eq!(stripe.furnish(Stripe::slots(4)).len(), 0);
    stripe
}

/// What there are no slots for is not lost under the lock, and slots that come too late change nothing. (P13)
#[test]
fn a_stripe_is_furnished_once() {
    let mut stripe = Stripe::new();
    assert_eq!(look(&mut stripe, 1, 0, 5), Near::Bare);
    assert_eq!(keep(&mut stripe, 1, 10, 0, 50), Some(10));
    assert_eq!(stripe.furnish(Stripe::slots(4)).len(), 0);
    assert_eq!(keep(&mut stripe, 1, 10, 0, 50), None);
    assert_eq!(stripe.furnish(Stripe::slots(4)).len(), 4);
    assert_eq!(look(&mut stripe, 1, 0, 5), Near::Hit(10));
}

/// D85: a copy is served as long as it is good, and each time is counted.
#[test]
fn a_good_copy_is_served() {
    let mut stripe = furnished();
    assert_eq!(keep(&mut stripe, 1, 10, 0, 50), None);
    assert_eq!(look(&mut stripe, 1, 0, 49), Near::Hit(10));
    assert_eq!(look(&mut stripe, 1, 0, 50), Near::Miss, "it has expired");
    assert_eq!(look(&mut stripe, 1, 1, 49), Near::Wanted, "it is outdated");
    assert_eq!(look(&mut stripe, 1, 0, 49), Near::Hit(10));
    assert_eq!(stripe.hits, 2);
}

/// P9: keys are compared as a whole.
#[test]
fn equal_hashes_share_no_copy() {
    let mut stripe = furnished();
    keep(&mut stripe, 1, 10, 0, 50);
    assert_eq!(stripe.look([1, 1], 1, 0, at(0), |key| *key == 5), Near::Miss);
}

/// Only what is asked for twice in a row is worth a copy, which takes the place of another.
#[test]
fn what_is_asked_for_again_is_wanted() {
    let mut stripe = furnished();
    keep(&mut stripe, 1, 10, 0, 50);
    assert_eq!(look(&mut stripe, 5, 0, 0), Near::Miss);
    assert_eq!(look(&mut stripe, 9, 0, 0), Near::Miss);
    assert_eq!(look(&mut stripe, 5, 0, 0), Near::Miss);
    assert_eq!(look(&mut stripe, 1, 0, 0), Near::Hit(10), "it stays meanwhile");
    assert_eq!(look(&mut stripe, 5, 0, 0), Near::Wanted);
    assert_eq!(keep(&mut stripe, 5, 50, 0, 50), Some(10));
}

/// Of two slots, one without a good copy is taken first.
#[test]
fn two_keys_of_one_slot_have_copies_both() {
    let mut stripe = furnished::<u64, u64>();
    let mut keep = |key, slots, version| {
        stripe.keep(slots, Copied::new(key, key, key * 10, version, at(50))).map(|copy| copy.value)
    };
    assert_eq!((keep(1, [0, 1], 0), keep(2, [0, 1], 0)), (None, None));
    assert_eq!(keep(1, [0, 1], 0), Some(10), "the same key again");
    assert_eq!(keep(3, [0, 1], 0), Some(10), "both are good");
    assert_eq!(keep(4, [0, 1], 1), Some(30), "both are outdated");
    assert_eq!(keep(5, [0, 1], 1), Some(20));
    assert_eq!(stripe.look([1, 0], 4, 1, at(0), |key| *key == 4), Near::Hit(40));
    assert_eq!(stripe.look([0, 1], 5, 1, at(0), |key| *key == 5), Near::Hit(50));
}

/// The shard hears of some hits, and its policy with it.
#[test]
fn the_shard_hears_of_some_hits() {
    let mut stripe = furnished();
    keep(&mut stripe, 1, 10, 0, 50);
    let told = (0..640).filter(|_| look(&mut stripe, 1, 0, 0) == Near::Miss).count();
    assert_eq!((told, stripe.hits), (20, 620));
}

/// P12: what is outdated is taken out, of the slots of one shard.
#[test]
fn outdated_copies_are_taken_out() {
    assert_eq!(Stripe::<u32, u32>::new().purge(0..4, 1).len(), 0, "there are no slots yet");
    let mut stripe = furnished();
    for (key, version) in [(0, 0), (1, 1), (2, 0), (3, 0)] {
        keep(&mut stripe, key, key * 10, version, 50);
    }
    let purged = stripe.purge(0..3, 1);
    assert_eq!(purged.iter().map(|copy| copy.value).collect::<Vec<_>>(), [0, 20]);
    assert_eq!(look(&mut stripe, 3, 0, 0), Near::Hit(30));
}
