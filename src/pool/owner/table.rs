//! The tasks that are not over, by the place that each has on the board.

use std::sync::Arc;

use super::submitted::Submitted;
use crate::pool::protocol::message::Ticket;

/// A place; its generation counts its uses.
#[derive(Default)]
struct Entry {
    generation: u32,
    task: Option<Arc<Submitted>>,
}

/// Tasks by place. Free places are reused, the last freed one first, since its word is in the
/// cache.
#[derive(Default)]
pub(crate) struct TaskTable {
    places: Vec<Entry>,
    free: Vec<u32>,
}

impl TaskTable {
    /// The place of the next task.
    pub(crate) fn next(&self) -> Ticket {
        match self.free.last() {
            Some(slot) => Ticket {
                slot: *slot,
                generation: self.generation_of(*slot).wrapping_add(1),
            },
            None => Ticket {
                slot: self.places.len() as u32,
                generation: 1,
            },
        }
    }

    fn generation_of(&self, slot: u32) -> u32 {
        let place = self.places.get(slot as usize);
        place.map_or(0, |place| place.generation)
    }

    /// Give [`next`](Self::next) to a task.
    pub(crate) fn insert(&mut self, ticket: Ticket, task: Arc<Submitted>) {
        self.free.pop();
        let at = ticket.slot as usize;
        if at >= self.places.len() {
            self.places.resize_with(at + 1, Entry::default);
        }
        if let Some(place) = self.places.get_mut(at) {
            place.generation = ticket.generation;
            place.task = Some(task);
        }
    }

    /// Remove a task that is over; `None` when it was removed before.
    pub(crate) fn remove(&mut self, ticket: Ticket) -> Option<Arc<Submitted>> {
        let place = self.places.get_mut(ticket.slot as usize)?;
        if place.generation != ticket.generation {
            return None;
        }
        let task = place.task.take()?;
        self.free.push(ticket.slot);
        Some(task)
    }

    /// A task that is not over.
    pub(crate) fn get(&self, ticket: Ticket) -> Option<&Submitted> {
        let place = self.places.get(ticket.slot as usize)?;
        let task = place.task.as_deref()?;
        (place.generation == ticket.generation).then_some(task)
    }

    /// The tickets of all tasks that are not over.
    pub(crate) fn tickets(&self) -> Vec<Ticket> {
        let taken = (0..).zip(&self.places);
        let tickets = taken.filter(|(_, place)| place.task.is_some());
        tickets
            .map(|(slot, place)| Ticket {
                slot,
                generation: place.generation,
            })
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
}
