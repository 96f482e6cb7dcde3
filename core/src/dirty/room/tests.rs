use alloc::vec::Vec;

use super::{Grant, Room};

#[test]
fn in_order_of_arrival() {
    let mut room = Room::new();
    let tickets: Vec<_> = (0..4).map(|nth| room.draw(nth, true, false)).collect();
    for (nth, ticket) in (0..).zip(&tickets) {
        assert_eq!(room.wait(*ticket, nth), Grant::Waits(None));
    }
    assert_eq!(room.wait(tickets[0], 10), Grant::Waits(Some(0)), "what it displaces comes back");
    let granted: Vec<_> = core::iter::from_fn(|| room.grant()).collect();
    assert_eq!(granted, [Some(10), Some(1), Some(2), Some(3)]);
    assert!(room.is_empty());
    assert_eq!(room.wait(tickets[2], 9), Grant::Granted(9));
}

#[test]
fn who_has_had_a_place_comes_first_in_order_too() {
    let mut room = Room::new();
    let new = room.draw(1, true, false);
    let had: Vec<_> = (0..3).map(|_| room.draw(1, false, false)).collect();
    let newer = room.draw(1, true, false);
    for (nth, ticket) in [(0, new), (1, had[0]), (2, had[1]), (3, had[2]), (4, newer)] {
        room.wait(ticket, nth);
    }
    let granted: Vec<_> = core::iter::from_fn(|| room.grant()).flatten().collect();
    assert_eq!(granted, [1, 2, 3, 0, 4]);
}

#[test]
fn a_grant_before_the_wait() {
    let mut room = Room::new();
    let ticket = room.draw(1, true, false);
    assert_eq!(room.grant(), Some(None), "no caller to wake yet");
    assert_eq!(room.wait(ticket, 7), Grant::Granted(7));
    assert_eq!(room.grant(), None);
}

#[test]
fn leaving() {
    let mut room = Room::new();
    let (first, second) = (room.draw(1, true, false), room.draw(1, true, false));
    room.wait(first, 5);
    assert_eq!(room.leave(first), Some(Some(5)));
    assert_eq!(room.leave(first), None, "it has left, so a place counts as its own");
    assert_eq!((room.grant(), room.leave(second)), (Some(None), None));
    assert!(room.by_key.is_empty(), "nothing is left behind");
}

#[test]
fn a_call_reaches_those_of_the_key() {
    let mut room = Room::new();
    let tickets: Vec<_> = [1, 2, 1, 1].into_iter().map(|hash| room.draw(hash, true, false)).collect();
    for (nth, ticket) in (0..3).zip(&tickets) {
        room.wait(*ticket, nth);
    }
    assert_eq!(room.call(1), [0, 2], "the last is not asleep");
    assert_eq!(room.call(1), Vec::<i32>::new(), "woken once");
    assert_eq!(room.wait(tickets[0], 9), Grant::Called(9));
    assert_eq!(room.wait(tickets[0], 9), Grant::Waits(None), "told once; the place in the queue is kept");
    assert_eq!(room.wait(tickets[3], 8), Grant::Called(8));
    assert_eq!(room.wait(tickets[1], 7), Grant::Waits(Some(1)));
    assert_eq!(room.grant(), Some(Some(9)), "still the first");
    assert_eq!(room.call(77), Vec::<i32>::new());
    assert_eq!(room.close(), [7]);
    let late = room.draw(1, true, false);
    assert_eq!((room.wait(late, 6), room.wait(late, 6)), (Grant::Called(6), Grant::Waits(None)), "it looks once");
}

#[test]
fn a_grant_is_more_than_a_call() {
    let mut room = Room::new();
    let (called, new) = (room.draw(1, true, true), room.draw(1, true, false));
    room.wait(new, 3);
    assert_eq!(room.call(1), [3]);
    assert_eq!((room.grant(), room.grant()), (Some(None), Some(None)));
    assert_eq!((room.wait(called, 1), room.wait(new, 2)), (Grant::Granted(1), Grant::Granted(2)));
}
