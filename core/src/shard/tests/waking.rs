//! Which callers are woken: by a load, at its end, and by what others do.

use super::*;

fn three(rig: &mut Rig) -> [Caller; 3] {
    let callers = [1; 3].map(|key| rig.wait(key));
    rig.unlock();
    let _ = callers.each_ref().map(Caller::woken);
    callers
}

fn woken(callers: &[Caller; 3]) -> [u32; 3] {
    callers.each_ref().map(Caller::woken)
}

/// D15: it cannot be known which callers are parked.
#[test]
fn a_wake_of_the_load_wakes_all_who_wait_once() {
    let mut rig = Rig::new(rules());
    let mut callers = three(&mut rig);
    rig.wake_load(&callers[0]);
    assert_eq!(woken(&callers), [1, 1, 1]);
    rig.wake_load(&callers[0]);
    assert_eq!(woken(&callers), [0, 0, 0], "until they have looked");
    assert_eq!(rig.poll(&mut callers[2]), Step::Wait);
    rig.unlock();
    rig.wake_load(&callers[0]);
    assert_eq!(woken(&callers), [0, 0, 1]);
}

/// D15: one poll for one wake, however many callers come.
#[test]
fn of_those_woken_one_polls_the_load_and_the_others_wait_on() {
    let mut rig = Rig::new(rules());
    let mut callers = three(&mut rig);
    rig.wake_load(&callers[0]);
    let steps = callers.each_mut().map(|caller| {
        let step = rig.visit(caller);
        rig.rest(caller);
        step
    });
    assert_eq!(steps, [Step::Poll, Step::Wait, Step::Wait]);
}

/// D15.
#[test]
fn completion_wakes_each_waiter_once_and_all_in_one_go() {
    let mut rig = Rig::new(rules());
    let mut callers = three(&mut rig);
    rig.drive(&mut callers[1], 1);
    rig.unlock();
    woken(&callers);
    // They were all woken by the load, and two of them have not looked again yet.
    rig.poll(&mut callers[0]);
    rig.poll(&mut callers[2]);
    rig.finish(&mut callers[1], 1, 6);
    rig.unlock();
    let [first, _, third] = woken(&callers);
    assert_eq!((first, third), (1, 1));
    for caller in &mut callers {
        assert_eq!(rig.outcome(caller).value, 6);
    }
    rig.unlock();
    assert_eq!(woken(&callers), [0, 0, 0]);
}

/// P14: a lone waiter is woken by its own waker, and no other is made.
#[test]
fn a_lone_waiter_polls_with_its_own_waker() {
    let mut rig = Rig::new(rules());
    let mut caller = rig.seat(1);
    assert!(rig.effects.waker.is_none());
    rig.rest(&mut caller);
    assert_eq!(rig.visit(&mut caller), Step::Poll);
    assert!(rig.effects.waker.is_none());
    rig.insert(1, 6);
    rig.unlock();
    assert_eq!(caller.woken(), 1);
}

/// P3: a load that is woken while it is polled is due for the next caller, even if others have looked meanwhile.
#[test]
fn a_load_that_is_woken_while_it_is_polled_wakes_all_who_wait() {
    let mut rig = Rig::new(rules());
    let mut callers = three(&mut rig);
    rig.drive(&mut callers[0], 1);
    let waker = rig.effects.waker.clone().expect("it is shared");
    rig.unlock();
    woken(&callers);
    waker.wake_by_ref();
    assert_eq!(rig.pend(&mut callers[0]), Step::Wait, "not in the same poll");
    assert!(rig.wakes_somebody());
    rig.unlock();
    let [first, second, third] = woken(&callers);
    assert!(first > 0, "it is polled again, too");
    assert_eq!((second, third), (0, 0), "they have yet to look, having been woken");
    assert_eq!(rig.visit(&mut callers[2]), Step::Poll);
    rig.rest(&mut callers[2]);
    assert!(!rig.wakes_somebody());
    assert_eq!(rig.visit(&mut callers[1]), Step::Wait);
    // It has seen the wake already as it went on, so it cannot know that the load was polled for it.
    assert_eq!(rig.visit(&mut callers[0]), Step::Poll);
}

/// P3: nor is the wake lost with the caller that leaves in that very poll.
#[test]
fn a_wake_is_not_lost_with_the_caller_whose_patience_ends_in_the_same_poll() {
    let mut rig = Rig::new(rules());
    let hurried = Call { lock_timeout: Some((nanos(5), OnTimeout::Fail)), ..rig.rules.call() };
    let (mut first, mut second) = (rig.wait_with(1, hurried), rig.wait(1));
    rig.now += 5;
    rig.drive(&mut first, 1);
    let waker = rig.effects.waker.clone().expect("it is shared");
    rig.unlock();
    waker.wake();
    rig.poll(&mut second);
    second.woken();
    assert_eq!(rig.pend(&mut first), Step::Told);
    assert!(rig.wakes_somebody(), "another has seen the wake, in vain");
    rig.unlock();
    assert!(matches!(rig.hear(&mut first), Err(LoadError::LockTimeout)));
    assert_eq!((second.woken(), rig.visit(&mut second)), (1, Step::Poll));
    rig.rest(&mut second);

    let (mut third, waker) = (rig.wait_with(1, hurried), waker_of(&mut rig, &second));
    rig.now += 5;
    rig.drive(&mut third, 1);
    rig.unlock();
    second.woken();
    rig.poll(&mut second);
    rig.effects = Effects::default();
    waker.wake();
    assert_eq!(second.woken(), 1);
    assert_eq!(rig.pend(&mut third), Step::Told);
    assert!(rig.wakes_somebody());
}

fn waker_of(rig: &mut Rig, caller: &Caller) -> Waker {
    rig.shard.flights.slot(&caller.waiting.seat).flight.waits.waker().expect("it is shared")
}

/// P3: the waker of all is made while the load is out, polled with a waker of one caller.
#[test]
fn a_load_that_is_out_when_others_come_is_polled_again_with_the_waker_of_all() {
    let mut rig = Rig::new(rules());
    let mut first = rig.seat(1);
    assert_eq!(first.step, Step::Make);
    assert!(rig.effects.waker.is_none());
    let second = rig.seat(1);
    assert_eq!(second.step, Step::Wait, "it is out");
    rig.effects = Effects::default();
    assert_eq!(rig.pend(&mut first), Step::Poll, "at once");
    let all = rig.effects.waker.clone().expect("it is shared");
    assert_eq!(rig.pend(&mut first), Step::Wait, "once");
    rig.unlock();
    all.wake();
    assert_eq!((first.woken(), second.woken()), (1, 1));
}

/// P3: a load that rests is polled with it by the caller that came.
#[test]
fn a_load_that_rests_when_others_come_is_polled_by_them_with_the_waker_of_all() {
    let mut rig = Rig::new(rules());
    let first = rig.wait(1);
    let mut second = rig.seat(1);
    assert_eq!((second.step, second.load), (Step::Poll, Some(1)));
    let all = rig.effects.waker.clone().expect("it is shared");
    rig.rest(&mut second);
    let third = rig.seat(1);
    assert_eq!(third.step, Step::Wait, "it is known to reach all callers");
    all.wake();
    assert_eq!([&first, &second, &third].map(Caller::woken), [1, 1, 1]);
}

/// D9, D10: its beginner has to be told, and there is room for an attempt again.
#[test]
fn a_failure_beside_others_wakes_all_who_wait() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let (mut first, mut second) = (rig.wait(1), rig.wait(1));
    rig.now += 5;
    let third = rig.wait(1);
    assert_eq!(third.own(), 2);
    rig.drive(&mut second, 1);
    rig.unlock();
    rig.poll(&mut first);
    let _ = [&first, &second, &third].map(Caller::woken);
    assert_eq!(rig.finish_with_failure(&mut second, 1, failure("down")), Step::Wait);
    rig.unlock();
    assert_eq!(
        [&first, &second, &third].map(Caller::woken),
        [1, 1, 0],
        "the third has yet to look, and was woken before"
    );
    assert_eq!(rig.error(&mut first), Some("down"));
}

/// D15: several callers are woken in order of arrival.
#[test]
fn all_are_woken_in_order_of_arrival() {
    struct Note(u32, Arc<spin::Mutex<Vec<u32>>>);
    impl Wake for Note {
        fn wake(self: Arc<Self>) {
            self.1.lock().push(self.0);
        }
    }
    let mut rig = Rig::new(rules());
    let order = Arc::default();
    let mut callers: Vec<Caller> = (0..5)
        .map(|number| {
            let caller = Caller::new(1, rig.rules.call(), Some(Start::Made), rig.now);
            let waker = Waker::from(Arc::new(Note(number, Arc::clone(&order))));
            let Found::Seated(mut caller) = rig.come(Caller { waker, ..caller }) else { panic!("a seat") };
            rig.rest(&mut caller);
            caller
        })
        .collect();
    rig.poll(&mut callers[3]);
    rig.unlock();
    assert!(order.lock().is_empty());
    rig.insert(1, 6);
    rig.unlock();
    assert_eq!(*order.lock(), [0, 1, 2, 3, 4]);
}

/// P2: a caller that has left is woken no more.
#[test]
fn who_has_left_is_not_woken() {
    let mut rig = Rig::new(rules());
    let [first, second, third] = three(&mut rig);
    let counts = [&first, &second, &third].map(|caller| Arc::clone(&caller.count));
    rig.leave(first);
    rig.leave(third);
    rig.unlock();
    rig.wake_load(&second);
    rig.insert(1, 6);
    rig.unlock();
    assert_eq!(counts.map(|count| count.0.load(Ordering::SeqCst)), [0, 1, 0]);
}

/// D15, D8, P3: a caller that takes over waits for the older load as well, and the overtaken one for the newer.
#[test]
fn after_a_takeover_each_load_knows_a_waker_that_reaches_all() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let mut first = rig.wait(1);
    rig.now += 5;
    let mut second = rig.seat(1);
    assert_eq!((second.step, second.own()), (Step::Make, 2));
    // Whether each load was last polled with a waker that reaches all.
    let mut reaches_all = [false; 2];
    while matches!(second.step, Step::Make | Step::Poll) {
        reaches_all[second.number as usize - 1] = rig.effects.waker.is_some();
        rig.pend(&mut second);
    }
    assert_eq!((second.step, reaches_all), (Step::Wait, [true, true]));
    rig.unlock();
    for caller in [&mut first, &mut second] {
        assert_eq!(rig.poll(caller), Step::Wait);
        rig.unlock();
    }
    let _ = [&first, &second].map(Caller::woken);
    rig.wake_load(&second);
    assert_eq!([&first, &second].map(Caller::woken), [1, 1]);
}

/// P3: a load was woken while no polled caller waited for it; the caller that takes over polls it.
#[test]
fn who_takes_over_polls_the_older_load_that_was_woken() {
    let mut rig = Rig::new(Rules { lock_age: Some(nanos(5)), ..rules() });
    let (first, _second) = (rig.wait(1), rig.wait(1));
    rig.wake_load(&first);
    rig.now += 5;
    let mut third = rig.seat(1);
    let mut polled = vec![];
    while matches!(third.step, Step::Make | Step::Poll) {
        polled.push(third.number);
        rig.pend(&mut third);
    }
    rig.unlock();
    // In this poll, or after a wake at once.
    if third.woken() > 0 {
        rig.visit(&mut third);
        while third.step == Step::Poll {
            polled.push(third.number);
            rig.pend(&mut third);
        }
    }
    assert!(polled.contains(&1), "{polled:?}");
}
