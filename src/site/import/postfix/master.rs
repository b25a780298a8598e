//! `master.cf` and the output of `postconf -M`: the SMTP services and what each sets for itself.
//!
//! Eight columns (name, type, private, unprivileged, chroot, wakeup, maxproc, command and arguments), a line that begins with
//! white space continues the one before, `-o name=value` or `-o { name = value }` sets a parameter for this service: master(5).

use super::super::files::ConfigFile;
use super::super::gather::At;
use super::parameters::{bracketed, items};

/// An SMTP service that clients connect to.
pub struct Service<'a> {
    /// Where it stands.
    pub at: At<'a>,
    /// Its name: `smtp`, `submission`, `127.0.0.1:10025`.
    pub name: &'a str,
    /// What it sets.
    pub overrides: Vec<(String, String)>,
}

impl Service<'_> {
    /// Whether only this machine can connect to it.
    pub fn is_inner(&self) -> bool {
        let host = self.name.rsplit_once(':').map_or("", |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// The types of services that take connections from outside, or from postscreen.
const TYPES: [&str; 2] = ["inet", "pass"];

/// Whether a line is a service.
pub fn is_service(line: &str) -> bool {
    let mut columns = line.split_whitespace();
    let kind = columns.nth(1).unwrap_or_default();
    let flags: Vec<&str> = columns.by_ref().take(3).collect();
    let numbers: Vec<&str> = columns.by_ref().take(2).collect();
    matches!(kind, "inet" | "pass" | "unix" | "unix-dgram" | "fifo")
        && flags.len() == 3
        && flags.iter().all(|flag| matches!(*flag, "y" | "n" | "-"))
        && numbers.len() == 2
        && numbers.iter().all(|number| number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'?')))
        && columns.next().is_some()
}

/// The services that run smtpd.
pub fn services(file: &ConfigFile) -> Vec<Service<'_>> {
    let mut services: Vec<(usize, Vec<&str>)> = Vec::new();
    for (raw, line) in file.text.lines().zip(1..) {
        let text = raw.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        match (raw.starts_with([' ', '\t']), services.last_mut()) {
            (true, Some((_, parts))) => parts.push(text),
            (true, None) => {}
            (false, _) => services.push((line, vec![text])),
        }
    }
    services.into_iter().filter_map(|(line, parts)| service(At { file, line }, &parts)).collect()
}

fn service<'a>(at: At<'a>, parts: &[&'a str]) -> Option<Service<'a>> {
    let first = parts.first()?;
    let mut columns = first.split_whitespace();
    let (name, kind) = (columns.next()?, columns.next()?);
    let command = columns.nth(5)?;
    let arguments = columns.collect::<Vec<_>>().join(" ");
    let all = parts.iter().skip(1).fold(arguments, |all, part| format!("{all} {part}"));
    let smtpd = command.rsplit('/').next() == Some("smtpd");
    (smtpd && TYPES.contains(&kind)).then(|| Service { at, name, overrides: overrides(&all) })
}

/// The parameters that arguments set.
fn overrides(arguments: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    // Commas belong to values here: only white space separates.
    let shielded = arguments.replace(',', "\u{1}");
    let words = items(&shielded);
    let mut words = words.iter().map(|word| word.replace('\u{1}', ","));
    while let Some(word) = words.next() {
        let option = match word.as_str() {
            "-o" => words.next(),
            word => word.strip_prefix("-o").map(str::to_owned),
        };
        let Some(option) = option else { continue };
        let inside = bracketed(&option, '{', '}').map_or(option.as_str(), |(inside, _)| inside);
        if let Some((name, value)) = inside.split_once('=') {
            out.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn services_and_what_they_set() {
        let text = "\
smtp      inet  n  -  y  -  -  smtpd
#465      inet  n  -  y  -  -  smtpd
submission inet n  -  y  -  -  /usr/lib/postfix/smtpd
  -o syslog_name=postfix/submission
 # a comment
  -o { smtpd_relay_restrictions = permit_sasl_authenticated, reject }
127.0.0.1:10026 inet n - n - - smtpd -o mynetworks=127.0.0.0/8,10.0.0.1 -osmtpd_helo_restrictions=
smtp      unix  -  -  y  -  -  smtp
  -o syslog_name=x
short line
";
        let file = ConfigFile::new("master.cf".into(), text.as_bytes(), 0, true);
        let found: Vec<String> = services(&file)
            .iter()
            .map(|service| {
                format!("{} {} {} {:?}", service.at.line, service.name, service.is_inner(), service.overrides)
            })
            .collect();
        assert_eq!(
            found,
            [
                "1 smtp false []",
                "3 submission false [(\"syslog_name\", \"postfix/submission\"), (\"smtpd_relay_restrictions\", \
                 \"permit_sasl_authenticated, reject\")]",
                "7 127.0.0.1:10026 true [(\"mynetworks\", \"127.0.0.0/8,10.0.0.1\"), (\"smtpd_helo_restrictions\", \
                 \"\")]",
            ]
        );
        assert!(text.lines().next().is_some_and(is_service));
        assert!(!is_service("name unix - - n"));
    }
}
