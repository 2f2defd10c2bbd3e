//! How objects are shown to people and to programs. Used by all commands that look.

pub mod json;
pub mod text;

use std::collections::HashMap;
use std::sync::OnceLock;

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table};

/// Whether the user wants no colours.
pub fn is_colourless() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// A table without lines, as `ps` and `ls -l` print.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    if is_colourless() {
        table.force_no_tty();
    }
    let titles = header
        .iter()
        .map(|title| Cell::new(title).add_attribute(Attribute::Bold));
    table.set_header(titles);
    table
}

/// Aligns a column of numbers.
pub fn align_right(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// A table as [`table`], without commands for a terminal.
pub fn plain_table(header: &[&str]) -> Table {
    let mut table = table(header);
    table.force_no_tty();
    table
}

/// The text of a table, without spaces at the ends of its lines.
pub fn text_of(table: &Table) -> String {
    let text = table.to_string();
    let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    lines
        .map(|line| line.strip_prefix(' ').map(String::from).unwrap_or(line))
        .collect()
}

/// A cell in the colour of something that needs attention.
pub fn alarm(text: impl ToString, is_alarming: bool) -> Cell {
    let cell = Cell::new(text);
    match is_alarming {
        true => cell.fg(Color::Red),
        false => cell,
    }
}

/// A size in units that a person reads: `512 B`, `84 KiB`, `1.5 GiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    for larger in units {
        if size < 1023.95 {
            break;
        }
        size /= 1024.0;
        unit = larger;
    }
    match size < 9.95 {
        true => format!("{size:.1} {unit}"),
        false => format!("{size:.0} {unit}"),
    }
}

/// A time in whole seconds, or in its two largest units: `12s`, `3h 20m`.
pub fn age(age: std::time::Duration) -> String {
    let whole = std::time::Duration::from_secs(age.as_secs());
    let text = humantime::format_duration(whole).to_string();
    let units: Vec<_> = text.split(' ').take(2).collect();
    units.join(" ")
}

/// A number of events in a second.
pub fn rate(per_second: f64) -> String {
    match per_second {
        rate if rate >= 999_950.0 => format!("{:.1}M", rate / 1e6),
        rate if rate >= 9_999.5 => format!("{:.0}k", rate / 1e3),
        rate if rate > 0.0 && rate < 9.95 => format!("{rate:.1}"),
        rate => format!("{rate:.0}"),
    }
}

/// The name of a user, or the number if the system knows no name.
pub fn user(number: u32) -> String {
    static NAMES: OnceLock<HashMap<u32, String>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let file = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let rows = file.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let named = rows.filter_map(|row| {
            let (name, number) = (row.first()?, row.get(2)?);
            Some((number.parse().ok()?, name.to_string()))
        });
        named.collect()
    });
    names
        .get(&number)
        .cloned()
        .unwrap_or_else(|| number.to_string())
}

/// The beginning of a text, with a sign that there is more.
pub fn short(text: &str, most: usize) -> String {
    match text.chars().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let sizes = [0, 1023, 1024, 10_240, 1 << 20, (1 << 20) - 1, u64::MAX];
        let texts = sizes.map(size);
        assert_eq!(
            texts,
            ["0 B", "1023 B", "1.0 KiB", "10 KiB", "1.0 MiB", "1.0 MiB", "16 EiB"]
        );
        assert_eq!(
            [0.0, 0.25, 12.0, 12_345.0, 2_500_000.0].map(rate),
            ["0", "0.2", "12", "12k", "2.5M"]
        );
        assert_eq!(age(std::time::Duration::from_millis(7_265_900)), "2h 1m");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(short("abcdef", 4), "abc…");
        assert_eq!(short("abcd", 4), "abcd");
    }
}
