//! A name server in a thread, for tests: answers from a table, by datagram and by stream, on a port of 127.0.0.1 of its own.

#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};

/// How a name behaves that is not simply in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// SERVFAIL.
    Fails,
    /// No reply at all.
    Silent,
    /// By datagram a reply that is cut off.
    Long,
    /// FORMERR to questions with EDNS.
    Old,
    /// First a reply with another id, that says something else.
    Forged,
}

/// The table: TXT (16) and A (1) records by name.
#[derive(Debug, Clone, Default)]
pub struct Table {
    records: BTreeMap<(String, u16), Vec<Vec<u8>>>,
    moods: BTreeMap<String, Mood>,
}

impl Table {
    pub fn text(mut self, name: &str, text: &str) -> Table {
        let strings = text.as_bytes().chunks(255).flat_map(|part| [&[part.len() as u8], part].concat());
        self.records.entry((name.to_owned(), 16)).or_default().push(strings.collect());
        self
    }

    pub fn address(mut self, name: &str, address: [u8; 4]) -> Table {
        self.records.entry((name.to_owned(), 1)).or_default().push(address.to_vec());
        self
    }

    pub fn mood(mut self, name: &str, mood: Mood) -> Table {
        self.moods.insert(name.to_owned(), mood);
        self
    }
}

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    /// The names that it was asked for, with the kind of record.
    pub asked: Arc<Mutex<Vec<(String, u16)>>>,
}

impl Server {
    pub fn start(table: Table) -> Server {
        // A port that both protocols have free.
        let (datagrams, streams) = std::iter::repeat_with(|| {
            let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
            let streams = TcpListener::bind(datagrams.local_addr().unwrap());
            streams.ok().map(|streams| (datagrams, streams))
        })
        .flatten()
        .next()
        .unwrap();
        let server = Server { address: datagrams.local_addr().unwrap(), asked: Arc::default() };
        let (asked, of_datagrams) = (Arc::clone(&server.asked), table.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 1_500];
            while let Ok((size, peer)) = datagrams.recv_from(&mut buffer) {
                for reply in replies(&buffer[..size], &of_datagrams, false, &asked) {
                    datagrams.send_to(&reply, peer).unwrap();
                }
            }
        });
        let asked = Arc::clone(&server.asked);
        std::thread::spawn(move || {
            for stream in streams.incoming() {
                let mut stream = stream.unwrap();
                let mut size = [0; 2];
                stream.read_exact(&mut size).unwrap();
                let mut question = vec![0; u16::from_be_bytes(size).into()];
                stream.read_exact(&mut question).unwrap();
                for reply in replies(&question, &table, true, &asked) {
                    stream.write_all(&[&(reply.len() as u16).to_be_bytes()[..], &reply].concat()).unwrap();
                }
            }
        });
        server
    }

    pub fn questions(&self) -> Vec<(String, u16)> {
        self.asked.lock().unwrap().clone()
    }
}

fn replies(question: &[u8], table: &Table, stream: bool, asked: &Mutex<Vec<(String, u16)>>) -> Vec<Vec<u8>> {
    let (name, end) = name(question);
    let kind = u16::from_be_bytes([question[end], question[end + 1]]);
    asked.lock().unwrap().push((name.clone(), kind));
    let found = table.records.get(&(name.clone(), kind)).cloned().unwrap_or_default();
    let exists = table.records.keys().any(|(known, _)| *known == name);
    let extended = question[11] == 1;
    let make = |flags: [u8; 2], records: &[Vec<u8>]| reply(&question[..end + 4], flags, kind, records);
    let plain = make([0x81, if exists { 0x80 } else { 0x83 }], &found);
    match table.moods.get(&name) {
        Some(Mood::Fails) => vec![make([0x81, 0x82], &[])],
        Some(Mood::Silent) => Vec::new(),
        Some(Mood::Long) if !stream => vec![make([0x83, 0x80], &[])],
        Some(Mood::Old) if extended => vec![make([0x81, 0x81], &[])],
        Some(Mood::Forged) => {
            let mut forged = make([0x81, 0x80], &[b"\x0bv=spf1 +all".to_vec()]);
            forged[0] ^= 0xff;
            vec![forged, plain]
        }
        _ => vec![plain],
    }
}

fn name(question: &[u8]) -> (String, usize) {
    let (mut at, mut labels) = (12, Vec::new());
    while question[at] != 0 {
        let size = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..=at + size]).into_owned());
        at += size + 1;
    }
    (labels.join("."), at + 1)
}

fn reply(head: &[u8], flags: [u8; 2], kind: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let mut out = head.to_vec();
    (out[2], out[3]) = (flags[0], flags[1]);
    (out[7], out[11]) = (records.len() as u8, 0);
    for record in records {
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 60]);
        out.extend((record.len() as u16).to_be_bytes());
        out.extend(record);
    }
    out
}
