//! The pacing that the calls of one handle of a queue have learned.

use super::copies::Copies;
use super::delay::{Delay, Limits};
use super::pressure::Pressure;
use super::spin::Spin;
use super::switches::Switches;

/// One per handle. If several threads use it at once, only its accuracy suffers.
pub(crate) struct Pacing {
    /// Learned from the waits of consumers, ...
    pub(crate) items: Spin,
    /// ... and from the waits of producers.
    pub(crate) space: Spin,
    pub(crate) pressure: Pressure,
    /// Before the looks of calls that do not wait.
    pub(crate) from_consumers: Delay,
    pub(crate) from_producers: Delay,
    /// Learned from the copies of long messages into the rings.
    pub(crate) copies: Copies,
}

impl Pacing {
    pub(crate) const fn new(switches: Switches) -> Pacing {
        Pacing {
            items: Spin::for_items(switches),
            space: Spin::for_space(switches),
            pressure: Pressure::new(switches),
            from_consumers: Delay::new(Limits::of_calls(switches)),
            from_producers: Delay::new(Limits::of_calls(switches)),
            copies: Copies::new(switches),
        }
    }
}
