//! The function check_host() of RFC 7208 section 4.
//!
//! Logs do not hold whole mailboxes and EHLO names for every pair, so a record that asks for them (`%{l}`, `%{s}`, `%{h}`) is not
//! followed: the result is neutral, and says why. The validated name (`%{p}`) is `unknown`, as section 7.3 allows.

use super::answers::{Answer, Outcome, Question};
use super::record::{Mechanism, Piece, Prefixes, Record, Spec, is_spf, record};
use std::net::IpAddr;

/// Terms that ask DNS, of one question (section 4.6.4).
const LOOKUPS: u32 = 10;
/// Of these, such as find nothing.
const VOIDS: u32 = 2;
/// Names that one `mx` or `ptr` may lead to.
const NAMES: usize = 10;
/// Longest domain, in bytes.
const LONGEST: usize = 253;

/// What kept DNS from answering, in words.
pub type Trouble = String;

/// DNS, as far as SPF asks it. Nothing found is an empty answer.
pub trait Zones {
    /// The TXT records of a name, each with its strings joined.
    fn texts(&mut self, name: &str) -> Result<Vec<Vec<u8>>, Trouble>;
    /// The addresses of a name, of the family of `like`.
    fn addresses(&mut self, name: &str, like: IpAddr) -> Result<Vec<IpAddr>, Trouble>;
    /// The hosts that take mail for a name.
    fn exchanges(&mut self, name: &str) -> Result<Vec<String>, Trouble>;
    /// The names of an address.
    fn names(&mut self, address: IpAddr) -> Result<Vec<String>, Trouble>;
}

/// Answers a question.
pub fn check(question: &Question, zones: &mut dyn Zones) -> Answer {
    let client = question.client.to_canonical();
    let mut check = Check { zones, client, origin: &question.domain, lookups: 0, voids: 0 };
    match check.host(&question.domain) {
        Ok(answer) => answer,
        Err(Stop::Temporary(why)) => Answer { outcome: Outcome::TempError, why },
        Err(Stop::Permanent(why)) => Answer { outcome: Outcome::PermError, why },
        Err(Stop::Untold) => {
            Answer { outcome: Outcome::Neutral, why: "the record asks for more than logs hold".to_owned() }
        }
    }
}

/// What ends a check without a match.
enum Stop {
    Temporary(String),
    Permanent(String),
    Untold,
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Stop {
        Stop::Temporary(trouble)
    }
}

struct Check<'a> {
    zones: &'a mut dyn Zones,
    client: IpAddr,
    /// The domain of the reverse-path.
    origin: &'a str,
    lookups: u32,
    voids: u32,
}

impl Check<'_> {
    /// check_host() for a domain: that of the reverse-path, or one that its record leads to.
    fn host(&mut self, domain: &str) -> Result<Answer, Stop> {
        let Some(record) = self.record(domain)? else {
            return Ok(Answer { outcome: Outcome::None, why: String::new() });
        };
        for directive in &record.directives {
            if self.matches(&directive.mechanism, domain)? {
                return Ok(Answer { outcome: directive.outcome, why: directive.text.clone() });
            }
        }
        let Some(redirect) = &record.redirect else {
            return Ok(Answer { outcome: Outcome::Neutral, why: "no term of the record matches".to_owned() });
        };
        self.count()?;
        let target = self.target(redirect, domain)?;
        let answer = self.host(&target)?;
        match answer.outcome {
            Outcome::None => Err(Stop::Permanent(format!("redirect={target} leads to no record"))),
            _ => Ok(answer),
        }
    }

    /// The one record of a domain, if it has one (section 4.4, 4.5).
    fn record(&mut self, domain: &str) -> Result<Option<Record>, Stop> {
        if !is_domain(domain) {
            return Ok(None);
        }
        let texts = self.zones.texts(domain)?;
        let mut records = texts.iter().filter(|text| is_spf(text));
        match (records.next(), records.next()) {
            (None, _) => Ok(None),
            (Some(only), None) => record(only)
                .map(Some)
                .map_err(|term| Stop::Permanent(format!("the record of {domain} is wrong at {term}"))),
            (Some(_), Some(_)) => Err(Stop::Permanent(format!("{domain} has several records"))),
        }
    }

    fn matches(&mut self, mechanism: &Mechanism, domain: &str) -> Result<bool, Stop> {
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Net(net) => Ok(net.contains(&self.client)),
            Mechanism::Include(spec) => self.includes(spec, domain),
            Mechanism::A(spec, prefixes) => {
                self.count()?;
                let target = self.target_or(spec.as_ref(), domain)?;
                self.has_address(&target, *prefixes)
            }
            Mechanism::Mx(spec, prefixes) => {
                self.count()?;
                let target = self.target_or(spec.as_ref(), domain)?;
                self.has_exchange(&target, *prefixes)
            }
            Mechanism::Ptr(spec) => {
                self.count()?;
                let target = self.target_or(spec.as_ref(), domain)?;
                self.is_named(&target)
            }
            Mechanism::Exists(spec) => {
                self.count()?;
                let target = self.target(spec, domain)?;
                // Always the address of IPv4, whatever the client has (section 5.7).
                let found = self.zones.addresses(&target, IpAddr::from([0, 0, 0, 0]))?;
                self.void(found.is_empty())?;
                Ok(!found.is_empty())
            }
        }
    }

    /// Section 5.2.
    fn includes(&mut self, spec: &Spec, domain: &str) -> Result<bool, Stop> {
        self.count()?;
        let target = self.target(spec, domain)?;
        match self.host(&target)?.outcome {
            Outcome::Pass => Ok(true),
            Outcome::None => Err(Stop::Permanent(format!("include:{target} leads to no record"))),
            _ => Ok(false),
        }
    }

    /// Section 5.3.
    fn has_address(&mut self, name: &str, prefixes: Prefixes) -> Result<bool, Stop> {
        let found = self.zones.addresses(name, self.client)?;
        self.void(found.is_empty())?;
        Ok(found.into_iter().any(|address| prefixes.agree(address, self.client)))
    }

    /// Section 5.4.
    fn has_exchange(&mut self, name: &str, prefixes: Prefixes) -> Result<bool, Stop> {
        let exchanges = self.zones.exchanges(name)?;
        self.void(exchanges.is_empty())?;
        if NAMES < exchanges.len() {
            return Err(Stop::Permanent(format!("mx:{name} leads to more than {NAMES} hosts")));
        }
        for exchange in exchanges {
            let found = self.zones.addresses(&exchange, self.client)?;
            if found.into_iter().any(|address| prefixes.agree(address, self.client)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Section 5.5: no trouble of DNS counts here.
    fn is_named(&mut self, domain: &str) -> Result<bool, Stop> {
        let names = self.zones.names(self.client).unwrap_or_default();
        self.void(names.is_empty())?;
        let below = |name: &str| {
            let (name, domain) = (name.to_ascii_lowercase(), domain.to_ascii_lowercase());
            name == domain || name.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
        };
        for name in names.iter().take(NAMES).filter(|name| below(name)) {
            let found = self.zones.addresses(name, self.client).unwrap_or_default();
            if found.contains(&self.client) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.lookups += 1;
        match self.lookups <= LOOKUPS {
            true => Ok(()),
            false => Err(Stop::Permanent(format!("the record needs more than {LOOKUPS} look-ups"))),
        }
    }

    fn void(&mut self, empty: bool) -> Result<(), Stop> {
        self.voids += u32::from(empty);
        match self.voids <= VOIDS {
            true => Ok(()),
            false => Err(Stop::Permanent(format!("more than {VOIDS} look-ups of the record find nothing"))),
        }
    }

    fn target_or(&self, spec: Option<&Spec>, domain: &str) -> Result<String, Stop> {
        spec.map_or_else(|| Ok(domain.to_owned()), |spec| self.target(spec, domain))
    }

    /// A domain-spec with its macros written out, cut from the left if it is too long (section 7.3).
    fn target(&self, spec: &Spec, domain: &str) -> Result<String, Stop> {
        let mut target = String::new();
        for piece in &spec.0 {
            match piece {
                Piece::Text(text) => target.push_str(text),
                Piece::Macro { letter, escape, keep, reverse, delimiters } => {
                    let value = self.value(*letter, domain)?;
                    let mut parts: Vec<&str> = value.split(|c| delimiters.contains(c)).collect();
                    if *reverse {
                        parts.reverse();
                    }
                    let first = keep.map_or(0, |keep| parts.len().saturating_sub(keep));
                    let value = parts[first..].join(".");
                    target.push_str(&if *escape { escaped(&value) } else { value });
                }
            }
        }
        let mut target = target.trim_end_matches('.');
        while LONGEST < target.len() {
            target = target.split_once('.').map_or("", |(_, rest)| rest);
        }
        Ok(target.to_owned())
    }

    /// What a macro stands for (section 7.2).
    fn value(&self, letter: u8, domain: &str) -> Result<String, Stop> {
        Ok(match letter {
            b'd' => domain.to_owned(),
            b'o' => self.origin.to_owned(),
            b'i' => dotted(self.client),
            b'v' => if self.client.is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
            b'p' => "unknown".to_owned(),
            b's' | b'l' | b'h' => return Err(Stop::Untold),
            // c, r and t belong into explanations only.
            other => return Err(Stop::Permanent(format!("the macro {} stands where it must not", other as char))),
        })
    }
}

/// Whether a name can be asked for: at least two labels of 1 to 63 bytes, in ASCII (section 4.3).
fn is_domain(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let labels = name.split('.').all(|label| (1..=63).contains(&label.len()));
    labels && name.contains('.') && name.len() <= LONGEST && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// An address as the macro `i` has it: of IPv6, one hexadecimal digit a label.
fn dotted(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let digits = format!("{:032x}", u128::from(v6));
            digits.chars().map(String::from).collect::<Vec<_>>().join(".")
        }
    }
}

/// Everything but the unreserved characters of RFC 3986 as `%2b`.
fn escaped(value: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |byte: u8| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") };
    value.bytes().map(one).collect()
}

#[cfg(test)]
mod tests;
