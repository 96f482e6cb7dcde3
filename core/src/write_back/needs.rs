//! Flushing what has to be on disk first.

use alloc::{collections::BTreeMap, vec::Vec};
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    Unflushed,
    node::{Held, Node},
};
use crate::{Threads, dirty::Plan};

/// The flushes of other caches that have to succeed first, each cache once, and before each what it needs itself.
pub(super) struct Needs<T: Threads> {
    plan: Plan,
    /// By their places in the plan; the first is the cache that needs them.
    stops: Vec<Stop<T>>,
    running: Vec<usize>,
    /// The edges that it obeys, each with what was wished for the next flush, which is this one, and up to which number.
    obeys: Vec<(Node<T>, Held<T>, Option<u64>, Option<u64>)>,
    /// All of it is on disk.
    is_met: bool,
}

/// A cache that is flushed up to a number.
struct Stop<T: Threads> {
    cache: Option<Held<T>>,
    up_to: u64,
    flush: Option<T::Task<Result<(), Unflushed>>>,
    failed: Option<Unflushed>,
}

/// A cache whose edges are looked at.
struct Visit<T: Threads> {
    node: Node<T>,
    place: usize,
    /// The edge that was looked at last.
    after: Option<usize>,
    is_clean: bool,
}

impl<T: Threads> Needs<T> {
    /// Finds what has to be flushed before this cache, as it is now: from one cache to the next, each once.
    pub(super) fn of(node: &Node<T>) -> Self {
        let (stops, running, obeys) = (Vec::new(), Vec::new(), Vec::new());
        let mut needs = Self { plan: Plan::default(), stops, running, obeys, is_met: false };
        let happened = node.happened();
        // The caches that are flushed up to a number, with their places: their own flushes see to what goes before
        // them.
        let mut shots = BTreeMap::new();
        // The caches that are flushed as a whole. None is waited for if nothing is dirty there or before it, nor if it
        // is on the path already: then others have changed edges meanwhile, and its own flush sees to that.
        let mut all = BTreeMap::from([(node.id(), None)]);
        let mut path = Vec::from([needs.visit(node.clone(), None)]);
        while let Some(visit) = path.last_mut() {
            let Some((id, need, to)) = visit.node.with(|edges| edges.obey(visit.after)) else {
                let (Some(visit), Some(before)) = (path.pop(), path.last_mut()) else { break };
                if visit.is_clean {
                    visit.node.with(|edges| edges.clean_at = happened);
                } else {
                    all.insert(visit.node.id(), Some(visit.place));
                    before.wait_for(visit.place, &mut needs.plan);
                }
                continue;
            };
            visit.after = Some(id);
            let asked = need.until_flushed.and_then(|_| visit.node.ask_now(&to));
            // A wish ends with a flush of its own cache: a cache that is passed on the way may have nothing to flush.
            let wish = need.until_flushed.filter(|_| visit.place == 0);
            needs.obeys.push((visit.node.clone(), to.clone(), wish, need.up_to));
            let up_to = need.up_to.max(asked);
            // A cache that is far away finds by itself what has to go before it.
            let place = if let Some(node) = to.own.as_ref().filter(|_| need.always) {
                match all.get(&id).copied() {
                    Some(place) => place,
                    None if node.with(|edges| edges.clean_at == happened) => None,
                    None => {
                        all.insert(id, None);
                        path.push(needs.visit(node.clone(), Some(to)));
                        continue;
                    }
                }
            } else {
                let up_to = if need.always { Some(u64::MAX) } else { up_to.filter(|up_to| to.is_dirty(*up_to)) };
                up_to.map(|up_to| {
                    let place = *shots.entry(id).or_insert_with(|| needs.stop(Some(to), up_to));
                    needs.stops[place].up_to = needs.stops[place].up_to.max(up_to);
                    place
                })
            };
            place.into_iter().for_each(|place| visit.wait_for(place, &mut needs.plan));
        }
        needs.plan.begin();
        needs
    }

    /// Ready when all have ended, with the first failure: the others are not given up because of it.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Unflushed>> {
        loop {
            while self.running.len() < AT_ONCE {
                let Some((place, hindered)) = self.plan.next() else { break };
                let failed = hindered.and_then(|by| self.stops[by].failed.clone());
                let stop = &mut self.stops[place];
                let Some(cache) = stop.cache.as_ref() else { return Poll::Ready(failed.map_or(Ok(()), Err)) };
                if failed.is_some() || !cache.is_dirty(stop.up_to) {
                    stop.failed = failed.zip(cache.own.as_ref()).map(|(before, node)| before.before(node.name()));
                    self.plan.end(place, stop.failed.is_some());
                } else {
                    stop.flush = Some((*cache.upstream)(stop.up_to));
                    self.running.push(place);
                }
            }
            let Self { plan, stops, running, .. } = self;
            let before = running.len();
            running.retain(|place| {
                let stop = &mut stops[*place];
                let Some(flush) = &mut stop.flush else { return false };
                let Poll::Ready(result) = Pin::new(flush).poll(cx) else { return true };
                (stop.flush, stop.failed) = (None, result.err());
                plan.end(*place, stop.failed.is_some());
                false
            });
            if running.len() == before {
                return Poll::Pending;
            }
        }
    }

    /// All of it is on disk: the wishes for this flush are fulfilled.
    pub(super) fn succeed(mut self) {
        self.is_met = true;
    }

    fn stop(&mut self, cache: Option<Held<T>>, up_to: u64) -> usize {
        self.stops.push(Stop { cache, up_to, flush: None, failed: None });
        self.plan.add()
    }

    fn visit(&mut self, node: Node<T>, cache: Option<Held<T>>) -> Visit<T> {
        let dirty_up_to = node.with(|edges| edges.dirty_up_to()).filter(|_| cache.is_some());
        let place = self.stop(cache, dirty_up_to.unwrap_or(0));
        Visit { node, place, after: None, is_clean: dirty_up_to.is_none() }
    }
}

impl<T: Threads> Drop for Needs<T> {
    fn drop(&mut self) {
        for (node, other, wish, up_to) in &self.obeys {
            let _known = node.lessen(other, |need| {
                need.obeyed -= 1;
                if self.is_met {
                    need.until_flushed = need.until_flushed.filter(|is| Some(*is) != *wish);
                    // A cache that is far away does not tell when it is flushed.
                    need.up_to = need.up_to.filter(|is| other.own.is_some() || Some(*is) > *up_to);
                }
            });
        }
    }
}

/// How many caches are flushed at once. All of them are polled with one waker, by which that flush is recognized when
/// they ask back; so each is polled when any is woken.
pub(super) const AT_ONCE: usize = 16;

impl<T: Threads> Visit<T> {
    /// This one has to wait for that one.
    fn wait_for(&mut self, place: usize, plan: &mut Plan) {
        self.is_clean = false;
        plan.wait(self.place, place);
    }
}
