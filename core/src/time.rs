//! Points in time and lifetimes: plain numbers, no clock.

use core::time::Duration;

/// A point on a clock's own time line.
///
/// In nanoseconds since that clock's origin, so it ends after 584 years.
///
/// All arithmetic saturates: nothing wraps, whatever a clock or a caller says. Instants of different clocks must not
/// be compared.
///
/// ```
/// use core::time::Duration;
/// use larder::Instant;
///
/// let start = Instant::from_nanos(1_000);
/// let later = start.saturating_add(Duration::from_nanos(500));
/// assert_eq!(later.saturating_since(start), Duration::from_nanos(500));
/// assert_eq!(start.saturating_since(later), Duration::ZERO);
/// assert_eq!(start.saturating_add(Duration::MAX), Instant::NEVER);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The end of time: a deadline that is never reached.
    ///
    /// It is not reached even if a clock says so.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::Instant;
    /// assert_eq!(Instant::ZERO.saturating_add(Duration::MAX), Instant::NEVER);
    /// ```
    pub const NEVER: Self = Self(u64::MAX);

    /// The clock's origin.
    ///
    /// ```
    /// # use larder::Instant;
    /// assert_eq!(Instant::ZERO, Instant::from_nanos(0));
    /// ```
    pub const ZERO: Self = Self(0);

    /// Where clocks that count from their making should begin.
    ///
    /// That is nine years after zero, so that values may be older than the clock: what another cache has kept for
    /// [longer than this process runs](crate::Loaded::aged), and what has been [stale](crate::Loaded::stale) for as long.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::Instant;
    /// assert!(Instant::START.saturating_since(Instant::ZERO) > Duration::from_secs(9 * 365 * 24 * 3600));
    /// ```
    pub const START: Self = Self(1 << 58);

    /// Returns the instant this many nanoseconds after the clock's origin.
    ///
    /// ```
    /// # use larder::Instant;
    /// let ticks: u32 = 250; // of a millisecond each
    /// let now = Instant::from_nanos(u64::from(ticks) * 1_000_000);
    /// assert_eq!(now.as_nanos(), 250_000_000);
    /// ```
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Returns the nanoseconds since the clock's origin.
    ///
    /// ```
    /// # use larder::Instant;
    /// assert_eq!(Instant::from_nanos(42).as_nanos(), 42);
    /// ```
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns this instant moved forward.
    ///
    /// If the result does not fit, it is [`NEVER`](Self::NEVER).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::Instant;
    /// let start = Instant::from_nanos(1);
    /// assert_eq!(start.saturating_add(Duration::from_nanos(2)), Instant::from_nanos(3));
    /// assert_eq!(start.saturating_add(Duration::MAX), Instant::NEVER);
    /// ```
    #[inline]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }

    /// Returns the time from `earlier` to this instant.
    ///
    /// Zero if `earlier` lies in the future.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::Instant;
    /// let (early, late) = (Instant::from_nanos(1), Instant::from_nanos(3));
    /// assert_eq!(late.saturating_since(early), Duration::from_nanos(2));
    /// assert_eq!(early.saturating_since(late), Duration::ZERO);
    /// ```
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Returns the instant this many nanoseconds earlier, or the origin.
    pub(crate) const fn saturating_sub(self, nanos: u64) -> Self {
        Self(self.0.saturating_sub(nanos))
    }

    /// Returns how many nanoseconds lie between this instant and `end`; zero if `end` is earlier.
    pub(crate) const fn nanos_until(self, end: Self) -> u64 {
        end.0.saturating_sub(self.0)
    }

    /// Returns how many nanoseconds lie between this instant and `end`.
    pub(crate) const fn nanos_to(self, end: Self) -> f64 {
        end.0.saturating_sub(self.0) as f64
    }

    /// Returns this instant, but at most the last one before `NEVER`: the latest time a clock may return.
    #[inline(always)]
    pub(crate) const fn told(self) -> Self {
        if self.0 == u64::MAX { Self(u64::MAX - 1) } else { self }
    }

    /// Returns how long ago this deadline was reached, if that is no longer ago than `limit`.
    pub(crate) fn stale_within(self, now: Self, limit: Option<Duration>) -> Option<Duration> {
        let age = now.saturating_since(self);
        limit.filter(|limit| self.reached(now) && age <= *limit).map(|_| age)
    }

    /// Returns whether this deadline is reached at `now`: the one rule for every limit.
    #[inline]
    pub(crate) const fn reached(self, now: Self) -> bool {
        self.0 <= now.0 && self.0 != u64::MAX
    }
}

/// How long a value stays fresh.
///
/// There are no sentinel durations: every meaning has its own variant or function. A lifetime counts from the
/// publication of the value, unless it counts [from the begin](Self::from_begin) of its load, or has an
/// [end by a wall clock](Self::until), and is over as soon as its end is reached. A lifetime that is too long for the clock never ends.
///
/// The first of these that does not inherit decides: the load's own answer, the call's options, the cache's
/// [`expire_after`](crate::Builder::expire_after), its [`ttl`](crate::Builder::ttl). If all of them inherit, the value
/// never expires.
///
/// ```
/// use core::time::Duration;
/// use larder::{Cache, Loaded, ManualClock, TimeLeft, Ttl, parts::Std};
///
/// let cache = Cache::builder(Std::new(ManualClock::new()))
///     .ttl(Duration::from_secs(60))
///     .load_fn(|id: u32| async move { Ok::<_, std::io::Error>(id) })
///     .build()?;
/// cache.insert(1, 10);
/// cache.insert_with(2, Loaded::new(20).ttl(Ttl::Forever));
/// cache.insert_with(3, Loaded::new(30).ttl(Ttl::NotStored));
///
/// let time_left = |id| cache.peek(&id).map(|found| found.time_left());
/// assert_eq!(time_left(1), Some(TimeLeft::For(Duration::from_secs(60))));
/// assert_eq!(time_left(2), Some(TimeLeft::Forever));
/// assert_eq!(time_left(3), None);
/// # Ok::<(), larder::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ttl {
    /// The next in line decides: the load's own answer, then the call, then the cache's closure, then the cache.
    #[default]
    Inherit,
    /// The value is fresh for this long; zero means [`NotStored`](Self::NotStored). A [`LazySlot`](crate::LazySlot)
    /// keeps a value with a lifetime of zero as a stale copy, and fetches the next one at the pace of retries.
    For(Duration),
    /// The value never expires.
    Forever,
    /// The value is handed to the waiting callers and not stored; what was stored under its key is removed.
    NotStored,
    /// The value expires as soon as it is published: a [`LazySlot`](crate::LazySlot) keeps it as a stale copy, and the
    /// next call fetches; in a cache this means [`NotStored`](Self::NotStored).
    ExpiresAtOnce,
    /// [`private`](Self::private): in nanoseconds, which need no extra room beside a duration.
    #[doc(hidden)]
    Private(u64),
    /// When it was over [this long ago](Self::stale): in nanoseconds as well.
    #[doc(hidden)]
    Stale(u64),
    /// Counts [from the begin](Self::from_begin) of the load: in nanoseconds as well.
    #[doc(hidden)]
    Begun(u64),
    /// When it has an [end](Self::until) by a wall clock: in nanoseconds since the beginning of 1970.
    #[doc(hidden)]
    Until(u64),
    /// When it ends after this long, in nanoseconds, unless what comes next in line ends before.
    #[doc(hidden)]
    Within(u64),
    /// As many nanoseconds from when the value was published, which was a while ago.
    #[doc(hidden)]
    Aged(u64),
}

impl Ttl {
    /// Returns the lifetime of a value that is only for its own caller.
    ///
    /// That is the caller that began the load; and the next loads of its key are not shared for this long
    /// (hit-for-miss).
    ///
    /// Nothing is stored, and what was stored under its key is removed. Callers that joined the load then load for
    /// themselves, at most [`attempts`](crate::Builder::attempts) of them side by side, the next as one ends. If the
    /// caller that began the load has left, no caller gets the value. Each caller that comes within this time loads
    /// alone and at once, so no caller queues; after it, loads are shared again. The cache remembers this in the same
    /// way as a kept failure: it takes a weight of 1 of the capacity, may have to make room, and ends with a write to
    /// the key. Zero remembers nothing. A value that is inserted with this lifetime is not stored.
    ///
    /// A failure is still shared. In a [`LazySlot`](crate::LazySlot) this means [`NotStored`](Self::NotStored).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, yield_now, zip};
    /// # use larder::{Cache, Loaded, ManualClock, Ttl, parts::Std};
    /// # use std::{io, sync::{Arc, atomic::{AtomicU32, Ordering}}};
    /// # let calls = Arc::new(AtomicU32::new(0));
    /// # let fetch = Arc::clone(&calls);
    /// let cache = Cache::builder(Std::new(ManualClock::new()))
    ///     .loaded_fn(move |_: u32| {
    ///         let page = fetch.fetch_add(1, Ordering::Relaxed); // for example with "Cache-Control: private"
    ///         async move {
    ///             yield_now().await;
    ///             io::Result::Ok(Loaded::new(page).ttl(Ttl::private(Duration::from_secs(10))))
    ///         }
    ///     })
    ///     .build()?;
    /// let (one, other) = block_on(zip(cache.get(&1), cache.get(&1)));
    /// assert_ne!(one?, other?); // neither caller got the other's page
    /// assert!(!cache.contains(&1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn private(length: Duration) -> Self {
        Self::Private(nanos(length))
    }

    /// Returns a lifetime that counts from the beginning of the value's load.
    ///
    /// For lifetimes that already run while the answer travels: a token's, or a lease. The load began with its claim,
    /// by the caller that [led](crate::Outcome::led) it; a load of many keys is one load, and an inserted value began
    /// to live when it was inserted. If the end is already reached when the value arrives, this is a lifetime of zero.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::{block_on, poll_once, yield_now};
    /// # use larder::{Cache, Loaded, ManualClock, TimeLeft, Ttl, parts::Std};
    /// # use std::io;
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .loaded_fn(|_: u32| async {
    ///         yield_now().await; // the slow part
    ///         io::Result::Ok(Loaded::new("t0k3n").ttl(Ttl::from_begin(Duration::from_secs(60))))
    ///     })
    ///     .build()?;
    /// let mut get = cache.get(&1);
    /// assert!(block_on(poll_once(&mut get)).is_none());
    /// clock.advance(Duration::from_secs(10));
    /// block_on(get)?;
    /// assert_eq!(cache.peek(&1).unwrap().time_left(), TimeLeft::For(Duration::from_secs(50)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn from_begin(length: Duration) -> Self {
        Self::Begun(nanos(length))
    }

    /// Returns a lifetime that ends at a date.
    ///
    /// Given as the time since the beginning of 1970 (UTC). This is for values that come with the date of their end: a
    /// token's `exp`, a certificate, `Expires`. It limits what the next in line says (the call, the cache's closure,
    /// the cache): the earlier of both counts. When the value is published, the cache asks its
    /// [`wall_clock`](crate::Builder::wall_clock) how long that is, and uses its own clock from then on; setting the
    /// wall clock later changes nothing. Whether the end comes in time although the machine sleeps depends on the
    /// runtime's clock, see [`Clock`](crate::Clock#suspension). An end that has passed is a lifetime of zero.
    ///
    /// It is for loads, inserted values and the cache's closure. If the cache has no wall clock, every end counts as
    /// passed, and so does one in the options of a call or as the lifetime of the cache itself.
    ///
    /// With `std`, a `SystemTime` is as good.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::{Cache, Loaded, ManualClock, TimeLeft, Ttl, parts::Std};
    /// let cache = Cache::<&str, u32, std::io::Error, _>::builder(Std::new(ManualClock::new()))
    ///     .ttl(Duration::from_secs(3600))
    ///     .wall_clock(|| Duration::from_secs(1_000_000)) // with std: larder::parts::wall_time
    ///     .build()?;
    /// let until = |end| Ttl::until(Duration::from_secs(end));
    /// cache.insert_with("soon", Loaded::new(1).ttl(until(1_000_060)));
    /// cache.insert_with("later", Loaded::new(2).ttl(until(2_000_000)));
    /// cache.insert_with("over", Loaded::new(3).ttl(until(1_000_000)));
    ///
    /// let time_left = |key| cache.peek(key).map(|found| found.time_left());
    /// assert_eq!(time_left("soon"), Some(TimeLeft::For(Duration::from_secs(60))));
    /// assert_eq!(time_left("later"), Some(TimeLeft::For(Duration::from_secs(3600))));
    /// assert_eq!(time_left("over"), None);
    /// # Ok::<(), larder::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn until(since_1970: Duration) -> Self {
        Self::Until(nanos(since_1970))
    }

    /// Returns the lifetime of a value that expired this long ago.
    ///
    /// For a loader that has only an old copy, for example one that another process is replacing. The callers that wait
    /// for the load get the value, with the status [`Stale`](crate::Status::Stale). It is held as an expired one for as long
    /// as a configured limit for stale values may need it, counted from when it expired, and a fresh one that is stored stays
    /// in its place; the next call that wants a fresh value loads again. Without such a limit, or if the cache's clock does not
    /// reach back so far, this means [`NotStored`](Self::NotStored). In a [`LazySlot`](crate::LazySlot) the next fetch waits
    /// for the back-off, as for a lifetime of zero.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use futures_lite::future::block_on;
    /// # use larder::{Cache, Loaded, ManualClock, Status, parts::Std};
    /// # use std::io;
    /// # let clock = ManualClock::new();
    /// # clock.advance(Duration::from_secs(1000));
    /// let cache = Cache::builder(Std::new(clock.clone()))
    ///     .stale_while_refresh(Duration::from_secs(30))
    ///     .loaded_fn(|id: u32| async move { io::Result::Ok(Loaded::new(id * 2).stale(Duration::from_secs(5))) })
    ///     .build()?;
    /// assert_eq!(block_on(cache.lookup(&1))?.status(), Status::Stale(Duration::from_secs(5)));
    /// clock.advance(Duration::from_secs(20));
    /// let stale = block_on(cache.get_stale(&1))?; // at once, with the refresh
    /// assert_eq!(stale.outcome.status(), Status::Stale(Duration::from_secs(25)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn stale(since: Duration) -> Self {
        Self::Stale(nanos(since))
    }

    /// Returns how long ago the value expired, if it is [stale](Self::stale).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::Ttl;
    /// assert_eq!(Ttl::stale(Duration::from_secs(5)).as_stale(), Some(Duration::from_secs(5)));
    /// assert_eq!(Ttl::NotStored.as_stale(), None);
    /// ```
    #[must_use]
    pub const fn as_stale(self) -> Option<Duration> {
        match self {
            Self::Stale(since) => Some(Duration::from_nanos(since)),
            _ => None,
        }
    }

    /// Returns for how long loads are not to be shared, if the value is [private](Self::private).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::Ttl;
    /// assert_eq!(Ttl::private(Duration::from_secs(10)).as_private(), Some(Duration::from_secs(10)));
    /// assert_eq!(Ttl::Forever.as_private(), None);
    /// ```
    #[must_use]
    pub const fn as_private(self) -> Option<Duration> {
        match self {
            Self::Private(length) => Some(Duration::from_nanos(length)),
            _ => None,
        }
    }

    /// Returns the length, if it counts [from the begin](Self::from_begin) of the load.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::Ttl;
    /// assert_eq!(Ttl::from_begin(Duration::from_secs(60)).as_from_begin(), Some(Duration::from_secs(60)));
    /// assert_eq!(Ttl::For(Duration::from_secs(60)).as_from_begin(), None);
    /// ```
    #[must_use]
    pub const fn as_from_begin(self) -> Option<Duration> {
        match self {
            Self::Begun(length) => Some(Duration::from_nanos(length)),
            _ => None,
        }
    }

    /// Returns the end since the beginning of 1970, if it is [by a wall clock](Self::until).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use larder::Ttl;
    /// assert_eq!(Ttl::until(Duration::from_secs(1_000_000)).as_until(), Some(Duration::from_secs(1_000_000)));
    /// assert_eq!(Ttl::Forever.as_until(), None);
    /// ```
    #[must_use]
    pub const fn as_until(self) -> Option<Duration> {
        match self {
            Self::Until(end) => Some(Duration::from_nanos(end)),
            _ => None,
        }
    }

    /// Returns this lifetime at this time of a wall clock, since the beginning of 1970.
    pub(crate) fn by_wall_clock(self, time: Duration) -> Self {
        match self {
            Self::Until(u64::MAX) => Self::Inherit,
            Self::Until(end) => Self::Within(end.saturating_sub(nanos(time))),
            other => other,
        }
    }

    /// So many nanoseconds of an older value are what the next in line says.
    const INHERIT: u64 = u64::MAX - 1;

    /// Returns this lifetime of a value that was published a while ago.
    pub(crate) const fn aged(self) -> Self {
        match self {
            Self::Inherit => Self::Aged(Self::INHERIT),
            Self::Forever => Self::Aged(u64::MAX),
            Self::For(length) if !length.is_zero() => match nanos(length) {
                Self::INHERIT => Self::Aged(u64::MAX),
                nanos => Self::Aged(nanos),
            },
            other => other,
        }
    }

    /// Returns what its user has said of an older value's lifetime.
    pub(crate) const fn of_any_age(self) -> Self {
        match self {
            Self::Aged(Self::INHERIT) => Self::Inherit,
            Self::Aged(u64::MAX) => Self::Forever,
            Self::Aged(length) => Self::For(Duration::from_nanos(length)),
            other => other,
        }
    }

    /// Returns the first of these that says something.
    #[inline(always)]
    pub(crate) fn first(of: [&Self; 4]) -> Self {
        of.into_iter().find(|ttl| !matches!(ttl, Self::Inherit)).map_or(Self::Inherit, |first| *first)
    }

    /// Returns whether the [first](Self::first) is not all there is to say.
    #[inline(always)]
    pub(crate) const fn is_to_be_settled(self) -> bool {
        matches!(self, Self::Begun(_) | Self::Until(_) | Self::Within(_) | Self::Aged(_) | Self::Stale(_))
    }

    /// Returns what that comes to `now`, for a load that began at `begun` and a value that was published `age` nanoseconds
    /// ago.
    #[cold]
    #[inline(never)]
    pub(crate) fn settle(of: [&Self; 4], begun: Instant, age: u64, now: Instant) -> Self {
        let mut bound = u64::MAX;
        for ttl in of {
            let length = match *ttl {
                Self::Inherit | Self::Aged(Self::INHERIT) => continue,
                Self::Within(length) => {
                    bound = bound.min(length);
                    continue;
                }
                // (Nobody can tell how long that is.)
                Self::Until(_) => 0,
                Self::Begun(length) => Self::rest(length, begun, now),
                Self::Aged(length) => length,
                Self::For(length) => nanos(length),
                Self::Forever => u64::MAX,
                // (They do not live at all.)
                other => return other,
            };
            bound = match length.checked_sub(age) {
                // (What is endless is so at any age, and a lifetime of zero is none.)
                _ if length == 0 || length == u64::MAX => bound.min(length),
                Some(left @ 1..) => bound.min(left),
                _ if bound == 0 => bound,
                _ => return Self::Stale(age - length),
            };
            break;
        }
        if bound == u64::MAX { Self::Forever } else { Self::For(Duration::from_nanos(bound)) }
    }

    /// Returns how many nanoseconds are left at `now` of this many, for a load that began at `begun`.
    fn rest(length: u64, begun: Instant, now: Instant) -> u64 {
        let end = begun.saturating_add(Duration::from_nanos(length));
        // (Never for longer than it says, though the clock has jumped back.)
        if end == Instant::NEVER { u64::MAX } else { now.nanos_until(end).min(length) }
    }

    /// Returns whether values of this lifetime expire, or something else that is kept for them does.
    pub(crate) const fn expires(self) -> bool {
        matches!(
            self,
            Self::For(_)
                | Self::ExpiresAtOnce
                | Self::Private(_)
                | Self::Begun(_)
                | Self::Until(_)
                | Self::Within(_)
                | Self::Aged(_)
                | Self::Stale(_)
        )
    }

    /// Returns whether a value expires as soon as it is there, or has before, without its source asking for that.
    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Self::For(Duration::ZERO) | Self::Stale(_))
    }

    /// Returns when a value has expired that is stale `now`; the clock's origin if that was before.
    pub(crate) const fn expired(self, now: Instant) -> Option<Instant> {
        match self {
            Self::Stale(since) => Some(now.told().saturating_sub(since)),
            _ => None,
        }
    }

    /// Returns the deadline of a value published `now`; `None` if it is not to be stored.
    ///
    /// `keeps_expired` says whether a value is stored that has expired by then.
    pub(crate) const fn deadline(self, now: Instant, keeps_expired: bool) -> Option<Instant> {
        match self {
            // (What counts from elsewhere was settled before.)
            Self::NotStored
            | Self::Private(_)
            | Self::Begun(_)
            | Self::Until(_)
            | Self::Within(_)
            | Self::Aged(_)
            | Self::Stale(_) => None,
            Self::ExpiresAtOnce | Self::For(Duration::ZERO) => {
                // A deadline at the very end of the clock would be none.
                if keeps_expired { Some(now.told()) } else { None }
            }
            Self::For(duration) => Some(now.saturating_add(duration)),
            Self::Inherit | Self::Forever => Some(Instant::NEVER),
        }
    }
}

impl From<Duration> for Ttl {
    fn from(duration: Duration) -> Self {
        Self::For(duration)
    }
}

/// As [`Ttl::until`]; the cache needs a wall clock for it.
///
/// **Without a [`wall_clock`](crate::Builder::wall_clock)**, such as [`parts::wall_time`](crate::parts::wall_time), the
/// end counts as passed, and a cache stores nothing. A time before 1970 has passed as well.
#[cfg(feature = "std")]
impl From<std::time::SystemTime> for Ttl {
    fn from(end: std::time::SystemTime) -> Self {
        Self::until(end.duration_since(std::time::UNIX_EPOCH).unwrap_or_default())
    }
}

/// How much longer a value stays fresh.
///
/// ```
/// use core::time::Duration;
/// use larder::TimeLeft;
///
/// fn max_age(left: TimeLeft) -> String {
///     match left {
///         TimeLeft::For(duration) => format!("max-age={}", duration.as_secs()),
///         TimeLeft::Forever => String::from("immutable"),
///     }
/// }
/// assert_eq!(max_age(TimeLeft::For(Duration::from_secs(60))), "max-age=60");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLeft {
    /// It expires after this long; zero if it has expired or was not stored.
    For(Duration),
    /// It never expires.
    Forever,
}

impl TimeLeft {
    /// Returns the time from `now` to `deadline`.
    pub(crate) fn until(deadline: Instant, now: Instant) -> Self {
        if deadline == Instant::NEVER { Self::Forever } else { Self::For(deadline.saturating_since(now)) }
    }
}

/// Returns the nanoseconds of `duration`, saturating.
pub(crate) const fn nanos(duration: Duration) -> u64 {
    // In 64 bits, which is cheaper than `as_nanos` and as exact below saturation.
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos() as u64)
}

#[cfg(test)]
mod tests;
