//! Two queues, a gate between them, and a memory of what left: the default policy.

mod returns;

use super::clock::{Clock, TICKS_PER_CAPACITY};
use super::gate::Gate;
use super::ghosts::{Ghost, Ghosts};
use super::list::{Link, Linked};
use super::queue::Queue;
use super::share::Share;
use super::{Nodes, Policy};

/// Evicts by two queues that learn from what comes back.
///
/// Both are first-in-first-out; what they learn is their shares of the capacity, and how wide the gate is.
///
/// A newcomer waits in a short probation queue. Used twice by the time it reaches the end, it moves on to the main
/// queue; else it leaves, and a fingerprint of it is remembered for a while, its ghost. In the main queue a used entry
/// gets another round at the end. A newcomer with a ghost came back: if it did so sooner than the main queue goes
/// round, it goes straight to the main queue (the gate); and if its queue would have held it had it been a little
/// longer, that queue's share grows. So the policy adapts to recency, frequency, scans and loops alike.
///
/// The gate narrows while less than two in three that come through it are used in their first round: where popularity is
/// steady, one quick return is mostly chance. It widens again when they are, or when what the main queue holds falls out
/// of use.
///
/// A use of an entry that has only just come to probation does not count, because it mostly belongs to what brought the
/// entry in (Clock2Q+ and S4-FIFO do so, too).
///
/// A hit sets two bits in its own entry and nothing else. All other calls are O(1), amortised where entries get
/// another round or change queues: at most 64 of each in one eviction. 12 bytes an entry and 6 for ghosts, which are
/// allocated when evictions start; with entries of unequal weight the ghosts may take up to twice that.
/// All lengths are measured in weight.
///
/// The queues are those of 2Q (Johnson and Shasha, VLDB 1994) and S3-FIFO (Yang and others, SOSP 2023), the learning
/// from ghosts is ARC's (Megiddo and Modha, FAST 2003), and the gate is the test of LIRS (Jiang and Zhang,
/// SIGMETRICS 2002) with times of queueing in place of a stack.
///
/// ```
/// use larder::{Cache, ManualClock, parts::Std};
///
/// // The default: nothing has to be said. What is asked for again and again survives a long scan.
/// let cache = Cache::builder(Std::new(ManualClock::new()))
///     .capacity(100)
///     .shards(1)
///     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id) })
///     .build()?;
/// for id in 0..10_000 {
///     futures_lite::future::block_on(cache.get(&(id % 10)))?;
///     futures_lite::future::block_on(cache.get(&(1_000 + id)))?;
/// }
/// assert!((0..10).all(|id| cache.contains(&id)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct GatedFifo {
    clock: Clock,
    share: Share,
    gate: Gate,
    probation: Queue,
    main: Queue,
    ghosts: Ghosts,
    /// The weight for which room is being made, at least 1.
    wanted: u64,
    /// How many entries have come back since the main queue was last seen in use.
    idle_returns: u32,
    /// Until when the main queue is known to have moved lately enough: the time of the last look, and so many ticks.
    moved: (u16, u16),
    /// The ghosts keep their memory.
    is_fixed: bool,
}

/// The record inside an entry.
#[derive(Debug, Default)]
pub struct Node {
    link: Link,
    /// When it took its place in its queue.
    stamp: u16,
    /// How often it was asked for since, at most [`MOST_USES`].
    uses: u8,
    home: Home,
}

/// One of the two queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Home {
    /// Where newcomers wait.
    #[default]
    Probation,
    /// The main queue, where entries stay that proved their worth.
    Main,
    /// The main queue too, until the end of a first round: what came through the gate has yet to prove its worth.
    Trial,
}

const MOST_USES: u8 = 3;

/// With this many uses in probation, an entry moves on to the main queue.
const PROVEN_USES: u8 = 2;

/// How many entries may move from probation to a main queue with room at each miss: enough to fill it soon.
const FILL: usize = 2;

/// How many entries of each queue one eviction may pass over before it takes the next, used or not.
const PATIENCE: usize = 64;

/// After this many ticks at rest in the main queue, an entry loses a use, even if it is not the main queue's turn.
const STALE: u16 = 32 * TICKS_PER_CAPACITY;

impl Policy for GatedFifo {
    type Node = Node;
    type Admission = Home;

    fn new(capacity: u64) -> Self {
        Self {
            clock: Clock::new(capacity),
            share: Share::new(capacity),
            gate: Gate::new(),
            probation: Queue::new(),
            main: Queue::new(),
            ghosts: Ghosts::default(),
            wanted: 1,
            idle_returns: 0,
            moved: (0, 0),
            is_fixed: false,
        }
    }

    fn preallocate(&mut self, entries: u64) -> bool {
        self.ghosts.reserve(entries, entries);
        self.is_fixed = true;
        self.ghosts.are_enough_for(entries)
    }

    fn set_capacity(&mut self, capacity: u64) {
        if capacity != self.share.capacity() {
            self.clock.set_capacity(capacity);
            self.share.set_capacity(capacity);
            self.ghosts.trim(if self.is_fixed { u64::MAX } else { capacity });
        }
    }

    #[inline]
    fn hit<E: Nodes<Node>>(&mut self, entries: &mut E, place: u32) {
        let node = entries.node(place);
        // Without the write at the top, the memory of a popular entry stays clean.
        if node.uses < MOST_USES && !(node.home == Home::Probation && self.has_just_come(node.stamp)) {
            node.uses += 1;
        }
    }

    #[cfg_attr(feature = "std", inline(always))]
    fn admit<E: Nodes<Node>>(&mut self, entries: &mut E, hash: u64, weight: u64) -> Home {
        self.clock.advance(weight);
        let home = match self.ghosts.take(hash, self.clock.now()) {
            Some(ghost) => self.welcome_back(entries, ghost, weight),
            None if self.main.is_empty() => Home::Main,
            None => Home::Probation,
        };
        self.fill_main(entries);
        self.wanted = weight.max(1);
        home
    }

    fn evict<E: Nodes<Node>>(&mut self, entries: &mut E) -> Option<u32> {
        let (mut promoted, mut spared) = (0, 0);
        // The newcomer is assumed to go to probation. Then this queue is always the one to give when the main queue
        // keeps to its part, whatever the weights are.
        let with_newcomer = self.wanted;
        loop {
            let too_long = self.share.is_exceeded(self.probation.weight.saturating_add(with_newcomer));
            let probation = self.probation.back().filter(|_| too_long || self.main.is_empty());
            if let Some(place) = probation {
                let (uses, weight) = (entries.node(place).uses, entries.weight(place));
                if uses < PROVEN_USES {
                    if let Some(stale) = self.wear_main(entries) {
                        return Some(stale);
                    }
                }
                let moves_on = uses >= PROVEN_USES || self.fits_main(weight);
                if !moves_on || promoted == PATIENCE {
                    if uses == 0 {
                        self.share.drift(weight);
                    }
                    return Some(self.expel(entries, place));
                }
                promoted += 1;
                self.requeue(entries, place, 0);
            } else {
                let place = self.main.back()?;
                let Node { uses, home, .. } = *entries.node(place);
                self.gate.learn(home == Home::Trial, uses > 0);
                if uses == 0 || spared == PATIENCE {
                    return Some(self.expel(entries, place));
                }
                spared += 1;
                self.idle_returns = 0;
                self.requeue(entries, place, uses - 1);
            }
        }
    }

    fn insert<E: Nodes<Node>>(&mut self, entries: &mut E, place: u32, admission: Home) {
        self.enqueue(entries, place, admission, 0);
        self.wanted = 1;
    }

    fn remove<E: Nodes<Node>>(&mut self, entries: &mut E, place: u32) {
        let home = entries.node(place).home;
        self.queue(home).remove(entries, place);
    }

    fn reweigh<E: Nodes<Node>>(&mut self, entries: &mut E, place: u32, old: u64) {
        let home = entries.node(place).home;
        self.queue(home).reweigh(old, entries.weight(place));
    }

    fn relocate<E: Nodes<Node>>(&mut self, entries: &mut E, _from: u32, to: u32) {
        let home = entries.node(to).home;
        self.queue(home).relocate(entries, to);
    }

    fn clear(&mut self) {
        let former = core::mem::replace(self, Self::new(self.share.capacity()));
        if former.is_fixed {
            (self.ghosts, self.is_fixed) = (former.ghosts, true);
            self.ghosts.clear();
        }
    }
}

impl GatedFifo {
    /// Did an entry take its place in probation so recently that a use now belongs to what brought it in?
    fn has_just_come(&self, stamp: u16) -> bool {
        self.share.is_in_front(self.clock.weight_since(stamp))
    }

    /// Moves what probation has too much to the main queue, while there is room for both.
    #[cfg_attr(feature = "std", inline(always))]
    fn fill_main(&mut self, entries: &mut impl Nodes<Node>) {
        for _ in 0..FILL {
            let Some(place) = self.probation.back() else { break };
            if !self.share.is_exceeded(self.probation.weight) || !self.fits_main(entries.weight(place)) {
                break;
            }
            self.requeue(entries, place, 0);
        }
    }

    /// Returns whether the main queue could take so much more and leave probation its share.
    fn fits_main(&self, weight: u64) -> bool {
        self.share.is_respected(self.main.weight.saturating_add(weight))
    }

    /// Takes a use from the last entry of a main queue that has not moved for long; evicts it if that was its last.
    ///
    /// Without this, entries of a workload long gone would stay for as long as probation alone feeds the evictions.
    fn wear_main(&mut self, entries: &mut impl Nodes<Node>) -> Option<u32> {
        let now = self.clock.now();
        let (looked, rests) = self.moved;
        if now.wrapping_sub(looked) <= rests {
            return None;
        }
        let age = self.age_of_back(entries, Home::Main);
        if age <= STALE {
            // Only a younger entry can take the place of the last one, so there is nothing to see before.
            self.moved = (now, STALE - age);
            return None;
        }
        let place = self.main.back()?;
        let uses = entries.node(place).uses;
        if uses <= 1 {
            return Some(self.expel(entries, place));
        }
        self.requeue(entries, place, uses - 1);
        None
    }

    /// Takes an entry out for good, and remembers it.
    fn expel(&mut self, entries: &mut impl Nodes<Node>, place: u32) -> u32 {
        self.ghosts.reserve(self.residents(), self.share.capacity());
        let node = entries.node(place);
        let home = node.home;
        let ghost = Ghost { from_main: home != Home::Probation, age: self.clock.age(node.stamp) };
        self.ghosts.note(entries.hash(place), ghost, self.clock.now());
        self.queue(home).remove(entries, place);
        place
    }

    fn residents(&self) -> u64 {
        u64::from(self.probation.len) + u64::from(self.main.len)
    }

    /// Moves an entry to the front of the main queue, from wherever it is.
    fn requeue(&mut self, entries: &mut impl Nodes<Node>, place: u32, uses: u8) {
        let home = entries.node(place).home;
        self.queue(home).remove(entries, place);
        self.enqueue(entries, place, Home::Main, uses);
    }

    fn enqueue(&mut self, entries: &mut impl Nodes<Node>, place: u32, home: Home, uses: u8) {
        let node = entries.node(place);
        node.stamp = self.clock.now();
        node.uses = uses;
        node.home = home;
        self.queue(home).push(entries, place);
    }

    /// Returns the age of the entry that is next to leave, 0 in an empty queue.
    fn age_of_back(&self, entries: &mut impl Nodes<Node>, home: Home) -> u16 {
        let queue = match home {
            Home::Probation => &self.probation,
            Home::Main | Home::Trial => &self.main,
        };
        queue.back().map_or(0, |place| self.clock.age(entries.node(place).stamp))
    }

    fn queue(&mut self, home: Home) -> &mut Queue {
        match home {
            Home::Probation => &mut self.probation,
            Home::Main | Home::Trial => &mut self.main,
        }
    }
}

impl Linked for Node {
    fn link(&mut self) -> &mut Link {
        &mut self.link
    }
}

#[cfg(test)]
mod tests;
