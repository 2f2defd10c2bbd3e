//! Futexes and the ends of processes, as the kernel and `segment` make them.
//!
//! A process is a thread of the model. A sleeper also sleeps on the life of every other process;
//! the kernel wakes one sleeper of a process that ends.

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Condvar, Mutex, MutexGuard};

use crate::model::step;
use crate::status::Result;
use crate::sync::atomic::AtomicU32;
use crate::sync::owner::Owner;
use crate::sync::wait::Patience;
use crate::sync::world::World;

/// The state that all processes share beside their memory.
pub(crate) struct Machine {
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    sleepers: Vec<Sleeper>,
    next: u32,
    /// Ended, and not recovered yet.
    dead: Vec<Owner>,
    /// Ended and recovered: the slot has another generation.
    gone: Vec<Owner>,
}

struct Sleeper {
    number: u32,
    word: usize,
    bell: usize,
    is_woken: bool,
}

/// The end of a thread's time.
pub(crate) struct Bell {
    rung: AtomicBool,
}

impl Bell {
    pub(crate) fn new() -> Bell {
        Bell {
            rung: AtomicBool::new(false),
        }
    }

    pub(crate) fn has_rung(&self) -> bool {
        self.rung.load(Ordering::SeqCst)
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    pub(crate) fn ring(&self, machine: &Machine) {
        self.rung.store(true, Ordering::SeqCst);
        let bell = self.address();
        machine.wake_those(usize::MAX, |sleeper| sleeper.bell == bell);
    }
}

/// A gate at which one thread of a model waits until another has reached a stage.
pub(crate) struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(crate) fn new() -> Gate {
        Gate {
            is_open: Mutex::new(false),
            opened: Condvar::new(),
        }
    }

    pub(crate) fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    pub(crate) fn pass(&self) {
        let mut is_open = self.is_open.lock().unwrap();
        while !*is_open {
            is_open = self.opened.wait(is_open).unwrap();
        }
    }
}

fn address(word: &AtomicU32) -> usize {
    std::ptr::from_ref(word) as usize
}

impl Machine {
    pub(crate) fn new() -> Machine {
        Machine {
            state: Mutex::new(State::default()),
            woken: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn wake_those(&self, most: usize, which: impl Fn(&Sleeper) -> bool) -> usize {
        let mut state = self.state();
        let mut woken = 0;
        for sleeper in &mut state.sleepers {
            if woken < most && !sleeper.is_woken && which(sleeper) {
                sleeper.is_woken = true;
                woken += 1;
            }
        }
        if woken > 0 {
            self.woken.notify_all();
        }
        woken
    }

    /// The kernel's part when a process ends: it is marked, and one sleeper of its life is woken.
    pub(crate) fn end(&self, owner: Owner) {
        let mut state = self.state();
        state.dead.push(owner);
        if let Some(first) = state.sleepers.iter_mut().find(|sleeper| !sleeper.is_woken) {
            first.is_woken = true;
            self.woken.notify_all();
        }
    }

    pub(crate) fn is_gone(&self, owner: Owner) -> bool {
        let state = self.state();
        state.dead.contains(&owner) || state.gone.contains(&owner)
    }

    /// Sleeps once while the word holds `value`, unless `turns_back` forbids it.
    fn sleep_once(
        &self,
        word: &AtomicU32,
        value: u32,
        patience: &Patience<'_>,
        turns_back: impl Fn(&State) -> bool,
    ) {
        let mut state = self.state();
        let has_rung = patience.bell().is_some_and(Bell::has_rung);
        if turns_back(&state) || has_rung || word.peek() != value {
            return;
        }
        let number = state.next;
        state.next += 1;
        state.sleepers.push(Sleeper {
            number,
            word: address(word),
            bell: patience.bell().map_or(0, Bell::address),
            is_woken: false,
        });
        loop {
            let own = state.sleepers.iter().position(|one| one.number == number);
            let own = own.expect("a sleeper takes itself off the list");
            if state.sleepers[own].is_woken {
                state.sleepers.remove(own);
                return;
            }
            state = self.woken.wait(state).unwrap();
        }
    }
}

/// A process's recovery of the dead ones, see `ObjectType::recover`.
pub(crate) type Recover<'a> = &'a dyn Fn(&Process<'_>, &dyn Fn(Owner) -> bool);

/// Whom it wakes then, see `ObjectType::wake`.
pub(crate) type Wake<'a> = &'a dyn Fn(&Process<'_>);

/// One process: `segment::Segment` as a world.
#[derive(Clone, Copy)]
pub(crate) struct Process<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) me: Owner,
    pub(crate) recover: Recover<'a>,
    pub(crate) wake: Wake<'a>,
}

impl<'a> Process<'a> {
    pub(crate) fn new(machine: &'a Machine, number: u32, recover: Recover<'a>) -> Process<'a> {
        Process {
            machine,
            me: process(number),
            recover,
            wake: &|_| (),
        }
    }

    pub(crate) fn waking(self, wake: Wake<'a>) -> Process<'a> {
        Process { wake, ..self }
    }

    pub(crate) fn without_recovery(&self) -> WithoutRecovery<'a> {
        WithoutRecovery(*self)
    }

    /// Recovers the dead processes, frees their slots, then wakes those who wait.
    fn reap(&self) {
        let dead = self.machine.state().dead.clone();
        if dead.is_empty() {
            return;
        }
        (self.recover)(self, &|owner| self.machine.is_gone(owner));
        let mut state = self.machine.state();
        for owner in dead {
            if let Some(at) = state.dead.iter().position(|other| *other == owner) {
                state.dead.remove(at);
                state.gone.push(owner);
            }
        }
        drop(state);
        (self.wake)(self);
    }
}

/// The process in the slot of this number.
pub(crate) fn process(number: u32) -> Owner {
    Owner::new(number, 0)
}

impl World for Process<'_> {
    fn sleep(&self, word: &AtomicU32, value: u32, patience: &mut Patience<'_>) -> Result<()> {
        step();
        self.reap();
        patience.check()?;
        let has_dead = |state: &State| !state.dead.is_empty();
        self.machine.sleep_once(word, value, patience, has_dead);
        step();
        self.reap();
        Ok(())
    }

    fn wake(&self, word: &AtomicU32, count: u32) -> usize {
        step();
        let word = address(word);
        self.machine
            .wake_those(count as usize, |sleeper| sleeper.word == word)
    }

    fn is_dead(&self, owner: Owner) -> bool {
        self.machine.is_gone(owner)
    }
}

/// `segment::WithoutRecovery`: for the locks that recovery itself takes.
pub(crate) struct WithoutRecovery<'a>(Process<'a>);

impl World for WithoutRecovery<'_> {
    fn sleep(&self, word: &AtomicU32, value: u32, patience: &mut Patience<'_>) -> Result<()> {
        step();
        patience.check()?;
        let holder_is_gone = |state: &State| {
            Owner::from_bits(value)
                .is_some_and(|holder| state.dead.contains(&holder) || state.gone.contains(&holder))
        };
        self.0
            .machine
            .sleep_once(word, value, patience, holder_is_gone);
        step();
        Ok(())
    }

    fn wake(&self, word: &AtomicU32, count: u32) -> usize {
        self.0.wake(word, count)
    }

    fn is_dead(&self, owner: Owner) -> bool {
        self.0.is_dead(owner)
    }
}
