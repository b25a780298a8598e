//! The words by which saved ledgers name what the parsers' crate defines.

use relayaudit_parsers::address::Form;
use relayaudit_parsers::blocklist::About;
use relayaudit_parsers::record::{Logger, Refusal};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Mirrors [`Form`], which knows nothing of saving; the compiler sees to it that none is missing.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Form", rename_all = "kebab-case")]
pub enum FormWord {
    Plain,
    NoDomain,
    Percent,
    Bang,
    SourceRoute,
    Quoted,
    AtAt,
    Literal,
    Imcea,
    EmptyDomain,
    Null,
    Mixed,
}

/// Mirrors [`Refusal`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Refusal", rename_all = "kebab-case")]
enum RefusalWord {
    RelayDenied,
    UnknownUser,
    SenderNotAllowed,
    ClientBlocked,
    Greylisted,
    BadSyntax,
    Content,
    Unsaid,
    Other,
}

/// Mirrors [`Logger`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Logger", rename_all = "kebab-case")]
pub enum LoggerWord {
    RsyslogSocket,
    RsyslogJournal,
    RsyslogInput,
    Journald,
    JournaldForward,
    SyslogNg,
    Sendsyslog,
}

/// Mirrors [`About`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "About", rename_all = "kebab-case")]
pub enum AboutWord {
    Address,
    Reputation,
    Complaints,
    Volume,
    Domain,
    Content,
    Range,
    Setup,
    Policy,
}

/// Maps whose keys are no texts: a list of pairs, in the order of the keys.
pub mod pairs {
    use super::*;
    use serde::de::Error;
    use std::collections::BTreeMap;

    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    /// Fails if the keys are not in order: one might be there twice.
    pub fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Ord + Deserialize<'de>,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let pairs = Vec::<(K, V)>::deserialize(deserializer)?;
        match pairs.is_sorted_by(|a, b| a.0 < b.0) {
            true => Ok(pairs.into_iter().collect()),
            false => Err(D::Error::custom("entries that are not in order")),
        }
    }
}

/// Texts that several owners share; each is saved by itself.
pub mod shared {
    use super::*;
    use std::sync::Arc;

    pub fn serialize<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
        Ok(String::deserialize(deserializer)?.into())
    }
}

/// Bytes of a log: a text where they are one, else a list of numbers.
pub mod bytes {
    use super::*;
    use serde::de::{SeqAccess, Visitor};
    use std::fmt;

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => serializer.collect_seq(bytes),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<[u8]>, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Box<[u8]>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of bytes")
            }

            fn visit_str<E>(self, text: &str) -> Result<Box<[u8]>, E> {
                Ok(text.as_bytes().into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Box<[u8]>, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = items.next_element()? {
                    bytes.push(byte);
                }
                Ok(bytes.into())
            }
        }
        deserializer.deserialize_any(Bytes)
    }
}

/// Reasons of refusals, where there is one.
pub mod refusal {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Named(#[serde(with = "RefusalWord")] Refusal);

    pub fn serialize<S: Serializer>(refusal: &Option<Refusal>, serializer: S) -> Result<S::Ok, S::Error> {
        refusal.map(Named).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Refusal>, D::Error> {
        Ok(Option::<Named>::deserialize(deserializer)?.map(|named| named.0))
    }
}
