//! Which heuristics this process uses. `POLYPROC_PACE=off` switches off all heuristics,
//! `POLYPROC_PACE=off:distance,pressure` only the named ones. Unknown names and other values have
//! no effect. `make bench-pace` measures each heuristic with this variable.
//!
//! The variable is read once. A controller copies what it needs into its own limits when it is
//! made, so no call asks whether a heuristic is on.

use std::sync::atomic::{AtomicU32, Ordering};

/// A heuristic that can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heuristic {
    WakeCost,
    Spin,
    Budget,
    GiveWay,
    Wary,
    Batch,
    Single,
    Distance,
    Pressure,
    Credit,
    Backoff,
    Stream,
}

const NAMES: [(&str, Heuristic); 12] = [
    ("wake-cost", Heuristic::WakeCost),
    ("spin", Heuristic::Spin),
    ("budget", Heuristic::Budget),
    ("give-way", Heuristic::GiveWay),
    ("wary", Heuristic::Wary),
    ("batch", Heuristic::Batch),
    ("single", Heuristic::Single),
    ("distance", Heuristic::Distance),
    ("pressure", Heuristic::Pressure),
    ("credit", Heuristic::Credit),
    ("backoff", Heuristic::Backoff),
    ("stream", Heuristic::Stream),
];

/// A bit for each heuristic that is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Switches {
    off: u32,
}

/// The variable was not read yet. No set of heuristics has this value.
const UNREAD: u32 = u32::MAX;

static OFF: AtomicU32 = AtomicU32::new(UNREAD);

impl Switches {
    pub(crate) const ALL_ON: Switches = Switches { off: 0 };

    /// The switches of this process.
    pub(crate) fn of_process() -> Switches {
        match OFF.load(Ordering::Relaxed) {
            UNREAD => Switches::read(),
            off => Switches { off },
        }
    }

    #[cold]
    fn read() -> Switches {
        let variable = match crate::sys::is_secure() {
            true => None,
            false => std::env::var("POLYPROC_PACE").ok(),
        };
        let switches = Switches::parse(&variable.unwrap_or_default());
        OFF.store(switches.off, Ordering::Relaxed);
        switches
    }

    fn parse(text: &str) -> Switches {
        let is_named = |name: &str| match text.strip_prefix("off") {
            Some("") => true,
            Some(rest) => rest
                .strip_prefix(':')
                .is_some_and(|names| names.split(',').any(|one| one == name)),
            None => false,
        };
        let named = NAMES.iter().filter(|(name, _)| is_named(name));
        Switches {
            off: named.fold(0, |off, (_, heuristic)| off | 1 << *heuristic as u32),
        }
    }

    pub(crate) const fn has(self, heuristic: Heuristic) -> bool {
        self.off & 1 << heuristic as u32 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn off(text: &str) -> Vec<&'static str> {
        let switches = Switches::parse(text);
        let off = NAMES.iter().filter(|(_, one)| !switches.has(*one));
        off.map(|(name, _)| *name).collect()
    }

    #[test]
    fn off_means_all_or_those_that_are_named() {
        assert_eq!(off("off").len(), NAMES.len());
        assert_eq!(off("off:pressure"), ["pressure"]);
        assert_eq!(off("off:wary,distance"), ["wary", "distance"]);
    }

    #[test]
    fn unknown_names_and_other_values_have_no_effect() {
        assert_eq!(off("off:nonsense,credit,"), ["credit"]);
        for text in ["", "on", "offside", "off:", "off;credit", "credit", "OFF"] {
            assert_eq!(Switches::parse(text), Switches::ALL_ON, "{text}");
        }
    }
}
