//! Steps to get off block lists. Pages and mailboxes are those of our own tables, never those that a reply names.

use crate::judge::words::list;

/// Steps against listings: each list with where to ask, empty where no place is known; and some receivers.
pub fn delist(lists: &[(&str, &str)], receivers: &[String]) -> Vec<String> {
    let mut steps = vec![
        "Stop the abuse and clear the queue first: whoever asks to be taken off while spam still leaves is listed again, and for \
         longer."
            .to_owned(),
    ];
    steps.extend(
        lists.iter().filter(|(_, place)| !place.is_empty()).map(|(name, place)| format!("Ask {name}: {place}")),
    );
    if lists.iter().any(|(_, place)| place.is_empty()) {
        steps.push(match receivers {
            [] => "Where the reply names no list, ask the postmaster of the receiver.".to_owned(),
            some => format!(
                "Where no page is known, ask the postmaster of the receiver ({}), with the reply and the time when you stopped it.",
                list(some)
            ),
        });
    }
    steps.push(
        "Then send little for some days: receivers remember. Check that the address has a reverse name that leads back to it, and \
         that SPF and DKIM are right."
            .to_owned(),
    );
    steps
}
