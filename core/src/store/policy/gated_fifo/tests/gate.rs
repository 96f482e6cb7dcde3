use super::*;

#[test]
fn a_narrow_gate_lets_in_only_what_comes_back_sooner() {
    for narrow in [false, true] {
        let mut shelf = filled(1000);
        (1000..2000).for_each(|key| drop(shelf.insert(key, 1)));
        (0..1000).filter(|_| narrow).for_each(|_| shelf.policy.gate.learn(true, false));
        let comes_through = [1930, 1500].map(|key| {
            shelf.insert(key, 1);
            shelf.inspect()[shelf.policy.probation.len as usize] == key
        });
        assert_eq!(comes_through, [true, !narrow]);
    }
}

#[test]
fn what_comes_through_the_gate_is_on_trial_for_a_round() {
    let mut shelf = filled(100);
    (1000..1100).for_each(|key| drop(shelf.insert(key, 1)));
    (1080..1082).for_each(|key| drop(shelf.insert(key, 1)));
    let homes = |shelf: &mut Shelf<GatedFifo>| -> Vec<Home> {
        let places = shelf.policy.main.places(&mut shelf.entries);
        places.into_iter().map(|place| shelf.entries.node(place).home).collect()
    };
    assert_eq!(homes(&mut shelf)[..3], [Home::Trial, Home::Trial, Home::Main]);
    shelf.policy.share.widen(1000);
    while shelf.policy.main.len > 2 {
        shelf.evict();
    }
    assert!(shelf.hit(1080) && shelf.policy.gate.lets_in(u16::MAX - 1, u16::MAX));
    assert_eq!(shelf.evict(), Some(1081), "the one that was used stays");
    assert_eq!(homes(&mut shelf), [Home::Main]);
    assert!(!shelf.policy.gate.lets_in(u16::MAX - 1, u16::MAX), "it has narrowed for the other");
}
