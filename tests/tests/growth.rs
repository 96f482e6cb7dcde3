//! Growth: calls over many things count their operations with `n` things and with twice as many.

use larder_tests::growth::{self, Scenario, What};

/// The number of things: enough for a square to stand out.
const N: u32 = 200;

/// What has grown by more than twice, as text.
fn faults(scenario: &Scenario) -> Option<String> {
    let [once, twice] = scenario.twice(N);
    println!("{:48}{once}\n{:48}{twice}", scenario.name, "");
    let grown = twice.grown_beyond(&once);
    (!grown.is_empty()).then(|| format!("{}: {grown:?}", scenario.name))
}

/// D62: the cost of each call grows with the number of its things.
#[test]
fn calls_over_many_are_linear() {
    let faults: Vec<_> = growth::all().filter_map(|scenario| faults(&scenario)).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The test notices if something grows by the square.
#[test]
fn a_square_is_seen() {
    let [comparisons, steps] = growth::WRONG.map(|scenario| {
        let [once, twice] = scenario.twice(N);
        twice.grown_beyond(&once)
    });
    assert!(matches!(comparisons[..], [(What::Comparisons, once, twice)] if twice > 3 * once), "{comparisons:?}");
    assert!(steps.is_empty(), "only instructions show it: {steps:?}");
}
