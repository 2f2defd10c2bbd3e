//! What the calls of one handle of a queue have learned about the other side.

use super::distance::Distance;
use super::pressure::Pressure;
use super::spin::Spin;
use super::{ITEMS_SINGLE, ITEMS_SLOWEST, SPACE_SLOWEST};

/// One per handle. If several threads use it at once, only its accuracy suffers.
pub(crate) struct Pacing {
    /// Learned from the waits of consumers, ...
    pub(crate) items: Spin,
    /// ... and from the waits of producers.
    pub(crate) space: Spin,
    pub(crate) pressure: Pressure,
    pub(crate) from_consumers: Distance,
    pub(crate) from_producers: Distance,
}

impl Pacing {
    pub(crate) const fn new() -> Pacing {
        Pacing {
            items: Spin::new(ITEMS_SLOWEST, ITEMS_SINGLE),
            space: Spin::new(SPACE_SLOWEST, SPACE_SLOWEST),
            pressure: Pressure::new(),
            from_consumers: Distance::new(),
            from_producers: Distance::new(),
        }
    }
}
