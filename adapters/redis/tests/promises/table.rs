//! The table of the promises, held against the tests.

use std::{fs, path::Path};

#[test]
fn each_promise_has_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/promises.md")).unwrap();
    for number in 1..=12 {
        let row = page.lines().find(|line| line.starts_with(&format!("| T{number} |"))).unwrap();
        let held = row.rsplit('|').nth(1).unwrap();
        let mut file = "";
        let mut count = 0;
        for name in held.split('`').skip(1).step_by(2) {
            let name = name.split_once(": ").map_or(name, |(own, name)| {
                file = own;
                name
            });
            let text = fs::read_to_string(root.join("tests/promises").join(file)).unwrap();
            assert!(text.contains(&format!("fn {name}()")), "{file} has no {name}");
            assert!(name.starts_with(&format!("t{number}_")), "{name} does not say whose it is");
            count += 1;
        }
        assert!(count > 0, "T{number} has no test");
    }
}
