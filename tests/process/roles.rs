//! The roles of this test binary when another test has started it as a process.

use crate::support::ROLE;
use crate::{daemon, ending, fork, inherit, sandbox, spawn};

/// Does nothing unless a test asks for a role.
#[test]
fn play() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    std::env::remove_var(ROLE);
    let play: fn() = match role.as_str() {
        "lifecycle" => ending::lifecycle,
        "sigchld_ignored" => ending::sigchld_ignored,
        "sigchld_reaper" => ending::sigchld_reaper,
        "leaves_nothing" => spawn::leaves_nothing,
        "swaps_stdio" => spawn::swaps_stdio,
        "signals" => spawn::signals,
        "list" => ending::list,
        "parent_of_daemon" => daemon::parent_of_daemon,
        "parent_of_daemon_in_thread" => daemon::parent_of_daemon_in_thread,
        "parent_of_forked_daemon" => daemon::parent_of_forked_daemon,
        "parent_of_forked_daemon_in_thread" => daemon::parent_of_forked_daemon_in_thread,
        "spawns_daemons" => daemon::spawns_daemons,
        "forks_daemons_in_thread" => daemon::forks_daemons_in_thread,
        "forks_daemons_in_first_thread" => daemon::forks_daemons_in_first_thread,
        "daemonic" => daemon::daemonic,
        "forks_beside_threads" => fork::forks_beside_threads,
        "child_panics" => fork::child_panics,
        "fork_streams" => fork::fork_streams,
        "heir" => inherit::heir,
        "heir_of_low_descriptor" => inherit::heir_of_low_descriptor,
        "bequeaths_low_descriptor" => inherit::bequeaths_low_descriptor,
        "heir_of_nothing" => inherit::heir_of_nothing,
        "no_clone_pidfd" => sandbox::no_clone_pidfd,
        "no_clone_vfork" => sandbox::no_clone_vfork,
        "no_pidfd_at_all" => sandbox::no_pidfd_at_all,
        "no_clone3" => sandbox::no_clone3,
        "blocks_everything" => fork::blocks_everything,
        other => panic!("no role {other}"),
    };
    play();
    std::process::exit(0);
}
