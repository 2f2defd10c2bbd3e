//! The objects that `top` lists: their order, and which one is chosen.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use polyproc::inspect::{Object, QueueState, State};

use crate::leases::Leases;
use crate::rates::{Rate, Rates};

/// The column that decides the order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sort {
    #[default]
    Name,
    Waiting,
    InFlight,
    HeldFor,
    Dead,
    Puts,
    Gets,
    Users,
    Memory,
}

impl Sort {
    const ALL: [Sort; 9] = [
        Sort::Name,
        Sort::Waiting,
        Sort::InFlight,
        Sort::HeldFor,
        Sort::Dead,
        Sort::Puts,
        Sort::Gets,
        Sort::Users,
        Sort::Memory,
    ];

    pub fn next(self) -> Sort {
        let all = Sort::ALL.iter().chain(&Sort::ALL);
        let mut rest = all.skip_while(|one| **one != self).skip(1);
        rest.next().copied().unwrap_or_default()
    }
}

/// All objects as of the last look.
#[derive(Default)]
pub struct Objects {
    all: Vec<Object>,
    rates: Rates,
    leases: Leases,
    ages: HashMap<String, Duration>,
    pub sort: Sort,
    pub is_reversed: bool,
    /// A part of the names to list.
    pub filter: String,
    selected: Option<String>,
}

impl Objects {
    pub fn add(&mut self, objects: Vec<Object>, now: Instant) {
        self.rates.add(&objects, now);
        self.ages = self.leases.ages(&objects);
        self.all = objects;
    }

    pub fn rate(&self, object: &Object) -> Option<Rate> {
        self.rates.of(&object.name)
    }

    /// How long the oldest message in flight has been there.
    pub fn oldest_lease(&self, object: &Object) -> Option<Duration> {
        self.ages.get(&object.name).copied()
    }

    pub fn count(&self) -> usize {
        self.all.len()
    }

    pub fn memory(&self) -> u64 {
        self.all.iter().map(|object| object.memory).sum()
    }

    /// The objects in their order. Numbers come with the largest first.
    pub fn rows(&self) -> Vec<&Object> {
        let wanted = |object: &&Object| object.name.contains(&self.filter);
        let mut rows: Vec<_> = self.all.iter().filter(wanted).collect();
        rows.sort_by(|one, other| self.compare(one, other));
        if self.is_reversed {
            rows.reverse();
        }
        rows
    }

    fn compare(&self, one: &Object, other: &Object) -> Ordering {
        let of_queue = |object: &Object, number: fn(&QueueState) -> u64| match &object.state {
            Some(State::Queue(queue)) => Some(number(queue)),
            _ => None,
        };
        let larger_first =
            |number: fn(&QueueState) -> u64| of_queue(other, number).cmp(&of_queue(one, number));
        let faster_first = |number: fn(Rate) -> f64| {
            let rate = |object| self.rate(object).map_or(-1.0, number);
            f64::total_cmp(&rate(other), &rate(one))
        };
        let order = match self.sort {
            Sort::Name => Ordering::Equal,
            Sort::Waiting => larger_first(|queue| queue.waiting),
            Sort::InFlight => larger_first(|queue| queue.in_flight),
            Sort::HeldFor => self.oldest_lease(other).cmp(&self.oldest_lease(one)),
            Sort::Dead => larger_first(|queue| queue.dead_letters),
            Sort::Puts => faster_first(|rate| rate.puts),
            Sort::Gets => faster_first(|rate| rate.gets),
            Sort::Users => other.users().cmp(&one.users()),
            Sort::Memory => other.memory.cmp(&one.memory),
        };
        order.then_with(|| one.name.cmp(&other.name))
    }

    /// The index of the chosen object: the first one if there is none yet.
    pub fn selected(&self) -> Option<usize> {
        let rows = self.rows();
        let chosen = self.selected.as_deref();
        let found = rows.iter().position(|row| Some(&row.name[..]) == chosen);
        found.or((!rows.is_empty()).then_some(0))
    }

    pub fn selected_name(&self) -> Option<String> {
        let index = self.selected()?;
        self.rows().get(index).map(|object| object.name.clone())
    }

    /// Choose an object so many rows further.
    pub fn select(&mut self, by: isize) {
        let rows = self.rows();
        let Some(index) = self.selected() else { return };
        let index = index.saturating_add_signed(by).min(rows.len() - 1);
        self.selected = rows.get(index).map(|object| object.name.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::Sort;

    #[test]
    fn the_columns_come_round() {
        let mut sort = Sort::Name;
        for _ in 0..Sort::ALL.len() {
            sort = sort.next();
        }
        assert_eq!(sort, Sort::Name);
        assert_eq!(sort.next(), Sort::Waiting);
    }
}
