//! The output of the processes, with a prefix for each line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread::JoinHandle;

use polyproc::Stdio;

use crate::view::is_colourless;

/// A line that is longer is cut into several.
const LONGEST_LINE: u64 = 64 * 1024;

/// The colours of a terminal that can be read on black and on white.
const COLOURS: [u8; 6] = [36, 33, 32, 35, 34, 31];

/// The writing ends of a process's output, to be closed once it has started.
pub struct Output {
    ends: Option<[PipeWriter; 2]>,
}

impl Output {
    /// Output that this process does not touch.
    pub fn inherited() -> Output {
        Output { ends: None }
    }

    /// Pipes, each with a thread that copies what comes out of it, line by line.
    pub fn with_prefix(prefix: &Prefix) -> io::Result<(Output, [JoinHandle<()>; 2])> {
        let (from_stdout, to_stdout) = io::pipe()?;
        let (from_stderr, to_stderr) = io::pipe()?;
        let threads = [
            copy(from_stdout, prefix.text(&io::stdout()), io::stdout),
            copy(from_stderr, prefix.text(&io::stderr()), io::stderr),
        ];
        let ends = Some([to_stdout, to_stderr]);
        Ok((Output { ends }, threads))
    }

    pub fn sources(&self) -> [Stdio; 2] {
        let source = |end: &PipeWriter| Stdio::Fd(end.as_raw_fd());
        self.ends
            .as_ref()
            .map_or([Stdio::Inherit; 2], |ends| ends.each_ref().map(source))
    }
}

/// What stands before each line of one process.
pub struct Prefix {
    name: String,
    colour: u8,
}

impl Prefix {
    /// For the process at `place`, with a name of `width` characters.
    pub fn new(name: &str, width: usize, place: usize) -> Prefix {
        Prefix {
            name: format!("{name:width$} | "),
            colour: COLOURS[place % COLOURS.len()],
        }
    }

    fn text(&self, stream: &impl IsTerminal) -> String {
        match stream.is_terminal() && !is_colourless() {
            true => format!("\x1b[{}m{}\x1b[0m", self.colour, self.name),
            false => self.name.clone(),
        }
    }
}

fn copy<W: Write>(
    from: PipeReader,
    prefix: String,
    to: impl Fn() -> W + Send + 'static,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut lines = BufReader::new(File::from(OwnedFd::from(from)));
        let mut line = prefix.clone().into_bytes();
        // Writes of a whole line do not mix. When nobody reads this process's output any more, the
        // others must go on writing.
        while read_line(&mut lines, &mut line) {
            let _ = to().write_all(&line);
            line.truncate(prefix.len());
        }
    })
}

/// Appends the next line, and the newline that the last one may lack.
fn read_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> bool {
    match from.take(LONGEST_LINE).read_until(b'\n', line) {
        Ok(0) | Err(_) => return false,
        Ok(_) => {}
    }
    if line.last() != Some(&b'\n') {
        line.push(b'\n');
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_a_newline() {
        let mut from = &b"one\n\nlast"[..];
        let mut lines = Vec::new();
        let mut line = b"> ".to_vec();
        while read_line(&mut from, &mut line) {
            lines.extend_from_slice(&line);
            line.truncate(2);
        }
        assert_eq!(lines, b"> one\n> \n> last\n");
    }
}
