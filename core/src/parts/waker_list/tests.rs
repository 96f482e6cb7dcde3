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
