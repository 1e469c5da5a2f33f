//! The command line over the demo fleet: what it asks, prints, and ends with.

use crate::demo::{Demo, with_demo};
use api::{Error, Operations as _};
use clap::Parser as _;
use futures_util::StreamExt as _;
use server::{
    cli::{CommandError, CommandLine, Console, execute},
    client::Client,
};

/// Carries out a command where nobody sits at a terminal.
async fn vms(demo: &Demo, arguments: &[&str]) -> (String, Result<(), CommandError>) {
    let line = CommandLine::try_parse_from(["vms"].iter().chain(arguments)).unwrap();
    let mut out = Vec::new();
    let console = Console {
        out: &mut out,
        terminal: false,
        confirm: &mut |_| Ok(None),
        listen: &mut || panic!("nobody types"),
    };
    let end = execute(line.command, &*demo.operations, &Demo::caller(), console).await;
    (String::from_utf8(out).unwrap(), end)
}

#[test]
fn what_destroys_asks_and_is_not_done_where_nobody_can_be_asked() {
    with_demo(async |demo| {
        let router = demo.router_of_its_own(4).await;
        let name = router.name.as_str();
        for command in ["reset", "destroy", "delete"] {
            let (text, end) = vms(demo, &["router", command, name]).await;
            let why = end.unwrap_err();
            assert!(matches!(why, CommandError::Unconfirmed), "{command}: {why}");
            assert_eq!(text, "");
        }
        let (text, end) = vms(demo, &["router", "destroy", name, "--yes"]).await;
        end.unwrap();
        assert_eq!(text, format!("{name} on {} is shut off.\n", router.host));
        let (text, end) = vms(demo, &["router", "start", name]).await;
        end.unwrap();
        assert_eq!(text, format!("{name} on {} is running.\n", router.host));
        let (text, end) = vms(demo, &["router", "reboot", name]).await;
        end.unwrap();
        assert_eq!(text, format!("{name} was asked to reboot.\n"));
        let (text, end) = vms(demo, &["router", "shutdown", name]).await;
        end.unwrap();
        let mut lines = text.lines();
        let first = lines.next().unwrap();
        assert!(
            first.contains(&format!("router shutdown of {name}")),
            "{text}"
        );
        let (list, end) = vms(demo, &["router", "list", "--state", "shut-off"]).await;
        end.unwrap();
        assert!(list.contains(name), "{list}");
        let (_, end) = vms(demo, &["router", "start", name, "--json"]).await;
        end.unwrap();
        let (_, end) = vms(demo, &["router", "resize", name, "--vcpus", "0"]).await;
        let why = end.unwrap_err().to_string();
        assert!(why.starts_with("--vcpus: "), "{why}");
        let (_, end) = vms(demo, &["router", "create", "r-new", "no-image"]).await;
        let why = end.unwrap_err().to_string();
        assert!(why.contains("No image is called \"no-image\""), "{why}");
        let (text, end) = vms(demo, &["link", "list"]).await;
        end.unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let (_, end) = vms(demo, &["link", "delete", "4f"]).await;
        let why = end.unwrap_err().to_string();
        assert!(why.contains("No link's id begins with"), "{why}");
    });
}

#[test]
fn a_console_that_is_not_there_is_told_before_anybody_types() {
    with_demo(async |demo| {
        let router = demo.router_of_its_own(3).await;
        let (text, end) = vms(demo, &["router", "console", &router.name]).await;
        let why = end.unwrap_err().to_string();
        assert!(why.contains("has no consoles"), "{why}");
        assert_eq!(text, "");
    });
}

/// Over a socket: what a browser cannot be told by an answer is told by the WebSocket.
#[test]
fn over_the_network_a_console_says_why_it_is_not_there_and_operations_are_found() {
    with_demo(async |demo| {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = demo.router.clone();
        let served = tokio::spawn(async move { axum::serve(listener, router).await });
        let client = Client::new(&format!("http://{address}"), soap::Version::V12).unwrap();
        let open = async |id| {
            let input = futures_util::stream::pending().boxed();
            let opened = client.open_console(&Demo::caller(), id, input).await;
            opened.err().unwrap()
        };
        let router = demo.router_of_its_own(3).await;
        let unable = open(router.id).await;
        assert!(matches!(unable, Error::NotSupported(_)), "{unable:?}");
        assert!(unable.to_string().contains(&router.name), "{unable}");
        let nobody = open("6f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01".parse().unwrap()).await;
        assert!(matches!(nobody, Error::NotFound(_)), "{nobody:?}");

        // The operations on routers and links go over SOAP, to the operation that is meant.
        let caller = Demo::caller();
        let request = api::ListVirtualLinksRequest { router: None };
        let links = client.list_virtual_links(&caller, request).await.unwrap();
        assert_eq!(links.links, []);
        let request = api::ResizeRouterRequest {
            router: router.id,
            vcpus: Some(0),
            memory_bytes: None,
            request_id: None,
        };
        let refused = client.resize_router(&caller, request).await.unwrap_err();
        let Error::InvalidArgument(refused) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(refused.element, "vcpus");
        let request = api::RebootRouterRequest {
            router: router.id,
            request_id: None,
        };
        let rebooted = client.reboot_router(&caller, request).await.unwrap();
        assert_eq!(rebooted.router.id, router.id);

        // A page of somebody else's opens none.
        let stranger = reqwest::Client::new()
            .get(format!("http://{address}/routers/{}/console", router.id))
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("origin", "http://evil.example");
        assert_eq!(stranger.send().await.unwrap().status(), 403);
        served.abort();
        // Its port is closed once it has ended.
        let _ = served.await;
        let gone = open(router.id).await.to_string();
        assert!(gone.starts_with("No server answers at "), "{gone}");
    });
}

#[test]
fn a_router_is_checked_moved_and_its_job_is_told_of() {
    with_demo(async |demo| {
        let router = demo.router_of_its_own(3).await;
        let (name, id) = (router.name.as_str(), router.id.to_string());
        let (text, end) = vms(demo, &["router", "check", name, "--mode", "cold"]).await;
        end.unwrap();
        let head = format!("{name}, on {}, cold:\n", router.host);
        assert!(text.starts_with(&head), "{text}");
        let best = text.lines().nth(3).unwrap();
        assert!(best.starts_with(['✓', '!']), "{text}");
        let best = best.split_whitespace().nth(1).unwrap();

        // What the driver cannot do is told, and the command says so with its exit code.
        let live = ["router", "check", name, "--to", best, "--mode", "live"];
        let (text, end) = vms(demo, &live).await;
        assert!(text.contains("✕ driver: "), "{text}");
        let why = end.unwrap_err().to_string();
        let expected = format!("{name} cannot be moved to {best}: ");
        assert!(why.starts_with(&expected), "{why}");

        let migrate = ["router", "migrate", name, best, "--mode", "cold"];
        let (text, end) = vms(demo, &migrate).await;
        end.unwrap();
        let mut lines = text.lines();
        let first = lines.next().unwrap();
        let job = first.split(' ').nth(1).unwrap();
        assert!(first.starts_with("Job ") && first.contains(name), "{text}");
        let told = |begin: &str| text.lines().any(|line| line.starts_with(begin));
        assert!(told(&format!("{name} is on {best}")), "{text}");
        assert!(told("It took "), "{text}");
        for line in lines {
            let again = text.lines().filter(|other| *other == line);
            assert_eq!(again.count(), 1, "said once: {text}");
        }

        let (text, end) = vms(demo, &["router", "show", &id]).await;
        end.unwrap();
        assert!(text.contains(&format!("{best}, by test")), "{text}");

        let (list, end) = vms(demo, &["job", "list", "--router", name]).await;
        end.unwrap();
        assert!(list.lines().nth(1).unwrap().ends_with(job), "{list}");
        let (list, end) = vms(demo, &["job", "list", "--unfinished"]).await;
        end.unwrap();
        assert_eq!(list.lines().count(), 1, "{list}");

        // The beginning of its id is enough; so many digits are nobody else's.
        let (shown, end) = vms(demo, &["job", "show", &job[..18]]).await;
        end.unwrap();
        assert!(shown.contains("state      succeeded"), "{shown}");
        let (watched, end) = vms(demo, &["job", "watch", job, "--json"]).await;
        end.unwrap();
        let watched: api::GetJobReply = serde_json::from_str(&watched).unwrap();
        assert_eq!(watched.job.id.to_string(), job);
        let (text, end) = vms(demo, &["job", "cancel", job]).await;
        end.unwrap();
        assert!(text.contains("is over"), "{text}");

        // It is there already: the error is in the words of the command line.
        let (_, end) = vms(demo, &migrate).await;
        let why = end.unwrap_err().to_string();
        assert!(why.starts_with("HOST: "), "{why}");
    });
}

#[test]
fn maintenance_is_switched_and_told() {
    with_demo(async |demo| {
        let host = "poa-edge-1";
        let on = ["host", "maintenance", host, "on", "--reason", "new disks"];
        let (text, end) = vms(demo, &on).await;
        end.unwrap();
        let expected = format!("{host} is in maintenance: new disks\n");
        assert!(text.starts_with(&expected), "{text}");
        let (list, end) = vms(demo, &["host", "list"]).await;
        end.unwrap();
        assert!(list.contains("online, maintenance"), "{list}");
        let (text, end) = vms(demo, &["host", "maintenance", host, "off"]).await;
        end.unwrap();
        assert_eq!(text, format!("{host} is in use.\n"));
        let (shown, end) = vms(demo, &["host", "show", host]).await;
        end.unwrap();
        assert!(shown.contains("maintenance  no\n"), "{shown}");
    });
}
