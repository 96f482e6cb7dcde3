//! Which callers wait, and which are woken by what.

use alloc::vec::Vec;

use super::*;

fn list_of(count: u32, seats: u32) -> (WaitList<Bell>, Vec<Caller>) {
    let mut list = WaitList::default();
    let mut callers: Vec<Caller> = (0..count).map(|_| Caller::new()).collect();
    for caller in &mut callers {
        list.register(&mut caller.registration, seats, &caller.waker, &mut None);
    }
    (list, callers)
}

fn woken(callers: &[Caller]) -> Vec<u32> {
    callers.iter().map(Caller::woken).collect()
}

/// P14.
#[test]
fn who_waits_alone_has_no_waker_of_all() {
    let (mut list, mut callers) = list_of(1, 1);
    assert!(!list.is_shared() && list.waker().is_none() && !list.take_wakes());
    list.all().wake();
    assert_eq!(woken(&callers), [1]);
    list.all().wake();
    assert_eq!(woken(&callers), [1], "it stays on the list");
    let other = Caller::new();
    let mut old = None;
    list.register(&mut callers[0].registration, 1, &other.waker, &mut old);
    assert!(old.is_some_and(|old| old.will_wake(&callers[0].waker)), "a former waker comes out");
    list.take().wake();
    assert_eq!((callers[0].woken(), other.woken()), (0, 1), "the last one counts");
    assert!(matches!(list.take(), Woken::Nobody));
}

/// P3: a formerly lone waiter is not forgotten when others come.
#[test]
fn with_the_second_all_are_woken_through_one_waker() {
    let (mut list, mut callers) = list_of(1, 1);
    let mut second = Caller::new();
    let mut old = None;
    assert!(list.register(&mut second.registration, 2, &second.waker, &mut old).is_new);
    assert!(old.is_some(), "the waker of the lone one is not needed any more");
    callers.push(second);
    list.waker().expect("it is shared").wake();
    assert_eq!(woken(&callers), [1, 1]);
    assert!(list.take_wakes());
    assert!(!list.take_wakes(), "once");
    list.waker().expect("it is shared").wake();
    assert_eq!(woken(&callers), [0, 0], "each is woken once until it comes again");
    for caller in &mut callers {
        assert!(!list.register(&mut caller.registration, 2, &caller.waker, &mut None).is_new);
    }
    list.waker().expect("it is shared").wake();
    assert_eq!(woken(&callers), [1, 1]);
}

/// P2.
#[test]
fn who_has_left_is_not_woken_and_its_waker_comes_out() {
    let (mut list, mut callers) = list_of(1, 1);
    assert!(list.withdraw(&mut callers[0].registration).is_some());
    assert!(list.withdraw(&mut callers[0].registration).is_none());
    assert!(matches!(list.all(), Woken::Nobody));

    let (mut list, mut callers) = list_of(3, 3);
    assert!(list.withdraw(&mut callers[1].registration).is_some());
    list.all().wake();
    assert_eq!(woken(&callers), [1, 0, 1]);

    // The formerly lone waiter, which has not looked since others came.
    let (mut list, mut callers) = list_of(1, 1);
    let mut second = Caller::new();
    list.register(&mut second.registration, 2, &second.waker, &mut None);
    assert!(list.withdraw(&mut callers[0].registration).is_some());
    list.all().wake();
    assert_eq!((callers[0].woken(), second.woken()), (0, 1));
}

/// D15: being told something is not a wake of a load.
#[test]
fn what_is_told_to_all_is_not_taken_for_a_wake_of_a_load() {
    let (mut list, callers) = list_of(2, 2);
    list.all().wake();
    assert_eq!((woken(&callers), list.take_wakes()), (alloc::vec![1, 1], false));
}

/// D62: the wakers of flights listen to that of a load of many keys, and each flight sees its wakes.
#[test]
fn a_wake_of_what_a_list_listens_to_is_a_wake_of_the_list() {
    let shared = SharedWaker::<Bell>::new();
    Waker::from(Arc::clone(&shared)).wake();
    let (mut lists, mut callers): (Vec<_>, Vec<_>) = (0..2).map(|_| list_of(2, 2)).unzip();
    let mut registrations = [Registration::default(), Registration::default()];
    for (list, registration) in lists.iter_mut().zip(&mut registrations) {
        let _old = shared.listen(registration, &list.waker().expect("it is shared"));
        assert!(!list.take_wakes(), "what was before is of no concern");
    }
    Waker::from(Arc::clone(&shared)).wake();
    assert_eq!(callers.iter_mut().map(|callers| woken(callers)).collect::<Vec<_>>(), [[1, 1], [1, 1]]);
    assert!(lists.iter_mut().all(WaitList::take_wakes), "each flight sees it");
    Waker::from(Arc::clone(&shared)).wake();
    assert!(!lists.iter_mut().any(WaitList::take_wakes), "each is woken once until it listens again");
    let _old = shared.listen(&mut registrations[0], &lists[0].waker().expect("it is shared"));
    assert!(shared.withdraw(&mut registrations[0]).is_some());
    Waker::from(Arc::clone(&shared)).wake();
    assert!(!lists[0].take_wakes(), "it listens no more");
}

/// D15, P2: a formerly lone waiter keeps its turn when it is polled again, and leaves nothing behind.
#[test]
fn who_was_alone_has_one_place_when_it_comes_again() {
    let (mut list, mut callers) = list_of(1, 1);
    let (mut first, mut second) = (callers.remove(0), Caller::new());
    list.register(&mut second.registration, 2, &second.waker, &mut None);
    let other = Caller::new();
    let mut old = None;
    list.register(&mut first.registration, 2, &other.waker, &mut old);
    assert!(old.is_some_and(|old| old.will_wake(&first.waker)), "its former waker comes out");
    assert!(list.withdraw(&mut first.registration).is_some());
    list.all().wake();
    assert_eq!([&first, &other, &second].map(Caller::woken), [0, 0, 1]);
}
