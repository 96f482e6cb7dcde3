use std::time::Duration;

use larder::Instant;

use super::{Kind, Outbox, Release};

fn names(outbox: &mut Outbox) -> Vec<(String, Kind)> {
    outbox.take_due(usize::MAX).into_iter().map(|void| (void.name, void.kind)).collect()
}

#[test]
fn t6_what_is_not_acknowledged_is_sent_again_until_it_is() {
    let mut outbox = Outbox::default();
    let (first, _) = outbox.begin("a", Kind::Invalidate);
    assert!(!outbox.has_work(), "it is under way");
    outbox.failed("a", first);
    assert!(outbox.has_work());
    for _ in 0..3 {
        let taken = outbox.take_due(9);
        assert_eq!((taken.len(), &*taken[0].name, outbox.has_work()), (1, "a", false));
        outbox.failed("a", taken[0].sent);
    }
    let taken = outbox.take_due(9);
    assert!(outbox.acknowledged("a", taken[0].sent));
    assert_eq!(names(&mut outbox), []);
}

#[test]
fn an_acknowledged_later_write_settles_an_earlier_one() {
    let mut outbox = Outbox::default();
    let (first, _) = outbox.begin("a", Kind::Invalidate);
    let (second, _) = outbox.begin("a", Kind::Invalidate);
    outbox.failed("a", first);
    assert!(!outbox.has_work(), "the later one is under way");
    assert!(outbox.acknowledged("a", second));
    outbox.failed("a", first);
    assert_eq!(names(&mut outbox), []);
}

#[test]
fn an_acknowledged_earlier_write_settles_no_later_one() {
    let mut outbox = Outbox::default();
    let (first, _) = outbox.begin("a", Kind::Invalidate);
    let (second, _) = outbox.begin("a", Kind::Invalidate);
    assert!(!outbox.acknowledged("a", first));
    outbox.failed("a", second);
    assert_eq!(names(&mut outbox), [("a".into(), Kind::Invalidate)]);
}

#[test]
fn the_stronger_of_two_is_sent() {
    let mut outbox = Outbox::default();
    let (first, kind) = outbox.begin("a", Kind::Invalidate);
    assert_eq!(kind, Kind::Invalidate);
    outbox.failed("a", first);
    let (second, kind) = outbox.begin("a", Kind::Expire);
    assert_eq!(kind, Kind::Invalidate, "the invalidation has not been acknowledged");
    assert_eq!(names(&mut outbox), [], "it is under way with the later one");
    outbox.failed("a", second);
    assert_eq!(names(&mut outbox), [("a".into(), Kind::Invalidate)]);
    let (third, _) = outbox.begin("a", Kind::Expire);
    assert!(outbox.acknowledged("a", third));
    assert_eq!(outbox.begin("a", Kind::Expire).1, Kind::Expire);
}

#[test]
fn writes_are_sent_in_order_and_no_more_than_asked_for() {
    let mut outbox = Outbox::default();
    for name in ["a", "b", "c"] {
        let (sent, _) = outbox.begin(name, Kind::Expire);
        outbox.failed(name, sent);
        outbox.failed(name, sent);
    }
    let taken: Vec<_> = outbox.take_due(2).into_iter().map(|void| void.name).collect();
    assert_eq!(taken, ["a", "b"]);
    assert_eq!(names(&mut outbox), [("c".into(), Kind::Expire)]);
}

#[test]
fn t11_a_key_that_is_written_again_and_again_waits_once() {
    let mut outbox = Outbox::default();
    for _ in 0..1_000 {
        let (sent, _) = outbox.begin("a", Kind::Invalidate);
        outbox.failed("a", sent);
    }
    assert_eq!((outbox.due.len(), outbox.unsaid()), (1, 1));
    let taken = outbox.take_due(9);
    assert_eq!((taken.len(), outbox.due.len()), (1, 0));
    outbox.failed("a", taken[0].sent);
    let (sent, _) = outbox.begin("a", Kind::Invalidate);
    assert!(outbox.acknowledged("a", sent));
    // (What is still in the queue has been settled.)
    assert_eq!((names(&mut outbox), outbox.unsaid(), outbox.has_writes()), (vec![], 0, false));
}

#[test]
fn t6_what_has_failed_is_not_said_until_it_is_acknowledged() {
    let mut outbox = Outbox::default();
    let (first, _) = outbox.begin("a", Kind::Invalidate);
    assert!(!outbox.is_unsaid("a"), "the server does it before it answers any later question");
    outbox.failed("a", first);
    assert!(outbox.is_unsaid("a") && !outbox.is_unsaid("b"));
    let taken = outbox.take_due(9);
    assert!(outbox.is_unsaid("a"), "it may be refused again");
    outbox.failed("a", first);
    assert!(outbox.acknowledged("a", taken[0].sent));
    assert_eq!((outbox.is_unsaid("a"), outbox.unsaid()), (false, 0));
}

#[test]
fn leases_that_are_over_are_not_given_back() {
    let mut outbox = Outbox::default();
    let release = |until| Release {
        name: "a".into(),
        token: "t".into(),
        cool_down: Duration::ZERO,
        until: Instant::from_nanos(until),
    };
    outbox.release(release(10));
    outbox.release(release(20));
    outbox.drop_releases(Instant::from_nanos(5));
    outbox.release(release(30));
    assert_eq!(outbox.take_releases(Instant::from_nanos(10), 0), [], "those that are over go in any case");
    assert_eq!(outbox.releases, [release(20), release(30)]);
    assert_eq!(outbox.take_releases(Instant::from_nanos(10), 1), [release(20)]);
    assert_eq!(outbox.take_releases(Instant::from_nanos(10), 9), [release(30)]);
    assert!(!outbox.has_work());
    outbox.release(release(10));
    outbox.drop_releases(Instant::from_nanos(10));
    assert!(!outbox.has_work());
}
