//! Steps for the queue: hold it, find the unwanted messages, delete them, let the rest go. The commands are printed for the
//! admin to run, and hold nothing that a client wrote: addresses, and queue ids that the server itself gave.
//!
//! Sources: postsuper(1), postqueue(1) (`-j` since Postfix 3.1), postcat(1); Exim specification, chapters 53 (exiqgrep, exigrep) and
//! 5 (`-Mrm`); sendmail(8), qtool(8); smtpctl(8); Microsoft, Get-Message and "Properties of messages in queues"; qmHandle.

use super::{Kind, kind};
use crate::judge::finding::Queue;
use crate::judge::words::{list, recipients, thousands};
use crate::ledger::{Client, Ledger, Text};

/// Whether the logs of a server tell how each delivery ended, so that a message without an end may still wait.
pub fn tells_ends(ledger: &Ledger, server: &Text) -> bool {
    matches!(kind(ledger, server), Kind::Postfix | Kind::Exim | Kind::Sendmail | Kind::OpenSmtpd | Kind::Qmail)
}

/// How to keep what is in the queue from leaving.
pub(super) fn stop(kind: Kind, client: &Client, queue: Option<&Queue>) -> Vec<String> {
    let (hold, release) = hold_and_release(kind);
    let mut steps = vec![hold.to_owned()];
    steps.extend(waiting(kind, queue));
    steps.extend(select(kind, client));
    if !release.is_empty() {
        steps.push(release.to_owned());
    }
    steps
}

/// What still waits, and how to look at one of it and delete it; nothing if the logs show that nothing waits.
pub(super) fn waiting(kind: Kind, queue: Option<&Queue>) -> Option<String> {
    let queue = queue.filter(|queue| 0 < queue.recipients || 0 < queue.unseen)?;
    let unseen = match (queue.recipients, queue.unseen) {
        (_, 0) => format!("{} of it wait to be tried again when the logs end", recipients(queue.recipients)),
        (0, unseen) => format!("Of {} of it the logs show no end: they may still wait", recipients(unseen)),
        (deferred, unseen) => format!(
            "{} of it wait to be tried again when the logs end, and of {} more the logs show no end",
            recipients(deferred),
            thousands(unseen)
        ),
    };
    let Some(first) = queue.ids.first() else { return Some(format!("{unseen}.")) };
    let ids = queue.ids.join(" ");
    let how = match kind {
        Kind::Postfix => {
            let each: Vec<String> = queue.ids.iter().map(|id| format!("-d {id}")).collect();
            format!("look at one (`postcat -vq {first}`), then delete them: `postsuper {}`", each.join(" "))
        }
        Kind::Exim => format!("look at one (`exim -Mvh {first}`), then delete them: `exim -Mrm {ids}`"),
        Kind::Sendmail => {
            let files: Vec<String> = queue.ids.iter().map(|id| format!("/var/spool/mqueue/[qd]f{id}")).collect();
            format!(
                "look at one (`mailq -qI{first}`), then, with sendmail stopped, delete their files: `rm {}`",
                files.join(" ")
            )
        }
        Kind::OpenSmtpd => {
            format!("look at one (`smtpctl show message {first}`), then delete each: `smtpctl remove {first}`")
        }
        Kind::Qmail => format!(
            "look at one (`qmHandle -m{first}`), then, with qmail-send stopped, delete each: `qmHandle -d{first}`"
        ),
        _ => return Some(format!("{unseen}, {} among them.", list(&queue.ids))),
    };
    Some(format!("{unseen}, {} among them: {how}.", list(&queue.ids)))
}

fn hold_and_release(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Postfix => (
            "Hold the queue before more leaves: `postsuper -h ALL`.",
            "Release the rest: `postsuper -H ALL`, then `postqueue -f`.",
        ),
        Kind::Iis => (
            "Stop the service (`net stop smtpsvc`), move the unwanted files out of the Queue folder (by default \
             C:\\Inetpub\\mailroot\\Queue), and start it again (`net start smtpsvc`).",
            "",
        ),
        Kind::Exchange2000 => (
            "Exchange System Manager > Servers > (server) > Queues: disable outbound mail, find the messages, delete them \
             without a non-delivery report, and enable it again.",
            "",
        ),
        Kind::Exchange55 => {
            ("Internet Mail Service > Queues: look for these messages, and delete them before the rest goes out.", "")
        }
        Kind::Exchange => {
            ("Stop it from leaving: `Get-Queue | Suspend-Queue`.", "Let the rest go: `Get-Queue | Resume-Queue`.")
        }
        Kind::Exim => (
            "Stop deliveries: stop the queue runner, then freeze what waits: `exiqgrep -i | xargs exim -Mf`.",
            "Release the rest: `exiqgrep -z -i | xargs exim -Mt`.",
        ),
        Kind::Sendmail => {
            ("Stop the queue runner; `mailq` lists what waits.", "Start it again when the queue is clean.")
        }
        Kind::OpenSmtpd => (
            "Hold the queue: `smtpctl pause mta`; `smtpctl show queue` lists it.",
            "Release the rest: `smtpctl resume mta`.",
        ),
        Kind::Qmail => (
            "Stop qmail-send (`svc -d /service/qmail-send`); `qmHandle -l` lists what waits.",
            "Start it again: `svc -u /service/qmail-send`.",
        ),
        Kind::Other => ("Hold the queue, and delete these messages before the rest goes out.", ""),
    }
}

/// How to find and delete all of it: by the client, where the log gives its address, else by the sender.
fn select(kind: Kind, client: &Client) -> Option<String> {
    let text = match (kind, client) {
        (Kind::Postfix, Client::Address(address)) => format!(
            "Delete all that this client handed in: `grep -F 'client=' mail.log | grep -F '[{address}]' | sed 's/^.*smtpd\\[[0-9]*\\]: \
             \\([0-9A-Za-z]*\\): client=.*/\\1/' | sort -u | postsuper -d -` (only with logs of these days: short queue ids are used \
             again)."
        ),
        (Kind::Postfix, _) => {
            "Delete all of one sender: `postqueue -j | jq -r 'select(.sender == \"SENDER\") | .queue_id' | postsuper -d -` (before \
             Postfix 3.1: `mailq`, then `postsuper -d QUEUEID`)."
                .to_owned()
        }
        (Kind::Exim, Client::Address(address)) => format!(
            "Find this client's messages: `exigrep '\\[{address}\\]' mainlog`, and remove those still waiting: `exim -Mrm ID`; all of one \
             sender: `exiqgrep -i -f 'SENDER' | xargs exim -Mrm`."
        ),
        (Kind::Exim, _) => "Delete all of one sender: `exiqgrep -i -f 'SENDER' | xargs exim -Mrm`.".to_owned(),
        (Kind::Sendmail, _) => {
            "Delete all of one sender with sendmail stopped: `grep -l '^S<SENDER>' /var/spool/mqueue/qf*` names the files; remove each \
             qf with its df (`qtool.pl -d` does both), or set them aside: `sendmail -qQ\"spam\" -qSSENDER`."
                .to_owned()
        }
        (Kind::OpenSmtpd, _) => {
            "Delete all of one sender: `smtpctl show queue | grep -F '|SENDER|' | cut -d'|' -f1 | while read id; do smtpctl remove $id; \
             done`."
                .to_owned()
        }
        (Kind::Qmail, _) => "Delete all of one sender: `qmHandle -f'SENDER'`.".to_owned(),
        (Kind::Exchange, Client::Address(address)) => format!(
            "Delete it without reports to forged senders: `Get-TransportService | Get-Queue | Get-Message -Filter \"SourceIP -eq \
             '{address}'\" | Remove-Message -WithNDR $false`."
        ),
        (Kind::Exchange, _) => {
            "Delete it without reports to forged senders: `Get-TransportService | Get-Queue | Get-Message -Filter \"FromAddress -eq \
             'SENDER'\" | Remove-Message -WithNDR $false`."
                .to_owned()
        }
        (Kind::Iis | Kind::Exchange2000 | Kind::Exchange55 | Kind::Other, _) => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn check(kind: Kind, (deferred, unseen): (u64, u64), ids: &[&str], want: Option<&str>) {
        let ids = ids.iter().map(ToString::to_string).collect();
        let queue = Queue { recipients: deferred, unseen, ids, ..Queue::default() };
        assert_eq!(waiting(kind, Some(&queue)).as_deref(), want);
    }

    #[test]
    fn what_waits_is_named_with_commands_for_its_server() {
        check(
            Kind::Postfix,
            (40, 0),
            &["4F1A2C0012", "4F1A2C0099"],
            Some(
                "40 recipients of it wait to be tried again when the logs end, 4F1A2C0012 and 4F1A2C0099 among them: look at one \
                 (`postcat -vq 4F1A2C0012`), then delete them: `postsuper -d 4F1A2C0012 -d 4F1A2C0099`.",
            ),
        );
        check(
            Kind::Exim,
            (0, 3),
            &["1RwtJa-000AFB-07"],
            Some(
                "Of 3 recipients of it the logs show no end: they may still wait, 1RwtJa-000AFB-07 among them: look at one (`exim -Mvh \
                 1RwtJa-000AFB-07`), then delete them: `exim -Mrm 1RwtJa-000AFB-07`.",
            ),
        );
        check(Kind::Iis, (7, 0), &[], Some("7 recipients of it wait to be tried again when the logs end."));
        check(Kind::Postfix, (0, 0), &["4F1A2C0012"], None);
        assert_eq!(waiting(Kind::Postfix, None), None);
    }

    #[test]
    fn each_kind_of_server_deletes_in_its_own_way() {
        let client = Client::Address("203.0.113.7".parse().unwrap());
        for (kind, with_address, without) in [
            (Kind::Postfix, "[203.0.113.7]", "postqueue -j | jq"),
            (Kind::Exim, "exigrep '\\[203.0.113.7\\]'", "exiqgrep -i -f"),
            (Kind::Sendmail, "qtool.pl -d", "qtool.pl -d"),
            (Kind::OpenSmtpd, "smtpctl remove", "smtpctl remove"),
            (Kind::Exchange, "SourceIP -eq '203.0.113.7'", "FromAddress -eq"),
            (Kind::Qmail, "qmHandle", "qmHandle"),
            (Kind::Iis, "net stop smtpsvc", "net stop smtpsvc"),
        ] {
            for (client, want) in [(&client, with_address), (&Client::Unknown, without)] {
                let steps = stop(kind, client, None).join("\n");
                assert!(steps.contains(want), "{kind:?}: {steps}");
            }
        }
    }
}
