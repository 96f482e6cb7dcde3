use super::*;

const fn after(nanos: u64) -> Ttl {
    Ttl::For(Duration::from_nanos(nanos))
}

/// Of a load that began at 5 and ends at 15, when the wall's clock says 1000.
fn first(of: [Ttl; 4]) -> Ttl {
    let of = of.map(|ttl| ttl.by_wall_clock(Duration::from_nanos(1_000)));
    settled(of, Instant::from_nanos(5), 0, Instant::from_nanos(15))
}

fn settled(of: [Ttl; 4], begun: Instant, age: u64, now: Instant) -> Ttl {
    let first = Ttl::first(of.each_ref());
    if first.is_to_be_settled() { Ttl::settle(of.each_ref(), begun, age, now) } else { first }
}

/// D52: the load, the call, the closure, the cache.
#[test]
fn d52_the_first_that_says_something() {
    use Ttl::{Forever, Inherit, NotStored};

    assert_eq!(first([Inherit; 4]), Inherit);
    assert_eq!(first([Inherit, Inherit, Inherit, after(7)]), after(7));
    assert_eq!(first([Inherit, Forever, after(8), after(7)]), Forever);
    assert_eq!(first([NotStored, Forever, after(8), after(7)]), NotStored);
    assert_eq!(first([Inherit, Ttl::Begun(30), after(8), after(7)]), after(20));
}

/// D105: an end by a wall clock bounds what comes after it, wherever it was set.
#[test]
fn d105_the_earlier_of_both() {
    use Ttl::{ExpiresAtOnce, Forever, Inherit, NotStored, Private, Until};

    let until = |end| [Until(end), Inherit, Inherit, Inherit];
    assert_eq!(first(until(1_040)), after(40));
    for (next, is) in [
        (after(30), after(30)),
        (after(50), after(40)),
        (Forever, after(40)),
        (Ttl::Begun(30), after(20)),
        (Ttl::Begun(60), after(40)),
        (Ttl::Begun(3), after(0)),
        (Ttl::Begun(u64::MAX), after(40)),
        (Until(1_020), after(20)),
        (Until(1_060), after(40)),
        (NotStored, NotStored),
        (ExpiresAtOnce, ExpiresAtOnce),
        (Private(9), Private(9)),
    ] {
        for place in 1..4 {
            let mut of = until(1_040);
            of[place] = next;
            assert_eq!(first(of), is, "{next:?} at {place}");
        }
    }
    // What does not come after it has no say.
    assert_eq!(first([after(7), Until(1_003), Inherit, Inherit]), after(7));
    assert_eq!(first([Inherit, Inherit, Inherit, Until(1_003)]), after(3));
}

/// D105: one that has passed is a lifetime of zero, and one beyond all time is none.
#[test]
fn d105_ends_in_the_past_and_beyond() {
    let until = |end| [Ttl::Until(end), Ttl::Inherit, Ttl::Inherit, Ttl::Inherit];
    assert_eq!([0, 999, 1_000].map(|end| first(until(end))), [after(0); 3]);
    assert_eq!(first(until(u64::MAX)), Ttl::Inherit);
    assert_eq!(first(until(u64::MAX - 1)), after(u64::MAX - 1 - 1_000));
    assert_eq!(Ttl::until(Duration::MAX), Ttl::Until(u64::MAX));
    // Without a wall clock, all have passed.
    let unknown = |end| settled(until(end), Instant::ZERO, 0, Instant::ZERO);
    assert_eq!([0, 1_000, u64::MAX - 1, u64::MAX].map(unknown), [after(0); 4]);
}

/// D110: a lifetime counts from when the value was published; beyond its end it is stale. What is endless is so at any age.
#[test]
fn d110_lives_of_what_is_older() {
    use Ttl::{Forever, Inherit, NotStored};
    let first = |of: [Ttl; 4], age| {
        let of = [of[0].aged(), of[1], of[2], of[3]];
        settled(of, Instant::from_nanos(5), age, Instant::from_nanos(15))
    };
    assert_eq!(first([Inherit, after(30), Inherit, after(7)], 10), after(20));
    assert_eq!(first([Inherit, Ttl::Begun(30), Inherit, after(7)], 10), after(10), "it has been under way for 10");
    assert_eq!(first([Inherit, Inherit, Inherit, after(7)], 7), Ttl::Stale(0));
    assert_eq!(first([Inherit, Inherit, Inherit, after(7)], 10), Ttl::Stale(3));
    assert_eq!(first([Inherit; 4], 10), Forever);
    assert_eq!(first([Forever, Inherit, Inherit, after(7)], u64::MAX), Forever);
    for ttl in [NotStored, Ttl::Private(3), Ttl::Stale(4), Ttl::ExpiresAtOnce] {
        assert_eq!(first([ttl, Inherit, Inherit, after(7)], 10), ttl);
    }
    assert_eq!(first([after(0), Inherit, Inherit, after(7)], 10), after(0), "that is not to be stored");
    assert_eq!(first([Ttl::Within(8), Inherit, Inherit, after(30)], 10), after(8));
    assert_eq!(
        first([Ttl::Within(0), Inherit, Inherit, after(3)], 10),
        after(0),
        "what has ended at a date is not stale"
    );
}

/// D110: a clock tells nothing of what was before it began.
#[test]
fn d110_expired_before_the_clock_began() {
    let expired = |since, now| Ttl::Stale(since).expired(Instant::from_nanos(now));
    assert_eq!(expired(5, 15), Some(Instant::from_nanos(10)));
    assert_eq!(expired(25, 15), Some(Instant::ZERO));
    assert_eq!(expired(0, u64::MAX), Some(Instant::NEVER.told()));
    assert_eq!(after(7).expired(Instant::from_nanos(15)), None);
}
