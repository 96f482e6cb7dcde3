//! Plays one scenario of growth, so that its instructions can be counted: `growth NAME N`. Without arguments it lists
//! all names.

use larder_tests::growth;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let scenarios = || growth::all().chain(growth::WRONG);
    let Some(name) = arguments.first() else {
        growth::all().for_each(|scenario| println!("{}", scenario.name));
        return;
    };
    let n = arguments.get(1).and_then(|n| n.parse().ok()).expect("how many");
    let counts = scenarios().find(|scenario| scenario.name == name).map(|scenario| (scenario.play)(n));
    println!("{}", counts.expect("there is one of this name"));
}
