//! How `top` looks.

use polyproc::inspect::{Object, State};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Paragraph, Row, Table, TableState};
use ratatui::Frame;

use super::table::Objects;
use super::{App, Shows, Sort};
use crate::view::{age, is_colourless, rate, size, text};

/// On a narrow screen only the columns without an order become narrower.
const COLUMNS: [(&str, Option<Sort>, u16); 11] = [
    ("NAME", Some(Sort::Name), 16),
    ("KIND", None, 14),
    ("WAITING", Some(Sort::Waiting), 8),
    ("IN FLIGHT", Some(Sort::InFlight), 10),
    ("HELD FOR", Some(Sort::HeldFor), 9),
    ("DEAD", Some(Sort::Dead), 5),
    ("PUT/S", Some(Sort::Puts), 6),
    ("GET/S", Some(Sort::Gets), 6),
    ("USERS", Some(Sort::Users), 6),
    ("MEMORY", Some(Sort::Memory), 8),
    ("STATE", None, 40),
];

pub fn draw(frame: &mut Frame<'_>, app: &mut App) {
    let areas = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
    ]);
    let [head, body, foot] = areas.areas(frame.area());
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let title = match &app.shows {
        Shows::Objects => {
            let memory = size(app.objects.memory());
            format!("polyproc: {} objects, {memory}", app.objects.count())
        }
        Shows::Text(subject, _) => subject.title(),
    };
    frame.render_widget(Line::styled(title, bold), head);
    match &app.shows {
        Shows::Objects => draw_objects(frame, &app.objects, body),
        Shows::Text(_, lines) => {
            let most = lines.len().saturating_sub(1);
            app.scroll = app.scroll.min(u16::try_from(most).unwrap_or(u16::MAX));
            let lines: Vec<_> = lines.iter().map(|line| Line::raw(line.as_str())).collect();
            let text = Paragraph::new(Text::from(lines)).scroll((app.scroll, 0));
            frame.render_widget(text, body);
        }
    }
    let keys = match (&app.shows, app.is_typing) {
        (_, true) => format!("filter: {}_", app.objects.filter),
        (Shows::Text(..), _) => "Esc back  p messages  d dead letters  Enter whole  q quit".into(),
        (Shows::Objects, _) if !app.objects.filter.is_empty() => {
            format!("filter: {}  (Esc: none)", app.objects.filter)
        }
        (Shows::Objects, _) => {
            "Enter whole  p messages  d dead letters  s sort  r reverse  / filter  q quit".into()
        }
    };
    frame.render_widget(Line::raw(keys), foot);
}

fn draw_objects(frame: &mut Frame<'_>, objects: &Objects, area: Rect) {
    let titles = COLUMNS.iter().map(|(title, sort, _)| {
        let mark = match (*sort == Some(objects.sort), objects.is_reversed) {
            (false, _) => "",
            (true, false) => "*",
            (true, true) => "^",
        };
        format!("{title}{mark}")
    });
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let header = Row::new(titles).style(bold);
    let listed = objects.rows();
    let rows = listed.iter().map(|object| row(objects, object));
    let widths = COLUMNS.iter().map(|(_, sort, width)| match sort {
        Some(_) => Constraint::Min(*width),
        None => Constraint::Length(*width),
    });
    let table = Table::new(rows, widths)
        .header(header)
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut state = TableState::new().with_selected(objects.selected());
    frame.render_stateful_widget(table, area, &mut state);
}

fn row<'a>(objects: &Objects, object: &'a Object) -> Row<'a> {
    let has_colour = !is_colourless();
    let alarm = |text: String, is_alarming: bool| match is_alarming && has_colour {
        true => Cell::from(text).style(Style::new().fg(Color::Red)),
        false => Cell::from(text),
    };
    let queue = match &object.state {
        Some(State::Queue(queue)) => Some(queue),
        _ => None,
    };
    let number = |number: Option<u64>| number.map_or(String::new(), |number| number.to_string());
    let speed = objects.rate(object);
    Row::new([
        Cell::from(object.name.as_str()),
        Cell::from(text::kind(object)),
        Cell::from(number(queue.map(|queue| queue.waiting))),
        Cell::from(number(queue.map(|queue| queue.in_flight))),
        Cell::from(objects.oldest_lease(object).map_or(String::new(), age)),
        alarm(
            number(queue.map(|queue| queue.dead_letters)),
            queue.is_some_and(|queue| queue.dead_letters > 0),
        ),
        Cell::from(speed.map_or(String::new(), |speed| rate(speed.puts))),
        Cell::from(speed.map_or(String::new(), |speed| rate(speed.gets))),
        Cell::from(object.users().to_string()),
        Cell::from(size(object.memory)),
        alarm(text::state(object), !object.verdict.is_sound()),
    ])
}
