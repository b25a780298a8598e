//! The wire format of DNS (RFC 1035 section 4), as far as SPF needs it: one question out, the answers to it in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kinds of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An address of IPv4.
    A = 1,
    /// A name for an address.
    Ptr = 12,
    /// A host that takes mail.
    Mx = 15,
    /// Text.
    Txt = 16,
    /// An address of IPv6.
    Aaaa = 28,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// An address.
    Address(IpAddr),
    /// A name.
    Name(String),
    /// The strings of a TXT record, joined.
    Text(Vec<u8>),
}

/// A reply of a server to our question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// What it found: nothing, if the name or such records do not exist.
    Found(Vec<Data>),
    /// It was too long for a datagram.
    Cut,
    /// The server could not or would not answer: its code (RFC 1035 section 4.1.1).
    Refused(u8),
}

/// Bytes of the head of a message.
const HEAD: usize = 12;
/// Bytes of a datagram that we can take: what passes without fragments.
const DATAGRAM: u16 = 1_232;
/// Pointers that one name may follow.
const JUMPS: usize = 32;

/// A question, with recursion desired; if `extended`, with EDNS (RFC 6891), which lets replies be longer and some old servers refuse.
/// `None` if the name has no such form.
pub fn question(id: u16, name: &str, kind: Kind, extended: bool) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(64);
    out.extend(id.to_be_bytes());
    out.extend([0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, u8::from(extended)]);
    for label in name.strip_suffix('.').unwrap_or(name).split('.') {
        let size = u8::try_from(label.len()).ok().filter(|size| (1..=63).contains(size))?;
        out.push(size);
        out.extend(label.bytes());
    }
    out.push(0);
    if HEAD + 255 < out.len() {
        return None;
    }
    out.extend((kind as u16).to_be_bytes());
    out.extend([0, 1]);
    if extended {
        // The root, OPT, the size of datagrams, no flags, no options.
        out.extend([0, 0, 41]);
        out.extend(DATAGRAM.to_be_bytes());
        out.extend([0; 6]);
    }
    Some(out)
}

/// Reads a reply. `None` if it is none to this question, or breaks the format.
pub fn reply(asked: &[u8], bytes: &[u8], kind: Kind) -> Option<Reply> {
    let head = bytes.get(..HEAD)?;
    let is_ours = head[..2] == asked[..2] && head[2] & 0xf8 == 0x80 && number(bytes, 4)? == 1;
    if !is_ours {
        return None;
    }
    // The question must come back as it was, but for case.
    let end = name(asked, HEAD)?.1 + 4;
    if !bytes.get(HEAD..end)?.eq_ignore_ascii_case(asked.get(HEAD..end)?) {
        return None;
    }
    match (head[2] & 0x02 != 0, head[3] & 0x0f) {
        (true, _) => Some(Reply::Cut),
        (_, 0) => Some(Reply::Found(records(bytes, end, kind)?)),
        // No such name.
        (_, 3) => Some(Reply::Found(Vec::new())),
        (_, code) => Some(Reply::Refused(code)),
    }
}

/// The answers of a kind. Those of other kinds are aliases on the way, which the server has followed.
fn records(bytes: &[u8], mut at: usize, kind: Kind) -> Option<Vec<Data>> {
    let mut found = Vec::new();
    for _ in 0..number(bytes, 6)? {
        at = name(bytes, at)?.1;
        let (of, class, size) = (number(bytes, at)?, number(bytes, at + 2)?, usize::from(number(bytes, at + 8)?));
        at += 10;
        let end = at + size;
        let data = bytes.get(at..end)?;
        if (of, class) == (kind as u16, 1) {
            found.push(match kind {
                Kind::A => Data::Address(IpAddr::from(<[u8; 4]>::try_from(data).map(Ipv4Addr::from).ok()?)),
                Kind::Aaaa => Data::Address(IpAddr::from(<[u8; 16]>::try_from(data).map(Ipv6Addr::from).ok()?)),
                Kind::Ptr => Data::Name(name(bytes, at)?.0),
                Kind::Mx => Data::Name(name(bytes, at + 2)?.0),
                Kind::Txt => Data::Text(strings(data)?),
            });
        }
        at = end;
    }
    Some(found)
}

/// The strings of a TXT record, joined (RFC 7208 section 3.3).
fn strings(mut data: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    while let [size, rest @ ..] = data {
        let (string, after) = rest.split_at_checked(usize::from(*size))?;
        text.extend(string);
        data = after;
    }
    Some(text)
}

/// A name, and where the message goes on behind it. Bytes that are no part of host names become `?`.
fn name(bytes: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut at, mut after, mut jumps) = (start, None, 0);
    let mut labels = Vec::new();
    loop {
        let size = *bytes.get(at)?;
        match size {
            0 => break,
            1..=63 => {
                let label = bytes.get(at + 1..at + 1 + usize::from(size))?;
                let shown = |byte: &u8| if byte.is_ascii_graphic() && *byte != b'.' { char::from(*byte) } else { '?' };
                labels.push(label.iter().map(shown).collect::<String>());
                at += 1 + usize::from(size);
            }
            0xc0.. => {
                after = after.or(Some(at + 2));
                at = usize::from(number(bytes, at)? & 0x3fff);
                jumps += 1;
            }
            _ => return None,
        }
        if JUMPS < jumps || 127 < labels.len() {
            return None;
        }
    }
    Some((labels.join("."), after.unwrap_or(at + 1)))
}

/// A number of 16 bits.
fn number(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(pair.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A reply to the question for `example.org`: its flags and code, and records as (type, data).
    fn message(flags: [u8; 2], kind: Kind, records: &[(u16, &[u8])]) -> (Vec<u8>, Vec<u8>) {
        let asked = question(7, "example.org", kind, true).unwrap();
        let mut out = asked[..asked.len() - 11].to_vec();
        (out[2], out[3]) = (flags[0], flags[1]);
        (out[7], out[11]) = (records.len() as u8, 0);
        for (of, data) in records {
            out.extend([0xc0, 12]);
            out.extend(of.to_be_bytes());
            out.extend([0, 1, 0, 0, 0, 60]);
            out.extend((data.len() as u16).to_be_bytes());
            out.extend(*data);
        }
        (asked, out)
    }

    #[test]
    fn replies() {
        let check = |flags, kind, records: &[(u16, &[u8])], want: Option<Reply>| {
            let (asked, message) = message(flags, kind, records);
            assert_eq!(reply(&asked, &message, kind), want, "{records:?}");
            // Cut off anywhere, or with any byte changed, it is refused or something else, and nothing panics.
            for at in 0..message.len() {
                let _ = reply(&asked, &message[..at], kind);
                let _ = reply(&asked, &[&message[..at], &[!message[at]], &message[at + 1..]].concat(), kind);
            }
        };
        let found = |data: &[Data]| Some(Reply::Found(data.to_vec()));
        const OK: [u8; 2] = [0x81, 0x80];
        check(OK, Kind::A, &[(1, &[192, 0, 2, 1])], found(&[Data::Address("192.0.2.1".parse().unwrap())]));
        // An alias on the way.
        check(
            OK,
            Kind::A,
            &[(5, &[0xc0, 12]), (1, &[192, 0, 2, 1])],
            found(&[Data::Address("192.0.2.1".parse().unwrap())]),
        );
        check(OK, Kind::Txt, &[(16, b"\x03v=s\x03pf1")], found(&[Data::Text(b"v=spf1".to_vec())]));
        check(OK, Kind::Txt, &[(16, b"\x09v=s")], None);
        check(OK, Kind::Mx, &[(15, b"\0\x0a\x02mx\xc0\x0c")], found(&[Data::Name("mx.example.org".to_owned())]));
        check(OK, Kind::Ptr, &[(12, b"\x03a.b\0")], found(&[Data::Name("a?b".to_owned())]));
        check(OK, Kind::A, &[(1, &[192, 0, 2])], None);
        check([0x81, 0x83], Kind::A, &[], found(&[]));
        check([0x83, 0x80], Kind::A, &[], Some(Reply::Cut));
        check([0x81, 0x82], Kind::A, &[], Some(Reply::Refused(2)));
        // A question is no reply.
        check([0x01, 0x00], Kind::A, &[], None);
        // A name that points at itself.
        check(OK, Kind::Ptr, &[(12, &[0xc0, 41])], None);
    }

    #[test]
    fn replies_to_others_are_not_ours() {
        let (asked, message) = message([0x81, 0x80], Kind::A, &[]);
        let other = |id, name| question(id, name, Kind::A, true).unwrap();
        assert!(reply(&asked, &message, Kind::A).is_some());
        assert!(reply(&other(7, "EXAMPLE.org"), &message, Kind::A).is_some());
        assert_eq!(reply(&other(8, "example.org"), &message, Kind::A), None);
        assert_eq!(reply(&other(7, "example.net"), &message, Kind::A), None);
        assert_eq!(reply(&question(7, "example.org", Kind::Txt, true).unwrap(), &message, Kind::Txt), None);
    }

    #[test]
    fn names_that_cannot_be_asked_for() {
        for name in ["", "a..b", &"a".repeat(64), &"a.".repeat(150)] {
            assert_eq!(question(1, name, Kind::A, true), None, "{name}");
        }
        assert!(question(1, "example.org.", Kind::A, false).is_some());
    }
}
