//! Provisional signatures (the real grammar replaces this file).
#![allow(missing_docs)]
use std::borrow::Cow;
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
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
impl Form {
    pub fn as_str(self) -> &'static str {
        "plain"
    }
}
pub fn domain(path: &[u8]) -> Option<&[u8]> {
    let at = path.iter().rposition(|b| *b == b'@')?;
    Some(&path[at + 1..])
}
pub fn form(_path: &[u8]) -> Form {
    Form::Plain
}
pub fn hidden_domain(_path: &[u8]) -> Option<Cow<'_, [u8]>> {
    None
}
pub fn tester(_helo: &[u8], _reverse_path: &[u8], _forward_path: &[u8]) -> Option<&'static str> {
    None
}
