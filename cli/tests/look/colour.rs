//! Colours appear on a terminal only, and not with `NO_COLOR`.

use polyproc::{CreateOptions, Lock};

use crate::support::{code, ok, own_shm};

/// Whether a text sets a colour: `ESC [ … m` with a part from 30 to 37, or of the 256 colours.
fn has_colour(text: &str) -> bool {
    let codes = text.split("\x1b[").skip(1);
    let parts = codes.filter_map(|code| code.split_once('m'));
    let is_colour = |part: &str| matches!(part.parse(), Ok(30..=38 | 90..=97));
    parts
        .into_iter()
        .any(|(parts, _)| parts.split(';').any(is_colour))
}

#[test]
fn colours_are_for_terminals_and_not_for_those_who_want_none() {
    if !own_shm() {
        return;
    }
    drop(Lock::create(Some("damaged"), CreateOptions::default()).unwrap());
    ok("printf '\\377' | dd of=/dev/shm/polyproc.damaged bs=1 seek=23 conv=notrunc status=none");
    for command in ["ls", "doctor", "top -n 2 -d 0.05"] {
        let on_a_terminal = |variable: &str| {
            let line = format!("stty rows 40 cols 150; {variable} polyproc {command}");
            code(&format!(
                "TERM=xterm-256color script -qec \"{line}\" /dev/null"
            ))
            .1
        };
        let shown = on_a_terminal("NO_COLOR=");
        assert!(shown.contains("damaged"), "{command}: {shown}");
        assert!(has_colour(&shown), "{command}: {shown}");
        let shown = on_a_terminal("NO_COLOR=1");
        assert!(shown.contains("damaged"), "{command}: {shown}");
        assert!(!has_colour(&shown), "{command}: {shown:?}");
        if !command.starts_with("top") {
            let shown = code(&format!("polyproc {command}")).1;
            assert!(
                shown.contains("damaged") && !shown.contains('\x1b'),
                "{shown:?}"
            );
        }
    }
}
