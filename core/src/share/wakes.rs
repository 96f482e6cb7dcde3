//! Which members of one call were woken, so that the others need not be polled.

use alloc::boxed::Box;
use core::task::Waker;

use crate::{
    Notify,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        wakes,
    },
};

/// A bit for each member of a call, and the task that makes the call.
pub(crate) struct CallWakes<N> {
    /// Behind these words is one bit for each word: is it worth a look? So a poll of a large call skips most words.
    bits: Box<[AtomicUsize]>,
    words: usize,
    /// The call is being polled, and looks again before it waits.
    is_polled: AtomicBool,
    task: N,
}

/// Wakes the call for one of its members.
struct MemberWaker<N> {
    call: Arc<CallWakes<N>>,
    index: usize,
}

impl<N: Notify> CallWakes<N> {
    pub(crate) fn new(members: usize) -> Arc<Self> {
        let words = members.div_ceil(BITS);
        let bits = (0..words + words.div_ceil(BITS)).map(|_| AtomicUsize::new(0)).collect();
        Arc::new(Self { bits, words, is_polled: AtomicBool::new(false), task: N::default() })
    }

    /// Makes a waker for this member.
    pub(crate) fn waker(this: &Arc<Self>, index: usize) -> Waker {
        Waker::from(Arc::new(MemberWaker { call: Arc::clone(this), index }))
    }

    /// The call is polled by this task; returns a waker that is of no use any more.
    pub(crate) fn begin_poll(&self, listener: &mut N::Listener, waker: &Waker) -> Option<Waker> {
        self.is_polled.store(true, Ordering::SeqCst);
        self.task.listen(listener, waker)
    }

    /// The poll of the call ends.
    pub(crate) fn end_poll(&self) {
        self.is_polled.store(false, Ordering::SeqCst);
    }

    /// Takes the members that were woken.
    pub(crate) fn take(&self, mut each: impl FnMut(usize)) {
        let (woken, words) = self.bits.split_at(self.words);
        take_bits(words, 0, |word| take_bits(&woken[word..=word], word * BITS, &mut each));
    }

    /// A member is woken.
    fn set(&self, index: usize) {
        // This one first, because the other one leads to it.
        set_bit(&self.bits, index);
        set_bit(&self.bits[self.words..], index / BITS);
        if !self.is_polled.load(Ordering::SeqCst) {
            self.task.notify_all();
        }
    }
}

impl<N: Notify> MemberWaker<N> {
    fn woken(&self) {
        self.call.set(self.index);
    }
}

wakes!([N: Notify] MemberWaker<N>);

fn set_bit(words: &[AtomicUsize], bit: usize) {
    words[bit / BITS].fetch_or(1 << (bit % BITS), Ordering::SeqCst);
}

/// Takes the bits that are set, numbered from `first` on.
fn take_bits(words: &[AtomicUsize], first: usize, mut each: impl FnMut(usize)) {
    for (place, word) in words.iter().enumerate() {
        let mut bits = if word.load(Ordering::SeqCst) == 0 { 0 } else { word.swap(0, Ordering::SeqCst) };
        while bits != 0 {
            each(first + place * BITS + bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
    }
}

const BITS: usize = usize::BITS as usize;
