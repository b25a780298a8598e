//! Lists that many receivers ask, mostly by DNS (RFC 5782). The address of a list in DNS is its mark, and so is its page,
//! which receivers are asked to name in their replies.

use super::About::{Address, Content, Domain, Range, Reputation};
use super::{List, list};

/// The page where Spamhaus tells of all its lists, and takes requests (spamhaus.org, "Blocklist removal center").
const SPAMHAUS: &str = "https://check.spamhaus.org/";

/// The lists. Sources: the page that each row names; for return codes of Spamhaus <https://www.spamhaus.org/faqs/dnsbl-usage/>.
pub const LISTS: &[List] = &[
    list("Spamhaus PBL", SPAMHAUS, Range, &["pbl.spamhaus", "/pbl/*", "query/pbl", "spamhaus pbl", "spamhaus-pbl"]),
    list("Spamhaus CSS", SPAMHAUS, Address, &["sblcss", "spamhaus css", "css.spamhaus"]),
    list(
        "Spamhaus DBL",
        SPAMHAUS,
        Domain,
        &["dbl.spamhaus", "spamhaus dbl", "query/domain", "listed in spamhaus. to request"],
    ),
    list("Spamhaus SBL", SPAMHAUS, Address, &["sbl.spamhaus", "/sbl/*", "query/sbl", "spamhaus sbl", "sbl%*"]),
    // The CBL became part of the XBL (abuseat.org, 2021).
    list("Spamhaus XBL", SPAMHAUS, Address, &["xbl.spamhaus", "query/xbl", "spamhaus xbl", "abuseat.org", "sbl-xbl"]),
    list("Spamhaus ZEN", SPAMHAUS, Address, &["zen.spamhaus", "zen.dq.spamhaus", "spamhaus"]),
    list("SpamCop", "https://www.spamcop.net/bl.shtml", Address, &["spamcop"]),
    list(
        "Barracuda",
        "https://www.barracudacentral.org/rbl/removal-request",
        Address,
        &[
            "barracudacentral",
            "b.barracuda",
            "bb.barracuda",
            "barracuda reputation",
            "barracudanetworks.com/reputation",
        ],
    ),
    // Dynamic addresses, in a zone of their own; SORBS closed in June 2024 (Proofpoint), and some still ask it.
    list("SORBS DUHL", "", Range, &["dul.dnsbl.sorbs", "dul.sorbs"]),
    list("SORBS", "", Address, &["sorbs"]),
    list(
        "UCEPROTECT-3",
        UCEPROTECT,
        Range,
        &["dnsbl-3.uceprotect", "uceprotect-level3", "uceprotect level 3", "uceprotectl3"],
    ),
    list(
        "UCEPROTECT-2",
        UCEPROTECT,
        Range,
        &["dnsbl-2.uceprotect", "uceprotect-level2", "uceprotect level 2", "uceprotectl2"],
    ),
    list("UCEPROTECT-1", UCEPROTECT, Address, &["uceprotect", "dnsbl-1.uceprotect"]),
    list(
        "Backscatterer",
        "https://www.backscatterer.org/?target=test",
        Address,
        &["backscatterer", "ips.backscatterer"],
    ),
    list(
        "Invaluement",
        "https://www.invaluement.com/removal/",
        Address,
        &["invaluement", "sip.invaluement", "ivmsip", "ivmuri"],
    ),
    list("PSBL", "https://psbl.org/remove", Address, &["psbl.*", "psbl", "passive spam block list"]),
    list("Mailspike", "https://mailspike.org/iplookup.html", Reputation, &["mailspike", "bl.mailspike"]),
    list("Abusix", "https://lookup.abusix.com/", Address, &["abusix", "mail.abusix"]),
    list("SURBL", "https://surbl.org/surbl-analysis", Domain, &["surbl", "multi.surbl"]),
    list("URIBL", "https://admin.uribl.com/", Domain, &["uribl", "multi.uribl", "black.uribl"]),
    list("NiX Spam", "https://www.nixspam.net/", Address, &["nixspam", "ix.dnsbl.manitu", "manitu.net"]),
    list("0Spam", "https://0spam.org/", Address, &["0spam", "bl.0spam"]),
    list("GBUdb Truncate", "http://www.gbudb.com/truncate/", Reputation, &["gbudb", "truncate.gbudb"]),
    list("SpamRATS", "https://www.spamrats.com/removal.php", Address, &["spamrats", "all.spamrats", "dyna.spamrats"]),
    list("SenderScore", "https://senderscore.org/", Reputation, &["senderscore", "bl.score.senderscore", "returnpath"]),
    list("blocklist.de", "https://www.blocklist.de/en/delist.html", Address, &["blocklist.de", "bl.blocklist.de"]),
    list("DroneBL", "https://dronebl.org/lookup", Address, &["dronebl"]),
    list("Spam Eating Monkey", "https://spameatingmonkey.com/delist", Address, &["spameatingmonkey"]),
    list("Hostkarma", "http://ipadmin.junkemailfilter.com/remove.php", Address, &["hostkarma", "junkemailfilter"]),
    list("Swinog", "https://antispam.imp.ch/", Address, &["dnsrbl.swinog", "swinog", "antispam.imp.ch"]),
    list(
        "Cloudmark CSI",
        "https://csi.cloudmark.com/en/reset/",
        Reputation,
        &["csi.cloudmark", "cloudmark csi", "blacklisted by csi", "csi"],
    ),
    list("Cloudmark", "", Content, &["cloudmark"]),
    list(
        "Proofpoint PDR",
        "https://ipcheck.proofpoint.com/",
        Reputation,
        &["ipcheck.proofpoint", "proofpoint dynamic reputation", "support.proofpoint.com/dnsbl", "pdr"],
    ),
    // The default reply of AsyncOS: "rejected due to the sending MTA's poor reputation".
    list(
        "Cisco Talos",
        "https://talosintelligence.com/reputation_center",
        Reputation,
        &["senderbase", "talosintelligence", "talos", "sending mta's poor reputation", "ironport"],
    ),
    list(
        "Trend Micro ERS",
        "https://servicecentral.trendmicro.com/en-us/ers/ip-lookup/",
        Address,
        &[
            "ers.trendmicro",
            "trend micro",
            "trendmicro",
            "mail-abuse.org",
            "mail-abuse.com",
            "rbl-plus.mail-abuse",
            "dynamic email reputation",
        ],
    ),
    list("McAfee", "https://trustedsource.org/", Reputation, &["mcafee", "trustedsource", "mxlogic", "(mode: normal)"]),
    list(
        "Symantec",
        "https://ipremoval.sms.symantec.com/",
        Reputation,
        &["symantec", "ipremoval.sms.symantec", "messagelabs", "symanteccloud", "brightmail"],
    ),
    list("FortiGuard", "https://www.fortiguard.com/services/as/signature", Address, &["fortiguard", "fortinet"]),
    list(
        "Vade",
        "https://sendertool.vadesecure.com/en/",
        Reputation,
        &["vadesecure", "sendertool.vade", "vade secure"],
    ),
    list("Sophos", "", Address, &["sophos.com"]),
    list("Mimecast", "", Reputation, &["mimecast"]),
];

/// Where UCEPROTECT tells of its three levels: an address, its network, its provider.
const UCEPROTECT: &str = "https://www.uceprotect.net/en/rblcheck.php";
