//! The graph, and names that attackers choose.

use super::run;

/// Reads the text of a graph by the grammar of DOT, as far as it is used: statements with quoted labels. Returns nodes and edges.
fn read(text: &str) -> (Vec<String>, Vec<(String, String)>) {
    let body = text.strip_prefix("digraph trace {\n").unwrap().strip_suffix("}\n").unwrap();
    let (mut nodes, mut edges) = (Vec::new(), Vec::new());
    for line in body.lines() {
        let statement = line.strip_prefix("  ").unwrap().strip_suffix(';').unwrap();
        let Some((head, attributes)) = statement.split_once(" [") else {
            assert_eq!(statement, "rankdir=LR");
            continue;
        };
        // What stands outside of quotes is ours alone.
        let mut outside = String::new();
        let (mut quoted, mut escaped) = (false, false);
        for c in attributes.chars() {
            match (quoted, escaped, c) {
                (true, false, '\\') => escaped = true,
                (_, false, '"') => quoted = !quoted,
                (true, ..) => escaped = false,
                _ => outside.push(c),
            }
            assert!(!c.is_control(), "{line:?}");
        }
        assert!(!quoted && !escaped, "{line}");
        let ours = |c: char| c.is_ascii_alphabetic() || "=, ]-".contains(c);
        assert!(
            outside.ends_with(']') && outside.matches(']').count() == 1 && outside.chars().all(ours),
            "{line}: {outside}"
        );
        match head.split_once(" -> ") {
            Some((from, to)) => edges.push((from.to_owned(), to.to_owned())),
            None if head == "node" => {}
            None => nodes.push(head.to_owned()),
        }
    }
    (nodes, edges)
}

fn dot(arguments: &[&str]) -> String {
    let done = run(&[&["trace", "--format", "dot"], arguments].concat());
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn a_graph_is_made_of_nodes_and_edges_between_them() {
    let text = dot(&["anna", "samples/handed-on"]);
    let (nodes, edges) = read(&text);
    assert!(edges.iter().all(|(from, to)| nodes.contains(from) && nodes.contains(to)));
    assert!(text.contains("label=\"203.0.113.77\\nas anna\\n40 messages, 120 recipients\""));
    // Each server is one node, however many sources lead to it.
    assert_eq!(text.matches("label=\"mx1\\n").count(), 1);
    assert_eq!(text, dot(&["anna", "samples/handed-on", "--threads", "1"]));
}

/// Names that look like the syntax of each output, or move the cursor.
const HOSTILE: &str = "\
2027-01-18T06:00:00+00:00 mx1 postfix/smtpd[1]: AAAA1: client=\x1b[2J\\N\"];n0->n1[label=\"[192.0.2.9], sasl_method=LOGIN, \
sasl_username=a\"];x[\x1b]0;
2027-01-18T06:00:00+00:00 mx1 postfix/cleanup[2]: AAAA1: message-id=<\u{202e}m<b>1\"@example.net>
2027-01-18T06:00:00+00:00 mx1 postfix/qmgr[3]: AAAA1: from=<\"e\\\"v\x07e\"@example.net>, size=900, nrcpt=1 (queue active)
2027-01-18T06:00:01+00:00 mx1 postfix/smtp[4]: AAAA1: to=<bob@x\"];\x1b[31m.example>, relay=mx.example.com[198.51.100.7]:25, delay=1, \
delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 \x1b[8mOk: queued as CCCC3)
2027-01-18T06:00:01+00:00 mx1 postfix/qmgr[3]: AAAA1: removed
";

#[test]
fn names_of_attackers_are_harmless_in_every_output() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("mail.log");
    std::fs::write(&log, HOSTILE).unwrap();
    let log = log.to_str().unwrap();
    let (nodes, edges) = read(&dot(&["AAAA1", log]));
    assert_eq!((nodes.len(), edges.len()), (3, 2));
    for format in ["text", "json"] {
        let done = run(&["trace", "AAAA1", log, "--format", format]);
        let text = String::from_utf8(done.stdout).unwrap();
        assert!(text.contains("AAAA1"));
        let hidden = |c: &char| c.is_control() && *c != '\n' || format == "text" && *c == '\u{202e}';
        assert_eq!(text.chars().find(hidden), None, "{text:?}");
    }
    // A pasted text is as hostile.
    let header = folder.path().join("header.txt");
    std::fs::write(
        &header,
        "Received: from \x1b[2J by \x1b]0;mx1\x07 id AAAA1\x1b; Mon, 18 Jan 2027 06:00:00 +0000\r\n",
    )
    .unwrap();
    for format in ["text", "json", "dot"] {
        let done = run(&["trace", "--received", header.to_str().unwrap(), log, "--format", format]);
        assert!(!done.stdout.contains(&0x1b) && !done.stderr.contains(&0x1b));
    }
}
