//! Times and rates as a person writes them.

use std::time::{Duration, Instant};

/// `5s`, `1m 30s`, or a number of seconds: `0.5`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let duration = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_duration(text).ok(),
    };
    duration.ok_or_else(|| "it is a number of seconds or has a unit, as 0.5, 5s, 1m 30s".into())
}

/// So many times in each second, minute or hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    interval: Duration,
}

impl std::str::FromStr for Rate {
    type Err = String;

    /// `100/s`, `30/m`, `6/h`; without a unit it is per second.
    fn from_str(text: &str) -> Result<Rate, String> {
        let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
        let seconds = match unit {
            "s" => Some(1),
            "m" => Some(60),
            "h" => Some(3600),
            _ => None,
        };
        let number = number.parse().ok();
        let interval =
            seconds.and_then(|seconds| Duration::from_secs(seconds).checked_div(number?));
        let rate = interval.map(|interval| Rate { interval });
        rate.ok_or_else(|| "it is a number above 0 and a unit, as 100/s, 30/m, 6/h".into())
    }
}

/// Keeps calls to a rate.
pub struct Pacer {
    rate: Option<Rate>,
    next: Instant,
}

impl Pacer {
    pub fn new(rate: Option<Rate>) -> Pacer {
        let next = Instant::now();
        Pacer { rate, next }
    }

    /// Returns when the next call is due. Time that was lost is not made up for.
    pub fn wait(&mut self) {
        let Some(rate) = self.rate else { return };
        let now = Instant::now();
        std::thread::sleep(self.next.saturating_duration_since(now));
        self.next = self.next.max(now) + rate.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_have_units() {
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(duration("0.25"), Ok(Duration::from_millis(250)));
        for bad in ["", "-1", "nan", "inf", "5 apples"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_rate_has_a_unit() {
        let interval = |text: &str| text.parse::<Rate>().map(|rate| rate.interval);
        assert_eq!(interval("100/s"), Ok(Duration::from_millis(10)));
        assert_eq!(interval("4"), Ok(Duration::from_millis(250)));
        assert_eq!(interval("30/m"), Ok(Duration::from_secs(2)));
        for bad in ["0/s", "/s", "5/d", "-1", "1.5/s"] {
            assert!(interval(bad).is_err(), "{bad}");
        }
    }
}
