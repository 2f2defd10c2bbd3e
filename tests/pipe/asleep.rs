//! How soon each wait at a pipe goes on when the other end's process dies.

use std::mem::MaybeUninit;
use std::ptr;
use std::time::{Duration, Instant};

use polyproc::{pipe, Connection, Got, Status, Wait};

use crate::measure::{check, in_time, woken_after, woken_if_asleep, ROUNDS};
use crate::victim::{alone, Victim, DEADLINE};
use crate::{pattern, receive, LONG};

/// A pipe whose end B only a child has, which has done `body` with it.
fn with_child(body: impl FnOnce(&Connection)) -> (Connection, Victim) {
    let (a, b) = pipe(true).unwrap();
    let victim = Victim::that(|| body(&b));
    (a, victim)
}

/// The same with a child that stays inside `body`.
fn with_child_inside(body: impl FnOnce(&Connection)) -> (Connection, Victim) {
    let (a, b) = pipe(true).unwrap();
    let victim = Victim::inside(|| body(&b));
    (a, victim)
}

fn uses(end: &Connection) {
    assert_eq!(end.try_poll(), Err(Status::E_TIMEOUT));
}

fn expect_end(end: &Connection) {
    assert_eq!(receive(end, 1, in_time()), Err(Status::E_EOF));
    assert_eq!(
        end.send_timeout(b"x", in_time()),
        Err(Status::E_BROKEN_PIPE)
    );
}

#[test]
fn a_receiver_sees_the_end() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|_| {
        let (a, victim) = with_child(|b| {
            uses(b);
            b.try_send(b"last").unwrap();
        });
        assert_eq!(receive(&a, 4, in_time()), Ok(b"last".to_vec()));
        woken_after(victim, || expect_end(&a))
    });
    check("killed while others receive", times.collect());
}

#[test]
fn a_poll_sees_the_end() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|_| {
        let (a, victim) = with_child(uses);
        woken_after(victim, || a.poll_timeout(in_time()).unwrap())
    });
    check("killed while others poll", times.collect());
}

#[test]
fn a_sender_sees_the_end() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|_| {
        let (a, victim) = with_child(uses);
        a.try_send(&pattern(LONG - 1)).unwrap();
        woken_after(victim, || {
            assert_eq!(a.send_timeout(b"x", in_time()), Err(Status::E_BROKEN_PIPE));
        })
    });
    check("killed while others send", times.collect());
}

/// Kills a child within a long message, [`ROUNDS`] times. `transfer` starts the child and returns
/// it with this process's half of the transfer. Times of transfers that were over before the child
/// had stopped do not count: nobody slept.
fn killed_in_the_middle<H: FnOnce() + Send>(transfer: impl Fn() -> (Victim, H)) -> Vec<Duration> {
    let end = Instant::now() + DEADLINE;
    let moments = (0..).map(|round| Duration::from_micros(round * 37 % 600));
    let times = moments.filter_map(|moment| {
        assert!(Instant::now() < end, "no kill comes within a message");
        let (victim, half) = transfer();
        let stop = |victim: &Victim| {
            std::thread::sleep(moment);
            victim.signal(libc::SIGSTOP);
            // SAFETY: our own child, not reaped yet; nobody wants the status.
            let stopped = unsafe { libc::waitpid(victim.pid, ptr::null_mut(), libc::WUNTRACED) };
            assert_eq!(stopped, victim.pid);
        };
        woken_if_asleep(victim, stop, half)
    });
    times.take(ROUNDS).collect()
}

#[test]
fn killed_in_the_middle_of_sending_a_long_message() {
    let _alone = alone();
    let data = pattern(4 << 20);
    let times = killed_in_the_middle(|| {
        let (a, victim) = with_child_inside(|b| b.send(&data).unwrap());
        a.poll_timeout(in_time()).unwrap();
        (victim, move || {
            let mut buffer = vec![MaybeUninit::uninit(); 4 << 20];
            let received = a.recv_raw(&mut buffer, in_time());
            let is_whole = received == Ok(Got::Message(buffer.len()));
            assert!(is_whole || received == Err(Status::E_EOF), "{received:?}");
        })
    });
    check("killed while a long message is sent", times);
}

#[test]
fn killed_in_the_middle_of_receiving_a_long_message() {
    let _alone = alone();
    let data = &pattern(4 << 20);
    let times = killed_in_the_middle(|| {
        let (a, victim) = with_child_inside(|b| drop(receive(b, data.len(), Wait::FOREVER)));
        (victim, move || {
            let sent = a.send_timeout(data, in_time());
            let is_right = matches!(sent, Ok(()) | Err(Status::E_BROKEN_PIPE));
            assert!(is_right, "{sent:?}");
        })
    });
    check("killed while a long message is received", times);
}

#[test]
fn killed_while_first_in_line() {
    let _alone = alone();
    let times = (0..ROUNDS).map(|_| {
        let (a, b) = pipe(true).unwrap();
        a.try_send(&pattern(LONG - 1)).unwrap();
        // It waits for room, and holds the senders' lock.
        let victim = Victim::inside(|| {
            let _ = a.send(&pattern(500_000));
        });
        victim.wait_until_asleep();
        let time = woken_after(victim, || {
            let wait = Wait::for_ns(200_000_000);
            assert_eq!(a.send_timeout(b"next", wait), Err(Status::E_TIMEOUT));
        });
        // Whether the kill wakes it or not, it has the lock from then on.
        assert!(time < Duration::from_secs(1));
        assert_eq!(receive(&b, LONG, in_time()), Ok(pattern(LONG - 1)));
        let second = Victim::inside(|| drop(receive(&b, 100, Wait::FOREVER)));
        second.wait_until_asleep();
        let sent = Instant::now();
        a.try_send(b"next").unwrap();
        second.wait_until_awake();
        sent.elapsed()
    });
    check("killed while first in line", times.collect());
}

#[test]
fn a_stopped_process_is_not_taken_for_dead() {
    let _alone = alone();
    let (a, victim) = with_child_inside(|b| {
        assert_eq!(receive(b, 100, Wait::FOREVER), Ok(b"question".to_vec()));
        b.send(b"answer").unwrap();
    });
    victim.wait_until_asleep();
    victim.signal(libc::SIGSTOP);
    a.try_send(b"question").unwrap();
    let wait = Wait::for_ns(300_000_000);
    assert_eq!(receive(&a, 100, wait), Err(Status::E_TIMEOUT));
    assert_eq!(a.poll_timeout(wait), Err(Status::E_TIMEOUT));
    victim.signal(libc::SIGCONT);
    assert_eq!(receive(&a, 100, in_time()), Ok(b"answer".to_vec()));
}
