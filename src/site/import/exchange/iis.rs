//! The SMTP service of IIS 6 and of Exchange 2000 and 2003: `MetaBase.xml`.
//!
//! The names of virtual servers and their default domains are plain text. The list of hosts that may relay, `RelayIpList`, is an octet
//! string (`IPSECLIST`) whose structure Microsoft does not publish; whether it lists who may or who may not is a bit in it. It
//! is not guessed at: the reader is told where to look it up. Sources: Microsoft Learn, "RelayIpList Metabase Property",
//! "RelayForAuth Metabase Property", "IIS 6.0 metabase".

use super::super::Importer;
use super::super::files::{ConfigFile, Files};
use super::super::gather::{At, Gather};
use super::super::xml::{Piece, pieces};
use crate::site::Site;
use crate::site::opening::Software;

/// Reads IIS.
pub const IMPORTER: Importer = Importer {
    name: "iis-metabase",
    files: "IIS MetaBase.xml (names and domains only)",
    recognises: |file| file.text.contains("<IIsSmtp"),
    import,
};

fn import(own: &[&ConfigFile], _: &Files) -> Site {
    let mut gather = Gather::new(Software::Iis);
    for file in own {
        for piece in pieces(&file.text) {
            if let Piece::Open { name, attributes, line } = piece {
                element(At { file, line }, &name, &attributes, &mut gather);
            }
        }
    }
    gather.finish()
}

fn element(at: At<'_>, name: &str, attributes: &[(String, String)], gather: &mut Gather) {
    let value = |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    match name {
        "IIsSmtpServer" | "IIsSmtpService" => {
            if let Some(name) = value("FullyQualifiedDomainName") {
                gather.server_name(at, name, "its name: FullyQualifiedDomainName");
            }
            if let Some(domain) = value("DefaultDomain").filter(|domain| !domain.is_empty()) {
                gather.domain(at, domain, "the default domain of the SMTP service");
            }
            if value("RelayIpList").is_some() {
                let text = "RelayIpList, the hosts that may relay, is binary and was not read; see IIS Manager > SMTP Virtual Server > \
                            Properties > Access > Relay, and state them with --trusted-net";
                gather.note(at, text.to_owned());
            }
        }
        "IIsSmtpDomain" => {
            let location = value("Location").unwrap_or_default();
            let domain = location.rsplit_once("/Domain/").map(|(_, domain)| domain);
            if let Some(domain) = domain.filter(|domain| !domain.is_empty()) {
                let text = format!(
                    "whether `{domain}` is local or remote is not told; if it is yours, state it with --local-domain"
                );
                gather.note(at, text);
            }
        }
        _ => {}
    }
}
