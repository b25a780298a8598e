//! The words by which saved ledgers name what the parsers' crate defines.

use relayaudit_parsers::address::Form;
use relayaudit_parsers::record::Refusal;
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
