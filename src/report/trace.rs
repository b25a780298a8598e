//! A trace as JSON, and as a graph for Graphviz.

use super::escape::terminal;
use crate::judge::words::{count, recipients, thousands};
use crate::trace::Document;
use crate::trace::tree::{Node, Role};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Writes the document as one indented JSON document and a line end.
pub fn write_json(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    super::json::write(document, out)
}

/// Nodes below one that are drawn: more make no picture. The rest is one node.
const DRAWN: usize = 30;

/// Writes who handed what to whom, in the DOT language (Graphviz, "DOT Language"). Nodes are numbered in the order of their
/// roles and names, so that equal traces give equal files.
pub fn write_dot(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let mut graph = Graph::default();
    graph.grow(None, &document.propagation);
    let numbers: BTreeMap<&Name, usize> = graph.nodes.keys().zip(0..).collect();
    writeln!(out, "digraph trace {{\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];")?;
    for (name, weight) in &graph.nodes {
        let label = format!("{}\\n{}", label(name), counted(*weight));
        writeln!(out, "  n{} [label=\"{label}\", {}];", numbers[name], style(name.0))?;
    }
    for ((from, to), (weight, unauthorised)) in &graph.edges {
        let colour = if *unauthorised { ", color=red" } else { "" };
        writeln!(out, "  n{} -> n{} [label=\"{}\"{colour}];", numbers[from], numbers[to], thousands(weight.1))?;
    }
    writeln!(out, "}}")
}

/// Role, name, account.
type Name = (Role, String, Option<String>);
/// Messages and recipients.
type Weight = (u64, u64);

#[derive(Default)]
struct Graph {
    nodes: BTreeMap<Name, Weight>,
    /// With whether any of it was relayed without permission.
    edges: BTreeMap<(Name, Name), (Weight, bool)>,
}

impl Graph {
    fn grow(&mut self, above: Option<&Name>, nodes: &[Node]) {
        let drawn = if above.is_none() { nodes.len() } else { DRAWN };
        let (drawn, rest) = nodes.split_at(drawn.min(nodes.len()));
        for node in drawn {
            let name = (node.role, node.name.clone(), node.account.clone());
            self.add(above, name.clone(), (node.messages, node.recipients), is_unauthorised(node));
            self.grow(Some(&name), &node.children);
        }
        let Some(above) = above.filter(|_| !rest.is_empty()) else { return };
        let name = (Role::Domain, "other domains".to_owned(), Some(above.1.clone()));
        let sum = rest.iter().fold((0, 0), |sum: Weight, node| (sum.0 + node.messages, sum.1 + node.recipients));
        self.add(Some(above), name, sum, rest.iter().any(is_unauthorised));
    }

    fn add(&mut self, above: Option<&Name>, name: Name, weight: Weight, unauthorised: bool) {
        let node = self.nodes.entry(name.clone()).or_default();
        *node = (node.0 + weight.0, node.1 + weight.1);
        if let Some(above) = above {
            let (sum, any) = self.edges.entry((above.clone(), name)).or_default();
            *sum = (sum.0 + weight.0, sum.1 + weight.1);
            *any |= unauthorised;
        }
    }
}

fn is_unauthorised(node: &Node) -> bool {
    node.by_verdict.contains_key("relayed-unauthorised")
}

/// What stands in a node, ready to stand in quotes.
fn label(name: &Name) -> String {
    let (role, text, account) = name;
    let nameless = if *role == Role::Domain { "no domain" } else { "the server" };
    let text = quoted(if text.is_empty() { nameless } else { text });
    match (role, account) {
        (Role::Client, Some(account)) => format!("{text}\\nas {}", quoted(account)),
        (Role::User, _) => format!("user {text}"),
        (Role::Forwarded, _) => format!("{text}\\nforwarded"),
        (Role::Notification, _) => format!("{text}\\nbounces"),
        (Role::Unknown, _) => "not in the logs".to_owned(),
        _ => text,
    }
}

fn counted((messages, all): Weight) -> String {
    match messages {
        0 => recipients(all),
        _ => format!("{}, {}", count(messages, "message", "messages"), recipients(all)),
    }
}

fn style(role: Role) -> &'static str {
    match role {
        Role::Server => "style=filled, fillcolor=lightgrey",
        Role::Domain => "shape=ellipse",
        Role::Forwarded | Role::Notification => "style=dashed",
        Role::Client | Role::User | Role::Unknown => "style=bold",
    }
}

/// Text within double quotes of DOT: quotes are escaped, and so are backslashes, which begin what Graphviz replaces (`\N`,
/// `\G`) or justifies by (`\l`). Nothing invisible is left, and no HTML entity, which Graphviz reads in labels.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    let shown = terminal(text);
    let mut out = String::with_capacity(shown.len());
    for c in shown.chars().take(LONGEST) {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_labels() {
        for (text, want) in [
            ("a\"]; n1 -> n2 [label=\"", "a\\\"]; n1 -> n2 [label=\\\""),
            ("\\N\\", "\\\\N\\\\"),
            ("a\nb\u{202e}", "a\\\\x0ab\\\\u{202e}"),
            ("&lt;", "&amp;lt;"),
        ] {
            assert_eq!(quoted(text), want);
        }
        assert_eq!(quoted(&"A".repeat(1_000)).len(), 80);
    }
}
