//! Route: what a recipient was, judged against the site. This one function decides; totals,
//! timeline and detectors only add up what it says.
//!
//! A client has authority to have mail relayed when its address is trusted or it logged in. A
//! recipient is a third party when its mail is not for us. Both together decide
//! (RFC 5321 section 3.6.1, RFC 2505 section 2.1).

use crate::ledger::{Client, FlowKey, Origin, Outcome};
use crate::site::Site;
use relayaudit_parsers::address::Form;
use relayaudit_parsers::record::Refusal;

/// The verdict on a recipient. The names are part of the published contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteVerdict {
    /// For us, from outside.
    Inbound,
    /// For us, from a client with authority.
    Internal,
    /// For a third party, from a trusted address.
    OutboundNetwork,
    /// For a third party, from a client that logged in.
    OutboundAccount,
    /// Handed in on the server itself.
    LocalOrigin,
    /// Sent on for a local recipient: alias, `.forward`, list.
    Forwarded,
    /// Written by the server: a delivery status notification.
    System,
    /// For a third party, from a client without authority, and taken in.
    RelayedUnauthorised,
    /// Refused because the client may not relay.
    RelayDenied,
    /// Refused for another reason, or taken in and then given up by ourselves.
    Rejected,
    /// The logs do not tell.
    Unknown,
}

impl RouteVerdict {
    /// The word of the published contract.
    pub fn as_str(self) -> &'static str {
        match self {
            RouteVerdict::Inbound => "inbound",
            RouteVerdict::Internal => "internal",
            RouteVerdict::OutboundNetwork => "outbound-network",
            RouteVerdict::OutboundAccount => "outbound-account",
            RouteVerdict::LocalOrigin => "local-origin",
            RouteVerdict::Forwarded => "forwarded",
            RouteVerdict::System => "system",
            RouteVerdict::RelayedUnauthorised => "relayed-unauthorised",
            RouteVerdict::RelayDenied => "relay-denied",
            RouteVerdict::Rejected => "rejected",
            RouteVerdict::Unknown => "unknown",
        }
    }
}

/// Judges the recipients of a flow.
///
/// `None` for [`Origin::Outbound`] and [`Origin::PassedOn`]: a second view of recipients that other flows count.
pub fn route(key: &FlowKey, site: &Site) -> Option<RouteVerdict> {
    match key.origin {
        Origin::Outbound | Origin::PassedOn => None,
        _ if !key.outcome.was_accepted() => Some(refused(key, site)),
        Origin::Forwarded => Some(RouteVerdict::Forwarded),
        Origin::System => Some(RouteVerdict::System),
        Origin::Local => Some(RouteVerdict::LocalOrigin),
        Origin::Network | Origin::Session | Origin::Unknown => Some(accepted(key, site)),
    }
}

/// Whether a flow's client may have mail relayed: its address is trusted, it logged in, or it
/// is a user of the server.
pub fn has_authority(key: &FlowKey, site: &Site) -> bool {
    is_authenticated(key) || is_trusted(&key.client, site)
}

/// Whether a flow's client logged in, as an account that the log names or as one that the server only vouches for.
pub fn is_authenticated(key: &FlowKey) -> bool {
    key.account.is_some() || key.vouched
}

/// Whether a client is ours by what it is, log-in or not.
pub fn is_trusted(client: &Client, site: &Site) -> bool {
    match client {
        Client::Address(address) => site.trusts(*address),
        Client::Name(name) => site.is_own_name(name) || crate::site::is_localhost(name),
        Client::User(_) => true,
        Client::Unknown => false,
    }
}

/// Whether a flow asks for mail to a third party: openly, or hidden in the address.
pub fn asks_third_party(key: &FlowKey, site: &Site) -> bool {
    !site.is_local(&key.forward_domain) || key.hidden_domain.as_ref().is_some_and(|hidden| !site.is_local(hidden))
}

/// Whether the shape of the forward-path is one that disguises where the mail shall go.
pub fn is_trick(key: &FlowKey) -> bool {
    let ordinary = matches!(key.form, Form::Plain | Form::NoDomain | Form::Null | Form::Literal | Form::Quoted);
    !ordinary || key.hidden_domain.is_some()
}

/// The domain that the recipients of a flow were really meant for.
pub fn target_domain<'a>(key: &'a FlowKey, site: &Site) -> &'a str {
    let hidden = key.hidden_domain.as_ref().filter(|_| site.is_local(&key.forward_domain));
    key.final_domain.as_ref().or(hidden).unwrap_or(&key.forward_domain)
}

/// Judges recipients that the server refused, or whose message never came.
fn refused(key: &FlowKey, site: &Site) -> RouteVerdict {
    let stranger = !has_authority(key, site) && asks_third_party(key, site);
    match (key.outcome, key.refusal) {
        (Outcome::NoData, _) => RouteVerdict::Unknown,
        (Outcome::Denied, _) => RouteVerdict::RelayDenied,
        // The log gives a code and no reason: a stranger who asks for a third party is told no.
        (_, None | Some(Refusal::Unsaid)) if stranger => RouteVerdict::RelayDenied,
        // Postfix answers 501 or 553 to some of the forms that relay testers try.
        (_, Some(Refusal::BadSyntax)) if stranger && is_trick(key) => RouteVerdict::RelayDenied,
        // A blocked client is turned away before anyone asks whether it may relay; it did ask for that. Only
        // where the local domains are stated: blocked spam is often the only mail that a domain of ours gets.
        (_, Some(Refusal::ClientBlocked)) if stranger && site.states_local_domains() => RouteVerdict::RelayDenied,
        _ => RouteVerdict::Rejected,
    }
}

/// Judges recipients that the server took from the network.
fn accepted(key: &FlowKey, site: &Site) -> RouteVerdict {
    let foreign = |domain: &str| !site.is_local(domain);
    let third_party = match (foreign(&key.forward_domain), key.final_domain.as_deref()) {
        // What we rewrote to a domain of ours is ours: a virtual alias domain.
        (true, Some(last)) => foreign(last),
        (true, None) => true,
        // A trick worked if the mail went to a third party. The plain form is an alias.
        (false, last) => key.hidden_domain.as_deref().is_some_and(foreign) && last.is_some_and(foreign),
    };
    let known = key.origin.is_network() && key.client != Client::Unknown;
    // A path without domain is ours, and gets one before another server takes it. Where none shows, the log was made
    // unreadable (`[email protected]`, `xxx`), and nobody can say whose it was.
    let hidden = key.form == Form::NoDomain && key.final_domain.is_none() && key.outcome == Outcome::Relayed;
    if hidden && !has_authority(key, site) {
        return RouteVerdict::Unknown;
    }
    match (third_party, has_authority(key, site)) {
        (false, true) => RouteVerdict::Internal,
        (false, false) => RouteVerdict::Inbound,
        (true, true) if key.outcome == Outcome::Delivered => RouteVerdict::Internal,
        (true, true) if is_authenticated(key) => RouteVerdict::OutboundAccount,
        (true, true) => RouteVerdict::OutboundNetwork,
        (true, false) if !known => RouteVerdict::Unknown,
        (true, false) => unauthorised(key),
    }
}

/// Judges a third party's recipients that a known client without authority handed in.
fn unauthorised(key: &FlowKey) -> RouteVerdict {
    match key.outcome {
        // A mailbox of ours for a domain that is not ours: a domain missing from the site, or a
        // filter that looks like a mailbox. Nobody is accused of either.
        Outcome::Delivered => RouteVerdict::Unknown,
        // A 250 followed by our own notification is not relaying.
        Outcome::BouncedHere => RouteVerdict::Rejected,
        _ => RouteVerdict::RelayedUnauthorised,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::site;

    fn site() -> Site {
        let mut site = Site::default();
        site.add_local_domain("example.org", site::Origin::CommandLine);
        site.add_trusted_network("10.0.0.0/8".parse().unwrap(), site::Origin::CommandLine);
        site
    }

    fn plain(client: &str, domain: &str, outcome: Outcome) -> FlowKey {
        FlowKey {
            server: "mx1".into(),
            client: client.parse().map_or(Client::Unknown, Client::Address),
            account: None,
            vouched: false,
            origin: Origin::Network,
            reverse_domain: Some("example.com".into()),
            forward_domain: domain.into(),
            form: Form::Plain,
            hidden_domain: None,
            final_domain: None,
            outcome,
            refusal: None,
        }
    }

    fn check(key: FlowKey, expected: &str) {
        assert_eq!(route(&key, &site()).map_or("none", RouteVerdict::as_str), expected, "{key:?}");
    }

    const OUTSIDE: &str = "203.0.113.7";
    const INSIDE: &str = "10.0.0.9";

    #[test]
    fn accepted_recipients() {
        check(plain(OUTSIDE, "example.org", Outcome::Delivered), "inbound");
        check(plain(INSIDE, "example.org", Outcome::Delivered), "internal");
        check(plain(INSIDE, "example.net", Outcome::Relayed), "outbound-network");
        check(plain(OUTSIDE, "example.net", Outcome::Relayed), "relayed-unauthorised");
        check(plain(OUTSIDE, "example.net", Outcome::Deferred), "relayed-unauthorised");
        check(plain(OUTSIDE, "example.net", Outcome::Unknown), "relayed-unauthorised");
        check(plain(OUTSIDE, "example.net", Outcome::BouncedHere), "rejected");
        check(plain(OUTSIDE, "example.net", Outcome::Delivered), "unknown");
        check(plain("hidden", "example.net", Outcome::Relayed), "unknown");
        check(FlowKey { form: Form::NoDomain, ..plain(OUTSIDE, "", Outcome::Delivered) }, "inbound");
        check(FlowKey { form: Form::NoDomain, ..plain(OUTSIDE, "", Outcome::Relayed) }, "unknown");
        check(FlowKey { form: Form::NoDomain, ..plain(INSIDE, "", Outcome::Relayed) }, "internal");
        check(plain("hidden", "example.org", Outcome::Delivered), "inbound");
        let account = Some("anna".into());
        check(FlowKey { account, ..plain(OUTSIDE, "example.net", Outcome::Relayed) }, "outbound-account");
        check(FlowKey { vouched: true, ..plain(OUTSIDE, "example.net", Outcome::Relayed) }, "outbound-account");
        let client = Client::Name("relay.example.com".into());
        check(FlowKey { client, ..plain(OUTSIDE, "example.net", Outcome::Relayed) }, "relayed-unauthorised");
    }

    #[test]
    fn origins() {
        for (origin, expected) in [
            (Origin::Forwarded, "forwarded"),
            (Origin::System, "system"),
            (Origin::Local, "local-origin"),
            (Origin::Unknown, "unknown"),
            (Origin::Outbound, "none"),
            (Origin::Session, "relayed-unauthorised"),
            (Origin::PassedOn, "none"),
        ] {
            check(FlowKey { origin, ..plain(OUTSIDE, "example.net", Outcome::Relayed) }, expected);
        }
        let origin = Origin::Unknown;
        check(FlowKey { origin, ..plain(OUTSIDE, "example.org", Outcome::Delivered) }, "inbound");
    }

    #[test]
    fn refused_recipients() {
        let refused = |domain: &str, refusal: Refusal| FlowKey {
            refusal: Some(refusal),
            ..plain(OUTSIDE, domain, Outcome::Rejected)
        };
        check(plain(OUTSIDE, "example.net", Outcome::Denied), "relay-denied");
        check(plain(INSIDE, "example.net", Outcome::Denied), "relay-denied");
        check(refused("example.net", Refusal::Unsaid), "relay-denied");
        check(refused("example.org", Refusal::Unsaid), "rejected");
        check(refused("example.net", Refusal::Greylisted), "rejected");
        check(refused("example.net", Refusal::BadSyntax), "rejected");
        check(FlowKey { form: Form::AtAt, ..refused("example.net", Refusal::BadSyntax) }, "relay-denied");
        let hidden_domain = Some("example.net".into());
        check(FlowKey { hidden_domain, ..refused("example.org", Refusal::BadSyntax) }, "relay-denied");
        check(plain(OUTSIDE, "example.net", Outcome::NoData), "unknown");
    }

    #[test]
    fn rewritten_recipients() {
        let trick = FlowKey {
            form: Form::Percent,
            hidden_domain: Some("example.net".into()),
            ..plain(OUTSIDE, "example.org", Outcome::Relayed)
        };
        check(trick, "inbound");
        check(FlowKey { final_domain: Some("example.net".into()), ..trick }, "relayed-unauthorised");
        let alias = plain(OUTSIDE, "example.org", Outcome::Relayed);
        check(FlowKey { final_domain: Some("example.net".into()), ..alias }, "inbound");
        let ours = plain(OUTSIDE, "alias.example", Outcome::Delivered);
        check(FlowKey { final_domain: Some("example.org".into()), ..ours }, "inbound");
    }
}
