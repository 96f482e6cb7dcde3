use alloc::{sync::Arc, task::Wake, vec::Vec};

use super::*;

struct Note(u32, Arc<spin::Mutex<Vec<u32>>>);

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.1.lock().push(self.0);
    }
}

type List = WakerList<spin::Mutex<Wakers>>;

#[test]
fn listeners_keep_their_turn() {
    let list = List::default();
    let order: Arc<spin::Mutex<Vec<u32>>> = Arc::default();
    let wakers: Vec<_> = (0..4).map(|index| Waker::from(Arc::new(Note(index, Arc::clone(&order))))).collect();
    let mut tickets: Vec<Ticket> = (0..4).map(|_| Ticket::default()).collect();
    for (ticket, waker) in tickets.iter_mut().zip(&wakers) {
        list.listen(ticket, waker);
    }
    list.notify_all();
    list.notify_all();
    assert_eq!(*order.lock(), [0, 1, 2, 3], "each is woken once");
    for index in [3, 1, 0, 2] {
        list.listen(&mut tickets[index], &wakers[index]);
    }
    list.withdraw(&mut tickets[1]);
    order.lock().clear();
    list.notify_all();
    assert_eq!(*order.lock(), [0, 2, 3]);
}

#[test]
fn those_who_withdraw_leave_no_bytes_behind() {
    let list = List::default();
    let mut tickets: Vec<Ticket> = (0..1000).map(|_| Ticket::default()).collect();
    tickets.iter_mut().for_each(|ticket| {
        list.listen(ticket, Waker::noop());
    });
    tickets.iter_mut().for_each(|ticket| {
        list.withdraw(ticket);
    });
    list.0.with(|wakers| assert_eq!((wakers.waiting.len(), wakers.waiting.capacity()), (0, 0)));
}

/// C115, D15: in whatever order they listen and withdraw, listeners are found, and woken in the order of arrival; those
/// that are out of order are not searched.
#[test]
fn c115_any_order() {
    for seed in 0..400_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        let list = List::default();
        let order: Arc<spin::Mutex<Vec<u32>>> = Arc::default();
        let wakers: Vec<_> = (0..40).map(|index| Waker::from(Arc::new(Note(index, Arc::clone(&order))))).collect();
        let mut tickets: Vec<Ticket> = (0..40).map(|_| Ticket::default()).collect();
        // When each first listened, if it still listens; and the listeners on the list.
        let (mut since, mut listening, mut time) = (Vec::from_iter((0..40).map(|_| None)), Vec::new(), 0);
        for _ in 0..300 {
            let who = below(40) as usize;
            match below(20) {
                0..14 => {
                    list.listen(&mut tickets[who], &wakers[who]);
                    time += 1;
                    since[who].get_or_insert(time);
                    if !listening.contains(&who) {
                        listening.push(who);
                    }
                }
                14..19 => {
                    let withdrawn = list.withdraw(&mut tickets[who]);
                    assert_eq!(withdrawn.is_some(), listening.contains(&who), "seed {seed}");
                    listening.retain(|other| *other != who);
                    since[who] = None;
                }
                _ => {
                    order.lock().clear();
                    list.notify_all();
                    listening.sort_by_key(|who| since[*who]);
                    assert_eq!(
                        *order.lock(),
                        listening.iter().map(|who| *who as u32).collect::<Vec<_>>(),
                        "seed {seed}"
                    );
                    listening.clear();
                }
            }
            list.0.with(|wakers| {
                let live = wakers.waiting.iter().filter(|(_, waker)| waker.is_some()).count();
                assert_eq!((live, wakers.waiting.len() - live), (listening.len(), wakers.withdrawn), "seed {seed}");
                assert!(wakers.waiting[..wakers.ordered].is_sorted_by_key(|(number, _)| *number));
                assert!(wakers.withdrawn * 2 <= wakers.waiting.len());
            });
        }
    }
}

/// C115: listeners that come back in reverse order are put at the end, each at once.
#[test]
fn c115_the_reverse_order_moves_nobody() {
    let list = List::default();
    let mut tickets: Vec<Ticket> = (0..1000).map(|_| Ticket::default()).collect();
    tickets.iter_mut().for_each(|ticket| _ = list.listen(ticket, Waker::noop()));
    list.notify_all();
    for (place, ticket) in tickets.iter_mut().rev().enumerate() {
        list.listen(ticket, Waker::noop());
        let at = list
            .0
            .with(|wakers| wakers.waiting.iter().position(|(number, _)| Some(*number) == ticket.0.map(|it| it.of)));
        assert_eq!(at, Some(place));
    }
}

/// C12, C115: as long as the list is, whichever listeners withdraw; those that do are woken no more, and leave nothing.
#[test]
fn c115_after_half_has_withdrawn() {
    // All orders of five in which they come again, and then all subsets that withdraw, in order and in reverse.
    for seed in 0..120_u32 {
        let (mut left, mut rest) = ((0..5).collect::<Vec<u32>>(), seed);
        let again: Vec<u32> = (1..=5).rev().map(|n| (left.remove((rest % n) as usize), rest /= n).0).collect();
        for (gone, is_reversed) in (0..32_u32).flat_map(|gone| [(gone, false), (gone, true)]) {
            let (list, order) = (List::default(), Arc::<spin::Mutex<Vec<u32>>>::default());
            let wakers: Vec<_> = (0..5).map(|index| Waker::from(Arc::new(Note(index, Arc::clone(&order))))).collect();
            let mut tickets: Vec<Ticket> = (0..5).map(|_| Ticket::default()).collect();
            let listen = |tickets: &mut [Ticket], index: u32| {
                let index = index as usize;
                assert!(list.listen(&mut tickets[index], &wakers[index]).is_none());
            };
            (0..5).for_each(|index| listen(&mut tickets, index));
            list.notify_all();
            again.iter().for_each(|index| listen(&mut tickets, *index));
            order.lock().clear();
            let mut leaves: Vec<u32> = again.iter().copied().filter(|index| gone >> index & 1 == 1).collect();
            if is_reversed {
                leaves.reverse();
            }
            for index in leaves {
                let index = index as usize;
                let waker = list.withdraw(&mut tickets[index]).expect("it listens");
                assert!(waker.will_wake(&wakers[index]), "{again:?} {gone:05b}");
            }
            list.notify_all();
            let stay: Vec<u32> = (0..5).filter(|index| gone >> index & 1 == 0).collect();
            assert_eq!(*order.lock(), stay, "{again:?} {gone:05b}");
        }
    }
}
