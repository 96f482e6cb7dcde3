use super::*;

/// Returns how soon an entry must come back to a main queue that takes so long to go round.
fn limit(gate: &Gate, round: u16) -> u16 {
    (0..=u16::MAX).find(|&age| !gate.lets_in(age, round)).expect("a bound")
}

fn learn(gate: &mut Gate, times: usize, on_trial: bool, used: bool) {
    (0..times).for_each(|_| gate.learn(on_trial, used));
}

#[test]
fn at_first_all_come_through_that_are_sooner_than_a_round() {
    for round in [0, 1, 2, 100, u16::MAX] {
        assert_eq!(limit(&Gate::new(), round), round);
    }
}

#[test]
fn it_closes_when_what_it_lets_in_is_not_used_and_opens_when_it_is() {
    let mut gate = Gate::new();
    learn(&mut gate, 100, true, false);
    assert_eq!(limit(&gate, 1024), 724);
    learn(&mut gate, 100, true, true);
    assert_eq!(limit(&gate, 1024), 874);
    learn(&mut gate, 1000, true, true);
    assert_eq!(limit(&gate, 1024), 1024);
}

#[test]
fn it_opens_when_the_main_queue_falls_out_of_use() {
    let mut gate = Gate::new();
    learn(&mut gate, 1000, true, false);
    learn(&mut gate, 100, false, false);
    assert_eq!(limit(&gate, 1024), 664);
    // That 7 of 103 are not used says nothing.
    (0..1030).for_each(|nth| gate.learn(false, nth % 103 >= 7));
    assert_eq!(limit(&gate, 1024), 664);
}

#[test]
fn it_never_closes() {
    let mut gate = Gate::new();
    learn(&mut gate, 100_000, true, false);
    learn(&mut gate, 100_000, false, true);
    for (round, least) in [(1, 1), (16, 1), (17, 2), (1024, 64), (u16::MAX, 4096)] {
        assert_eq!(limit(&gate, round), least, "of {round}");
    }
    learn(&mut gate, 100_000, false, false);
    assert_eq!(limit(&gate, 1024), 1024);
}
