//! Plays scenarios of growth, each with `N` things and then with twice as many, so that their instructions can be counted:
//! `growth N NAME...`. Without arguments it lists all names.

use larder_tests::growth;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(n) = arguments.next() else {
        growth::all().for_each(|scenario| println!("{}", scenario.name));
        return;
    };
    let n = n.parse().expect("how many");
    for name in arguments {
        let scenario = growth::all().chain(growth::WRONG).find(|scenario| scenario.name == name);
        let play = scenario.expect("there is one of this name").play;
        println!("{name}: {} and {}", play(n), play(2 * n));
    }
}
