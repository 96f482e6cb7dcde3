use alloc::vec::Vec;

use super::{Grant, Room, Ticket};

/// A new caller, or one that has had a place, queues for a key of this hash.
fn draw(room: &mut Room<i32>, hash: u64, is_new: bool, is_called: bool) -> Ticket {
    let ticket = room.draw(is_new);
    room.join(ticket, hash, is_called);
    ticket
}

#[test]
fn in_order_of_arrival() {
    let mut room = Room::new();
    let tickets: Vec<_> = (0..4).map(|nth| draw(&mut room, nth, true, false)).collect();
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
    let new = draw(&mut room, 1, true, false);
    let had: Vec<_> = (0..3).map(|_| draw(&mut room, 1, false, false)).collect();
    let newer = draw(&mut room, 1, true, false);
    for (nth, ticket) in [(0, new), (1, had[0]), (2, had[1]), (3, had[2]), (4, newer)] {
        room.wait(ticket, nth);
    }
    let granted: Vec<_> = core::iter::from_fn(|| room.grant()).flatten().collect();
    assert_eq!(granted, [1, 2, 3, 0, 4]);
}

#[test]
fn a_grant_before_the_wait() {
    let mut room = Room::new();
    let ticket = draw(&mut room, 1, true, false);
    assert_eq!(room.grant(), Some(None), "no caller to wake yet");
    assert_eq!(room.wait(ticket, 7), Grant::Granted(7));
    assert_eq!(room.grant(), None);
}

#[test]
fn leaving() {
    let mut room = Room::new();
    let (first, second) = (draw(&mut room, 1, true, false), draw(&mut room, 1, true, false));
    room.wait(first, 5);
    assert_eq!(room.leave(first), Some(Some(5)));
    assert_eq!(room.leave(first), None, "it has left, so a place counts as its own");
    assert_eq!((room.grant(), room.leave(second)), (Some(None), None));
    assert!(room.by_key.is_empty(), "nothing is left behind");
}

#[test]
fn a_call_reaches_those_of_the_key() {
    let mut room = Room::new();
    let tickets: Vec<_> = [1, 2, 1, 1].into_iter().map(|hash| draw(&mut room, hash, true, false)).collect();
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
    let late = draw(&mut room, 1, true, false);
    assert_eq!((room.wait(late, 6), room.wait(late, 6)), (Grant::Called(6), Grant::Waits(None)), "it looks once");
}

#[test]
fn a_grant_is_more_than_a_call() {
    let mut room = Room::new();
    let (called, new) = (draw(&mut room, 1, true, true), draw(&mut room, 1, true, false));
    room.wait(new, 3);
    assert_eq!(room.call(1), [3]);
    assert_eq!((room.grant(), room.grant()), (Some(None), Some(None)));
    assert_eq!((room.wait(called, 1), room.wait(new, 2)), (Grant::Granted(1), Grant::Granted(2)));
}

#[test]
fn who_has_left_keeps_his_turn() {
    let mut room = Room::new();
    let (first, second) = (draw(&mut room, 1, true, false), draw(&mut room, 2, true, false));
    room.wait(first, 1);
    room.wait(second, 2);
    assert_eq!(room.leave(first), Some(Some(1)));
    room.join(first, 1, false);
    room.wait(first, 3);
    assert_eq!((room.grant(), room.grant(), room.grant()), (Some(Some(3)), Some(Some(2)), None));
}
