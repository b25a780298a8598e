//! Receivers that judge by lists of their own, by the wordings of their replies.

use super::About::{Address, Complaints, Content, Domain, Policy, Range, Reputation, Setup, Volume};
use super::{List, list};

/// Form for senders to Outlook.com and Hotmail.
const OUTLOOK: &str = "https://olcsupport.office.com/";
/// Form for senders to Gmail.
const GMAIL: &str = "https://support.google.com/mail/contact/gmail_bulk_sender_escalation";
/// Form for senders to Yahoo and AOL.
const YAHOO: &str = "https://senders.yahooinc.com/contact";
/// Postmaster of GMX, WEB.DE, mail.com and IONOS.
const GMX: &str = "https://postmaster.gmx.net/en/contact";
/// Postmaster of Orange and Wanadoo.
const ORANGE: &str = "https://postmaster.orange.fr/";
/// Help for senders to QQ.
const QQ: &str = "https://service.mail.qq.com/";
/// Help of NetEase (163.com, 126.com, yeah.net).
const NETEASE: &str = "https://mail.163.com/help/help_spam_16.htm";
/// Mailbox of T-Online, as its replies name it.
const T_ONLINE: &str = "tosa@rx.t-online.de";

/// The receivers. Sources, beside the pages above: <https://sendersupport.olc.protection.outlook.com/pm/troubleshooting.aspx>
/// (SC, RP, DY, OU codes); Microsoft, "Fix NDR error 550 5.7.606-649"; <https://support.google.com/mail/answer/3726730>;
/// <https://senders.yahooinc.com/smtp-error-codes/>; <https://postmaster.aol.com/error-codes>; <https://postmaster.t-online.de/>;
/// <https://postmaster.gmx.net/en/error-messages>; <https://www.postmastery.com/orange-postmaster-smtp-error-codes-ofr/> and
/// `.../laposte-net-postmaster-smtp-error-codes-lpn/`; <http://postmaster.free.fr/>; <http://postmaster.comcast.net/mail-error-codes.html>;
/// <https://www.spectrum.net/support/internet/understanding-email-error-codes>; <https://help.mail.ru/notspam-support/>; bounces
/// in github.com/sisimai/set-of-emails.
pub const PROVIDERS: &[List] = &[
    // Microsoft: 365 first, whose replies say so; then Outlook.com and Hotmail.
    list(
        "Microsoft 365",
        "https://sender.office.com/",
        Address,
        &[
            "banned sending ip",
            "5.7.60%",
            "5.7.61%",
            "5.7.62%",
            "5.7.63%",
            "5.7.64%",
            "5.7.511",
            "sender.office.com*",
            "traffic not accepted from this ip",
        ],
    ),
    list(
        "Microsoft 365",
        "https://sender.office.com/",
        Address,
        &["delist@messaging.microsoft.com", "blocklist.zap", "88.blocklist*", "messaging.microsoft*"],
    ),
    list("Microsoft 365", "", Setup, &["does not pass dmarc verification*", "5.7.509", "5.7.515"]),
    list("Outlook.com", OUTLOOK, Range, &["dy-001", "dy-002"]),
    list("Outlook.com", OUTLOOK, Volume, &["rp-00%", "s775", "s777", "temporarily rate limited due to ip reputation"]),
    list(
        "Outlook.com",
        OUTLOOK,
        Address,
        &[
            "sc-00%",
            "ou-00%",
            "s3140",
            "s3150",
            "as3140",
            "as3150",
            "fblw1%*",
            "part of their network is on our block list",
            "mail.live.com/mail/troubleshooting*",
        ],
    ),
    // Gmail. The further lines of its replies are joined by then.
    list(
        "Gmail",
        "https://support.google.com/mail/answer/81126",
        Setup,
        &[
            "5.7.25",
            "5.7.26",
            "5.7.27",
            "5.7.29",
            "5.7.30",
            "sender is unauthenticated",
            "does not have authentication information*",
            "answer/81126*",
            "gmail requires all senders to authenticate*",
        ],
    ),
    list(
        "Gmail",
        GMAIL,
        Volume,
        &["unusual rate of unsolicited mail*", "unusual amount of unsolicited mail*", "answer/81126#4*"],
    ),
    list(
        "Gmail",
        GMAIL,
        Domain,
        &[
            "very low reputation of the sending domain",
            "low reputation of the sending domain",
            "suspicious due to the very low reputation of the sending domain",
        ],
    ),
    list("Gmail", GMAIL, Reputation, &["low reputation of the sending ip", "very low reputation of the sending ip"]),
    list(
        "Gmail",
        GMAIL,
        Content,
        &[
            "likely unsolicited mail",
            "likely suspicious*",
            "our system has detected that this message*",
            "answer=188131*",
            "answer/188131*",
        ],
    ),
    // Yahoo, and AOL before and after they were joined.
    list(
        "Yahoo",
        YAHOO,
        Complaints,
        &["[tss%%]", "[ts%%]", "[tss%]", "deferred due to user complaints", "unexpected volume or user complaints"],
    ),
    list("Yahoo", YAHOO, Address, &["[bl%%]", "550-bl%%*"]),
    list(
        "Yahoo",
        YAHOO,
        Content,
        &[
            "[ph%%]",
            "[pr%%]",
            "message not accepted for policy reasons",
            "senders.yahooinc.com*",
            "postmaster.yahooinc.com*",
            "postmaster.yahoo.com*",
        ],
    ),
    list("AOL", YAHOO, Range, &["dyn:t%"]),
    list("AOL", YAHOO, Volume, &["con:b%"]),
    list("AOL", YAHOO, Address, &["rly:*", "hvu:b*", "rtr:*", "postmaster.aol.com*", "postmaster.info.aol*"]),
    // Germany.
    list("T-Online", "toda@rx.t-online.de", Range, &["dialup/transient ip not allowed*", "toda@rx.t-online.de"]),
    list("T-Online", T_ONLINE, Address, &["tosa@rx.t-online.de", "a problem occurred. (ask your postmaster*"]),
    list("GMX and WEB.DE", GMX, Setup, &["bad dns ptr resource record"]),
    list(
        "GMX and WEB.DE",
        GMX,
        Address,
        &["ip address is block listed", "ip address is black listed", "gmx.net/*case?c=r*"],
    ),
    list(
        "GMX and WEB.DE",
        GMX,
        Reputation,
        &[
            "nemesis esmtp service not available*",
            "postmaster.gmx*",
            "postmaster.web.de*",
            "postmaster.1und1*",
            "transaction failed reject due to policy restrictions*",
        ],
    ),
    // France. Codes of Orange and Laposte that tell of recipients are not among these.
    list("Orange", ORANGE, Content, &["ofr_50%", "ofr%%%_50%", "ofr_51%", "ofr%%%_51%"]),
    list("Orange", ORANGE, Volume, &["ofr_104", "ofr_105", "ofr%%%_104", "ofr%%%_105"]),
    list(
        "Orange",
        ORANGE,
        Address,
        &["ofr_10%", "ofr_99%", "ofr%%%_10%", "ofr%%%_99%", "ip source bloquee pour incident*"],
    ),
    list("Laposte", "", Content, &["lpn%%%_510", "lpn_510", "lpn%%%_506"]),
    list("Laposte", "", Setup, &["lpn%%%_517"]),
    list("Laposte", "", Reputation, &["lpn%%%_50%", "lpn_50%", "lpn%%%_10%", "lpn_10%"]),
    list("Free.fr", "http://postmaster.free.fr/", Address, &["postmaster.free.fr*", "too many spams from your ip*"]),
    // North America.
    list("Comcast", "https://spa.xfinity.com/report", Range, &["es0000%%"]),
    list("Comcast", "https://spa.xfinity.com/report", Volume, &["rl0000%%", "rl00%"]),
    list(
        "Comcast",
        "https://spa.xfinity.com/report",
        Address,
        &["bl000%%%", "bl00%", "bl00%%", "ph0000%%", "postmaster.comcast*"],
    ),
    list("Cox", "", Content, &["aup#cx*", "cxsndr"]),
    list(
        "Charter",
        "unblock@charter.net",
        Address,
        &["aup#e*", "aup#i*", "aup#o*", "unblock@charter.net", "charter.net*", "spectrum.net*"],
    ),
    list("AUP# codes", "", Policy, &["aup#*"]),
    list(
        "AT&T",
        "abuse_rbl@abuse-att.net",
        Address,
        &[
            "abuse_rbl@abuse-att.net",
            "abuse rbl@abuse-att.net",
            "blocked by sbc*",
            "blacklist.mailrelay.att.net*",
            "dnsbl:rbl",
            "dnsbl:att*",
            "rbl.att.net*",
            "ldap:ou=rblmx*",
            "att.net/block*",
        ],
    ),
    list(
        "EarthLink",
        "blockedbyearthlink@abuse.earthlink.net",
        Address,
        &["blocked by earthlink", "blockedbyearthlink*"],
    ),
    list(
        "Apple iCloud",
        "icloudadmin@apple.com",
        Policy,
        &["[cs01]", "[hm%%]", "support.apple.com*", "icloudadmin@apple.com"],
    ),
    // Russia and China.
    list(
        "Mail.ru",
        "https://help.mail.ru/notspam-support/",
        Address,
        &["mail.ru/notspam*", "help.mail.ru/notspam*", "access from ip address*"],
    ),
    list(
        "Yandex",
        "https://yandex.com/support/mail/bounces/",
        Address,
        &["blocked by spam statistics*", "yandex.ru/lists*", "feedback.yandex*"],
    ),
    list(
        "Yandex",
        "https://yandex.com/support/mail/bounces/",
        Content,
        &["under suspicion of spam*", "yandex.ru/support*", "yandex.com/support*"],
    ),
    list(
        "QQ",
        QQ,
        Volume,
        &[
            "ip frequency limited*",
            "domain frequency limited*",
            "suspected bounce attacks*",
            "connection frequency limited*",
        ],
    ),
    list("QQ", QQ, Content, &["mail content denied*", "suspected spam ip*"]),
    list("QQ", QQ, Address, &["service.mail.qq.com*", "qq.com/help*"]),
    list("NetEase", NETEASE, Address, &["dt:rbl*", "wm:bli*", "hl:rep*", "hl:mep*", "mi:spb*"]),
    list("NetEase", NETEASE, Volume, &["hl:icc*", "hl:ifc*", "mi:sfq*", "mi:dmc*"]),
    list("NetEase", NETEASE, Content, &["dt:spm*", "mail.163.com/help*", "help_spam*"]),
];
