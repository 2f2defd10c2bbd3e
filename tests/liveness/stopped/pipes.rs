//! A process is stopped in a call of a pipe.

use std::mem::MaybeUninit;

use polyproc::{pipe, Got, Status, Wait};

use super::{at_once, in_time, own, within, Stopped, OWN};
use crate::child::{Child, DEADLINE};

#[test]
fn a_send_that_is_stopped_holds_up_no_call_longer_than_its_time() {
    let (receiver, sender) = pipe(false).unwrap();
    let stopped = Stopped::within(
        || sender.try_send(b"first").unwrap(),
        || sender.try_send(b"second").unwrap(),
        || sender.try_send(b"probe") == Err(Status::E_TIMEOUT),
    );
    assert_eq!(
        within(OWN, || sender.send_timeout(b"x", own())),
        Err(Status::E_TIMEOUT)
    );
    // Receiving goes on, to the end of what is there.
    let mut buffer = [MaybeUninit::uninit(); 64];
    while at_once(|| receiver.recv_raw(&mut buffer, Wait::TRY)).is_ok() {}
    assert_eq!(
        within(OWN, || receiver.poll_timeout(own())),
        Err(Status::E_TIMEOUT)
    );
    stopped.goes_on();
    receiver.recv_raw(&mut buffer, in_time()).unwrap();
    sender.try_send(b"third").unwrap();
    receiver.recv_raw(&mut buffer, in_time()).unwrap();
}

/// A message longer than a pipe's ring, so that both ends take part in its transfer.
const LONG: usize = 8 << 20;
const TRANSFERS: usize = 5;

/// Stops the child, which makes transfers all the time, and calls `one` until it fails.
fn stopped_in_a_transfer(peer: &Child, one: impl Fn() -> Result<(), Status>) {
    for _ in 0..TRANSFERS {
        // On a busy machine a step can take longer than its time.
        while one().is_err() {}
        peer.signal(libc::SIGSTOP);
        std::thread::scope(|scope| {
            let (done, is_done) = std::sync::mpsc::channel::<()>();
            // A call that would never return fails the test instead.
            scope.spawn(move || {
                let _ = is_done.recv_timeout(DEADLINE);
                peer.signal(libc::SIGCONT);
            });
            let ended = (0..3).find_map(|_| within(OWN, &one).err());
            assert_eq!(ended, Some(Status::E_TIMEOUT));
            drop(done);
        });
    }
}

/// The time for a step began anew at every slice of the sleep, so it never ended.
#[test]
fn a_receiver_that_is_stopped_in_a_transfer_leaves_a_send_its_time() {
    let (receiver, sender) = pipe(false).unwrap();
    let peer = Child::started(|| {
        let mut room = vec![MaybeUninit::uninit(); LONG];
        while receiver.recv_raw(&mut room, in_time()).is_ok() {}
    });
    let data = vec![7; LONG];
    stopped_in_a_transfer(&peer, || sender.send_timeout(&data, own()));
    peer.kill();
}

#[test]
fn a_sender_that_is_stopped_in_a_transfer_leaves_a_receive_its_time() {
    let (receiver, sender) = pipe(false).unwrap();
    let peer = Child::started(|| {
        let data = vec![7; LONG];
        while sender.send_timeout(&data, in_time()).is_ok() {}
    });
    let room = std::cell::RefCell::new(vec![MaybeUninit::uninit(); LONG]);
    stopped_in_a_transfer(&peer, || {
        let got = receiver.recv_raw(&mut room.borrow_mut(), own());
        got.map(|got| assert_eq!(got, Got::Message(LONG)))
    });
    peer.kill();
}
