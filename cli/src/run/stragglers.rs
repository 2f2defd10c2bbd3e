//! What the processes have started and left behind.

use rustix::process::{
    getpid, kill_process, set_child_subreaper, waitpid, Pid, Signal, WaitOptions,
};

/// From now on, when a process of the pipeline ends, its own children become children of this one.
pub fn adopt() {
    // Where the kernel refuses it, they run on as they would without this command.
    let _ = set_child_subreaper(Some(getpid()));
}

/// Kills all children and those that these leave behind. The pipeline's own have ended before.
pub fn end() {
    loop {
        let children = children();
        for pid in &children {
            // It is a child, so the number is its own until it is waited for.
            let _ = kill_process(*pid, Signal::KILL);
            let _ = waitpid(Some(*pid), WaitOptions::empty());
        }
        if children.is_empty() {
            return;
        }
    }
}

fn children() -> Vec<Pid> {
    let tasks = std::fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let pids = |list: String| {
        let pids = list.split_whitespace().filter_map(|pid| pid.parse().ok());
        pids.filter_map(Pid::from_raw).collect::<Vec<_>>()
    };
    lists.flat_map(pids).collect()
}
