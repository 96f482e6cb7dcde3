//! Who drives what, and what becomes of a load that was polled.

use super::*;

fn number_of(job: Option<Job<u32>>) -> Option<u32> {
    job.map(|job| job.number)
}

#[test]
fn a_loader_is_asked_once_and_its_load_polled_from_then_on() {
    let mut sky = Sky::new();
    let seat = claim(&mut sky, 1, Start::Fresh);
    let job = sky.check_out(&seat, 0, false, || 0).expect("a job");
    assert!(matches!(job.work, Work::Begin));
    assert_eq!(sky.counts.begun, 1);
    assert!(matches!(sky.check_in(&seat, 1, 50, false), CheckIn::Kept));
    let job = sky.check_out(&seat, 0, false, || 0).expect("a job");
    assert!(matches!(job.work, Work::Poll(50)));
    assert_eq!(sky.counts.begun, 1, "however often it is polled");
    check_sums(&sky);
}

/// P3: the load rests in the flight, and any caller may drive it.
#[test]
fn whoever_is_polled_drives_and_nobody_drives_what_is_out() {
    for detached in [false, true] {
        let (mut sky, beginner, joined) = flight_of_two(detached);
        let job = sky.check_out(&joined, 0, true, || 0).expect("a job");
        assert!(matches!(job.work, Work::Poll(10)) && job.shared);
        assert!(sky.check_out(&beginner, 0, true, || 0).is_none());
        assert!(matches!(sky.check_in(&joined, 1, 10, true), CheckIn::Kept));
        assert_eq!(number_of(sky.check_out(&beginner, 0, true, || 0)), Some(1));
    }
}

#[test]
fn attempts_are_driven_by_number_and_each_once_in_a_poll() {
    let (mut sky, mut beginner, mut joined) = flight_of_two(false);
    sky.begin(&mut joined, at(1), Terms::default(), Start::Ready(20));
    sky.begin(&mut beginner, at(2), Terms::default(), Start::Fresh);
    let mut after = 0;
    for expected in 1..=3 {
        let job = sky.check_out(&joined, after, true, || 0).expect("a job");
        assert_eq!(job.number, expected);
        assert!(matches!(sky.check_in(&joined, job.number, job.number * 10, true), CheckIn::Kept));
        after = job.number;
    }
    assert!(sky.check_out(&joined, after, true, || 0).is_none());
    assert_eq!((sky.census().2, sky.counts.begun), (3, 3));
}

/// P3: the waker of the one who was alone wakes one; with more callers a load has to be polled with that of all.
#[test]
fn a_load_is_polled_again_when_others_have_joined_meanwhile() {
    let mut sky = Sky::new();
    let seat = claim(&mut sky, 1, Start::Ready(10));
    assert_eq!(drive(&mut sky, &seat), 1);
    let joined = sky.join(seat.place());
    assert!(matches!(sky.check_in(&seat, 1, 10, true), CheckIn::Again(10)));
    assert!(sky.check_out(&joined, 0, true, || 0).is_none(), "it is still out");
    assert!(sky.seated(&seat).polled(|_| false).shared);
    assert!(matches!(sky.check_in(&seat, 1, 10, true), CheckIn::Kept), "once is enough");
}

#[test]
fn a_load_that_was_polled_with_the_waker_of_all_is_not_polled_again() {
    let (mut sky, beginner, _joined) = flight_of_two(false);
    assert!(sky.check_out(&beginner, 0, true, || 0).is_some());
    assert!(matches!(sky.check_in(&beginner, 1, 10, true), CheckIn::Kept));
}

/// D8, D19.
#[test]
fn a_load_whose_flight_ended_meanwhile_comes_back_to_be_dropped() {
    for detached in [false, true] {
        let (mut sky, beginner, mut joined) = flight_of_two(detached);
        sky.begin(&mut joined, at(1), Terms::default(), Start::Ready(20));
        assert_eq!((drive(&mut sky, &beginner), drive(&mut sky, &joined)), (1, 2));
        let ended = sky.succeed(&joined, 2);
        assert!(ended.loads.is_empty(), "the one that is out is with who polls it");
        sky.seated(&joined).tell(Ok(answer(1)));
        assert!(matches!(sky.check_in(&beginner, 1, 10, false), CheckIn::Over(10)));
        assert!(sky.check_out(&beginner, 0, false, || 0).is_none());
        assert_eq!((sky.counts.succeeded, sky.counts.dropped), (1, 1));
        check_sums(&sky);
    }
}

#[test]
fn a_load_whose_attempt_was_overdue_meanwhile_comes_back_to_be_dropped() {
    let (mut sky, beginner, mut joined) = flight_of_two(false);
    sky.begin(&mut joined, at(9), Terms::default(), Start::Ready(20));
    assert_eq!(drive(&mut sky, &beginner), 1);
    let (ended, loads) = sky.overdue(&joined, |begun| begun < at(5));
    assert!(ended.is_none() && loads.is_empty());
    assert!(matches!(sky.check_in(&beginner, 1, 10, true), CheckIn::Over(10)));
    assert_eq!(number_of(sky.check_out(&beginner, 0, true, || 0)), Some(2), "the other one goes on");
    check_sums(&sky);
}

/// D16: a load that its caller has kept can be polled by nobody else.
#[test]
fn a_lent_load_is_driven_by_its_owner_alone() {
    let mut sky = Sky::new();
    let owner = claim(&mut sky, 1, Start::Lent);
    let other = sky.join(owner.place());
    assert_eq!((sky.counts.begun, sky.census().2), (1, 1), "it runs wherever it is");
    assert!(sky.check_out(&other, 0, false, || 5).is_none());
    let job = sky.check_out(&owner, 0, false, || 6).expect("a job");
    assert!(matches!(job.work, Work::Own));
    assert!(sky.check_out(&owner, 0, false, || 7).is_none(), "not while he polls it");
    assert!(sky.seated(&owner).polled(|waker| *waker == 6).own);
    assert!(!sky.seated(&owner).polled(|waker| *waker == 5).own);
    assert_eq!(sky.own_pending(&owner, 1), Some(6));
    assert_eq!(sky.own_pending(&owner, 1), None);
    assert!(!sky.seated(&owner).polled(|_| true).own);
    assert!(sky.check_out(&owner, 0, false, || 8).is_some());
    check_sums(&sky);
}

/// D66: by whom a load is being polled can be seen, and whether with the waker of all.
#[test]
fn a_flight_knows_how_its_loads_are_being_polled() {
    let (mut sky, beginner, mut joined) = flight_of_two(false);
    sky.begin(&mut joined, at(1), Terms::default(), Start::Ready(20));
    let by = |sky: &mut Sky, who: u8| {
        let polled = sky.seated(&beginner).polled(|waker| *waker == who);
        (polled.own, polled.shared)
    };
    assert_eq!(by(&mut sky, 5), (false, false));
    let job = sky.check_out(&beginner, 0, false, || 5).expect("a job");
    assert_eq!([5, 6].map(|who| by(&mut sky, who)), [(true, false), (false, false)]);
    assert!(sky.check_out(&joined, 0, true, || 6).is_some());
    assert_eq!([5, 6, 7].map(|who| by(&mut sky, who)), [(true, true), (true, true), (false, true)]);
    // Joined while he polled it, he polls it once more, with the waker of all; then nobody does.
    assert!(matches!(sky.check_in(&beginner, job.number, 10, true), CheckIn::Again(10)));
    assert_eq!(by(&mut sky, 5), (true, true));
    assert!(matches!(sky.check_in(&beginner, job.number, 10, true), CheckIn::Kept));
    assert_eq!(by(&mut sky, 5), (false, true));
}

/// D93: it is a failed attempt like any.
#[test]
fn the_last_attempt_that_is_overdue_ends_the_flight_and_is_told_to_all() {
    for detached in [false, true] {
        let (mut sky, beginner, mut joined) = flight_of_two(detached);
        let idle = sky.join(beginner.place());
        sky.begin(&mut joined, at(3), Terms::default(), Start::Fresh);
        assert_eq!(drive(&mut sky, &idle), 1);
        assert!(matches!(sky.check_in(&idle, 1, 10, false), CheckIn::Kept));
        let (ended, loads) = sky.overdue(&idle, |begun| begun <= at(3));
        let (ended, why) = ended.expect("both were late");
        assert!(why.is_budget_exceeded());
        assert_eq!((ended.key, ended.crowd, ended.loads), ((!detached).then_some(7), 99, vec![]));
        assert_eq!(loads, [10], "to be dropped outside");
        for seat in [&beginner, &joined, &idle] {
            let verdict = sky.seated(seat).verdict(seat).expect("a verdict").expect("everybody's");
            assert!(verdict.as_ref().is_err_and(Failure::is_budget_exceeded));
        }
        assert_eq!((sky.counts.begun, sky.counts.failed), (1, 1), "the loader was never asked for the second");
        check_sums(&sky);
    }
}

#[test]
fn an_attempt_that_is_overdue_beside_another_is_told_to_its_beginner_alone() {
    let (mut sky, beginner, mut joined) = flight_of_two(false);
    sky.begin(&mut joined, at(9), Terms::default(), Start::Ready(20));
    let (ended, loads) = sky.overdue(&joined, |begun| begun < at(9));
    assert!(ended.is_none());
    assert_eq!(loads, [10]);
    let mine = sky.seated(&beginner).verdict(&beginner).expect("a verdict").err().expect("his own");
    assert!(mine.is_budget_exceeded());
    assert!(sky.seated(&joined).verdict(&joined).is_none());
    assert_eq!(sky.seated(&joined).oldest_begun(), Some(at(9)));
    let (ended, loads) = sky.overdue(&joined, |begun| begun < at(9));
    assert!(ended.is_none() && loads.is_empty(), "nothing is overdue twice");
    check_sums(&sky);
}
