//! What `--help` says below the options.

/// Of `merge`.
pub const MERGE_HELP: &str = "\
Ledgers of days and servers that were scanned each for themselves give the
report that one scan of all their logs gives. A ledger that holds the same logs
as another counts once; ledgers that share some of their logs, or hold an
earlier state of one, are refused: nothing counts twice.

Examples:
  relayaudit scan /var/log/mail.log.1 --quiet --ledger-out tuesday.ledger
  relayaudit merge monday.ledger tuesday.ledger -o week.ledger
  relayaudit report week.ledger

Exit status: 0, or 2 if a ledger cannot be used; then nothing is written.";

/// Of `report`.
pub const REPORT_HELP: &str = "\
What would the verdict be if that network were yours? A ledger knows nothing of
what is yours: it can be judged again and again.

Examples:
  relayaudit scan /var/log --ledger-out mail.ledger
  relayaudit report mail.ledger --trusted-net 192.0.2.0/24 --local-domain example.org
  relayaudit report mail.ledger --site other.toml --config /etc/postfix/main.cf
  relayaudit report mx1.ledger mx2.ledger --format json
  relayaudit report --state /var/lib/relayaudit/state

Exit status: 0 nothing found at or above --fail-on, 1 something found, 2 a ledger cannot be used or its scan was incomplete.";

/// Of `extract`.
pub const EXTRACT_HELP: &str = "\
Columns: server, format, session, queue_id, message_id, time, client,
client_name, helo, account, reverse_path, forward_path, original_forward_path,
reply_code, outcome, next_hop, size_bytes, verdict, path, line. Times are UTC.
An empty reverse_path is the null reverse-path; what the log does not say is
missing. Rows come as mail is decided on, not sorted.

Without --local-domain (or a site file) the logs are read twice: first to infer
the site, which standard input does not allow.

Examples:
  relayaudit extract /var/log/mail.log* --to parquet --out mail.parquet
  relayaudit extract /srv/logs --to parquet --partition --out mail/
  relayaudit extract mail.log --to ndjson | jq 'select(.verdict==\"relayed-unauthorised\")'

Exit status: 0, or 2 if the run failed or is incomplete.";

/// Of `sweep`.
pub const SWEEP_HELP: &str = "\
Says nothing when nothing new was found, so cron sends no mail then. A finding is told when it is
new or ten times worse, once a day while it goes on, and when nothing more was seen of it for three
days. Logs are known again when they were renamed, copied and emptied, or packed: no line counts
twice. `relayaudit report --state FILE` gives the report of everything swept so far.

Examples:
  relayaudit sweep --state /var/lib/relayaudit/state /var/log/mail.log*
  relayaudit sweep --state /var/lib/relayaudit/state '/var/log/mail.log*' --nagios
  relayaudit sweep --state FILE LOGS --prometheus /var/lib/node_exporter/relayaudit.prom
  relayaudit sweep --state FILE --status
  relayaudit report --state FILE

Exit status: 0 nothing new, 1 something new or worse at or above --fail-on, 2 the sweep failed or is
incomplete; with --nagios 0 OK, 1 warning, 2 critical, 3 unknown.";
