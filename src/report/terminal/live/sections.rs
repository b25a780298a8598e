//! The sections of the live view: findings, clients, accounts, logs.

use super::{FileRow, Line, Size, Style, Told, View, of_severity};
use crate::judge::Rule;
use crate::judge::words::thousands;
use crate::ledger::Time;
use crate::report::escape::terminal;
use crate::report::figures::size;
use crate::report::model::{AccountRow, Offender, Report};
use crate::report::terminal::page::{cut, cut_start, width, wrap};

/// From this width on, clients and accounts stand side by side.
const WIDE: usize = 140;

/// From this height on, the reasons and the steps are shown too.
const TALL: usize = 36;

/// Rows made of a section; no screen shows more.
const MOST: usize = 100;

/// A section: a heading, and rows of which as many are shown as there is room for.
pub struct Section {
    /// What it is called where there is nothing in it.
    name: &'static str,
    title: Line,
    /// What there is in all.
    total: usize,
    /// What is said without rows.
    none: &'static str,
    /// The rows, each as wide as the screen at most.
    pub rows: Vec<Line>,
    /// How many rows it gets in its turn.
    pub weight: usize,
}

impl Section {
    /// The heading, with how much is left out where `given` rows are shown.
    pub fn head(&self, given: usize, room: usize) -> Line {
        if self.total == 0 {
            let text = format!("  {}", self.none);
            return vec![(Style::Bold, self.name.to_owned()), (Style::Plain, text)];
        }
        let mut line = self.title.clone();
        let used: usize = line.iter().map(|(_, text)| width(text)).sum();
        let more = match self.total.saturating_sub(given) {
            0 => return line,
            more => format!("+{} more", thousands(more as u64)),
        };
        let room = room.saturating_sub(used + 2);
        line.push((Style::Plain, format!("  {}", cut(&more, room))));
        line
    }
}

/// All sections, in the order of the screen.
pub fn all(view: &View<'_>, size: Size) -> Vec<Section> {
    let room = size.width;
    let mut sections = vec![findings(view.told, room)];
    if let Some(report) = view.report {
        if WIDE <= room {
            let half = (room - 3) / 2;
            sections.push(beside(clients(report, half), accounts(report, room - 3 - half), half));
        } else {
            sections.push(clients(report, room));
            sections.push(accounts(report, room));
        }
    }
    sections.push(files(view.files, room));
    if let Some(report) = view.report.filter(|_| TALL <= size.height) {
        let verdict = &report.verdict;
        sections.extend(texts("Why", &verdict.why, room));
        sections.extend(texts("What to do now", &verdict.next, room));
    }
    sections
}

/// Sentences, if there are any.
fn texts(title: &str, texts: &[String], room: usize) -> Option<Section> {
    let rows = |text: &String| {
        let lines = wrap(&terminal(text), room.saturating_sub(4).max(1)).into_iter().enumerate();
        lines.map(|(at, line)| vec![(Style::Plain, format!("{}{line}", if at == 0 { "  - " } else { "    " }))])
    };
    let rows: Vec<Line> = texts.iter().flat_map(rows).take(MOST).collect();
    let title = vec![(Style::Bold, cut(title, room))];
    // What is left out is not counted: these are lines and not things.
    (!rows.is_empty()).then(|| section(title, 1, ("", ""), 2, rows))
}

/// What a column holds.
enum Cell {
    /// Text, cut at its end.
    Text(String, usize),
    /// Text, cut at its start: the end of a path or a name tells most.
    End(String, usize),
    /// A figure, set to the right.
    Figure(String, usize),
}

/// One row of columns, one blank between them; the last may be as wide as there is room.
fn row(cells: Vec<Cell>, room: usize, style: Style) -> Line {
    let mut text = String::new();
    for cell in cells {
        if !text.is_empty() {
            text.push(' ');
        }
        let (value, columns, end) = match cell {
            Cell::Text(value, columns) => (cut(&terminal(&value), columns), columns, false),
            Cell::End(value, columns) => (cut_start(&terminal(&value), columns), columns, false),
            Cell::Figure(value, columns) => (cut(&value, columns), columns, true),
        };
        let blanks = " ".repeat(columns.saturating_sub(width(&value)));
        text.push_str(&if end { format!("{blanks}{value}") } else { format!("{value}{blanks}") });
    }
    vec![(style, cut(text.trim_end(), room))]
}

/// A section whose rows get `weight` of them in their turn. `empty` is its name, and what is said where there is nothing in it.
fn section(title: Line, total: usize, empty: (&'static str, &'static str), weight: usize, rows: Vec<Line>) -> Section {
    Section { name: empty.0, title, total, none: empty.1, rows, weight }
}

fn clock(time: Option<Time>) -> String {
    time.map_or_else(|| "-".into(), |time| time.rfc3339().chars().skip(11).take(8).collect())
}

fn rules(rules: &[Rule]) -> String {
    rules.iter().map(|rule| rule.as_str()).collect::<Vec<_>>().join(" ")
}

/// The findings that were told, the latest first.
fn findings(told: &[Told<'_>], room: usize) -> Section {
    let rule = told.iter().map(|told| told.finding.rule.as_str().len()).max().unwrap_or(0);
    let line = |told: &Told<'_>| {
        let finding = told.finding;
        let recipients = finding.recipients_accepted.max(finding.attempts);
        let figure = match recipients {
            0 => String::new(),
            1 => ", 1 recipient".into(),
            more => format!(", {} recipients", thousands(more)),
        };
        let mut about = format!("{} {}{figure}", finding.subject.kind, finding.subject.value);
        if WIDE <= room {
            let why = finding.why.first().map_or("", String::as_str);
            about = format!("{} {}  {why}", finding.subject.kind, finding.subject.value);
        }
        let cells = vec![
            Cell::Text(clock(finding.last), 8),
            Cell::Text(told.kind.into(), 9),
            Cell::Text(finding.severity.as_str().into(), 8),
            Cell::Text(finding.rule.as_str().into(), rule),
            Cell::Text(about, room.saturating_sub(29 + rule)),
        ];
        let style = if told.kind == "withdrawn" { Style::Plain } else { of_severity(finding.severity) };
        row(cells, room, style)
    };
    let title = vec![(Style::Bold, cut("Findings, the latest first", room))];
    section(title, told.len(), ("Findings", "none"), 3, told.iter().rev().take(MOST).map(line).collect())
}

/// Clients with a finding about abuse, worst first.
fn clients(report: &Report, room: usize) -> Section {
    let name = room.saturating_sub(50).clamp(8, 48);
    let cells = |client: Cell, relayed: String, refused: String, last: String, rules: String| {
        vec![
            client,
            Cell::Figure(relayed, 9),
            Cell::Figure(refused, 9),
            Cell::Text(last, 8),
            Cell::Text(rules, room.saturating_sub(name + 29)),
        ]
    };
    let line = |client: &Offender| {
        let figures = (thousands(client.recipients_accepted), thousands(client.recipients_denied));
        let who = match &client.name {
            Some(name) => format!("{} {name}", client.client),
            None => client.client.clone(),
        };
        let cells = cells(Cell::Text(who, name), figures.0, figures.1, clock(client.last), rules(&client.rules));
        row(cells, room, of_severity(client.severity))
    };
    let heads = cells(
        Cell::Text("Clients, worst first".into(), name),
        "relayed".into(),
        "refused".into(),
        "last".into(),
        "rules".into(),
    );
    let rows = report.offenders.iter().take(MOST).map(line).collect();
    section(row(heads, room, Style::Bold), report.offenders.len(), ("Clients", "none with a finding"), 3, rows)
}

/// Accounts that sent, most recipients first.
fn accounts(report: &Report, room: usize) -> Section {
    let name = room.saturating_sub(50).clamp(8, 48);
    let cells = |account: Cell, recipients: String, messages: String, clients: String, rules: String| {
        vec![
            account,
            Cell::Figure(recipients, 10),
            Cell::Figure(messages, 8),
            Cell::Figure(clients, 7),
            Cell::Text(rules, room.saturating_sub(name + 29)),
        ]
    };
    let line = |account: &AccountRow| {
        let recipients = thousands(account.recipients);
        let (messages, clients) = (thousands(account.messages), thousands(account.clients));
        let rules = rules(&account.rules);
        let cells = cells(Cell::Text(account.account.clone(), name), recipients, messages, clients, rules);
        row(cells, room, account.severity.map_or(Style::Plain, of_severity))
    };
    let heads = cells(
        Cell::Text("Accounts, busiest first".into(), name),
        "recipients".into(),
        "messages".into(),
        "clients".into(),
        "rules".into(),
    );
    let rows = report.accounts.iter().take(MOST).map(line).collect();
    section(row(heads, room, Style::Bold), report.accounts.len(), ("Accounts", "none has sent"), 2, rows)
}

/// The logs.
fn files(files: &[FileRow], room: usize) -> Section {
    let name = room.saturating_sub(38).clamp(8, 90).min(room);
    let cells = |path: Cell, format: String, lines: String, state: String| {
        let state = Cell::Text(state, room.saturating_sub(name + 24));
        vec![path, Cell::Text(format, 10), Cell::Figure(lines, 11), state]
    };
    let line = |file: &FileRow| {
        let state = match file.behind_bytes {
            0 => file.state.clone(),
            behind => format!("{} behind", size(behind)),
        };
        let path = Cell::End(file.path.clone(), name);
        row(cells(path, file.format.clone(), thousands(file.lines), state), room, Style::Plain)
    };
    let heads = cells(Cell::Text("Logs".into(), name), "format".into(), "lines".into(), String::new());
    let rows = files.iter().take(MOST).map(line).collect();
    section(row(heads, room, Style::Bold), files.len(), ("Logs", "none yet"), 1, rows)
}

/// Two sections side by side, the first as wide as `half`.
fn beside(left: Section, right: Section, half: usize) -> Section {
    let pair = |left: Option<&Line>, right: Option<&Line>| {
        let mut line = left.cloned().unwrap_or_default();
        let used: usize = line.iter().map(|(_, text)| width(text)).sum();
        line.push((Style::Plain, " ".repeat((half + 3).saturating_sub(used))));
        line.extend(right.cloned().unwrap_or_default());
        line
    };
    let rows = left.rows.len().max(right.rows.len());
    let rows: Vec<Line> = (0..rows).map(|at| pair(left.rows.get(at), right.rows.get(at))).collect();
    let title = pair(Some(&left.title), Some(&right.title));
    let total = left.total.max(right.total);
    Section { name: "Clients and accounts", title, total, none: "none", weight: left.weight, rows }
}
