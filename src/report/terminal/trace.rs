//! A trace for people at a terminal: the answer, then who handed what to whom, then each message step by step.

use super::Look;
use super::page::{Page, Style};
use crate::judge::words::{count, list, quoted, recipients, server, thousands};
use crate::report::figures::time;
use crate::report::phrases;
use crate::trace::answer::{Answer, Us};
use crate::trace::document::{Document, KeyRow, MessageRow, RecipientRow, StepRow};
use crate::trace::key::KINDS;
use crate::trace::tree::{Node, Role};
use crate::trace::words;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// Nodes shown below one.
const NODES: usize = 8;
/// Steps of a message, and recipients, shown at most.
const STEPS: usize = 60;
const RECIPIENTS: usize = 25;
/// Keys and domains shown.
const NAMED: usize = 10;

/// Writes the trace.
pub fn write_trace(document: &Document, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(look, out);
    match &document.answer {
        Some(reply) => answer(reply, &mut page)?,
        None => headline(document, &mut page)?,
    }
    if document.messages.is_empty() && document.summary.not_shown == 0 {
        if document.answer.is_none() {
            not_found(document, &mut page)?;
        }
    } else {
        if 1 < document.summary.shown + document.summary.not_shown {
            summary(document, &mut page)?;
            page.heading("Who handed what to whom (recipients)")?;
            tree(&document.propagation, 1, &mut page)?;
        }
        messages(document, &mut page)?;
    }
    let notes = &document.incomplete;
    if !notes.is_empty() {
        page.heading("Not complete")?;
        page.bullets(notes.iter())?;
    }
    site(document, &mut page)
}

fn answer(answer: &Answer, page: &mut Page<'_>) -> io::Result<()> {
    let style = match answer.was_it_us {
        Us::Yes => Style::Bad,
        Us::No => Style::Good,
        Us::CannotTell => Style::Doubt,
    };
    page.text(style, "", &answer.headline)?;
    page.blank()?;
    page.bullets(answer.why.iter())?;
    if answer.received.is_empty() {
        return Ok(());
    }
    page.heading("The Received lines, the latest first")?;
    for hop in answer.received.iter().take(STEPS) {
        let ours = match (hop.found, hop.taken_from_us, hop.names_ours) {
            (true, ..) => "in our logs",
            (_, true, _) => "not ours; our log says that it took the message under this id",
            (_, _, true) => "names a server of ours, not in our logs",
            _ => "not ours",
        };
        let id = if hop.id.is_empty() { "no id".to_owned() } else { format!("id {}", quoted(&hop.id)) };
        let client = hop.client.as_deref().filter(|client| !hop.from.contains(client));
        let client = client.map(|client| format!(" [{client}]")).unwrap_or_default();
        let (from, by) = (quoted(&hop.from), quoted(&hop.by));
        let text = format!("by {by}, {id}, from {from}{client}, {}: {ours}", time(hop.time));
        page.text(Style::Plain, "  - ", &text)?;
    }
    Ok(())
}

/// What was found, key by key.
fn headline(document: &Document, page: &mut Page<'_>) -> io::Result<()> {
    for key in document.keys.iter().take(NAMED) {
        page.text(Style::Bold, "", &found(key))?;
    }
    match document.keys.len().checked_sub(NAMED).filter(|more| 0 < *more) {
        Some(more) => page.text(Style::Plain, "", &format!("and {}", count(more as u64, "more key", "more keys"))),
        None => Ok(()),
    }
}

fn found(key: &KeyRow) -> String {
    let title = |name: &str| KINDS.iter().find(|(_, known)| *known == name).map_or("", |(kind, _)| kind.title());
    let matched: Vec<String> = key
        .matched
        .iter()
        .map(|(kind, row)| {
            let parts = [(row.messages, "message", "messages"), (row.refusals, "refusal", "refusals")];
            let parts = parts.iter().filter(|part| 0 < part.0).map(|(number, one, many)| count(*number, one, many));
            format!("{} of {}", title(kind), list(&parts.collect::<Vec<_>>()))
        })
        .collect();
    match matched.is_empty() {
        true => {
            let kinds: Vec<&str> = key.kinds.iter().map(|kind| title(kind)).collect();
            let kinds = list(&kinds).replace(" and ", " or ");
            format!("{}: not found as {kinds}", quoted(&key.text))
        }
        false => format!("{}: {}", quoted(&key.text), list(&matched)),
    }
}

fn not_found(document: &Document, page: &mut Page<'_>) -> io::Result<()> {
    page.blank()?;
    let coverage = &document.coverage;
    let servers: Vec<String> = coverage
        .servers
        .iter()
        .take(NAMED)
        .map(|row| format!("{}: {} to {}", server(&row.name), time(row.first), time(row.last)))
        .collect();
    page.text(Style::Plain, "", "No message in these logs has it. They cover:")?;
    page.bullets(servers.iter())?;
    page.text(
        Style::Plain,
        "",
        "Is the time that you look for within? Then check the spelling (queue ids tell capitals from small letters), or say with --as what \
         it is. Else give the older files too (mail.log.1, mail.log.2.gz), and the logs of the other servers.",
    )
}

fn summary(document: &Document, page: &mut Page<'_>) -> io::Result<()> {
    let summary = &document.summary;
    page.blank()?;
    let text = format!(
        "{} to {}, from {} to {}",
        count(summary.messages, "message", "messages"),
        recipients(summary.recipients),
        time(summary.first),
        time(summary.last)
    );
    page.text(Style::Plain, "Found:     ", &text)?;
    let mut lead = "Verdict:   ";
    for (verdict, number) in by_number(&summary.by_verdict) {
        let style = if verdict == "relayed-unauthorised" { Style::Bad } else { Style::Plain };
        page.text(style, lead, &format!("{} {} ({verdict})", thousands(number), phrases::verdict(verdict)))?;
        lead = "           ";
    }
    page.text(Style::Plain, "Outcome:   ", &outcomes(&summary.by_outcome))?;
    if 0 < summary.notifications {
        let text = count(summary.notifications, "bounce was written for them", "bounces were written for them");
        page.text(Style::Plain, "Bounces:   ", &text)?;
    }
    let domains = &summary.domains;
    let mut named: Vec<String> = domains
        .iter()
        .take(NAMED)
        .map(|row| format!("{} ({})", domain(&row.domain), thousands(row.recipients)))
        .collect();
    if let Some(more) = domains.len().checked_sub(NAMED).filter(|more| 0 < *more) {
        named.push(format!("{} more", thousands(more as u64)));
    }
    page.text(Style::Plain, "Domains:   ", &list(&named))
}

/// The greatest number first.
fn by_number(counts: &BTreeMap<&'static str, u64>) -> Vec<(&'static str, u64)> {
    let mut counts: Vec<(&str, u64)> = counts.iter().map(|(name, number)| (*name, *number)).collect();
    counts.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    counts
}

fn outcomes(counts: &BTreeMap<&'static str, u64>) -> String {
    let named = by_number(counts).into_iter().map(|(name, number)| format!("{} {name}", thousands(number)));
    named.collect::<Vec<_>>().join(", ")
}

fn domain(name: &str) -> String {
    if name.is_empty() { "no domain".to_owned() } else { quoted(name) }
}

/// The nodes below one, the largest first.
fn tree(nodes: &[Node], depth: usize, page: &mut Page<'_>) -> io::Result<()> {
    let lead = "  ".repeat(depth.min(20));
    // Where it came from is what is asked for: more of that is shown.
    let shown = if depth == 1 { 3 * NODES } else { NODES };
    for node in nodes.iter().take(shown) {
        let unauthorised = node.by_verdict.contains_key("relayed-unauthorised") && node.role != Role::Server;
        let style = if unauthorised { Style::Bad } else { Style::Plain };
        page.text(style, &lead, &self::node(node, depth))?;
        tree(&node.children, depth + 1, page)?;
    }
    let rest = nodes.get(shown..).unwrap_or_default();
    if !rest.is_empty() {
        let sum = rest.iter().map(|node| node.recipients).fold(0, u64::saturating_add);
        page.text(Style::Plain, &lead, &format!("and {} more: {}", thousands(rest.len() as u64), recipients(sum)))?;
    }
    Ok(())
}

fn node(node: &Node, depth: usize) -> String {
    let arrow = if depth == 1 { "" } else { "-> " };
    let name = quoted(&node.name);
    let name = match (node.role, &node.account) {
        (Role::Client, Some(account)) => format!("client {name} as {}", quoted(account)),
        (Role::Client, None) => format!("client {name}"),
        (Role::User, _) if name.is_empty() => "a program or user of the server".to_owned(),
        (Role::User, _) => format!("local user {name}"),
        (Role::Unknown, _) => "how it came in is not in the logs".to_owned(),
        (Role::Server, _) => server(&node.name),
        (Role::Forwarded, _) => format!("{} forwarded it", server(&node.name)),
        (Role::Notification, _) => format!("{} wrote bounces", server(&node.name)),
        (Role::Domain, _) => domain(&node.name),
    };
    match node.role {
        Role::Domain => format!("{arrow}{name}: {}", outcomes(&node.by_outcome)),
        _ if node.messages == 0 => format!("{arrow}{name}: no message, {}", recipients(node.recipients)),
        _ => format!("{arrow}{name}: {}, {}", count(node.messages, "message", "messages"), recipients(node.recipients)),
    }
}

fn messages(document: &Document, page: &mut Page<'_>) -> io::Result<()> {
    let all = document.summary.shown + document.summary.not_shown;
    let mut told = BTreeSet::new();
    for (number, row) in document.messages.iter().enumerate() {
        let what = if row.is_refusal { "refusal" } else { "message" };
        let one = format!("The {what}");
        let title = if all == 1 { one } else { format!("{} of {}, a {what}", number + 1, thousands(all)) };
        page.heading(&title)?;
        message(row, &mut told, page)?;
    }
    let rest = document.summary.not_shown;
    if 0 < rest {
        page.blank()?;
        let text =
            format!("{} counted above and not shown: --limit {all} shows all.", count(rest, "more is", "more are"));
        page.text(Style::Plain, "", &text)?;
    }
    Ok(())
}

fn message(row: &MessageRow, told: &mut BTreeSet<&'static str>, page: &mut Page<'_>) -> io::Result<()> {
    if !row.message_id.is_empty() {
        page.text(Style::Plain, "  Message-ID:    ", &format!("<{}>", quoted(&row.message_id)))?;
    }
    let style = if row.authority == "nothing" { Style::Bad } else { Style::Plain };
    page.text(style, "  Let in by:     ", &row.authority_text)?;
    if let Some(why) = &row.injection_missing {
        page.text(Style::Doubt, "  Not told:      ", why)?;
    }
    page.blank()?;
    let groups: Vec<&[StepRow]> = row.steps.chunk_by(|a, b| a.life == b.life && a.text == b.text).collect();
    for group in groups.iter().take(STEPS) {
        steps(group, row, page)?;
    }
    if let Some(more) = groups.len().checked_sub(STEPS).filter(|more| 0 < *more) {
        let text = format!("and {}: --format json has them", count(more as u64, "more step", "more steps"));
        page.text(Style::Plain, "  ", &text)?;
    }
    ends(&row.recipients, told, page)
}

/// Steps that say the same, one after the other, such as attempts that failed: the first, and how many there were.
fn steps(group: &[StepRow], row: &MessageRow, page: &mut Page<'_>) -> io::Result<()> {
    let [step, rest @ ..] = group else { return Ok(()) };
    let at = row.lives.get(step.life).map_or("", |life| life.server.as_str());
    let who = format!("{} {}", quoted(at), quoted(&step.queue_id));
    let who = if who.trim().is_empty() { String::new() } else { format!("{}: ", who.trim()) };
    let text = format!("{who}{} ({}:{})", step.text, step.path, step.line);
    page.text(Style::Plain, &format!("  {:19}  ", words::second(step.time)), &text)?;
    let Some(last) = rest.last() else { return Ok(()) };
    let times = count(rest.len() as u64, "more time", "more times");
    let text = format!("the same {times}, until then ({}:{})", last.path, last.line);
    page.text(Style::Plain, &format!("  {:19}  ", words::second(last.time)), &text)
}

/// What became of each recipient. What a verdict means is said once.
fn ends(rows: &[RecipientRow], told: &mut BTreeSet<&'static str>, page: &mut Page<'_>) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    page.blank()?;
    for row in rows.iter().take(RECIPIENTS) {
        let verdict = row.verdict.unwrap_or_default();
        let style = if verdict == "relayed-unauthorised" { Style::Bad } else { Style::Plain };
        let meaning = match (verdict, told.insert(verdict)) {
            ("", _) => String::new(),
            (verdict, true) => format!(", {verdict} ({})", phrases::verdict(verdict)),
            (verdict, false) => format!(", {verdict}"),
        };
        let outcome = match row.outcome {
            "unknown" => "not told what became of it",
            outcome => outcome,
        };
        let path =
            if row.forward_path.is_empty() { row.final_path.as_deref().unwrap_or("") } else { &row.forward_path };
        let path =
            if path.is_empty() { "a recipient that the log does not name".to_owned() } else { words::path_of(path) };
        page.text(style, "  => ", &format!("{path}: {outcome}{meaning}"))?;
    }
    match rows.len().checked_sub(RECIPIENTS).filter(|more| 0 < *more) {
        Some(more) => page.text(Style::Plain, "  => ", &format!("and {}", count(more as u64, "more", "more"))),
        None => Ok(()),
    }
}

/// What the verdicts rest on.
fn site(document: &Document, page: &mut Page<'_>) -> io::Result<()> {
    let site = &document.site;
    if site.stated || document.summary.recipients == 0 {
        return Ok(());
    }
    let domains: Vec<String> = site.local_domains.iter().take(NAMED).map(|domain| quoted(domain)).collect();
    let named = if domains.is_empty() { "no domain".to_owned() } else { list(&domains) };
    page.blank()?;
    page.text(
        Style::Plain,
        "",
        &format!(
            "The verdicts take {named} for yours, as the logs suggest; --local-domain and --trusted-net say what is."
        ),
    )
}
