//! Waits without a clock: they go on for ever, or end when another thread ends their time.

use crate::status::{Result, Status};
use crate::world::Bell;

/// How a call waits.
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    bell: Option<&'a Bell>,
    is_try: bool,
}

impl Wait<'static> {
    pub const TRY: Wait<'static> = Wait {
        bell: None,
        is_try: true,
    };
    pub const FOREVER: Wait<'static> = Wait {
        bell: None,
        is_try: false,
    };
}

impl<'a> Wait<'a> {
    /// Waits until `bell` rings, which ends its time.
    pub(crate) fn until(bell: &'a Bell) -> Wait<'a> {
        Wait {
            bell: Some(bell),
            is_try: false,
        }
    }

    pub fn is_try(&self) -> bool {
        self.is_try
    }
}

pub(crate) struct Patience<'a> {
    wait: Wait<'a>,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(wait: &Wait<'a>) -> Patience<'a> {
        Patience { wait: *wait }
    }

    pub(crate) fn is_try(&self) -> bool {
        self.wait.is_try
    }

    pub(crate) fn bell(&self) -> Option<&'a Bell> {
        self.wait.bell
    }

    pub(crate) fn check(&mut self) -> Result<()> {
        match self.wait.is_try || self.bell().is_some_and(Bell::has_rung) {
            true => Err(Status::E_TIMEOUT),
            false => Ok(()),
        }
    }
}
