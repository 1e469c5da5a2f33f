//! `vms link …`: virtual links that VMS makes between routers.

use super::{
    commands::{CommandError, Confirm, confirmed, find_router, write},
    jobs,
    quantity::bit_rate,
    table::{Table, bit_rate as rate, or_absent},
    time::clock,
};
use api::{
    Caller, Conflict, CreateVirtualLinkRequest, DeleteVirtualLinkRequest, Error, LinkAddressing,
    LinkTransport, ListVirtualLinksReply, ListVirtualLinksRequest, NotFound, Operations,
    VirtualLink, VirtualLinkEnd, WhenRunning,
};
use clap::{Args, Subcommand};
use std::io::Write;

/// What to ask about virtual links, or to do with one. A link is named by its id, or by the beginning
/// of it where only one begins so.
#[derive(Clone, Debug, Subcommand)]
pub enum LinkCommand {
    /// Link two routers, each by one more interface, and follow how it goes
    Create(CreateLinkCommand),
    /// List the links that were made by this command or its like, the oldest first
    List {
        /// Only those of this router, by its id or, where only one has it, its name
        #[arg(long, value_name = "ID_OR_NAME")]
        router: Option<String>,
    },
    /// Take a link away: both interfaces, and what carries it
    Delete {
        /// Its id, or the beginning of it
        link: String,
        /// What happens to a router that runs and cannot be unplugged: refuse, nextStart or restart
        /// [default: refuse]
        #[arg(long, value_name = "WHAT")]
        when_running: Option<WhenRunning>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// An id of your choice: said again, it gives the first job instead of another
        #[arg(long, value_name = "ID")]
        request_id: Option<String>,
        /// Do not follow the job
        #[arg(long)]
        no_wait: bool,
    },
}

/// Which routers to link, and how.
#[derive(Clone, Debug, Args)]
pub struct CreateLinkCommand {
    /// One router, by its id or, where only one has it, its name
    #[arg(value_name = "A")]
    pub a: String,
    /// The other one
    #[arg(value_name = "B")]
    pub b: String,
    /// What is to carry it: network, bridge, multicast or udp [default: the first of the server's
    /// preferences that both hosts can]
    #[arg(long)]
    pub transport: Option<LinkTransport>,
    /// The bridge to use [default: the first one that both hosts have in one segment]
    #[arg(long, value_name = "NAME")]
    pub bridge: Option<String>,
    /// The most from A to B in bits a second, for example 10M [default: not limited]
    #[arg(long, value_name = "RATE", value_parser = bit_rate)]
    pub to_b: Option<u64>,
    /// The most from B to A
    #[arg(long, value_name = "RATE", value_parser = bit_rate)]
    pub to_a: Option<u64>,
    /// The largest packet in bytes [default: what the transport has]
    #[arg(long, value_name = "BYTES")]
    pub mtu: Option<u32>,
    /// Which addresses its ends get: none, ipv4 (of a /31) or ipv6 (of a /64) [default: none]
    #[arg(long, value_name = "WHICH")]
    pub addressing: Option<LinkAddressing>,
    /// What happens to a router that runs and cannot be plugged: refuse, nextStart or restart
    /// [default: refuse]
    #[arg(long, value_name = "WHAT")]
    pub when_running: Option<WhenRunning>,
    /// An id of your choice: said again, it gives the first job instead of another link
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
    /// Do not follow the job
    #[arg(long)]
    pub no_wait: bool,
}

/// Carries out one of the commands.
pub(super) async fn execute(
    command: LinkCommand,
    json: bool,
    operations: &dyn Operations,
    caller: &Caller,
    out: &mut (dyn Write + Send),
    terminal: bool,
    confirm: Confirm<'_>,
) -> Result<(), CommandError> {
    match command {
        LinkCommand::Create(wanted) => {
            let request = CreateVirtualLinkRequest {
                a: find_router(operations, caller, &wanted.a).await?,
                b: find_router(operations, caller, &wanted.b).await?,
                transport: wanted.transport,
                bridge: wanted.bridge,
                bits_per_second_to_b: wanted.to_b,
                bits_per_second_to_a: wanted.to_a,
                mtu: wanted.mtu,
                addressing: wanted.addressing,
                when_running: wanted.when_running,
                request_id: wanted.request_id,
            };
            let reply = operations.create_virtual_link(caller, request).await;
            let reply = reply.map_err(in_words)?;
            if !json {
                let mut table = table();
                row(&mut table, &reply.link);
                writeln!(out, "{table}")?;
            }
            let (job, no_wait) = (reply.job.clone(), wanted.no_wait);
            jobs::carry(
                &reply, job, no_wait, json, operations, caller, out, terminal,
            )
            .await
        }
        LinkCommand::List { router } => {
            let router = match router {
                Some(router) => Some(find_router(operations, caller, &router).await?),
                None => None,
            };
            let request = ListVirtualLinksRequest { router };
            let reply = operations.list_virtual_links(caller, request).await?;
            write(out, json, &reply, links)
        }
        LinkCommand::Delete {
            link,
            when_running,
            yes,
            request_id,
            no_wait,
        } => {
            let request = ListVirtualLinksRequest { router: None };
            let known = operations.list_virtual_links(caller, request).await?.links;
            let link = beginning(&known, &link)?;
            confirmed(confirm, yes, &consequences(link))?;
            let request = DeleteVirtualLinkRequest {
                link: link.id,
                when_running,
                request_id,
            };
            let reply = operations.delete_virtual_link(caller, request).await;
            let reply = reply.map_err(in_words)?;
            let job = reply.job.clone();
            jobs::carry(
                &reply, job, no_wait, json, operations, caller, out, terminal,
            )
            .await
        }
    }
}

/// The link with this id, or the only one whose id begins so.
fn beginning<'a>(links: &'a [VirtualLink], wanted: &str) -> Result<&'a VirtualLink, Error> {
    let beginning = wanted.to_lowercase();
    let so = |link: &&VirtualLink| link.id.to_string().starts_with(&beginning);
    let found: Vec<_> = links.iter().filter(so).collect();
    match found.as_slice() {
        [only] => Ok(only),
        [] => Err(NotFound {
            kind: "link".to_owned(),
            id: wanted.to_owned(),
            message: format!(
                "No link's id begins with {wanted:?}: `vms link list` names those that VMS made."
            ),
        }
        .into()),
        several => {
            let each: Vec<_> = several.iter().map(|link| link.id.to_string()).collect();
            Err(Conflict {
                message: format!(
                    "The ids of {} links begin with {wanted:?}: name one of {}.",
                    several.len(),
                    each.join(", ")
                ),
            }
            .into())
        }
    }
}

fn consequences(link: &VirtualLink) -> String {
    let (a, b) = (&link.a.router_name, &link.b.router_name);
    format!("Take the link between {a} and {b} away, with both interfaces. Go on?")
}

/// The error in the words of the command line, where it names an element of a request.
fn in_words(error: Error) -> Error {
    let Error::InvalidArgument(mut fault) = error else {
        return error;
    };
    let word = match fault.element.as_str() {
        "a" => "A",
        "b" => "B",
        "transport" => "--transport",
        "bridge" => "--bridge",
        "bitsPerSecondToB" => "--to-b",
        "bitsPerSecondToA" => "--to-a",
        "mtu" => "--mtu",
        "addressing" => "--addressing",
        "whenRunning" => "--when-running",
        "requestId" => "--request-id",
        _ => return fault.into(),
    };
    word.clone_into(&mut fault.element);
    fault.into()
}

fn table() -> Table {
    Table::new(&[
        "a", "b", "by", "carrier", "to b", "to a", "mtu", "made", "id",
    ])
}

fn row(table: &mut Table, link: &VirtualLink) {
    table.row([
        end(&link.a),
        end(&link.b),
        link.transport.describe().to_owned(),
        link.carrier.clone(),
        or_absent(link.bits_per_second_to_b.map(|bits| rate(bits as f64))),
        or_absent(link.bits_per_second_to_a.map(|bits| rate(bits as f64))),
        or_absent(link.mtu),
        clock(link.created_at),
        link.id.to_string(),
    ]);
}

fn end(end: &VirtualLinkEnd) -> String {
    match &end.address {
        Some(address) => format!("{} {address}", end.router_name),
        None => format!("{} {}", end.router_name, end.mac),
    }
}

fn links(reply: &ListVirtualLinksReply) -> String {
    let mut table = table();
    for link in &reply.links {
        row(&mut table, link);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::Timestamp;

    fn link(id: &str) -> VirtualLink {
        let end = |name: &str, mac: &str, address: Option<&str>| VirtualLinkEnd {
            router: "6f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01".parse().unwrap(),
            router_name: name.to_owned(),
            host: "alpha".parse().unwrap(),
            mac: mac.parse().unwrap(),
            address: address.map(str::to_owned),
        };
        VirtualLink {
            id: id.parse().unwrap(),
            a: end("r1", "52:54:00:00:00:01", Some("10.0.0.0/31")),
            b: end("r2", "52:54:00:00:00:02", None),
            transport: LinkTransport::Udp,
            carrier: "port 20001".to_owned(),
            bits_per_second_to_b: Some(10_000_000),
            bits_per_second_to_a: None,
            mtu: Some(1450),
            created_at: Timestamp::UNIX_EPOCH,
            created_by: "local".to_owned(),
        }
    }

    const ONE: &str = "4f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01";
    const TWO: &str = "4f2f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01";

    #[test]
    fn links_are_listed_with_both_ends() {
        let reply = ListVirtualLinksReply {
            as_of: Timestamp::UNIX_EPOCH,
            links: vec![link(ONE)],
        };
        assert_eq!(
            links(&reply),
            format!(
                "A               B                     BY          CARRIER          TO B  TO A   MTU  MADE                  ID\n\
                 r1 10.0.0.0/31  r2 52:54:00:00:00:02  UDP tunnel  port 20001  10 Mbit/s     -  1450  1970-01-01 00:00:00Z  {ONE}\n"
            )
        );
    }

    #[test]
    fn a_link_is_named_by_the_beginning_of_its_id() {
        let known = [link(ONE), link(TWO)];
        assert_eq!(beginning(&known, "4F1").unwrap().id, known[0].id);
        assert_eq!(beginning(&known, TWO).unwrap().id, known[1].id);
        let several = beginning(&known, "4f").unwrap_err();
        assert!(several.to_string().contains(ONE), "{several}");
        let none = beginning(&known, "5").unwrap_err();
        assert!(none.to_string().contains("vms link list"), "{none}");
    }

    #[test]
    fn errors_name_what_was_typed() {
        for (element, expected) in [("bitsPerSecondToB", "--to-b"), ("b", "B"), ("x", "x")] {
            let error = in_words(Error::invalid(element, "why"));
            assert_eq!(error.to_string(), format!("{expected}: why"));
        }
    }
}
