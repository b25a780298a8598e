//! What a verdict says of clients that the server's own list lets relay.

use super::Scope;
use crate::judge::finding::Rule;
use crate::judge::hints::largest;
use crate::judge::open_relay::vouched;
use crate::judge::words::count;
use crate::ledger::Text;
use relayaudit_parsers::settings::RelayList;
use std::collections::BTreeMap;

/// Those that nothing speaks against.
pub fn unaccused(scope: &Scope<'_>) -> Option<String> {
    let accused = |client: &Text| scope.of(Rule::OpenRelay).any(|finding| finding.subject.value == *client);
    let book: BTreeMap<Text, u64> =
        scope.picture.listed.iter().filter(|(client, _)| !accused(client)).map(|(client, n)| (*client, *n)).collect();
    let lists: Vec<RelayList> = vouched::lists(scope.ledger)
        .into_iter()
        .filter(|(server, _)| scope.holds(server))
        .map(|(_, list)| list)
        .collect();
    let first = lists.first().filter(|_| !book.is_empty())?;
    let name = if lists.iter().all(|list| list == first) { first.name } else { "each in its own way" };
    let by = match lists.iter().any(|list| list.or_logged_in) {
        true => "or by a log-in, which this log does not tell apart",
        false => "not by a password",
    };
    Some(format!(
        "{} outside your networks {} allowed to relay by the server's own list, {name}, {by}: {}. They are counted with those who \
         logged in; look whether all of them belong on the list.",
        count(book.len() as u64, "client", "clients"),
        if book.len() == 1 { "was" } else { "were" },
        largest(&book)
    ))
}
