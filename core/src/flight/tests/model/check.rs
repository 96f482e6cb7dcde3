//! What must hold after each step.

use super::*;

impl World {
    /// Compares everything that can be seen.
    pub(super) fn check(&mut self) {
        let sky = self.sky.as_mut().expect("a sky");
        let running = self.flights.values().map(Plain::running).sum();
        assert_eq!(sky.census(), (self.flights.len() as u64, self.seats.len() as u64, running));
        let attached = self.flights.values().filter(|plain| plain.attached).count();
        assert_eq!(sky.index.len(), attached);
        for (place, plain) in &self.flights {
            let flight = sky.flight(*place);
            let seats = self.seats.iter().filter(|seat| seat.place() == *place).count();
            assert!(seats > 0, "a flight without seats");
            assert_eq!((flight.seats() as usize, flight.live() as usize), (seats, plain.live()));
            assert_eq!(flight.is_attached(), plain.attached);
            let live = plain.attempts.iter().filter(|tried| tried.live());
            assert_eq!(flight.oldest_begun(), live.map(|tried| at(tried.begun)).min());
            assert_eq!(Some(flight.newest_begun()), plain.attempts.last().map(|tried| at(tried.begun)));
            if plain.attached {
                assert_eq!(find(sky, plain.key), Some(*place), "an attached flight is found");
            }
        }
        for seat in &self.seats {
            let plain = &self.flights[&seat.place()];
            let verdict = sky.seated(seat).verdict(seat).map(|verdict| match verdict {
                Ok(verdict) => verdict.as_ref().map(|answer| answer.value).map_err(Failure::clone),
                Err(mine) => Err(mine),
            });
            let told = verdict.map(|verdict| {
                verdict.map_err(|failure| match failure.cause() {
                    Cause::Error(error) => **error,
                    Cause::Panicked => "panicked",
                    Cause::BudgetExceeded => "overdue",
                    Cause::NothingToKeep => "unfounded",
                    Cause::AlreadyExpired => "expired",
                    Cause::Missing => "missing",
                })
            });
            assert_eq!(told, plain.told(seat.began()));
        }
        if self.flights.is_empty() {
            assert!(sky.slab.capacity() <= 4, "memory stays behind");
        }
        let counts = sky.counts;
        check_sums(sky);
        let [begun, succeeded, failed] = [counts.begun, counts.succeeded, counts.failed];
        let [panicked, dropped] = [counts.panicked, counts.dropped];
        assert_eq!(Counts { begun, succeeded, failed, panicked, dropped }, self.counts);
    }
}
