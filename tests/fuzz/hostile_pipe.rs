//! Every operation of a pipe's two ends, between and during writes of nonsense to its memory: each
//! must return.

use std::mem::MaybeUninit;

use arbitrary::Arbitrary;
use polyproc::{pipe, Connection};

use crate::hostile::{answered, Poke, Storm, Target, SOON};
use crate::steps::Steps;

#[derive(Arbitrary, Clone, Debug)]
pub struct Input {
    duplex: bool,
    storm: Storm,
    steps: Steps<Step>,
}

#[derive(Arbitrary, Clone, Debug)]
enum Step {
    Poke(Poke),
    Open(Option<u16>),
    Send(bool, u16),
    /// Longer than the ring.
    Offer(bool),
    Receive(bool, u16),
    Poll(bool),
    Close(bool),
}

const WORDS: u64 = 15_616;
const RINGS: u64 = 20_480;
const LONG: usize = (1 << 20) + 100;

pub fn run(input: &Input) {
    let (a, b) = pipe(input.duplex).unwrap();
    let target = Target::new(a.raw_fd(), WORDS..RINGS, RINGS);
    let mut ends = [Some(a), Some(b)];
    input
        .storm
        .around(&target, input.steps.iter(), |step| match step {
            Step::Poke(poke) => target.poke(*poke),
            Step::Open(cut) => target.open(*cut),
            Step::Close(first) => drop(ends[usize::from(*first)].take()),
            other => act(&ends, other),
        });
}

fn act(ends: &[Option<Connection>; 2], step: &Step) {
    let end = |first: &bool| ends[usize::from(*first)].as_ref();
    match step {
        Step::Send(first, len) => {
            if let Some(end) = end(first) {
                answered(end.try_send(&vec![1; usize::from(*len)]));
            }
        }
        Step::Offer(first) => {
            if let Some(end) = end(first) {
                answered(end.send_timeout(&vec![1; LONG], SOON));
            }
        }
        Step::Receive(first, room) => {
            if let Some(end) = end(first) {
                let mut buffer = vec![MaybeUninit::uninit(); usize::from(*room)];
                answered(end.recv_raw(&mut buffer, SOON));
            }
        }
        Step::Poll(first) => {
            if let Some(end) = end(first) {
                answered(end.poll_timeout(SOON));
            }
        }
        Step::Poke(_) | Step::Open(_) | Step::Close(_) => {}
    }
}
