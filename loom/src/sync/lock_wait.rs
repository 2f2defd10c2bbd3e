//! The waits for internal locks: they have no clock and no end, because no thread is stopped here.

use std::marker::PhantomData;

use super::owner::Owner;
use super::wait::{Patience, Wait};

/// As in the library.
pub(crate) struct LockWait<'a>(PhantomData<&'a ()>);

impl<'a> LockWait<'a> {
    pub(crate) fn until(_: &mut Patience<'a>) -> LockWait<'a> {
        LockWait(PhantomData)
    }

    pub(crate) fn brief() -> LockWait<'static> {
        LockWait(PhantomData)
    }

    pub(crate) fn patience(&self) -> Patience<'static> {
        Patience::new(&Wait::FOREVER)
    }
}

/// As in the library.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'w> {
    pub(crate) owner: Owner,
    pub(crate) locks: &'w LockWait<'w>,
}

impl<'w> Caller<'w> {
    pub(crate) fn new(owner: Owner, locks: &'w LockWait<'w>) -> Caller<'w> {
        Caller { owner, locks }
    }
}
