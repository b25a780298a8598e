//! The expectations of other projects, in the shapes in which they lie beside their logs.

use crate::explained::Field;
use relayaudit_parsers::registry::detect;
use serde_json::Value;
use std::collections::BTreeMap;

/// One statement about one line.
pub struct Stated {
    pub project: &'static str,
    pub file: String,
    pub line: Vec<u8>,
    /// The format of the file, where it is one; else the line shows it.
    pub format: Option<&'static str>,
    pub field: Field,
    pub value: String,
}

type Files = BTreeMap<String, Vec<u8>>;

/// Every statement of every project.
pub fn all(files: &Files) -> Vec<Stated> {
    let mut all = Vec::new();
    for (name, content) in files {
        let text = String::from_utf8_lossy(content);
        match name {
            _ if name.ends_with("parser.assert") => crowdsec(files, name, &text, &mut all),
            _ if name.ends_with("scenario.assert") => scenario(files, name, &text, &mut all),
            _ if name.contains("/SEKOIA-IO__") => sekoia(name, &text, &mut all),
            _ if name.contains("/whyscream__") => whyscream(name, &text, &mut all),
            _ if name.contains("/fail2ban__") => fail2ban(name, content, &mut all),
            _ => {}
        }
    }
    all
}

/// The format of most lines of a file.
fn format_of(content: &[u8]) -> Option<&'static str> {
    detect(content.split(|byte| *byte == b'\n').take(200)).map(|format| format.name)
}

/// `results["s01-parse"][PARSER][N].Evt.Meta["source_ip"] == "192.0.2.1"`. Which line it is, tells `Parsed["message"]`.
fn crowdsec(files: &Files, name: &str, text: &str, all: &mut Vec<Stated>) {
    let beside = name.trim_end_matches("parser.assert");
    let Some((_, log)) = files.iter().find(|(file, _)| file.starts_with(beside) && file.ends_with(".log")) else {
        return;
    };
    let mut items = BTreeMap::<(String, usize), BTreeMap<String, String>>::new();
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("results[\"s01-parse\"][\"") else { continue };
        let Some((parser, rest)) = rest.split_once("\"][") else { continue };
        let Some((number, rest)) = rest.split_once("].Evt.") else { continue };
        let Some((key, value)) = rest.split_once(" == ") else { continue };
        let Ok(value) = serde_json::from_str::<String>(value) else { continue };
        let number = number.parse().unwrap();
        items.entry((parser.to_owned(), number)).or_default().insert(key.to_owned(), value);
    }
    let keys = [
        ("Meta[\"source_ip\"]", Field::Client),
        ("Meta[\"username\"]", Field::Account),
        ("Meta[\"user\"]", Field::Account),
        ("Parsed[\"dovecot_user\"]", Field::Account),
        ("Meta[\"source_user\"]", Field::ReversePath),
        ("Parsed[\"from_email\"]", Field::ReversePath),
        ("Parsed[\"smtp_basic_status_code\"]", Field::Status),
    ];
    for item in items.into_values() {
        let Some(message) = item.get("Parsed[\"message\"]") else { continue };
        let mut lines = log.split(|byte| *byte == b'\n');
        let Some(line) = lines.find(|line| !message.is_empty() && line.ends_with(message.as_bytes())) else { continue };
        for (key, field) in keys {
            let Some(value) = item.get(key).filter(|value| !value.is_empty()) else { continue };
            all.push(Stated {
                project: "crowdsec",
                file: name.to_owned(),
                line: line.to_vec(),
                format: format_of(log),
                field,
                value: value.clone(),
            });
        }
    }
}

/// `results[0].Overflow.Sources["192.0.2.1"].IP == "192.0.2.1"`: a client, in some line of the log that has its address.
fn scenario(files: &Files, name: &str, text: &str, all: &mut Vec<Stated>) {
    let beside = name.trim_end_matches("scenario.assert");
    let Some((_, log)) = files.iter().find(|(file, _)| file.starts_with(beside) && file.ends_with(".log")) else {
        return;
    };
    for line in text.lines().filter(|line| line.contains("].IP == ")) {
        let Some(value) = line.rsplit('"').nth(1).map(str::to_owned) else { continue };
        let mut lines = log.split(|byte| *byte == b'\n');
        let Some(line) = lines.find(|line| memchr::memmem::find(line, value.as_bytes()).is_some()) else { continue };
        all.push(Stated {
            project: "crowdsec",
            file: name.to_owned(),
            line: line.to_vec(),
            format: format_of(log),
            field: Field::Client,
            value,
        });
    }
}

/// `{"input": {"message": LINE, "log": {"syslog": {"appname": TAG}}}, "expected": {...}}`. Postfix lines have no envelope.
fn sekoia(name: &str, text: &str, all: &mut Vec<Stated>) {
    let test: Value = serde_json::from_str(text).unwrap();
    let Some(message) = test["input"]["message"].as_str() else { return };
    let tag = test["input"]["log"]["syslog"]["appname"].as_str().unwrap_or("postfix");
    let line =
        if name.contains("/postfix/") { format!("Feb  1 10:00:00 mx {tag}[1]: {message}") } else { message.to_owned() };
    let expected = &test["expected"];
    let one = |value: &Value| value.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>();
    let many = |value: &Value| {
        value.as_array().into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let action = one(&expected["action"]["name"]);
    let states = action.into_iter().filter(|word| ["sent", "deferred", "bounced", "expired"].contains(&word.as_str()));
    for (field, values) in [
        (Field::Client, one(&expected["source"]["ip"])),
        (Field::Account, one(&expected["user"]["name"])),
        (Field::ReversePath, many(&expected["email"]["from"]["address"])),
        (Field::ForwardPath, many(&expected["email"]["to"]["address"])),
        (Field::Status, states.collect()),
    ] {
        for value in values {
            let (file, line) = (name.to_owned(), line.clone().into_bytes());
            all.push(Stated { project: "sekoia", file, line, format: None, field, value });
        }
    }
}

/// `data: LINE`, without envelope, and `results:` with a key a line. The daemon is in the name of the file.
fn whyscream(name: &str, text: &str, all: &mut Vec<Stated>) {
    let bare = |value: &str| value.trim().trim_matches(['"', '\'']).to_owned();
    let Some(data) = text.lines().find_map(|line| line.strip_prefix("data: ")) else { return };
    let test = name.rsplit("__").next().unwrap();
    let daemon = test.trim_end_matches(".yaml").trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let line = format!("Feb  1 10:00:00 mx postfix/{daemon}[1]: {}", bare(data));
    let mut push = |field, value: &str| {
        let (file, line, value) = (name.to_owned(), line.clone().into_bytes(), value.to_owned());
        all.push(Stated { project: "whyscream", file, line, format: Some("postfix"), field, value });
    };
    for line in text.lines().filter(|line| line.starts_with("    ")) {
        let Some((key, value)) = line.trim().split_once(": ") else { continue };
        let value = bare(value);
        match key {
            "postfix_client_ip" => push(Field::Client, &value),
            "postfix_status_code" | "postfix_status" => push(Field::Status, &value),
            "postfix_keyvalue_data" => {
                for (mark, field) in [("from=<", Field::ReversePath), ("to=<", Field::ForwardPath)] {
                    let found =
                        value.match_indices(mark).find(|(at, _)| *at == 0 || value[..*at].ends_with([' ', ',']));
                    if let Some((path, _)) = found.and_then(|(at, _)| value[at + mark.len()..].split_once('>')) {
                        push(field, path);
                    }
                }
            }
            _ => {}
        }
    }
}

/// `# failJSON: { "match": true, "host": "192.0.2.1", "user": "x" }` before the line that it speaks of.
fn fail2ban(name: &str, content: &[u8], all: &mut Vec<Stated>) {
    let mut lines = content.split(|byte| *byte == b'\n').peekable();
    while let Some(comment) = lines.next() {
        let comment = String::from_utf8_lossy(comment);
        let Some((_, json)) = comment.split_once("failJSON:") else { continue };
        let Ok(said) = serde_json::from_str::<Value>(json) else { continue };
        let Some(line) = lines.peek() else { continue };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        for (key, field) in [("host", Field::Client), ("user", Field::Account)] {
            let Some(value) = said[key].as_str().filter(|_| said["match"] == true) else { continue };
            // A name stands where the line has no address.
            if field == Field::Client && value.parse::<std::net::IpAddr>().is_err() {
                continue;
            }
            let (file, line, value) = (name.to_owned(), line.to_vec(), value.to_owned());
            all.push(Stated { project: "fail2ban", file, line, format: format_of(content), field, value });
        }
    }
}
