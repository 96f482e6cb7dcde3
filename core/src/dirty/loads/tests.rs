use super::Loads;

#[test]
fn a_write_voids_what_was_begun_before_it() {
    let mut loads = Loads::new();
    loads.begin(7);
    loads.write(7, 5);
    assert!(loads.is_void(7, 4) && !loads.is_void(7, 5), "by number");
    loads.end(7);
    loads.begin(7);
    assert!(!loads.is_void(7, 4), "nobody was there any more to whom that mattered");
}

#[test]
fn a_write_of_another_key_does_not() {
    let mut loads = Loads::new();
    loads.begin(7);
    loads.write(8, 5);
    assert!(!loads.is_void(7, 0) && loads.is_running(7) && !loads.is_running(8));
}

#[test]
fn a_write_of_all_does() {
    let mut loads = Loads::new();
    loads.begin(7);
    loads.write_all(5);
    assert!(loads.is_void(7, 4) && !loads.is_void(7, 5));
}

#[test]
fn keys_of_one_hash() {
    let mut loads = Loads::new();
    loads.begin(7);
    loads.begin(7);
    loads.write(7, 3);
    loads.end(7);
    // One of them begins again, and the other one is void still.
    loads.begin(7);
    assert!(!loads.is_void(7, 3) && loads.is_void(7, 1));
    loads.end(7);
    loads.end(7);
    assert!(loads.running.is_empty(), "nothing is left behind");
    loads.end(7);
    assert!(loads.running.is_empty());
}
