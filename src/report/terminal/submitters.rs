//! Who hands mail to the servers, for people at a terminal: by what right, since that is what they mean to change.

use super::grid::{self, Kind, Lines, one};
use super::page::{Page, Style, cut, cut_start};
use super::{Look, time};
use crate::judge::words::{count, recipients, thousands};
use crate::report::escape::terminal;
use crate::report::figures::{minute, size_of};
use crate::report::submitters::{Right, Submitter, Submitters, Where};
use std::io::{self, Write};

/// Columns of a name.
const NAME: usize = 40;

/// The clients of one kind.
struct Group<'a> {
    title: &'static str,
    advice: &'static str,
    rows: Vec<&'a Submitter>,
}

/// Writes the clients, `limit` of each kind.
pub fn write_submitters(all: &Submitters, limit: usize, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(look, out);
    page.text(Style::Bold, "", "Who hands mail to this server, and by what right")?;
    match all.clients.is_empty() {
        true => {
            page.text(Style::Doubt, "", "Nobody: these logs tell of no mail that a client or a program handed in.")?
        }
        false => page.text(Style::Plain, "", &format!("Mail from {} to {}.", time(all.first), time(all.last)))?,
    }
    for group in groups(&all.clients).iter().filter(|group| !group.rows.is_empty()) {
        section(group, limit, &mut page)?;
    }
    refused(&all.clients, &mut page)
}

/// The kinds of clients, those first who would lose something if the server were closed.
fn groups(clients: &[Submitter]) -> Vec<Group<'_>> {
    let of = |wanted: &dyn Fn(&Submitter) -> bool| -> Vec<&Submitter> {
        clients.iter().filter(|row| 0 < row.recipients() && wanted(row)).collect()
    };
    vec![
        Group {
            title: "Without password and not trusted, to domains that are not yours",
            advice: "Nobody should be here. `relayaudit scan` on the same logs says whether it was abuse.",
            rows: of(&|row| row.right == Right::None && 0 < row.recipients_foreign),
        },
        Group {
            title: "Without password, because the address is trusted",
            advice: "They stop if you demand a password, or take their networks out of the trusted ones.",
            rows: of(&|row| row.right == Right::Address),
        },
        Group {
            title: "Let through by the server, which does not say whether by password or by address",
            advice: "The server's list of hosts that may relay, or its accounts, tell which.",
            rows: of(&|row| row.right == Right::Vouched),
        },
        Group {
            title: "With a password, from outside",
            advice: "They stop if you close the server to the outside.",
            rows: of(&|row| row.right == Right::Password && row.place != Where::Inside),
        },
        Group {
            title: "With a password, from inside",
            advice: "They stop if you turn log-ins off.",
            rows: of(&|row| row.right == Right::Password && row.place == Where::Inside),
        },
        Group {
            title: "Programs of the server itself",
            advice: "Web sites, scripts, cron: no connector or network setting concerns them.",
            rows: of(&|row| row.right == Right::Program),
        },
        Group {
            title: "Without password and not trusted, to your domains",
            advice: "This is how mail comes in. They stop if you close the server to the outside.",
            rows: of(&|row| row.right == Right::None && row.recipients_foreign == 0),
        },
    ]
}

fn section(group: &Group<'_>, limit: usize, page: &mut Page<'_>) -> io::Result<()> {
    page.heading(group.title)?;
    let sum = |part: fn(&Submitter) -> u64| group.rows.iter().map(|row| part(row)).fold(0, u64::saturating_add);
    let total = format!(
        "{}: {} of yours, {} elsewhere. {}",
        count(group.rows.len() as u64, "client", "clients"),
        recipients(sum(|row| row.recipients_local)),
        thousands(sum(|row| row.recipients_foreign)),
        group.advice
    );
    page.text(Style::Plain, "  ", &total)?;
    let columns = [
        ("Client\nname", Kind::Text(15)),
        ("First (UTC)\nlast", Kind::Whole),
        ("Mails\nsize", Kind::Figure),
        ("To you\nelsewhere", Kind::Figure),
        ("Refused", Kind::Figure),
        ("Account\nor EHLO name", Kind::Text(12)),
    ];
    let rows: Vec<Vec<Lines>> = group.rows.iter().take(limit).map(|row| cells(row, page.width)).collect();
    grid::write(page, &columns, &rows)?;
    match group.rows.len().saturating_sub(limit) {
        0 => Ok(()),
        rest => {
            let rest = format!("and {} more (use --limit, or --format csv or json for all)", thousands(rest as u64));
            page.text(Style::Plain, "  ", &rest)
        }
    }
}

fn cells(row: &Submitter, width: usize) -> Vec<Lines> {
    let room = if width < 100 { 26 } else { NAME };
    let client = match (row.right, row.client.as_str()) {
        (Right::Program, "") => "(no user named)".to_owned(),
        (_, client) => cut(&terminal(client), NAME),
    };
    let name = row.name.as_deref().map(|name| cut_start(&terminal(name), room));
    let who = if row.accounts.is_empty() { &row.helo } else { &row.accounts };
    let who: Vec<String> = who.iter().map(|name| cut_start(&terminal(name), room)).collect();
    vec![
        std::iter::once(client).chain(name).collect(),
        vec![minute(row.first), minute(row.last)],
        vec![thousands(row.messages), size_of(row.messages, row.bytes)],
        vec![thousands(row.recipients_local), thousands(row.recipients_foreign)],
        one(thousands(row.recipients_refused)),
        who,
    ]
}

/// Those who got nothing through: they are not clients of anybody, only counted.
fn refused(clients: &[Submitter], page: &mut Page<'_>) -> io::Result<()> {
    let none: Vec<&Submitter> = clients.iter().filter(|row| row.recipients() == 0).collect();
    if none.is_empty() {
        return Ok(());
    }
    let refused = none.iter().map(|row| row.recipients_refused).fold(0, u64::saturating_add);
    page.blank()?;
    let text = format!(
        "{} more got nothing through: {} refused.",
        count(none.len() as u64, "client", "clients"),
        recipients(refused)
    );
    page.text(Style::Plain, "", &text)
}
