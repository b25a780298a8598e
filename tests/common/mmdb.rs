//! A writer of databases in MaxMind's format, version 2.0 (<https://maxmind.github.io/MaxMind-DB/>), for tests: a tree of 24-bit records
//! over IPv6, in which IPv4 lies below `::/96`, and behind it the data, each record by itself.

#![allow(dead_code, clippy::unwrap_used)]

use std::net::{IpAddr, Ipv6Addr};

/// A value of the format, of the types that tests need.
pub enum Value {
    Text(String),
    Short(u16),
    Number(u32),
    Long(u64),
    Map(Vec<(&'static str, Value)>),
    Array(Vec<Value>),
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn map<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
    Value::Map(entries.into_iter().collect())
}

impl Value {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Value::Text(text) => {
                control(2, text.len(), out);
                out.extend(text.bytes());
            }
            Value::Short(number) => {
                control(5, 2, out);
                out.extend(number.to_be_bytes());
            }
            Value::Number(number) => {
                control(6, 4, out);
                out.extend(number.to_be_bytes());
            }
            Value::Long(number) => {
                control(9, 8, out);
                out.extend(number.to_be_bytes());
            }
            Value::Map(entries) => {
                control(7, entries.len(), out);
                for (key, value) in entries {
                    text(key).write(out);
                    value.write(out);
                }
            }
            Value::Array(values) => {
                control(11, values.len(), out);
                values.iter().for_each(|value| value.write(out));
            }
        }
    }
}

/// The control byte: type and size; types from 8 on and sizes from 29 on take bytes of their own.
fn control(kind: u8, size: usize, out: &mut Vec<u8>) {
    let (short, more) = match size {
        ..29 => (size as u8, Vec::new()),
        29..285 => (29, vec![(size - 29) as u8]),
        _ => (30, ((size - 285) as u16).to_be_bytes().to_vec()),
    };
    match kind {
        ..8 => out.push(kind << 5 | short),
        _ => out.extend([short, kind - 7]),
    }
    out.extend(more);
}

/// Where a branch of the tree leads.
#[derive(Clone, Copy)]
enum Record {
    Nothing,
    Node(usize),
    /// An offset in the data.
    Data(usize),
}

/// A database of a kind, with a record for each network (`203.0.113.0/24`). None may hold another.
pub fn database(kind: &str, networks: &[(&str, Value)]) -> Vec<u8> {
    let mut tree = vec![[Record::Nothing; 2]];
    let mut data = Vec::new();
    for (network, value) in networks {
        let offset = data.len();
        value.write(&mut data);
        insert(&mut tree, network, offset);
    }
    let mut out = Vec::new();
    for record in tree.iter().flatten() {
        let number = match record {
            Record::Nothing => tree.len(),
            Record::Node(node) => *node,
            Record::Data(offset) => tree.len() + 16 + offset,
        };
        out.extend(&(number as u32).to_be_bytes()[1..]);
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    metadata(kind, tree.len()).write(&mut out);
    out
}

fn insert(tree: &mut Vec<[Record; 2]>, network: &str, offset: usize) {
    let (address, prefix) = network.split_once('/').unwrap();
    let prefix: usize = prefix.parse().unwrap();
    let (address, prefix) = match address.parse().unwrap() {
        IpAddr::V4(v4) => (Ipv6Addr::from(u128::from(u32::from(v4))), prefix + 96),
        IpAddr::V6(v6) => (v6, prefix),
    };
    let mut node = 0;
    for depth in 0..prefix {
        let side = (u128::from(address) >> (127 - depth) & 1) as usize;
        if depth + 1 == prefix {
            tree[node][side] = Record::Data(offset);
            return;
        }
        node = match tree[node][side] {
            Record::Node(next) => next,
            Record::Data(_) => panic!("{network} lies in another"),
            Record::Nothing => {
                tree.push([Record::Nothing; 2]);
                tree[node][side] = Record::Node(tree.len() - 1);
                tree.len() - 1
            }
        };
    }
}

fn metadata(kind: &str, nodes: usize) -> Value {
    map([
        ("binary_format_major_version", Value::Short(2)),
        ("binary_format_minor_version", Value::Short(0)),
        // 2026-11-24 00:00 UTC.
        ("build_epoch", Value::Long(1_795_478_400)),
        ("database_type", text(kind)),
        ("description", map([("en", text("made by a test"))])),
        ("ip_version", Value::Short(6)),
        ("languages", Value::Array(vec![text("en")])),
        ("node_count", Value::Number(nodes as u32)),
        ("record_size", Value::Short(24)),
    ])
}
