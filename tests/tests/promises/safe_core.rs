//! Promises about the core's own source.

use std::fs;
use std::path::Path;

/// P15: the core forbids unsafe code, needs no std, and allows no exception to this.
#[test]
fn p15_no_unsafe_and_no_std_in_the_core() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core");
    let root = fs::read_to_string(core.join("src/lib.rs")).expect("the core has a root");
    assert!(root.contains("#![no_std]"));
    let manifest = fs::read_to_string(core.join("../Cargo.toml")).expect("there is a workspace");
    assert!(root.contains("#![forbid(unsafe_code)]") || manifest.contains("unsafe_code = \"forbid\""));
    let mut files = 0;
    visit(&core.join("src"), &mut |path, text| {
        files += 1;
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            assert!(
                !code.contains("unsafe ") && !code.contains("unsafe{"),
                "{}:{}: {line}",
                path.display(),
                number + 1
            );
        }
    });
    assert!(files > 10);
}

fn visit(folder: &Path, see: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            visit(&path, see);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            see(&path, &fs::read_to_string(&path).expect("readable"));
        }
    }
}
