//! Callers leave: what goes with them, and what stays for the others.

use super::*;

fn leaves_others(sky: &mut Sky, seat: Seat) -> bool {
    match sky.leave(seat) {
        Leaving::Others { vacant, .. } => vacant,
        Leaving::Last(_) | Leaving::Nothing => panic!("others wait"),
    }
}

/// P2: the first caller is not special.
#[test]
fn a_load_in_the_flight_stays_when_its_beginner_leaves() {
    for detached in [false, true] {
        let (mut sky, beginner, joined) = flight_of_two(detached);
        assert_eq!(drive(&mut sky, &beginner), 1);
        assert!(matches!(sky.check_in(&beginner, 1, 10, false), CheckIn::Kept));
        assert!(!leaves_others(&mut sky, beginner));
        assert_eq!((sky.seated(&joined).seats(), sky.counts.dropped), (1, 0));
        assert_eq!(find(&sky, 7).is_some(), !detached);
        assert!(matches!(sky.check_out(&joined, 0, false, || 0), Some(Job { number: 1, work: Work::Poll(10), .. })));
        check_sums(&sky);
    }
}

/// P2: nothing stays behind.
#[test]
fn with_the_last_caller_the_flight_and_its_loads_are_gone() {
    for detached in [false, true] {
        let (mut sky, beginner, mut joined) = flight_of_two(detached);
        sky.begin(&mut joined, at(1), Terms::default(), Start::Ready(20));
        assert_eq!(drive(&mut sky, &beginner), 1);
        assert!(matches!(sky.check_in(&beginner, 1, 10, false), CheckIn::Kept));
        assert!(!leaves_others(&mut sky, beginner));
        let Leaving::Last(mut flight) = sky.leave(joined) else { panic!("nobody else waits") };
        let loads: alloc::vec::Vec<u32> = flight.attempts().filter_map(|attempt| attempt.end().0).collect();
        assert_eq!(loads, [10, 20], "they go out to be dropped outside the lock (D13)");
        assert_eq!((find(&sky, 7), sky.census()), (None, (0, 0, 0)));
        assert_eq!((sky.counts.begun, sky.counts.dropped), (1, 1), "the second was never polled");
        check_sums(&sky);
    }
}

#[test]
fn the_key_of_the_last_caller_may_be_claimed_at_once() {
    let mut sky = Sky::new();
    let seat = claim(&mut sky, 7, Start::Fresh);
    assert!(matches!(sky.leave(seat), Leaving::Last(_)));
    let seat = claim(&mut sky, 7, Start::Fresh);
    assert_eq!((seat.began(), find(&sky, 7)), (Some(1), Some(seat.place())));
}

/// D16: on the owner's drop another one has to lead.
#[test]
fn a_lent_load_leaves_with_its_owner_and_the_flight_is_vacant() {
    for detached in [false, true] {
        let mut sky = Sky::new();
        let owner = claim(&mut sky, 7, Start::Lent);
        let mut other = sky.join(owner.place());
        if detached {
            sky.detach(owner.place());
        }
        assert!(leaves_others(&mut sky, owner));
        let flight = sky.seated(&other);
        assert_eq!((flight.live(), flight.newest_begun(), flight.oldest_begun()), (0, at(0), None));
        assert!(sky.check_out(&other, 0, false, || 0).is_none());
        assert!(told(&mut sky, &other).is_none(), "a caller's cancellation is never a failure (P4)");
        assert_eq!(sky.counts.dropped, 1);
        check_sums(&sky);

        sky.begin(&mut other, at(4), Terms::default(), Start::Ready(20));
        assert_eq!(other.began(), Some(2));
        assert!(matches!(sky.check_out(&other, 0, false, || 0), Some(Job { number: 2, work: Work::Poll(20), .. })));
        assert_eq!(sky.succeed(&other, 2).key, (!detached).then_some(7), "an attempt of the same epoch");
        check_sums(&sky);
    }
}

#[test]
fn a_lent_load_that_leaves_beside_another_leaves_no_vacancy() {
    let mut sky = Sky::new();
    let owner = claim(&mut sky, 7, Start::Lent);
    let mut other = sky.join(owner.place());
    sky.begin(&mut other, at(1), Terms::default(), Start::Ready(20));
    assert!(!leaves_others(&mut sky, owner));
    assert_eq!((sky.seated(&other).live(), sky.counts.dropped), (1, 1));
    check_sums(&sky);
}

#[test]
fn a_lent_load_that_leaves_when_all_is_told_leaves_no_vacancy() {
    let mut sky = Sky::new();
    let owner = claim(&mut sky, 7, Start::Lent);
    let other = sky.join(owner.place());
    sky.end(owner.place());
    sky.seated(&owner).tell(Ok(answer(1)));
    assert!(!leaves_others(&mut sky, owner));
    assert_eq!((told(&mut sky, &other), sky.counts.dropped), (Some(Ok(1)), 1), "dropped once, by the insert");
    check_sums(&sky);
}

#[test]
fn the_second_to_leave_a_vacant_flight_does_not_vacate_it_again() {
    let mut sky = Sky::new();
    let owner = claim(&mut sky, 7, Start::Lent);
    let (first, second) = (sky.join(owner.place()), sky.join(owner.place()));
    assert!(leaves_others(&mut sky, owner));
    assert!(!leaves_others(&mut sky, first));
    assert!(matches!(sky.leave(second), Leaving::Last(_)));
    assert_eq!(sky.census(), (0, 0, 0));
}

/// D9: a failure that nobody is left to be told is forgotten.
#[test]
fn a_failure_of_one_who_has_left_is_told_to_nobody() {
    let (mut sky, beginner, mut joined) = flight_of_two(false);
    let idle = sky.join(beginner.place());
    sky.begin(&mut joined, at(1), Terms::default(), Start::Ready(20));
    assert!(!leaves_others(&mut sky, beginner));
    assert_eq!(drive(&mut sky, &idle), 1);
    assert!(sky.fail(&idle, 1, &failure("first")).is_none());
    assert_eq!((told(&mut sky, &joined), told(&mut sky, &idle)), (None, None));
    check_sums(&sky);
}

/// P12: a flight remembers no more attempts than are in flight or have yet to be told.
#[test]
fn attempts_that_nobody_asks_for_any_more_are_forgotten() {
    let (mut sky, beginner, mut joined) = flight_of_two(false);
    for number in 2..100 {
        sky.begin(&mut joined, at(1), Terms::default(), Start::Ready(number));
        sky.begin(&mut joined, at(1), Terms::default(), Start::Ready(number));
        let abandoned = joined.began().expect("an attempt") - 1;
        assert!(sky.fail(&beginner, abandoned, &failure("no")).is_none());
        assert!(sky.fail(&beginner, abandoned + 1, &failure("no")).is_none());
    }
    assert!(sky.seated(&beginner).older.len() <= 3, "{}", sky.seated(&beginner).older.len());
}

#[test]
fn who_begins_anew_is_not_told_of_what_he_began_before() {
    let (mut sky, mut beginner, mut joined) = flight_of_two(false);
    sky.begin(&mut joined, at(1), Terms::default(), Start::Ready(20));
    sky.begin(&mut beginner, at(2), Terms::default(), Start::Ready(30));
    assert_eq!(drive(&mut sky, &joined), 1);
    assert!(sky.fail(&joined, 1, &failure("first")).is_none());
    assert_eq!(told(&mut sky, &beginner), None);
    sky.fail(&joined, 3, &failure("third"));
    assert_eq!((told(&mut sky, &beginner), told(&mut sky, &joined)), (Some(Err("third")), None));
}

/// D94: the spawner takes over what has begun, can be polled and will be stored.
#[test]
fn a_load_is_worth_finishing_if_it_runs_in_an_attached_flight_that_all_others_have_left() {
    let (mut sky, beginner, joined) = flight_of_two(false);
    assert!(!sky.worth_finishing(&beginner), "another one waits");
    assert!(!leaves_others(&mut sky, joined));
    assert!(!sky.worth_finishing(&beginner), "it has not begun");
    assert_eq!(drive(&mut sky, &beginner), 1);
    assert!(matches!(sky.check_in(&beginner, 1, 10, false), CheckIn::Kept));
    assert!(sky.worth_finishing(&beginner));
    sky.detach(beginner.place());
    assert!(!sky.worth_finishing(&beginner), "nothing of it would be stored");

    let owner = claim(&mut sky, 8, Start::Lent);
    assert!(!sky.worth_finishing(&owner), "his load goes with him");
    let asked = claim(&mut sky, 9, Start::Fresh);
    assert!(!sky.worth_finishing(&asked), "there is no load");
}

/// D94: the spawner is handed the seat of one who began nothing, and no load that stayed with him.
#[test]
fn who_hands_over_is_nobodys_beginner_and_takes_his_own_load_away() {
    let (mut sky, beginner, mut joined) = flight_of_two(false);
    assert_eq!(drive(&mut sky, &beginner), 1);
    assert!(matches!(sky.check_in(&beginner, 1, 10, false), CheckIn::Kept));
    sky.begin(&mut joined, at(1), Terms::default(), Start::Lent);
    assert!(!leaves_others(&mut sky, beginner));
    assert!(sky.worth_finishing(&joined));
    assert!(sky.disown(&mut joined).is_none());
    assert_eq!((joined.began(), sky.seated(&joined).live(), sky.counts.dropped), (None, 1, 1));
    assert_eq!(drive(&mut sky, &joined), 1);
    sky.fail(&joined, 1, &failure("all")).expect("the last in flight ends it");
    assert_eq!(told(&mut sky, &joined), Some(Err("all")));
    check_sums(&sky);

    let (mut sky, mut beginner, mut joined) = flight_of_two(false);
    sky.begin(&mut joined, at(1), Terms::default(), Start::Ready(20));
    assert_eq!((drive(&mut sky, &joined), drive(&mut sky, &joined)), (1, 2));
    assert!(sky.fail(&joined, 1, &failure("untold")).is_none());
    assert!(sky.disown(&mut beginner).is_some_and(|failure| failure.error() == Some(&"untold")));
    assert_eq!(told(&mut sky, &beginner), None, "the other attempt goes on");
}

/// P10: the last one to leave takes the answer itself.
#[test]
fn the_answer_can_be_taken_out_once_and_a_failure_cannot() {
    let (mut sky, beginner, joined) = flight_of_two(false);
    sky.end(beginner.place());
    sky.seated(&beginner).tell(Ok(answer(4)));
    assert!(!leaves_others(&mut sky, joined));
    assert_eq!(sky.seated(&beginner).take_answer().map(|answer| answer.value), Some(4));
    assert!(sky.seated(&beginner).take_answer().is_none());

    let other = claim(&mut sky, 8, Start::Ready(1));
    sky.fail(&other, 1, &failure("no"));
    assert!(sky.seated(&other).take_answer().is_none());
}

/// P2, P14: a quiet miss finds room, and a burst gives back what it took.
#[test]
fn memory_is_given_back_when_the_last_flight_is_gone() {
    let mut sky = Sky::new();
    let quiet = (sky.slab.capacity(), sky.index.capacity());
    assert!(quiet.0 > 0 && quiet.1 > 0);
    let mut seats: alloc::vec::Vec<Seat> = (0..1000).map(|key| claim(&mut sky, key, Start::Fresh)).collect();
    let last = seats.pop().expect("a seat");
    for seat in seats {
        assert!(matches!(sky.leave(seat), Leaving::Last(_)));
    }
    assert!(sky.slab.capacity() >= 1000);
    assert!(matches!(sky.leave(last), Leaving::Last(_)));
    assert_eq!((sky.slab.capacity(), sky.index.capacity()), quiet);
    let seat = claim(&mut sky, 1, Start::Fresh);
    assert_eq!((find(&sky, 1), sky.slab.capacity()), (Some(seat.place()), quiet.0));
}
