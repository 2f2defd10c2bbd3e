//! What the calls of one handle of a queue have learnt about the other side.

use super::distance::Distance;
use super::pressure::Pressure;
use super::spin::Spin;
use super::{ITEMS_SINGLE, ITEMS_SLOWEST, SPACE_SLOWEST};

/// One for each handle; threads that use it at once only blur it.
pub(crate) struct Pacing {
    /// The waits of consumers, ...
    pub(crate) items: Spin,
    /// ... and of producers.
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
