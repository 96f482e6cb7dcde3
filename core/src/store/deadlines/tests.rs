use super::*;

#[test]
fn the_earliest_is_first_whatever_is_set_removed_and_moved() {
    let mut deadlines = Deadlines::default();
    let mut model: Vec<Option<u64>> = Vec::new();
    let mut random = 7_u64;
    for _ in 0..20_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (choice, pick, nanos) = (random >> 60, (random >> 30) as usize, (random >> 40) % 1000);
        if choice < 6 || model.is_empty() {
            deadlines.set(model.len() as u32, Instant::from_nanos(nanos));
            model.push(Some(nanos));
        } else if choice < 9 {
            let place = pick % model.len();
            deadlines.set(place as u32, Instant::from_nanos(nanos));
            model[place] = Some(nanos);
        } else {
            // As a table closes a gap: the last place moves into it.
            let (place, last) = (pick % model.len(), model.len() - 1);
            deadlines.remove(place as u32);
            model.swap_remove(place);
            if place == last { deadlines.truncate(last as u32) } else { deadlines.relocate(last as u32, place as u32) }
        }
        let first = deadlines.first();
        assert_eq!(first.map(|(deadline, _)| deadline.as_nanos()), model.iter().flatten().min().copied());
        assert!(first.is_none_or(|(deadline, place)| model[place as usize] == Some(deadline.as_nanos())));
    }
}

#[test]
fn never_is_no_deadline() {
    let mut deadlines = Deadlines::default();
    deadlines.set(0, Instant::NEVER);
    assert_eq!(deadlines.first(), None);
    deadlines.set(0, Instant::ZERO);
    deadlines.set(0, Instant::NEVER);
    assert_eq!(deadlines.first(), None);
}
