//! The resolver: asks name servers, one question at a time. The one place in the program that uses the network.
//!
//! It asks a server that follows delegations itself (RFC 1035 section 7, a stub): by datagram, and by stream if the reply is too long.

use super::check::{Trouble, Zones};
use super::wire::{Data, Kind, Reply, question, reply};
use foldhash::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// How long a server has to reply.
const PATIENCE: Duration = Duration::from_secs(2);
/// Servers that are asked, as in resolv.conf(5).
const SERVERS: usize = 3;

/// A stub resolver that remembers what it was told.
#[derive(Debug)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
    /// When it stops to ask.
    until: Instant,
    known: HashMap<(String, Kind), Result<Vec<Data>, Trouble>>,
    /// Makes ids that nobody can guess.
    ids: RandomState,
    asked: u64,
}

impl Resolver {
    /// One that asks these servers, and stops after so long.
    pub fn new(servers: Vec<SocketAddr>, time: Duration) -> Resolver {
        let until = Instant::now() + time;
        Resolver { servers, until, known: HashMap::default(), ids: RandomState::new(), asked: 0 }
    }

    /// Whether its time is up.
    pub fn is_over(&self) -> bool {
        self.until <= Instant::now()
    }

    fn get(&mut self, name: &str, kind: Kind) -> Result<Vec<Data>, Trouble> {
        let key = (name.trim_end_matches('.').to_ascii_lowercase(), kind);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let found = self.ask(&key.0, kind);
        self.known.insert(key, found.clone());
        found
    }

    /// Asks the servers in turn until one tells.
    fn ask(&mut self, name: &str, kind: Kind) -> Result<Vec<Data>, Trouble> {
        let mut trouble = "there is no name server to ask".to_owned();
        let servers: Vec<SocketAddr> = self.servers.iter().take(SERVERS).copied().collect();
        // The second round is plain, for servers that are too old for extensions.
        let rounds =
            [true, false].into_iter().flat_map(|extended| servers.iter().map(move |server| (extended, server)));
        for (extended, server) in rounds {
            if self.is_over() {
                return Err("the time for questions was up".to_owned());
            }
            let Some(asked) = question(self.id(), name, kind, extended) else { return Ok(Vec::new()) };
            let told = match by_datagram(*server, &asked, kind) {
                Ok(Reply::Cut) => by_stream(*server, &asked, kind),
                told => told,
            };
            match told {
                Ok(Reply::Found(found)) => return Ok(found),
                Ok(Reply::Refused(code)) => trouble = format!("{server} answered {}", refusal(code)),
                Ok(Reply::Cut) => trouble = format!("{server} cut its reply off"),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    trouble = format!("{server} did not answer");
                }
                Err(error) => trouble = format!("{server}: {error}"),
            }
        }
        Err(trouble)
    }

    fn id(&mut self) -> u16 {
        self.asked += 1;
        (self.ids.hash_one(self.asked) & 0xffff) as u16
    }
}

/// A code of refusal in words (RFC 1035 section 4.1.1).
fn refusal(code: u8) -> String {
    match code {
        1 => "that it cannot read the question".to_owned(),
        2 => "that it failed (SERVFAIL)".to_owned(),
        5 => "that it will not (REFUSED)".to_owned(),
        _ => format!("with code {code}"),
    }
}

fn by_datagram(server: SocketAddr, asked: &[u8], kind: Kind) -> io::Result<Reply> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    // Only what comes from this server is taken.
    socket.connect(server)?;
    socket.send(asked)?;
    let until = Instant::now() + PATIENCE;
    let mut buffer = [0; 4_096];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        let size = socket.recv(&mut buffer)?;
        // What is no reply to this question is left: it may be a late one, or forged.
        if let Some(told) = buffer.get(..size).and_then(|bytes| reply(asked, bytes, kind)) {
            return Ok(told);
        }
    }
}

/// By stream, each message has its length in front (RFC 1035 section 4.2.2).
fn by_stream(server: SocketAddr, asked: &[u8], kind: Kind) -> io::Result<Reply> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let size = u16::try_from(asked.len()).map_err(io::Error::other)?;
    stream.write_all(&[&size.to_be_bytes(), asked].concat())?;
    let mut size = [0; 2];
    stream.read_exact(&mut size)?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(size))];
    stream.read_exact(&mut bytes)?;
    reply(asked, &bytes, kind).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the reply cannot be read"))
}

impl Zones for Resolver {
    fn texts(&mut self, name: &str) -> Result<Vec<Vec<u8>>, Trouble> {
        let texts = self.get(name, Kind::Txt)?.into_iter();
        Ok(texts.filter_map(|data| if let Data::Text(text) = data { Some(text) } else { None }).collect())
    }

    fn addresses(&mut self, name: &str, like: IpAddr) -> Result<Vec<IpAddr>, Trouble> {
        let found = self.get(name, if like.is_ipv4() { Kind::A } else { Kind::Aaaa })?.into_iter();
        Ok(found.filter_map(|data| if let Data::Address(address) = data { Some(address) } else { None }).collect())
    }

    fn exchanges(&mut self, name: &str) -> Result<Vec<String>, Trouble> {
        Ok(named(self.get(name, Kind::Mx)?))
    }

    fn names(&mut self, address: IpAddr) -> Result<Vec<String>, Trouble> {
        Ok(named(self.get(&backwards(address), Kind::Ptr)?))
    }
}

fn named(found: Vec<Data>) -> Vec<String> {
    found.into_iter().filter_map(|data| if let Data::Name(name) = data { Some(name) } else { None }).collect()
}

/// The name under which the names of an address stand (RFC 1035 section 3.5, RFC 3596 section 2.5).
fn backwards(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let digits = format!("{:032x}", u128::from(v6));
            digits.chars().rev().map(|digit| format!("{digit}.")).collect::<String>() + "ip6.arpa"
        }
    }
}
