use super::*;

#[test]
fn a_capacity_takes_sixteen_ticks() {
    for capacity in [16, 64, 1600, 1 << 40, u64::MAX - 15] {
        let mut clock = Clock::new(capacity);
        let start = clock.now();
        for _ in 0..16 {
            clock.advance(capacity / 16);
        }
        assert_eq!(clock.age(start), 16, "capacity {capacity}");
    }
}

#[test]
fn small_weights_add_up_to_a_tick() {
    let mut clock = Clock::new(64);
    let ages = [0, 0, 0, 1, 1, 1, 1, 2];
    for age in ages {
        clock.advance(1);
        assert_eq!(clock.age(0), age);
    }
}

#[test]
fn capacities_below_a_tick_count_each_insertion() {
    for capacity in [0, 1, 15] {
        let mut clock = Clock::new(capacity);
        clock.advance(1);
        clock.advance(1);
        assert_eq!(clock.age(0), 2);
    }
}

#[test]
fn an_overlong_insertion_passes_as_one_capacity() {
    let mut clock = Clock::new(10);
    clock.advance(u64::MAX);
    assert_eq!(clock.age(0), 16);
    clock.set_capacity(u64::MAX);
    clock.advance(u64::MAX);
    clock.advance(u64::MAX);
    assert!(clock.age(0) <= 48);
}

#[test]
fn ages_survive_the_wrap() {
    let mut clock = Clock::new(1);
    for _ in 0..65_530 {
        clock.advance(1);
    }
    let stamp = clock.now();
    for _ in 0..20 {
        clock.advance(1);
    }
    assert!(clock.now() < stamp);
    assert_eq!(clock.age(stamp), 20);
}
