use alloc::format;

use super::*;

/// The system's time since it was booted, sleep included, in hundredths of a second.
fn uptime() -> Duration {
    let text = std::fs::read_to_string("/proc/uptime").expect("every Linux has it");
    let seconds: f64 = text.split(' ').next().and_then(|first| first.parse().ok()).expect("a number");
    Duration::from_secs_f64(seconds)
}

/// D105: it is the clock that counts from the boot, with the time that the machine slept.
#[test]
fn d105_it_counts_what_the_machine_slept() {
    let early = uptime();
    let read = Duration::from_nanos(nanos());
    let late = uptime() + Duration::from_millis(10);
    assert!(early <= read + Duration::from_millis(10) && read <= late, "{early:?} {read:?} {late:?}");
}

#[test]
fn it_never_goes_back() {
    let clock = BootClock::new();
    let readings: alloc::vec::Vec<_> = (0..1000).map(|_| clock.now()).collect();
    assert!(readings.is_sorted(), "{}", format!("{readings:?}"));
}
