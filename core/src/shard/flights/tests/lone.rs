//! The flight that the index does not know, and the flights beside it.

use super::*;

/// P14: mostly there is only one flight, which is found without an index.
#[test]
fn one_flight_at_a_time_is_found_without_an_index() {
    let mut table = Table::new();
    for key in [7, 9, 7] {
        let seat = claim(&mut table, key);
        assert_eq!((find(&table, key), table.index.len()), (Some(table.place(&seat)), 0));
        assert_eq!(find(&table, key + 2), None, "of the same hash");
        assert!(leave(&mut table, seat));
        assert_eq!((find(&table, key), table.lone, table.index.capacity()), (None, NOWHERE, 0));
    }
}

/// Whichever of several flights ends first, the others are found, and the next one gets a place.
#[test]
fn several_flights_are_found_whichever_ends_first() {
    for first in 0..3 {
        let mut table = Table::new();
        let mut seats: Vec<(u32, Place)> = [1, 3, 5].map(|key| (key, claim(&mut table, key))).into();
        assert_eq!((table.lone, table.index.len()), (table.place(&seats[0].1), 2));
        let (key, seat) = seats.remove(first);
        let place = table.place(&seat);
        assert!(table.detach(place) && !table.detach(place));
        assert_eq!((find(&table, key), table.lone == NOWHERE), (None, first == 0));
        // The same key in a newer flight, and another one.
        seats.push((key, claim(&mut table, key)));
        seats.push((7, claim(&mut table, 7)));
        assert_eq!(table.index.len(), 3);
        assert!(leave(&mut table, seat), "the end of the older flight takes nothing from the newer one");
        for (key, seat) in &seats {
            leads_to(&mut table, seat, *key);
            assert_eq!(find(&table, *key), Some(table.place(seat)));
        }
        table.detach_all();
        assert!(seats.iter().all(|(key, _)| find(&table, *key).is_none()));
        assert!(seats.iter().all(|(_, seat)| !table.slot(seat).flight.is_attached()));
        assert_eq!((table.lone, table.index.len()), (NOWHERE, 0));
    }
}

/// D11: a newer flight without a seat is found, and ends when its last caller leaves.
#[test]
fn a_vacant_flight_is_found_and_has_no_seat() {
    let mut table = Table::new();
    let place = table.claim_vacant(hash(7), 7);
    assert_eq!((find(&table, 7), table.len(), table.seats), (Some(place), 1, 0));
    assert_eq!((table.at(place).flight.seats(), table.at(place).is_blank), (0, false));
    let delivery = table.seat_of(place, 1);
    assert_eq!((table.find_place(&delivery), delivery.began), (Some(place), 1));
    let joined = join(&mut table, 7);
    assert_eq!((table.place(&joined), table.seats), (place, 1));
    assert!(leave(&mut table, joined));
    assert_eq!((table.find_place(&delivery), table.len()), (None, 0), "what comes for it comes too late");
}
