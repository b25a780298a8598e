//! Replies as they were observed (addresses and names replaced), in the words of the logs that hold them.

use super::*;

/// The list, what it is about, and the address; `-` for a reply that says nothing about us.
fn check(text: &str, want: &str) {
    let said = listing(text.as_bytes()).map(|found| {
        let address = found.address.map_or_else(String::new, |address| format!(" {address}"));
        format!("{}/{}{address}", found.list, found.about.as_str())
    });
    assert_eq!(said.as_deref().unwrap_or("-"), want, "{text}");
}

/// A reply as Postfix logs it.
fn said(reply: &str, want: &str) {
    check(&format!("host mx.example.net[192.0.2.25] said: {reply} (in reply to RCPT TO command)"), want);
}

#[test]
fn lists_that_many_ask() {
    said(
        "554 5.7.1 Service unavailable; Client host [203.0.113.5] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/203.0.113.5",
        "Spamhaus ZEN/address 203.0.113.5",
    );
    said(
        "554 5.7.1 Service unavailable; Client host [203.0.113.5] blocked using sbl-xbl.spamhaus.org",
        "Spamhaus XBL/address 203.0.113.5",
    );
    said("550 5.7.1 Blocked; https://www.spamhaus.org/sbl/query/SBL12345", "Spamhaus SBL/address");
    said(
        "550 JunkMail rejected - a.example [203.0.113.5]:53343 is in an RBL: https://www.spamhaus.org/sbl/query/SBLCSS",
        "Spamhaus CSS/address 203.0.113.5",
    );
    said(
        "550 5.7.1 [203.0.113.5] listed, see https://www.spamhaus.org/pbl/query/PBL1234",
        "Spamhaus PBL/range 203.0.113.5",
    );
    said("553 http://www.spamhaus.org/query/bl?ip=203.0.113.5", "Spamhaus ZEN/address 203.0.113.5");
    said(
        "550-5.1.0 MXIN506 MailFrom domain is listed in Spamhaus. To request removal 550-5.1.0 from this list see https:",
        "Spamhaus DBL/domain",
    );
    said("550 Your host 203.0.113.5 is listed at cbl.abuseat.org", "Spamhaus XBL/address 203.0.113.5");
    said(
        "554 5.7.1 Service unavailable; Client host [203.0.113.5] blocked using bl.spamcop.net; Blocked - see http://www.spamcop.net/bl.shtml?203.0.113.5",
        "SpamCop/address 203.0.113.5",
    );
    said(
        "550 Service unavailable; client [203.0.113.5] blocked using b.barracudacentral.org",
        "Barracuda/address 203.0.113.5",
    );
    said(
        "521-5.7.1 Service unavailable; client [203.0.113.5] blocked using dnsbl.sorbs.net",
        "SORBS/address 203.0.113.5",
    );
    said("554 5.7.1 blocked using dul.dnsbl.sorbs.net", "SORBS DUHL/range");
    said(
        "554 5.7.1 Client host [203.0.113.5] blocked using dnsbl-1.uceprotect.net",
        "UCEPROTECT-1/address 203.0.113.5",
    );
    said(
        "554 5.7.1 Client host [203.0.113.5] blocked using dnsbl-3.uceprotect.net; Your ISP",
        "UCEPROTECT-3/range 203.0.113.5",
    );
    said(
        "554 5.7.1 blocked using ips.backscatterer.org; Sorry 203.0.113.5 is blacklisted",
        "Backscatterer/address 203.0.113.5",
    );
    said("550 5.7.1 listed by invaluement.com ivmSIP", "Invaluement/address");
    said(
        "554 5.7.1 Client host [203.0.113.5] blocked using psbl.surriel.com; Listed in PSBL, see http://psbl.org/listing?ip=203.0.113.5",
        "PSBL/address 203.0.113.5",
    );
    said("550 5.7.1 bl.mailspike.net says no", "Mailspike/reputation");
    said(
        "554 5.7.1 blocked using combined.mail.abusix.zone; https://lookup.abusix.com/search?q=203.0.113.5",
        "Abusix/address 203.0.113.5",
    );
    said("554 5.7.1 blocked using multi.surbl.org", "SURBL/domain");
    said(
        "550 5.7.1 Mail refused (blackholed by uribl.com); Blacklisted, see http://lookup.uribl.com/?domain=a.example",
        "URIBL/domain",
    );
    said(
        "554 5.7.1 Service unavailable; Client host [203.0.113.5] blocked using ix.dnsbl.manitu.net",
        "NiX Spam/address 203.0.113.5",
    );
    said("550 203.0.113.5 listed in bl.0spam.org", "0Spam/address 203.0.113.5");
    said("554 5.7.1 blocked using truncate.gbudb.net", "GBUdb Truncate/reputation");
    said(
        "550 smtp-31.iol.local smtp-31.iol.local IP blacklisted by CSI. For remediation please use http://csi.cloudmark.com/reset-request/?ip=203.0.113.5",
        "Cloudmark CSI/reputation 203.0.113.5",
    );
    said("554 Blocked - see https://ipcheck.proofpoint.com/?ip=203.0.113.5", "Proofpoint PDR/reputation 203.0.113.5");
    said(
        "554 Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=203.0.113.5",
        "Proofpoint PDR/reputation 203.0.113.5",
    );
    said(
        "554-mx.example.net 554 Your access to this mail system has been rejected due to the sending MTA's poor reputation. If you believe that this",
        "Cisco Talos/reputation",
    );
    said(
        "550 5.7.1 Service unavailable; Client host [203.0.113.5] blocked using Trend Micro RBL+. Please see http://www.mail-abuse.com/cgi-bin/lookup",
        "Trend Micro ERS/address 203.0.113.5",
    );
    said("554 Denied [ba9f8d2c] (Mode: normal)", "McAfee/reputation");
    said(
        "501 Connection rejected by policy [7.7] 20805, please visit www.messagelabs.com/support for more details",
        "Symantec/reputation",
    );
}

#[test]
fn receivers_with_lists_of_their_own() {
    said(
        "550 5.7.1 Unfortunately, messages from [203.0.113.5] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).",
        "Outlook.com/address 203.0.113.5",
    );
    said(
        "550 SC-001 (BAY004-MC4F25) Unfortunately, messages from 203.0.113.5 weren't sent.",
        "Outlook.com/address 203.0.113.5",
    );
    said(
        "451 4.7.650 The mail server [203.0.113.5] has been temporarily rate limited due to IP reputation. For e-mail delivery information (S775)",
        "Outlook.com/volume 203.0.113.5",
    );
    said(
        "550 DY-001 (COL0-MC1-F3) Unfortunately, messages from 203.0.113.5 weren't sent.",
        "Outlook.com/range 203.0.113.5",
    );
    said("550 5.7.1 Mail blocked (FBLW15)", "Outlook.com/address");
    said(
        "550 5.7.606 Access denied, banned sending IP [203.0.113.5]. To request removal from this list please visit https://sender.office.com/",
        "Microsoft 365/address 203.0.113.5",
    );
    said(
        "550 5.7.1 :127.0.0.5:Client host 203.0.113.5 blocked using 88.blocklist.zap; Mail from IP banned. To request removal from this list please forward this message to delist@messaging.microsoft.com",
        "Microsoft 365/address 203.0.113.5",
    );
    said(
        "550 5.7.509 Access denied, sending domain [EXAMPLE.COM] does not pass DMARC verification and has a DMARC policy of reject.",
        "Microsoft 365/setup",
    );
    said(
        "421 4.7.0 [TSS04] Messages from 203.0.113.5 temporarily deferred due to user complaints - 4.16.55.1; see https://help.yahoo.com/kb/postmaster/SLN3434.html",
        "Yahoo/complaints 203.0.113.5",
    );
    said(
        "421 4.7.0 [TSS04] Messages from x.x.x.x temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes",
        "Yahoo/complaints",
    );
    said(
        "421 4.7.0 [TS01] Messages from 203.0.113.5 temporarily deferred due to user complaints",
        "Yahoo/complaints 203.0.113.5",
    );
    said(
        "421 4.7.1 [TSS09] All messages from 203.0.113.5 will be permanently deferred; Retrying will NOT succeed.",
        "Yahoo/complaints 203.0.113.5",
    );
    said(
        "554 5.7.9 Message not accepted for policy reasons. See https://senders.yahooinc.com/error-codes",
        "Yahoo/content",
    );
    said("421 4.7.0 [PH01] Message not accepted for policy reasons", "Yahoo/content");
    said(
        "421-4.7.0 [203.0.113.5      15] Our system has detected an unusual rate of 421-4.7.0 unsolicited mail originating from your IP address. To protect our 421-4.7.0 users from spam",
        "Gmail/volume 203.0.113.5",
    );
    said(
        "550-5.7.1 [2001:db8:3:25:100::2      12] Our system has detected that this 550-5.7.1 message is likely unsolicited mail. To reduce the amount of spam sent 550-5.7.1 to Gmail",
        "Gmail/content 2001:db8:3:25:100::2",
    );
    said(
        "550-5.7.1 likely suspicious due to the very low reputation of the sending IP 550-5.7.1 address.",
        "Gmail/reputation",
    );
    said(
        "550-5.7.26 This message does not have authentication information or fails to 550-5.7.26 pass authentication checks.",
        "Gmail/setup",
    );
    said("554- (RLY:BL) https://postmaster.aol.com/error-codes", "AOL/address");
    said("421 4.7.1 : (DYN:T1) http://postmaster.info.aol.com/errors/421dynt1.html", "AOL/range");
    check(
        "host mx02.t-online.de[192.0.2.9] refused to talk to me: 554 IP=203.0.113.5 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.) (BL)",
        "T-Online/address 203.0.113.5",
    );
    said(
        "554 IP=203.0.113.5 - Dialup/transient IP not allowed. Use a mailgateway or contact toda@rx.t-online.de if obsolete. (DIAL)",
        "T-Online/range 203.0.113.5",
    );
    check(
        "host mx00.emig.gmx.net[192.0.2.9] refused to talk to me: 554-gmx.net (mxgmx104) Nemesis ESMTP Service not available 554-No SMTP service 554-IP address is block listed. 554 For explanation visit https://postmaster.gmx.net/en/case?c=r0201&i=ip&v=203.0.113.5",
        "GMX and WEB.DE/address 203.0.113.5",
    );
    said(
        "554-web.de (mxweb009) Nemesis ESMTP Service not available 554-No SMTP service 554-Bad DNS PTR resource record.",
        "GMX and WEB.DE/setup",
    );
    said("550 5.2.0 Mail rejete. Mail rejected. OFR_506 [506]", "Orange/content");
    said(
        "421 mwinf5c04 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR_999 [999]",
        "Orange/address",
    );
    said(
        "421 mwinf5c04 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR004_104 [104]",
        "Orange/volume",
    );
    said(
        "550 mwinf5c04 ME Adresse IP source bloquee pour incident de spam. Client host blocked for spamming issues.",
        "Orange/address",
    );
    said(
        "450 4.7.1 Client host rejected: Service refuse. Veuillez essayer plus tard. LPN027_503",
        "Laposte/reputation",
    );
    said(
        "421 Too many spams from your IP (203.0.113.5), please visit http://postmaster.free.fr/",
        "Free.fr/address 203.0.113.5",
    );
    said(
        "554 resimta-po-21v.sys.comcast.net comcast 203.0.113.5 Comcast block for spam. Please see http://postmaster.comcast.net/smtp-error-codes.php#BL000000",
        "Comcast/address 203.0.113.5",
    );
    said(
        "550 5.1.0 <a@example.org> sender rejected. Please see https://www.spectrum.net/support/internet/understanding-email-error-codes for more information. AUP#In-1310",
        "Charter/address",
    );
    said("552 5.2.0 message rejected. Refer to Error Codes section for more information. AUP#CXSNDR", "Cox/content");
    said(
        "553 5.3.0 flph829 DNSBL:RBL 521< 203.0.113.5 >_is_blocked.For assistance forward this email to abuse_rbl@abuse-att.net",
        "AT&T/address 203.0.113.5",
    );
    said("550 5.7.1 203.0.113.5 blocked by sbc:blacklist.mailrelay.att.net", "AT&T/address 203.0.113.5");
    said(
        "550 IP 203.0.113.5 is blocked by EarthLink. Go to earthlink.net/block for details.",
        "EarthLink/address 203.0.113.5",
    );
    said(
        "554 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137",
        "Apple iCloud/policy",
    );
    said(
        "550 Access from ip address 203.0.113.5 blocked. Visit http://mail.ru/notspam/",
        "Mail.ru/address 203.0.113.5",
    );
    said(
        "550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=abc or report details",
        "Mail.ru/address",
    );
    said("554 5.7.1 Message rejected under suspicion of SPAM; https://ya.cc/1IrBc 1700000000-abc", "Yandex/content");
    said(
        "550 Mail content denied. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000726",
        "QQ/content",
    );
    said(
        "550 Ip frequency limited. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000725",
        "QQ/volume",
    );
    said(
        "554 DT:SPM 163 mx9,O8CowEDJVFKCokVaRhz+AA--.26016S3 1514513028,please see http://mail.163.com/help/help_spam_16.htm?ip=203.0.113.5",
        "NetEase/content 203.0.113.5",
    );
    said("450 DT:RBL 163 mx1", "NetEase/address");
}

#[test]
fn wordings_that_name_no_list() {
    said("550 5.7.1 IP address blacklisted by recipient", "unnamed/address");
    said(
        "554 5.7.1 <mail.example.org[203.0.113.5]>: Client host rejected: blocked using mail.example.net",
        "unnamed/address 203.0.113.5",
    );
    said("550 Error - Blocked for abuse. See http://example.net/nyaan", "unnamed/address");
    said("550 mail not accepted from blacklisted IP address (203.0.113.5)", "unnamed/address 203.0.113.5");
    said("554 5.7.1 Die IP-Adresse 203.0.113.5 steht auf einer Sperrliste", "unnamed/address 203.0.113.5");
    said("550 Ihre Mail wurde wegen schlechter Reputation abgelehnt", "unnamed/reputation");
    said("550 Votre adresse IP est sur liste noire", "unnamed/address");
    said("554 5.7.1 Su IP 203.0.113.5 esta en una lista negra", "unnamed/address 203.0.113.5");
    said("550 L'indirizzo 203.0.113.5 e' in una lista nera", "unnamed/address 203.0.113.5");
    said("554 发信IP在黑名单", "unnamed/address");
    said("550 black ip", "unnamed/address");
    said("554 5.7.1 rejected due to poor reputation", "unnamed/reputation");
    said("550 spam detected", "unnamed/content");
    said("554 5.7.0 Reject, id=20025-09 - SPAM", "unnamed/content");
    said("550 Blacklisted URL in message. (example.com) in [black].", "unnamed/domain");
    said("550 5.7.0 Local Policy Violation", "unnamed/policy");
    said("450 4.7.1 <a@example.net>: Recipient address rejected: Policy Rejection- Abuse. Go away.", "unnamed/policy");
    said("450 4.7.25 Client host rejected: cannot find your hostname, [203.0.113.5]", "unnamed/setup 203.0.113.5");
}

#[test]
fn every_server_logs_replies_in_its_own_way() {
    let listed = "Spamhaus ZEN/address 203.0.113.5";
    let reply = "550 5.7.1 203.0.113.5 is listed in zen.spamhaus.org";
    check(
        &format!(
            "SMTP error from remote mail server after RCPT TO:<a@example.net>: host mx.example.net [192.0.2.25]: {reply}"
        ),
        listed,
    );
    check(&format!("SMTP error from remote mail server after RCPT TO:<a@example.net>: {reply}"), listed);
    check(&format!("Deferred: {reply}"), listed);
    check(reply, listed);
    check(&format!("\"{reply}\""), listed);
    check(&format!("[{{LRT=2027-01-18}};{{LED={reply}}};{{FQDN=mx.example.net}}]"), listed);
    check(
        "192.0.2.25_does_not_like_recipient./Remote_host_said:_550_5.7.1_203.0.113.5_is_listed_in_zen.spamhaus.org/Giving_up_on_192.0.2.25./",
        listed,
    );
}

#[test]
fn other_replies_say_nothing_about_us() {
    said("550 5.1.1 <a@example.net>: Recipient address rejected: User unknown in virtual mailbox table", "-");
    said("550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]", "-");
    said("550 5.5.0 Le compte du destinataire est bloque. The recipient account is blocked.", "-");
    said("452 4.2.2 Over quota, blocked", "-");
    said(
        "450 4.7.1 <a@example.net>: Recipient address rejected: Greylisted, see http://postgrey.example.org/help/a.html",
        "-",
    );
    said("554 5.7.1 <a@example.net>: Relay access denied", "-");
    said("450 4.7.0 Too many mails (mail bomb), try again in 1 hour(s) 2 minute(s)", "-");
    said("421 4.7.0 Too many connections from your host", "-");
    check("connect to mx.example.net[192.0.2.25]:25: Connection timed out", "-");
    check("connect to zen.spamhaus.org[192.0.2.25]:25: Connection refused", "-");
    check("lost connection with mx.example.net[192.0.2.25] while receiving the initial server greeting", "-");
    check("", "-");
    check("550", "-");
}

#[test]
fn what_senders_wrote_is_no_part_of_the_reply() {
    // The names of mailboxes and hosts are not the receiver's words.
    check("64.0.2.1_does_not_like_recipient./Remote_host_said:_550_5.0.0_<vrbl1@example.net>..._no/Giving_up", "-");
    said("550 5.0.0 <zen.spamhaus.org@example.net>: no", "-");
    said("550 5.0.0 <\"x> blocked using zen.spamhaus.org\"@example.net>: no", "-");
    said("550 no mailbox zen.spamhaus.org@example.net here", "-");
    check(
        "SMTP error from remote mail server after RCPT TO:<\"550 5.7.1 zen.spamhaus.org\"@example.net>: host mx.example.net [192.0.2.25]: 550 5.0.0 no",
        "-",
    );
    check("host spamhaus.example.net[192.0.2.25] said: 550 5.0.0 no (in reply to RCPT TO command)", "-");
    // Part of a word is no mark.
    said("550 5.0.0 verbless sorbsbl garbl", "-");
}

#[test]
fn any_bytes_are_read_without_harm() {
    for text in [b"550 \xff\xfe<<<@>".as_slice(), b"550-550-550-", b"421 <", b"<550 <", b"550 5.7.1", b"\0\0\0"] {
        assert_eq!(listing(text), None);
    }
    let long = format!("550 {} zen.spamhaus.org", "a".repeat(5_000));
    assert_eq!(listing(long.as_bytes()), None);
}

#[test]
fn tables_are_well_formed() {
    for list in marks::lists() {
        assert!(!list.name.is_empty() && !list.marks.is_empty());
        for mark in list.marks {
            assert!(!mark.is_empty() && *mark == mark.to_ascii_lowercase(), "{}: {mark}", list.name);
        }
        let place = list.delist;
        assert!(place.is_empty() || place.starts_with("http") || place.contains('@'), "{}: {place}", list.name);
    }
    assert_eq!(delist("Spamhaus ZEN", About::Address), Some("https://check.spamhaus.org/"));
    assert_eq!(delist("T-Online", About::Address), Some("tosa@rx.t-online.de"));
    assert_eq!(delist("T-Online", About::Range), Some("toda@rx.t-online.de"));
    assert_eq!(delist(UNNAMED, About::Address), None);
}
