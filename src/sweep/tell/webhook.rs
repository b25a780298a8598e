//! A web server that is told of news: one POST of a JSON document (`docs/SWEEP.md`).
//!
//! Sent by `curl`, as journals are read by `journalctl`: it brings TLS, the system's certificates and proxies, and this
//! program needs no network code. What cannot be sent stays in the state and is sent with the next sweep.

use super::{Failed, ecs};
use crate::sweep::findings::News;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::process::{Command, Stdio};

/// How many pieces of news wait to be sent, at most: the oldest are let go.
pub const MOST: usize = 1000;

/// Schema of the document.
const SCHEMA: &str = "relayaudit.news/1";

/// Seconds until an answer is due.
const PATIENCE_SECONDS: &str = "30";

/// Posts news. It was taken if the answer is 2xx.
pub fn post(news: &[News], url: &str) -> Result<(), Failed> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail", "--max-time", PATIENCE_SECONDS, "--output"])
        .arg(if cfg!(windows) { "NUL" } else { "/dev/null" })
        // Transient errors (408, 429, 5xx, time-outs) are tried again at once, others with the next sweep (curl(1)).
        .args(["--retry", "2", "--proto", "=http,https", "--config", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut run = || -> io::Result<std::process::Output> {
        let mut child = curl.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(config(news, url).as_bytes())?;
        }
        child.wait_with_output()
    };
    match run() {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => {
            let why = String::from_utf8_lossy(&done.stderr);
            Err(format!("--webhook: not delivered: {}", why.trim().replace(url, "URL")))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err("--webhook: it needs `curl`, which is not installed".to_owned())
        }
        Err(error) => Err(format!("--webhook: cannot run curl: {error}")),
    }
}

/// What curl is to do, through its standard input: the URL may hold a secret, which a command line would show to all.
fn config(news: &[News], url: &str) -> String {
    let lines: Vec<Value> = news.iter().filter_map(|news| serde_json::from_str(&ecs::line(news)).ok()).collect();
    let text = news.iter().map(|news| format!("{}: {}", news.why.as_str(), super::text::headline(&news.finding)));
    // `text` is what Slack, Mattermost and others show of a document that they do not know.
    let document = json!({
        "schema": SCHEMA,
        "text": text.collect::<Vec<_>>().join("\n"),
        "news": lines,
    });
    let [url, document] = [url, &document.to_string()].map(quoted);
    format!("url = {url}\nheader = \"content-type: application/json\"\ndata-raw = {document}\n")
}

/// A value in a config file of curl (curl(1), `--config`).
fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_curl_cannot_break_out() {
        let check = |value: &str, want: &str| assert_eq!(quoted(value), want);
        check("https://example.org/a", "\"https://example.org/a\"");
        check("a\"\nurl = \"b\\", "\"a\\\"\\nurl = \\\"b\\\\\"");
    }
}
