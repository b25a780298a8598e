//! Values of options: what users type, read and explained.

use super::args::{Choice, LogFormat, Output};
use crate::clock::Zone;
use crate::ledger::Time;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use clap::ValueEnum;
use relayaudit_parsers::record::When;
use relayaudit_parsers::registry::{self, FORMATS};
use std::net::{IpAddr, SocketAddr};

/// "; did you mean `X`?" for the nearest of some names, or nothing.
pub fn did_you_mean<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let nearest = names
        .map(|name| (strsim::jaro_winkler(word, name), name))
        .filter(|(likeness, _)| 0.8 < *likeness)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    nearest.map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"))
}

/// A format of the registry, by name.
pub fn log_format(name: &str) -> Result<LogFormat, String> {
    registry::by_name(name).map(LogFormat).ok_or_else(|| {
        let hint = did_you_mean(name, FORMATS.iter().map(|format| format.name));
        format!("no such log format{hint} (see `relayaudit formats`)")
    })
}

/// What to print, or a format of the registry.
pub fn format(name: &str) -> Result<Choice, String> {
    if let Ok(output) = Output::from_str(name, true) {
        return Ok(Choice::Output(output));
    }
    registry::by_name(name).map(|format| Choice::Log(LogFormat(format))).ok_or_else(|| {
        let names = ["text", "json", "csv", "markdown"].into_iter().chain(FORMATS.iter().map(|format| format.name));
        format!("expected text, json, csv or markdown{}", did_you_mean(name, names))
    })
}

/// A share of 1 that is an error rate: neither never nor as good as a guess.
pub fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().map_err(|error| error.to_string())?;
    if (0.000_001..0.5).contains(&share) { Ok(share) } else { Err("expected a share from 0.000001 to 0.5".to_owned()) }
}

/// An address of a name server, with port 53 if it names none: `192.0.2.53`, `[2001:db8::53]:5353`, `2001:db8::53`.
pub fn resolver(text: &str) -> Result<SocketAddr, String> {
    let with_port = text.parse::<SocketAddr>().ok();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text).parse::<IpAddr>();
    with_port.or_else(|| bare.ok().map(|address| SocketAddr::new(address, crate::spf::PORT))).ok_or_else(|| {
        "expected an address, with or without a port: 192.0.2.53, 192.0.2.53:5353, [2001:db8::53]:53".to_owned()
    })
}

/// A number of false alarms that somebody may want to live with.
pub fn alarms(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().map_err(|error| error.to_string())?;
    if (0.001..=1_000.0).contains(&number) {
        Ok(number)
    } else {
        Err("expected a number from 0.001 to 1000".to_owned())
    }
}

/// A time zone of the IANA database.
pub fn zone(name: &str) -> Result<Zone, String> {
    name.parse().map(Zone::Named).map_err(|_| {
        let hint = did_you_mean(name, chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name()));
        format!("no such time zone{hint}")
    })
}

/// Reads a time of the command line: RFC 3339, or a date with or without a time of day in `zone`.
pub fn time(text: &str, zone: Zone) -> Result<Time, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(Time(time.timestamp_micros()));
    }
    let local = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|shape| NaiveDateTime::parse_from_str(text, shape).ok())
        .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|date| date.into()));
    local
        .and_then(|stamp| crate::clock::Clock::new(zone, None, None, DateTime::UNIX_EPOCH).resolve(When::Local(stamp)))
        .ok_or_else(|| format!("`{text}` is not a time; expected 2026-11-24, 2026-11-24T08:00 or RFC 3339"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_command_line() {
        let berlin = Zone::Named(chrono_tz::Europe::Berlin);
        let check = |text: &str, want: Result<&str, &str>| {
            let got = time(text, berlin).map(Time::rfc3339);
            match want {
                Ok(want) => assert_eq!(got.as_deref(), Ok(want), "{text}"),
                Err(part) => assert!(got.is_err_and(|error| error.contains(part)), "{text}"),
            }
        };
        check("2026-11-24", Ok("2026-11-23T23:00:00Z"));
        check("2026-07-01T08:00", Ok("2026-07-01T06:00:00Z"));
        check("2026-11-24T08:00:00Z", Ok("2026-11-24T08:00:00Z"));
        check("yesterday", Err("`yesterday` is not a time"));
    }

    #[test]
    fn names_that_are_nearly_right() {
        assert_eq!(did_you_mean("postfx", ["postfix", "exim"].into_iter()), "; did you mean `postfix`?");
        assert_eq!(did_you_mean("zzz", ["postfix", "exim"].into_iter()), "");
    }
}
