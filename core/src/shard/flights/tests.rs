//! The table of flights: which flight each key finds, and where seats lead as places move.

mod lone;

use super::*;
use crate::{
    Failure,
    flight::{PolledBy, Start, Terms},
    parts::{WakerList, Wakers},
    shard::{Twin, tests::together::Together},
};
use core::{sync::atomic::Ordering, task::Waker};

struct Plain;

impl Carries for Plain {
    type Load = u32;
    type Batch = Together;
    type Notify = WakerList<spin::Mutex<Wakers>>;
    type AsMany = ();
}

type Table = Flights<u32, u32, &'static str, Plain>;
type Place = Seat<<Plain as Carries>::Notify>;

/// Returns a hash that keys share, so that only the keys themselves tell them apart.
fn hash(key: u32) -> u64 {
    u64::from(key % 2)
}

fn claim(table: &mut Table, key: u32) -> Place {
    let mut seat = Place::default();
    let place = table.claim(hash(key), Some(key), true, &mut seat);
    let by = PolledBy::here(Waker::noop());
    table.at(place).flight.begin(&mut seat.began, crate::Instant::ZERO, Terms::default(), Start::Unmade, by);
    seat
}

fn join(table: &mut Table, key: u32) -> Place {
    let place = find(table, key).expect("a flight");
    let mut seat = Place::default();
    table.join(place, &mut seat);
    seat
}

fn find(table: &Table, key: u32) -> Option<u32> {
    table.find_placed(hash(key), |k| *k == key)
}

/// Gives up a seat; tells whether the flight ended with it.
fn leave(table: &mut Table, seat: Place) -> bool {
    let place = table.place(&seat);
    table.seats -= 1;
    table.at(place).flight.leave(seat.began);
    if table.at(place).flight.seats() > 0 {
        return false;
    }
    table.detach(place);
    table.at(place).flight.close();
    table.at(place).key = None;
    table.free(place);
    true
}

impl Twin {
    pub(in crate::shard) fn is_counted(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Checks that a seat leads to the flight of this key.
fn leads_to(table: &mut Table, seat: &Place, key: u32) {
    let slot = table.slot(seat);
    assert_eq!((slot.key, slot.hash, slot.id), (Some(key), hash(key), seat.id));
}

#[test]
fn a_claim_makes_the_flight_with_attempt_1() {
    let mut table = Table::new();
    assert_eq!(find(&table, 7), None);
    let seat = claim(&mut table, 7);
    assert_eq!((find(&table, 7), seat.began), (Some(table.place(&seat)), 1));
    assert!(seat.is_taken() && !Place::default().is_taken());
    let slot = table.slot(&seat);
    assert_eq!((slot.key, slot.hash, slot.flight.is_attached(), slot.flight.seats()), (Some(7), hash(7), true, 1));
    assert_eq!((table.len(), table.seats), (1, 1));
}

/// P9.
#[test]
fn flights_of_equal_hashes_are_told_apart_by_their_keys() {
    let mut table = Table::new();
    let seats = [1, 3, 5].map(|key| claim(&mut table, key));
    for (key, seat) in [1, 3, 5].into_iter().zip(&seats) {
        assert_eq!(find(&table, key), Some(table.place(seat)));
    }
    assert_eq!(find(&table, 7), None);
    let middle = table.place(&seats[1]);
    assert!(table.detach(middle));
    assert_eq!(find(&table, 3), None);
    assert_eq!(find(&table, 1).zip(find(&table, 5)), Some((table.place(&seats[0]), table.place(&seats[2]))));
}

#[test]
fn a_join_is_one_seat_more_in_the_same_place() {
    let mut table = Table::new();
    let first = claim(&mut table, 7);
    let joined = join(&mut table, 7);
    assert_eq!((table.place(&joined), joined.began), (table.place(&first), 0));
    assert_eq!((table.len(), table.seats, table.slot(&joined).flight.seats()), (1, 2, 2));
    let delivery = first.place_only();
    assert_eq!((table.place(&delivery), delivery.began), (table.place(&first), 1));
}

/// P8: a caller that comes after a write leads a load of its own, beside the one that the write has voided.
#[test]
fn a_detached_flight_is_not_found_and_stands_beside_a_new_one() {
    let mut table = Table::new();
    let old = claim(&mut table, 7);
    let joined = join(&mut table, 7);
    let place = table.place(&old);
    assert!(table.detach(place));
    assert_eq!(find(&table, 7), None);
    let new = claim(&mut table, 7);
    assert_ne!(table.place(&new), place);
    assert_eq!(find(&table, 7), Some(table.place(&new)));
    assert!(!leave(&mut table, old));
    assert!(leave(&mut table, joined));
    assert_eq!(find(&table, 7), Some(table.place(&new)), "the end of the old flight leaves the new one in its place");
    leads_to(&mut table, &new, 7);
}

/// D25: no caller finds a flight that was never attached.
#[test]
fn a_flight_of_one_who_loads_alone_is_never_found() {
    let mut table = Table::new();
    let mut alone = Place::default();
    table.claim(hash(7), None, false, &mut alone);
    assert_eq!((find(&table, 7), table.len()), (None, 1));
    let other = claim(&mut table, 7);
    assert!(leave(&mut table, alone));
    assert_eq!(find(&table, 7), Some(table.place(&other)));
}

/// D40, D41.
#[test]
fn a_removal_detaches_one_flight_and_a_clear_all_of_them() {
    let mut table = Table::new();
    let seats = [1, 2, 3].map(|key| claim(&mut table, key));
    let place = table.place(&seats[0]);
    assert!(table.detach(place));
    assert!(!table.detach(place), "only once");
    assert_eq!([1, 2, 3].map(|key| find(&table, key).is_some()), [false, true, true]);
    table.detach_all();
    assert_eq!([1, 2, 3].map(|key| find(&table, key).is_some()), [false; 3]);
    assert_eq!((table.len(), table.seats), (3, 3), "the callers go on waiting");
    assert!(seats.iter().all(|seat| !table.slot(seat).flight.is_attached()));
}

#[test]
fn the_key_of_the_last_caller_may_be_claimed_at_once() {
    let mut table = Table::new();
    let seat = claim(&mut table, 7);
    assert!(leave(&mut table, seat));
    let seat = claim(&mut table, 7);
    assert_eq!((seat.began, find(&table, 7)), (1, Some(table.place(&seat))));
}

/// P2: a place is used again, and its former flight is not taken for the new one.
#[test]
fn a_place_is_used_again_under_another_number() {
    let mut table = Table::new();
    let seat = claim(&mut table, 7);
    let (place, id) = (table.place(&seat), seat.id);
    assert!(leave(&mut table, seat));
    let seat = claim(&mut table, 8);
    assert_eq!((table.place(&seat), table.slots.len()), (place, 1));
    assert_ne!(seat.id, id);
    assert_eq!(find(&table, 7), None);
    leads_to(&mut table, &seat, 8);
}

/// P2, D49: a burst gives back its memory, though one of its flights hangs.
#[test]
fn memory_is_given_back_when_a_burst_is_over_though_one_of_its_flights_hangs() {
    for hangs in [0, 500, 999] {
        let mut table = Table::new();
        let mut seats: Vec<Place> = (0..1000).map(|key| claim(&mut table, key)).collect();
        let hanging = seats.remove(hangs);
        for seat in seats {
            assert!(leave(&mut table, seat));
        }
        assert_eq!((table.len(), table.seats), (1, 1));
        assert!(table.slots.capacity() <= 2 * KEPT, "{}", table.slots.capacity());
        assert!(table.free.capacity() <= 4 * KEPT, "{}", table.free.capacity());
        assert!(table.index.capacity() <= 4 * KEPT && table.moved.capacity() <= 4 * KEPT);
        leads_to(&mut table, &hanging, hangs as u32);
        assert_eq!(find(&table, hangs as u32), Some(table.place(&hanging)));
        assert!(leave(&mut table, hanging));
        assert_eq!((table.len(), table.moved.len()), (0, 0), "nothing is remembered of it");
    }
}

/// D49: also if all of them were detached.
#[test]
fn memory_is_given_back_when_detached_flights_end() {
    let mut table = Table::new();
    let mut seats: Vec<Place> = (0..1000).map(|key| claim(&mut table, key)).collect();
    table.detach_all();
    let hanging = seats.remove(700);
    for seat in seats {
        assert!(leave(&mut table, seat));
    }
    leads_to(&mut table, &hanging, 700);
    assert_eq!(find(&table, 700), None, "it stays detached");
    assert!(table.slots.capacity() <= 2 * KEPT && table.index.capacity() <= 4 * KEPT);
}

/// P14: a quiet table needs no memory for the next flight.
#[test]
fn a_few_places_are_kept() {
    let mut table = Table::new();
    let room = |table: &Table| [table.slots.capacity(), table.free.capacity(), table.index.capacity()];
    for before in [0, KEPT as u32, 8, 1000] {
        let seats: Vec<Place> = (0..before).map(|key| claim(&mut table, key)).collect();
        seats.into_iter().for_each(|seat| assert!(leave(&mut table, seat)));
        let kept = room(&table);
        let [slots, free, index] = kept;
        assert!([slots, free].iter().all(|kept| (KEPT..=4 * KEPT).contains(kept)) && index <= 4 * KEPT, "{kept:?}");
        for _ in 0..3 {
            let seat = claim(&mut table, 7);
            assert!(leave(&mut table, seat));
            assert_eq!(room(&table), kept, "one flight at a time needs no index");
        }
        let few = |table: &mut Table| {
            let seats: Vec<Place> = (0..KEPT as u32).map(|key| claim(table, key)).collect();
            seats.into_iter().for_each(|seat| assert!(leave(table, seat)));
        };
        few(&mut table);
        let kept = room(&table);
        assert!(kept.iter().all(|kept| (KEPT..=4 * KEPT).contains(kept)), "{kept:?}");
        for _ in 0..3 {
            few(&mut table);
            assert_eq!((table.slots.len(), room(&table)), (KEPT, kept));
        }
    }
}

/// Seats find their flights however often places move, and new flights are not taken for old ones.
#[test]
fn seats_keep_finding_their_flights_after_places_have_moved() {
    let mut table = Table::new();
    let mut random = crate::store::policy::tests::shelf::Random(3);
    let mut seats: Vec<(u32, Place)> = Vec::new();
    let (mut next, mut moves) = (0, 0);
    for round in 0..40 {
        let most = if round % 2 == 0 { 300 } else { 3 + round / 4 };
        while seats.len() < most {
            // Some flights have two seats.
            if random.below(4) == 0 && !seats.is_empty() {
                let key = seats[random.below(seats.len() as u64) as usize].0;
                if find(&table, key).is_some() {
                    let seat = join(&mut table, key);
                    seats.push((key, seat));
                    continue;
                }
            }
            let seat = claim(&mut table, next);
            seats.push((next, seat));
            next += 1;
        }
        while seats.len() > most {
            let (key, seat) = seats.swap_remove(random.below(seats.len() as u64) as usize);
            leads_to(&mut table, &seat, key);
            if random.below(8) == 0 {
                let place = table.place(&seat);
                table.detach(place);
            }
            let before = table.slots.len();
            leave(&mut table, seat);
            moves += u32::from(table.slots.len() < before);
        }
        for (key, seat) in &seats {
            leads_to(&mut table, seat, *key);
            let is_attached = table.slot(seat).flight.is_attached();
            assert_eq!(find(&table, *key).is_some(), is_attached);
            assert!(!is_attached || find(&table, *key) == Some(table.place(seat)));
        }
        assert_eq!(table.seats, seats.len() as u64);
        assert!(table.moved.len() <= table.len());
    }
    assert!(moves > 20, "{moves}");
}

#[test]
fn loads_and_failures_are_found_by_the_number_of_their_attempt() {
    let mut table = Table::new();
    let seat = claim(&mut table, 7);
    let place = table.place(&seat);
    [(1, 10), (2, 20), (3, 30)].into_iter().for_each(|load| table.at(place).loads.push(load));
    assert_eq!((table.take_load(place, 2), table.take_load(place, 2)), (Some(20), None));
    assert_eq!((table.take_load(place, 3), table.take_load(place, 1)), (Some(30), Some(10)));
    let slot = table.at(place);
    slot.own.push((4, Err(Failure::new(crate::Cause::Panicked))));
    assert!(slot.take_own(1).is_none());
    assert!(slot.take_own(4).is_some_and(|own| own.is_err_and(|failure| failure.is_panicked())));
    assert!(slot.take_own(4).is_none());
}

#[test]
fn what_is_begun_anew_is_found_again_unless_there_is_another() {
    for others in [0, 1, 40] {
        let mut table = Table::new();
        let others: Vec<_> = (0..others).map(|nth| claim(&mut table, 100 + nth)).collect();
        let seat = claim(&mut table, 1);
        assert!(table.reattach(&seat), "it is attached");
        let place = table.place(&seat);
        table.detach(place);
        assert_eq!(find(&table, 1), None);
        assert!(table.reattach(&seat));
        assert_eq!(find(&table, 1), Some(place));
        table.detach_all();
        let newer = claim(&mut table, 1);
        assert!(!table.reattach(&seat));
        assert_eq!(find(&table, 1), table.find_place(&newer));
        leave(&mut table, newer);
        assert!(table.reattach(&seat));
        assert_eq!(find(&table, 1), table.find_place(&seat));
        for seat in others.into_iter().chain([seat]) {
            leave(&mut table, seat);
        }
        assert_eq!((table.len(), find(&table, 1)), (0, None));
    }
}
