//! The monotonic clock of the driver.

use chappe_wire::Instant;

/// Microseconds since the machine was started, suspend included (`CLOCK_BOOTTIME`): an envelope ages while a
/// laptop sleeps.
#[cfg(target_os = "linux")]
pub(crate) fn now() -> Instant {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let micros = u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000;
    Instant::from_micros(seconds.saturating_mul(1_000_000).saturating_add(micros))
}

/// Microseconds since the first call. Whether suspend counts depends on the system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn now() -> Instant {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let micros = START
        .get_or_init(std::time::Instant::now)
        .elapsed()
        .as_micros();
    Instant::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}
