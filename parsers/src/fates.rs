//! Recipients of one line, each with what became of it.

use crate::paths::Paths;
use crate::record::{NextHop, Peer, Status};

/// What became of one recipient; `None` where the line does not say.
pub type Fate<'a> = Option<(Status, NextHop<'a>)>;

/// The recipients of a line that tells all of a message: one, or a list in which each has its own outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fates<'a> {
    paths: Paths<'a>,
    /// What became of the one; `None` for a list, whose items say it themselves.
    one: Option<Fate<'a>>,
}

impl<'a> Fates<'a> {
    /// One recipient, without angle brackets.
    pub fn one(path: &'a [u8], fate: Fate<'a>) -> Self {
        Fates { paths: Paths::from(path), one: Some(fate) }
    }

    /// A list `a@example.org##Receive, Deliver;b@example.net##Receive, Send` (`recipient_status` of Exchange Online's
    /// enhanced summary, a field of comma-separated values). A `;` in quotes, which are doubled, is part of an address,
    /// and the last `##` ends it.
    pub fn list(text: &'a [u8]) -> Self {
        Fates { paths: Paths::doubled_list(text, b';'), one: None }
    }

    /// Each recipient and its fate.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], Fate<'a>)> {
        self.paths.iter().map(move |item| match self.one {
            Some(fate) => (item, fate),
            None => match memchr::memmem::rfind(item, b"##") {
                Some(end) => (&item[..end], words(&item[end + 2..])),
                None => (item, None),
            },
        })
    }
}

/// What a list of events (`Receive, Deliver`) amounts to: the last one that is an end, or a delay.
fn words<'a>(words: &[u8]) -> Fate<'a> {
    let outside = NextHop::Host { peer: Peer::default(), port: 0 };
    words.rsplit(|byte| *byte == b',').find_map(|word| match word.trim_ascii() {
        b"Deliver" => Some((Status::Sent, NextHop::Local)),
        b"Send" => Some((Status::Sent, outside)),
        b"Fail" | b"Quarantine" | b"FilteredAsSpam" | b"Drop" => Some((Status::Bounced, NextHop::None)),
        b"Defer" => Some((Status::Deferred, NextHop::None)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_recipient_has_its_own_fate() {
        let text = b"a@x##Receive, Deliver;\"\"b;##Fail\"\"@y##Receive, Send;c@z##Receive;d@z##Receive, Fail;e@z";
        let got: Vec<_> = Fates::list(text).iter().map(|(path, fate)| (path, fate.map(|fate| fate.0))).collect();
        let want: [(&[u8], _); 5] = [
            (b"a@x", Some(Status::Sent)),
            (b"\"\"b;##Fail\"\"@y", Some(Status::Sent)),
            (b"c@z", None),
            (b"d@z", Some(Status::Bounced)),
            (b"e@z", None),
        ];
        assert_eq!(got, want);
    }
}
