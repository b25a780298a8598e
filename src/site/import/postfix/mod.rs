//! Postfix: `main.cf` or the output of `postconf -n`, and `master.cf` or `postconf -M`.
//!
//! Sources: postconf(5), master(5), access(5), SMTPD_ACCESS_README, ADDRESS_CLASS_README (Postfix 2.10 to 3.9).

mod master;
mod parameters;
mod restrictions;
mod tables;

use super::Importer;
use super::files::{ConfigFile, Files};
use super::gather::{At, Gather};
use crate::site::opening::{Lets, Software};
use crate::site::{Site, parse_network};
use ipnet::IpNet;
use master::Service;
use parameters::{Parameters, items};
use restrictions::{LISTS, Walk, walk};

/// Reads Postfix.
pub const IMPORTER: Importer = Importer {
    name: "postfix-configuration",
    files: "Postfix main.cf (or the output of `postconf -n`) and master.cf (`postconf -M`)",
    recognises,
    import,
};

/// Parameters by which `main.cf` and `postconf -n` are known: one of them is set in every installation.
const TELLING: [&str; 8] = [
    "mydestination",
    "mynetworks",
    "myhostname",
    "inet_interfaces",
    "relay_domains",
    "compatibility_level",
    "queue_directory",
    "smtpd_recipient_restrictions",
];

fn recognises(file: &ConfigFile) -> bool {
    matches!(file.name(), "main.cf" | "master.cf") || is_master(file) || is_main(file)
}

fn is_main(file: &ConfigFile) -> bool {
    let setting = |line: &str| line.split_once('=').is_some_and(|(name, _)| TELLING.contains(&name.trim_end()));
    file.name() == "main.cf" || file.text.lines().any(setting)
}

fn is_master(file: &ConfigFile) -> bool {
    file.name() == "master.cf" || file.entries().any(|(_, line)| master::is_service(line))
}

fn import(own: &[&ConfigFile], files: &Files) -> Site {
    let (masters, mains): (Vec<&ConfigFile>, Vec<&ConfigFile>) = own.iter().partition(|file| is_master(file));
    let mut site = Site::default();
    for main in &mains {
        // One server's files lie in one folder.
        let beside = |master: &&&ConfigFile| mains.len() == 1 || master.path.parent() == main.path.parent();
        let services = masters.iter().filter(beside).flat_map(|master| master::services(master)).collect();
        site.add_all(Server { main: Parameters::read(main), services, files, gather: new() }.read());
    }
    if mains.is_empty() {
        let services = masters.iter().flat_map(|master| master::services(master)).collect();
        site.add_all(Server { main: Parameters::default(), services, files, gather: new() }.read());
    }
    site
}

fn new() -> Gather {
    Gather::new(Software::Postfix)
}

/// One server.
struct Server<'a> {
    main: Parameters<'a>,
    services: Vec<Service<'a>>,
    files: &'a Files,
    gather: Gather,
}

impl<'a> Server<'a> {
    fn read(mut self) -> Site {
        self.names();
        self.domains();
        let main = std::mem::take(&mut self.main);
        self.networks(&main);
        self.audit(&main);
        let services = std::mem::take(&mut self.services);
        let here = ["loopback-only", "localhost", "127.0.0.1"].contains(&main.value("inet_interfaces").as_str());
        let inner = |service: &&Service<'a>| service.is_inner() || here && !service.name.contains(':');
        let outer: Vec<&Service<'a>> = services.iter().filter(|service| !inner(service)).collect();
        for service in &outer {
            let own = main.with(service.at, &service.overrides);
            if service.overrides.iter().any(|(name, _)| name == "mynetworks") {
                self.networks(&own);
            }
            self.restrictions(&own);
        }
        // Without master.cf, its usual service is taken for granted.
        if services.is_empty() && !here {
            self.restrictions(&main);
        }
        self.gather.finish()
    }

    /// What the server is called, and its addresses.
    fn names(&mut self) {
        if let Some(at) = self.main.place("myhostname", "") {
            self.gather.server_name(at, &self.main.value("myhostname"), "its name: myhostname");
        }
        for name in ["inet_interfaces", "proxy_interfaces"] {
            let Some(at) = self.main.place(name, "") else { continue };
            for item in items(&self.main.value(name)) {
                let bare = item.trim_start_matches('[').trim_end_matches(']');
                if let Ok(address) = bare.parse() {
                    self.gather.server_address(at, address, &format!("listed in {name}"));
                }
            }
        }
    }

    /// The domains that mail is taken for (ADDRESS_CLASS_README).
    fn domains(&mut self) {
        // What is not set has defaults that name the server itself, if they name anything.
        for name in ["mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains"] {
            let of = match name {
                "virtual_alias_domains" if !self.main.is_set(name) => "virtual_alias_maps",
                "virtual_mailbox_domains" if !self.main.is_set(name) => "virtual_mailbox_maps",
                _ => name,
            };
            let fallback = || self.main.place("myhostname", "");
            let Some(at) = self.main.place(of, "").or_else(fallback) else { continue };
            for item in items(&self.main.value(name)) {
                let at = self.main.place(of, item).unwrap_or(at);
                self.domain(at, name, of, item);
            }
        }
    }

    fn domain(&mut self, at: At<'a>, name: &str, of: &str, item: &str) {
        let why = format!("listed in {name}");
        if let Some(excluded) = item.strip_prefix('!') {
            self.gather.note(at, format!("{name} excludes `{excluded}`; the site cannot say so"));
        } else if item.starts_with("static:") || item.contains(":/.*/") {
            self.gather.opening(at, item, Lets::AnyRecipient);
        } else if tables::is_reference(item) {
            let files = self.files;
            match tables::entries(item, files) {
                Some(entries) => {
                    for ((file, line), key, _) in entries {
                        // In tables of aliases and mailboxes, whole domains are keys among addresses.
                        if of == name || !key.contains('@') && key.contains('.') {
                            self.one(At { file, line }, name, key, &why);
                        }
                        self.gather.looked_up(file);
                    }
                }
                None if of != name => {}
                None => self.gather.absent(at, name, item),
            }
        } else {
            self.one(at, name, item, &why);
        }
    }

    /// One domain. Those of relay_domains stand for what is below them too, unless `parent_domain_matches_subdomains`
    /// says otherwise (postconf(5)).
    fn one(&mut self, at: At<'a>, name: &str, domain: &str, why: &str) {
        let parents = "parent_domain_matches_subdomains";
        let below = !self.main.is_set(parents) || items(&self.main.value(parents)).contains(&"relay_domains");
        match name == "relay_domains" && below && domain != "localhost" {
            true => self.gather.domain_and_below(at, domain, why),
            false => self.gather.domain(at, domain, why),
        }
    }

    /// The clients that `permit_mynetworks` lets send.
    fn networks(&mut self, parameters: &Parameters<'a>) {
        let Some(at) = parameters.place("mynetworks", "") else { return self.style(parameters) };
        let mut found: Vec<(At<'a>, IpNet)> = Vec::new();
        for item in items(&parameters.value("mynetworks")) {
            let at = parameters.place("mynetworks", item).unwrap_or(at);
            if let Some(excluded) = item.strip_prefix('!') {
                self.gather.note(at, format!("mynetworks excludes `{excluded}`; the site cannot say so"));
            } else if let Some(net) = network(item) {
                found.push((at, net));
            } else if item.starts_with("static:") {
                found.extend(["0.0.0.0/0", "::/0"].iter().filter_map(|net| Some((at, network(net)?))));
            } else if let Some(entries) = tables::entries(item, self.files) {
                for ((file, line), key, _) in entries {
                    self.gather.looked_up(file);
                    match network(key) {
                        Some(net) => found.push((At { file, line }, net)),
                        None => self.gather.absent(At { file, line }, "mynetworks", key),
                    }
                }
            } else {
                self.gather.absent(at, "mynetworks", item);
            }
        }
        self.gather.networks(&found, "listed in mynetworks");
    }

    /// `mynetworks_style` decides where no networks are listed. Only `host` trusts nobody but the server.
    fn style(&mut self, parameters: &Parameters<'a>) {
        let style = parameters.value("mynetworks_style");
        let class = style == "class";
        if let Some(at) = parameters.place("mynetworks_style", "").filter(|_| class || style == "subnet") {
            self.gather.opening(at, &format!("mynetworks_style = {style}"), Lets::Neighbours { class });
        }
    }

    /// Settings that open the server whatever the restrictions say.
    fn audit(&mut self, parameters: &Parameters<'a>) {
        let untrusted = parameters.value("allow_untrusted_routing") == "yes";
        if let Some(at) = parameters.place("allow_untrusted_routing", "").filter(|_| untrusted) {
            self.gather.opening(at, "allow_untrusted_routing = yes", Lets::Disguised);
        }
        let options = parameters.value("smtpd_sasl_security_options");
        if let Some(at) = parameters.place("smtpd_sasl_security_options", "") {
            let enabled = parameters.value("smtpd_sasl_auth_enable") == "yes";
            if enabled && !items(&options).contains(&"noanonymous") {
                self.gather.opening(at, "smtpd_sasl_security_options", Lets::AnonymousLogin);
            }
        }
        for item in items(&parameters.value("smtpd_authorized_xclient_hosts")) {
            let at = parameters.place("smtpd_authorized_xclient_hosts", item);
            if let (Some(at), Some(net)) = (at, network(item).filter(|net| crate::site::is_wide(*net))) {
                self.gather.opening(at, item, Lets::ClaimedAddress(net));
            }
        }
    }

    /// Whether a stranger's recipient elsewhere passes all lists.
    fn restrictions(&mut self, parameters: &Parameters<'a>) {
        for list in LISTS {
            let value = parameters.value(list);
            let tables = items(&value).into_iter().filter_map(tables::source).filter_map(|path| self.files.find(path));
            tables.for_each(|file| self.gather.looked_up(file));
        }
        let walks: Vec<(&str, Walk)> = LISTS.iter().map(|list| (*list, walk(parameters, list, self.files))).collect();
        let refusing: Vec<&(&str, Walk)> = walks.iter().filter(|(_, walk)| walk.closed).collect();
        match refusing.as_slice() {
            [] => self.open(parameters, &walks),
            // Whom the only list that refuses lets pass before, passes.
            [(list, walk)] => {
                for (item, lets) in &walk.some {
                    let word = item.split(' ').next().unwrap_or_default();
                    if let Some(at) = parameters.place(list, word) {
                        self.gather.opening(at, &format!("{list}: {item}"), lets.clone());
                    }
                }
                for item in &walk.untold {
                    let word = item.split(' ').next().unwrap_or_default();
                    if let Some(at) = parameters.place(list, word) {
                        let text = format!("{list}: `{item}` comes before the relay check and may let clients pass");
                        self.gather.note(at, text);
                    }
                }
            }
            _ => {}
        }
    }

    /// No list refuses: the item that permits is to blame, or else the list that should refuse.
    fn open(&mut self, parameters: &Parameters<'a>, walks: &[(&str, Walk)]) {
        let relay = ["smtpd_relay_restrictions", "smtpd_recipient_restrictions"];
        let permit = walks.iter().filter(|(list, _)| relay.contains(list));
        let permit = permit.filter_map(|(list, walk)| {
            let item = walk.permit.as_deref()?;
            Some((parameters.place(list, item)?, format!("{list}: {item}")))
        });
        let unset = relay.iter().filter_map(|list| {
            Some((parameters.place(list, "")?, format!("{list} without reject_unauth_destination")))
        });
        if let Some((at, item)) = permit.chain(unset).next() {
            self.gather.opening(at, &item, Lets::AnyClient);
        }
    }
}

/// A network as Postfix writes it: `192.0.2.0/24`, `[2001:db8::]/32`, `2001:db8::/32`, or the first octets alone in a table.
fn network(text: &str) -> Option<IpNet> {
    parse_network(text).ok().or_else(|| crate::site::network::parse_octets(text))
}
