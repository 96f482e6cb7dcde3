use std::time::Duration;

use larder::{Instant, Ttl};

use super::{Life, Times, found, held, held_alone, left, life_of, stale_since, unshared};

const fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

const fn at(time: u64) -> Instant {
    Instant::from_nanos(time * 1_000_000)
}

#[test]
fn a_life_is_what_the_load_says_or_else_the_tier() {
    let times = Times { begun: at(100), now: at(140), wall: ms(5_000), age: ms(0) };
    let of = |said| life_of(said, Ttl::For(ms(60)), times);
    assert_eq!(of(Ttl::Inherit), Life::For(ms(60)));
    assert_eq!(of(Ttl::For(ms(7))), Life::For(ms(7)));
    assert_eq!(of(Ttl::Forever), Life::Endless);
    // It runs while the answer travels.
    assert_eq!(of(Ttl::from_begin(ms(100))), Life::For(ms(60)));
    assert_eq!(of(Ttl::from_begin(ms(40))), Life::Unshared);
    assert_eq!(of(Ttl::until(ms(5_030))), Life::For(ms(30)));
    assert_eq!(of(Ttl::until(ms(4_000))), Life::Unshared);
    // A date bounds what the tier says, and is no reason to live longer.
    assert_eq!(of(Ttl::until(ms(9_000))), Life::For(ms(60)));
    assert_eq!(life_of(Ttl::until(ms(9_000)), Ttl::Forever, times), Life::For(ms(4_000)));
    assert_eq!(life_of(Ttl::until(ms(9_000)), Ttl::NotStored, times), Life::Unshared);
    assert_eq!(life_of(Ttl::Inherit, Ttl::until(ms(9_000)), times), Life::For(ms(4_000)));
    for own in [Ttl::NotStored, Ttl::ExpiresAtOnce, Ttl::For(Duration::ZERO), Ttl::private(ms(10))] {
        assert_eq!(of(own), Life::Unshared, "{own:?}");
    }
    // Less than the server can count.
    assert_eq!(of(Ttl::For(Duration::from_micros(999))), Life::Unshared);
}

#[test]
fn what_is_old_when_it_comes_has_less_to_live() {
    let times = Times { begun: at(100), now: at(140), wall: ms(5_000), age: ms(20) };
    let of = |said| life_of(said, Ttl::For(ms(60)), times);
    assert_eq!((of(Ttl::Inherit), of(Ttl::For(ms(50)))), (Life::For(ms(40)), Life::For(ms(30))));
    assert_eq!((of(Ttl::For(ms(20))), of(Ttl::Forever)), (Life::Unshared, Life::Endless));
    // An end does not move, however old the value is.
    assert_eq!(of(Ttl::until(ms(5_030))), Life::For(ms(30)));
    // A first tier counts the age again.
    assert_eq!(left(Life::For(ms(40)), ms(20), at(140), at(145)), Ttl::For(ms(55)));
    assert_eq!(held_alone(Life::For(ms(40)), ms(20), ms(500)), Ttl::For(ms(60)));
}

#[test]
fn what_is_not_shared_has_the_lifetime_of_the_tier_or_its_own() {
    // (A first tier without a lifetime would hold it for ever.)
    assert_eq!(unshared(Ttl::Inherit, Ttl::NotStored), Ttl::NotStored);
    assert_eq!(unshared(Ttl::private(ms(10)), Ttl::For(ms(60))), Ttl::private(ms(10)));
    // (Nor has it one that bounds a date.)
    assert_eq!(unshared(Ttl::until(ms(9_000)), Ttl::NotStored), Ttl::NotStored);
}

#[test]
fn t10_the_way_is_counted_against_the_value() {
    assert_eq!(left(Life::For(ms(50)), ms(0), at(100), at(120)), Ttl::For(ms(30)));
    assert_eq!(left(Life::For(ms(50)), ms(0), at(100), at(160)), Ttl::NotStored);
    assert_eq!(left(Life::Endless, ms(0), at(100), at(160)), Ttl::Forever);
    // A clock that has jumped back lengthens no life beyond what it was.
    assert_eq!(left(Life::For(ms(50)), ms(0), at(100), at(0)), Ttl::For(ms(50)));
}

#[test]
fn t10_what_is_found_is_as_old_as_it_is_there_and_the_way() {
    assert_eq!(found(Life::For(ms(50)), ms(10), at(100), at(120)), (Ttl::For(ms(60)), ms(30)));
    // Its life has ended on the way.
    assert_eq!(found(Life::For(ms(5)), ms(10), at(100), at(120)), (Ttl::For(ms(15)), ms(30)));
    assert_eq!(found(Life::Endless, ms(0), at(100), at(120)), (Ttl::Forever, ms(20)));
    assert_eq!(found(Life::For(ms(50)), ms(10), at(100), at(0)), (Ttl::For(ms(60)), ms(10)));
}

#[test]
fn how_stale_a_value_is_is_told_as_far_as_the_clock_reaches() {
    assert_eq!(stale_since(ms(50), at(100), at(120)), ms(70));
    assert!(stale_since(ms(500), at(100), at(120)) < ms(120));
    assert_eq!(stale_since(ms(500), at(0), at(0)), Duration::ZERO);
}

#[test]
fn only_what_is_known_to_be_stored_is_held() {
    let held = |stored, life| held(stored, life, ms(0), at(100), at(101));
    assert_eq!(held(Some(true), Life::For(ms(50))), Ttl::For(ms(49)));
    assert_eq!(held(Some(false), Life::For(ms(50))), Ttl::NotStored);
    assert_eq!(held(None, Life::Endless), Ttl::NotStored);
}

#[test]
fn what_is_loaded_alone_is_held_for_a_moment() {
    assert_eq!(held_alone(Life::For(ms(9_000)), ms(0), ms(500)), Ttl::For(ms(500)));
    assert_eq!(held_alone(Life::For(ms(9)), ms(0), ms(500)), Ttl::For(ms(9)));
    assert_eq!(held_alone(Life::Endless, ms(0), ms(500)), Ttl::For(ms(500)));
    assert_eq!(held_alone(Life::Unshared, ms(0), ms(500)), Ttl::NotStored);
}
