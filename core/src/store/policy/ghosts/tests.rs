use super::*;

const FROM_PROBATION: Ghost = Ghost { from_main: false, age: 0 };

fn with_room(residents: u64) -> Ghosts {
    let mut ghosts = Ghosts::default();
    ghosts.reserve(residents, u64::MAX);
    ghosts
}

impl Ghosts {
    /// Returns how many ghosts there is room for.
    pub(in crate::store::policy) fn places(&self) -> usize {
        self.buckets.capacity() * SLOTS
    }
}

/// Returns a hash as a good hasher makes it.
fn hash(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[test]
fn nothing_is_held_before_room_is_made() {
    let mut ghosts = Ghosts::default();
    ghosts.note(1, FROM_PROBATION, 0);
    assert_eq!(ghosts.take(1, 0), None);
    assert_eq!(ghosts.places(), 0);
}

#[test]
fn a_ghost_is_found_once_as_it_was_noted() {
    let mut ghosts = with_room(100);
    for from_main in [false, true] {
        for age in [0, 1, OLDEST] {
            for now in [0, 5, 127, 128, 1000, u16::MAX] {
                let ghost = Ghost { from_main, age };
                ghosts.note(7, ghost, now);
                assert_eq!(ghosts.take(7, now), Some(ghost));
                assert_eq!(ghosts.take(7, now), None);
            }
        }
    }
}

#[test]
fn ages_go_on_and_great_ones_are_cut() {
    let mut ghosts = with_room(100);
    ghosts.note(7, Ghost { from_main: true, age: 3 }, u16::MAX - 1);
    assert_eq!(ghosts.take(7, 10).map(|ghost| ghost.age), Some(15));
    ghosts.note(7, Ghost { from_main: false, age: u16::MAX }, 100);
    assert_eq!(ghosts.take(7, 131).map(|ghost| ghost.age), Some(127));
}

#[test]
fn every_hash_has_a_print() {
    let mut ghosts = with_room(1 << 16);
    for number in (0..1 << 16).chain([u64::MAX, 0xa076_1d64_78bd_642f]) {
        ghosts.note(number, FROM_PROBATION, 0);
        assert!(ghosts.take(number, 0).is_some());
    }
}

#[test]
fn a_bucket_forgets_its_oldest() {
    let mut ghosts = with_room(1);
    assert_eq!(ghosts.places(), 8);
    for number in 0..9 {
        ghosts.note(hash(number), FROM_PROBATION, 0);
    }
    assert_eq!(ghosts.take(hash(0), 0), None);
    assert_eq!(ghosts.take(hash(4), 0), Some(FROM_PROBATION));
    // The gap is closed: one more fits without loss.
    ghosts.note(hash(9), FROM_PROBATION, 0);
    for number in [1, 2, 3, 5, 6, 7, 8, 9] {
        assert_eq!(ghosts.take(hash(number), 0), Some(FROM_PROBATION), "{number}");
    }
}

#[test]
fn there_is_room_for_two_a_resident_and_no_more_than_the_capacity_allows() {
    let mut ghosts = Ghosts::default();
    for (residents, capacity, expected) in
        [(1, 1000, 8), (4, 1000, 8), (5, 1000, 16), (500, 1000, 1008), (2000, 1000, 2000), (2000, u64::MAX, 4000)]
    {
        ghosts.reserve(residents, capacity);
        assert_eq!(ghosts.places(), expected, "{residents} of {capacity}");
    }
    ghosts.trim(100);
    assert_eq!(ghosts.places(), 200);
    ghosts.trim(u64::MAX);
    assert_eq!(ghosts.places(), 200);
    ghosts.trim(0);
    assert_eq!(ghosts.places(), 0);
}

/// C101: a capacity that shrinks in small steps does not copy the rest at each step.
#[test]
fn little_that_is_too_much_is_kept() {
    let mut ghosts = with_room(1000);
    let (mut cuts, mut last) = (0, ghosts.places());
    for capacity in (1..1000).rev() {
        ghosts.trim(capacity);
        let (places, allowed) = (ghosts.places() as u64, (2 * capacity).div_ceil(8) * 8);
        assert!(places >= allowed && places <= allowed + allowed / 8 + 8, "{places} places for {capacity}");
        cuts += usize::from(ghosts.places() != last);
        last = ghosts.places();
    }
    assert!(cuts < 60, "{cuts} cuts");
}

#[test]
fn what_is_remembered_survives_growth() {
    let mut ghosts = with_room(1000);
    for number in 0..500 {
        ghosts.note(hash(number), FROM_PROBATION, 0);
    }
    let kept = |ghosts: &Ghosts| (0..500).filter(|&number| ghosts.clone().take(hash(number), 0).is_some()).count();
    let before = kept(&ghosts);
    ghosts.reserve(1001, u64::MAX);
    assert_eq!(ghosts.places(), 4000);
    assert_eq!(kept(&ghosts), before);
    ghosts.reserve(100_000, u64::MAX);
    assert_eq!(kept(&ghosts), before);
}

#[test]
fn strangers_are_seldom_taken_for_ghosts() {
    let mut ghosts = with_room(10_000);
    for number in 0..40_000 {
        ghosts.note(hash(number), FROM_PROBATION, 0);
    }
    let found = (0..20_000_u64).filter(|number| ghosts.take(hash(number + 1_000_000), 0).is_some()).count();
    assert!(found <= 12, "{found} of 20000");
}

#[test]
fn hashes_of_one_shard_use_all_the_room() {
    let mut ghosts = with_room(1000);
    for number in 0..2000 {
        // The highest and the lowest bits are the same in all.
        ghosts.note(hash(number) >> 12 << 8 | 0xa0 << 56, FROM_PROBATION, 0);
    }
    let empty = ghosts.buckets.iter().filter(|bucket| bucket.newer as u16 == 0).count();
    assert!(empty <= 5, "{empty} of {} buckets", ghosts.buckets.len());
}
