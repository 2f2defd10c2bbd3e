//! Processes as users see them: real programs, real signals, real deaths.

mod daemon;
mod ending;
mod fork;
mod inherit;
mod roles;
mod sandbox;
mod spawn;
mod support;
