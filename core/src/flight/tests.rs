//! The effect of each event on a flight, attached and detached: on attempts, on seats, and on which callers end.

mod driving;
mod leaving;
mod model;
mod waiting;

use alloc::{sync::Arc, task::Wake};
use core::{
    sync::atomic::{AtomicU32, Ordering},
    task::Waker,
};

use super::*;
use crate::{
    Instant,
    parts::{WakerList, Wakers},
};

type Bell = WakerList<spin::Mutex<Wakers>>;
type Plain = Flight<Bell>;

/// Counts its wakes.
#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A caller that has a seat.
struct Caller {
    own: u32,
    /// In this poll it has asked the loads up to this attempt.
    after: u32,
    registration: Registration<Bell>,
    count: Arc<Count>,
    waker: Waker,
}

impl Caller {
    fn new() -> Self {
        let count = Arc::<Count>::default();
        let waker = Waker::from(Arc::clone(&count));
        Self { own: 0, after: 0, registration: Registration::default(), count, waker }
    }

    fn by(&self) -> PolledBy {
        PolledBy::here(&self.waker)
    }

    /// How often it was woken since the last call of this.
    fn woken(&self) -> u32 {
        self.count.0.swap(0, Ordering::SeqCst)
    }
}

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

fn claim(start: Start) -> (Plain, Caller) {
    let (mut flight, mut caller) = (Plain::new(), Caller::new());
    flight.open(true);
    begin(&mut flight, &mut caller, 0, start);
    (flight, caller)
}

fn join(flight: &mut Plain) -> Caller {
    flight.join();
    Caller::new()
}

fn begin(flight: &mut Plain, caller: &mut Caller, now: u64, start: Start) -> bool {
    let by = caller.by();
    flight.begin(&mut caller.own, at(now), Terms::default(), start, by)
}

/// Begins an attempt whose load is polled once, and is not ready.
fn begin_resting(flight: &mut Plain, caller: &mut Caller, now: u64) {
    begin(flight, caller, now, Start::Made);
    assert!(flight.check_in(caller.own).is_wanted);
}

/// A caller waits; its first look in a poll.
fn wait(flight: &mut Plain, caller: &mut Caller) {
    flight.wait(&mut caller.registration, &caller.waker, true, &mut None);
}

/// Gives a caller the first load that is available at its first look in a poll.
fn look(flight: &mut Plain, caller: &mut Caller) -> Option<Work> {
    wait(flight, caller);
    caller.after = 0;
    hand_out(flight, caller, true)
}

/// Gives a caller the next load in the same poll.
fn look_on(flight: &mut Plain, caller: &mut Caller) -> Option<Work> {
    flight.wait(&mut caller.registration, &caller.waker, false, &mut None);
    hand_out(flight, caller, false)
}

/// Gives a caller a load that it has not had in this poll.
fn hand_out(flight: &mut Plain, caller: &mut Caller, is_first: bool) -> Option<Work> {
    let by = caller.by();
    let work = flight.check_out(caller.own, 0, is_first, &mut caller.after, true, by);
    work.map(|(work, begins)| {
        assert_eq!(begins, matches!(work, Work::Make(_)), "none of them was put to rest before it began");
        work
    })
}

/// A caller returns a load that it has polled, and that is not ready.
fn check_in(flight: &mut Plain, caller: &mut Caller, number: u32) -> CheckedIn {
    let checked = flight.check_in(number);
    if checked.again {
        caller.after = caller.after.min(number - 1);
    }
    checked
}

/// Wakes a load that is polled with the shared waker.
fn wake_load(flight: &Plain) {
    flight.waits.waker().expect("it is shared").wake();
}

/// Whether all callers are told, or this one alone.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    All,
    Own,
}

fn told(flight: &Plain, caller: &Caller) -> Option<Told> {
    if flight.is_over() {
        return Some(Told::All);
    }
    (caller.own != 0 && flight.has_ended(caller.own)).then_some(Told::Own)
}

/// Returns a flight whose load rests, its beginner and a joined caller; a write may have come since.
fn flight_of_two(detached: bool) -> (Plain, Caller, Caller) {
    let (mut flight, beginner) = claim(Start::Made);
    assert!(flight.check_in(1).is_wanted);
    let joined = join(&mut flight);
    assert!(!detached || flight.detach());
    (flight, beginner, joined)
}

#[test]
fn a_claim_makes_the_flight_with_attempt_1() {
    let (mut flight, mut caller) = (Plain::new(), Caller::new());
    flight.open(true);
    assert!(!begin(&mut flight, &mut caller, 5, Start::Unmade));
    assert_eq!((flight.seats(), flight.live(), flight.newest_begun(), caller.own), (1, 1, at(5), 1));
    assert_eq!((flight.is_attached(), flight.is_over()), (true, false));
    assert_eq!(flight.running(), 0, "no load runs before a caller drives (D14)");
}

/// A place is reused again and again, and shows nothing of its former use.
#[test]
fn a_place_that_is_used_again_begins_anew() {
    for ends in [Flight::close, |flight: &mut Plain| flight.settle().1] {
        let (mut flight, _beginner, mut joined) = flight_of_two(true);
        begin(&mut flight, &mut joined, 9, Start::Made);
        assert_eq!(ends(&mut flight), 2);
        let mut caller = Caller::new();
        flight.open(true);
        begin(&mut flight, &mut caller, 10, Start::Unmade);
        assert_eq!((caller.own, flight.newest(), flight.seats(), flight.live()), (1, 1, 1, 1));
        assert_eq!((flight.is_attached(), flight.is_over(), flight.newest_begun()), (true, false, at(10)));
    }
}

#[test]
fn a_join_is_one_seat_more_and_no_attempt() {
    let (flight, beginner, joined) = flight_of_two(false);
    assert_eq!((beginner.own, joined.own), (1, 0));
    assert_eq!((flight.seats(), flight.live()), (2, 1));
}

#[test]
fn a_takeover_is_one_attempt_more_with_the_next_number() {
    for detached in [false, true] {
        let (mut flight, beginner, mut joined) = flight_of_two(detached);
        assert!(begin(&mut flight, &mut joined, 8, Start::Made), "another one waits for what it replaces");
        assert_eq!((beginner.own, joined.own), (1, 2));
        assert_eq!((flight.live(), flight.newest_begun(), flight.oldest_begun()), (2, at(8), Some(at(0))));
        assert!(flight.newest() == joined.own && flight.newest() != beginner.own);
        assert_eq!(flight.is_attached(), !detached);
    }
}

/// The beginner of the newest attempt does not watch its age; it has to once there is a newer one.
#[test]
fn who_begins_after_its_own_attempt_or_one_that_is_over_replaces_nobodys() {
    let (mut flight, mut beginner, mut joined) = flight_of_two(false);
    assert!(!begin(&mut flight, &mut beginner, 1, Start::Made), "its own");
    assert!(begin(&mut flight, &mut joined, 2, Start::Made));
    assert_eq!(flight.fail(3), Failing::Beginner);
    assert!(!begin(&mut flight, &mut beginner, 3, Start::Made), "it has failed");
    assert_eq!(flight.leave(beginner.own), Left::Others);
    assert!(!begin(&mut flight, &mut joined, 4, Start::Made), "the caller that began it has left");
}

/// D4: the clock has jumped back.
#[test]
fn who_begins_at_an_earlier_time_is_to_be_looked_at_earlier() {
    let (mut flight, _beginner, mut joined) = flight_of_two(false);
    assert!(begin(&mut flight, &mut joined, 8, Start::Made));
    assert!(!begin(&mut flight, &mut joined, 8, Start::Made));
    assert!(begin(&mut flight, &mut joined, 7, Start::Made), "though it was its own");
    assert_eq!(flight.newest_begun(), at(7));
}

/// D11: numbers and the age continue from an attempt that has ended.
#[test]
fn numbers_go_on_whatever_became_of_the_attempts_before() {
    let (mut flight, _beginner, mut joined) = flight_of_two(false);
    let mut third = join(&mut flight);
    begin(&mut flight, &mut joined, 1, Start::Made);
    assert_eq!(flight.fail(2), Failing::Beginner);
    assert_eq!(flight.newest_begun(), at(1), "ended or not");
    begin(&mut flight, &mut third, 2, Start::Made);
    assert_eq!(third.own, 3);
}

/// D8: the first success ends the wait of all callers.
#[test]
fn a_success_ends_the_wait_of_all_and_every_other_load() {
    for detached in [false, true] {
        let (mut flight, mut beginner, mut joined) = flight_of_two(detached);
        let mut idle = join(&mut flight);
        begin_resting(&mut flight, &mut joined, 1);
        assert_eq!(look(&mut flight, &mut beginner), Some(Work::Poll(1)));
        wait(&mut flight, &mut idle);
        flight.forget(1);
        let (woken, running) = flight.settle();
        assert_eq!(running, 1, "the attempt that is not needed any more");
        woken.wake();
        assert_eq!([&beginner, &joined, &idle].map(Caller::woken), [1, 0, 1], "each waiting caller once");
        for caller in [&beginner, &joined, &idle] {
            assert_eq!(told(&flight, caller), Some(Told::All));
        }
        assert_eq!((flight.live(), flight.running()), (0, 0));
        assert!(flight.attempt(2).is_none(), "none may answer any more (D19)");
    }
}

/// D9: an answer beats an error, and the beginner of a failed attempt must not wait for another's attempt.
#[test]
fn a_failure_with_others_in_flight_is_told_to_its_beginner_alone() {
    for detached in [false, true] {
        let (mut flight, beginner, mut joined) = flight_of_two(detached);
        let mut idle = join(&mut flight);
        begin_resting(&mut flight, &mut joined, 1);
        assert_eq!(look(&mut flight, &mut idle), Some(Work::Poll(1)));
        assert_eq!(flight.fail(1), Failing::Beginner);
        assert_eq!(told(&flight, &beginner), Some(Told::Own), "any caller may have polled it");
        assert_eq!((told(&flight, &joined), told(&flight, &idle)), (None, None));
        assert_eq!((flight.is_attached(), flight.live()), (!detached, 1));
        flight.forget(1);
        assert_eq!(told(&flight, &beginner), None, "it has been told");
        assert_eq!(flight.fail(1), Failing::Late);
    }
}

/// P4.
#[test]
fn the_last_failure_is_told_to_all() {
    for detached in [false, true] {
        let (mut flight, beginner, mut joined) = flight_of_two(detached);
        let mut idle = join(&mut flight);
        begin_resting(&mut flight, &mut joined, 1);
        assert_eq!(look(&mut flight, &mut idle), Some(Work::Poll(1)));
        assert_eq!(look_on(&mut flight, &mut idle), Some(Work::Poll(2)));
        assert_eq!(flight.fail(2), Failing::Beginner);
        assert_eq!(flight.fail(1), Failing::Last);
        assert_eq!(flight.settle().1, 0);
        for caller in [&beginner, &joined, &idle] {
            assert_eq!(told(&flight, caller), Some(Told::All));
        }
    }
}

/// D39.
#[test]
fn an_insert_ends_the_wait_of_all_and_all_loads() {
    let (mut flight, mut beginner, mut joined) = flight_of_two(false);
    begin(&mut flight, &mut joined, 1, Start::Unmade);
    assert_eq!(look(&mut flight, &mut beginner), Some(Work::Poll(1)));
    assert!(flight.check_in(1).is_wanted);
    let (woken, running) = flight.settle();
    assert_eq!(running, 1, "what was never made was not begun");
    woken.wake();
    assert_eq!([&beginner, &joined].map(Caller::woken), [1, 0]);
    assert_eq!((told(&flight, &beginner), told(&flight, &joined)), (Some(Told::All), Some(Told::All)));
}

/// D40.
#[test]
fn a_flight_is_detached_once_and_goes_on() {
    let (mut flight, _beginner, mut joined) = flight_of_two(false);
    assert!(flight.detach());
    assert!(!flight.detach(), "only once");
    assert_eq!((flight.is_attached(), flight.live(), flight.seats()), (false, 1, 2));
    assert_eq!(look(&mut flight, &mut joined), Some(Work::Poll(1)));
}

#[test]
fn an_attempt_that_is_over_cannot_answer_and_one_in_flight_says_on_what_terms() {
    let (mut flight, mut beginner, mut joined) = flight_of_two(false);
    let may_answer = |flight: &mut Plain, number| {
        let attempt = flight.attempt(number).filter(|attempt| attempt.is_live());
        attempt.map(|attempt| (attempt.terms.weight, attempt.begun))
    };
    let terms = Terms { weight: Some(4), ..Terms::default() };
    let by = joined.by();
    flight.begin(&mut joined.own, at(6), terms, Start::Made, by);
    assert_eq!(may_answer(&mut flight, 2), Some((Some(4), at(6))), "D20");
    assert_eq!(may_answer(&mut flight, 3), None);
    assert_eq!(look(&mut flight, &mut beginner), Some(Work::Poll(1)));
    assert_eq!(flight.fail(1), Failing::Beginner);
    assert_eq!(may_answer(&mut flight, 1), None);
    let _ = flight.settle();
    assert_eq!(may_answer(&mut flight, 2), None, "D19");
}
