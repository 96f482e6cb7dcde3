//! Every cell of the state table.
use super::{Change, State};
use crate::Instant;

const fn change(number: u64) -> Change {
    Change { number, at: Instant::from_nanos(number * 10) }
}

const DIRTY: State = State::Dirty(change(1));
const FLUSHING: State = State::Flushing(change(1));
const AGAIN: State = State::Again(change(1), change(2));

#[test]
fn a_change() {
    let three = change(3);
    assert_eq!(State::Clean.changed(three), State::Dirty(three));
    assert_eq!(DIRTY.changed(three), DIRTY, "in its old place");
    assert_eq!(FLUSHING.changed(three), State::Again(change(1), three));
    assert_eq!(AGAIN.changed(three), AGAIN, "the first change that is not being written counts");
}

#[test]
fn a_flush_begins() {
    assert_eq!(State::Clean.begun(), None);
    assert_eq!(DIRTY.begun(), Some(FLUSHING));
    assert_eq!(FLUSHING.begun(), None, "one at a time");
    assert_eq!(AGAIN.begun(), None);
}

#[test]
fn it_succeeds() {
    assert_eq!(FLUSHING.ended(true), State::Clean);
    assert_eq!(AGAIN.ended(true), State::Dirty(change(2)), "in order by the change that it lacks");
    assert_eq!(State::Clean.ended(true), State::Clean);
    assert_eq!(DIRTY.ended(true), DIRTY, "nothing of it was being written");
}

#[test]
fn it_fails() {
    assert_eq!(FLUSHING.ended(false), DIRTY);
    assert_eq!(AGAIN.ended(false), DIRTY, "in its old place");
    assert_eq!(State::Clean.ended(false), State::Clean);
    assert_eq!(DIRTY.ended(false), DIRTY);
}

#[test]
fn what_is_not_on_disk() {
    assert_eq!(State::Clean.since(), None);
    for state in [DIRTY, FLUSHING, AGAIN] {
        assert_eq!(state.since(), Some(change(1)));
    }
    let flushing = [State::Clean, DIRTY, FLUSHING, AGAIN].map(|state| state.is_flushing());
    assert_eq!(flushing, [false, false, true, true]);
}
