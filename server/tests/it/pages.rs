//! What a browser gets: pages, health, files, the graph, events.

use crate::demo::{Answer, Demo, with_demo};
use api::{
    Driver, EndpointAddress, Event, GetTopologyRequest, ListHostsRequest, ListRoutersRequest,
    RouterState, SuspendRouterRequest, TopologyView, Transport,
};
use app::topology_view::Picture;
use axum::body::Body;
use futures_util::StreamExt as _;
use http::Request;
use std::time::Duration;
use tower::ServiceExt as _;

#[test]
fn the_first_page_names_every_host_and_router() {
    with_demo(async |demo| {
        let page = demo.get_with("/", &[("accept", "text/html")]).await;
        assert_eq!(page.status, 200);
        let html = page.text();
        let caller = Demo::caller();
        let hosts = demo
            .operations
            .list_hosts(&caller, ListHostsRequest {})
            .await
            .unwrap()
            .hosts;
        let routers = demo
            .operations
            .list_routers(&caller, ListRoutersRequest::default())
            .await
            .unwrap()
            .routers;
        assert!(
            hosts.len() >= 6 && routers.len() >= 35,
            "{} {}",
            hosts.len(),
            routers.len()
        );
        for name in hosts
            .iter()
            .map(|host| &host.name)
            .chain(routers.iter().map(|router| &router.name))
        {
            assert!(html.contains(name.as_str()), "{name} is missing");
        }
    });
}

#[test]
fn a_page_may_run_its_own_scripts_only() {
    with_demo(async |demo| {
        let page = demo.get_with("/", &[("accept", "text/html")]).await;
        let policy = page.header("content-security-policy");
        let nonce = policy
            .split("'nonce-")
            .nth(1)
            .and_then(|rest| rest.split('\'').next())
            .expect(policy);
        assert!(
            policy.contains("script-src 'self' 'wasm-unsafe-eval' 'nonce-"),
            "{policy}"
        );
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline"),
            "{policy}"
        );
        let html = page.text();
        for script in html.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap();
            assert!(
                tag.contains(&format!("nonce=\"{nonce}\"")) || tag.contains("src="),
                "<script{tag}>"
            );
        }
        assert!(
            !html.contains("<style>") && !html.contains(" style=\""),
            "an inline style is not let through"
        );
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "same-origin");

        let again = demo.get_with("/", &[("accept", "text/html")]).await;
        assert_ne!(
            again.header("content-security-policy"),
            policy,
            "a nonce is used once"
        );
    });
}

#[test]
fn what_is_not_there_is_a_404_for_people_and_programs() {
    with_demo(async |demo| {
        let page = demo
            .get_with("/no/such/page", &[("accept", "text/html")])
            .await;
        assert_eq!(page.status, 404);
        assert!(page.header("content-type").starts_with("text/html"));
        let plain = demo.get("/pkg/no-such-file.js").await;
        assert_eq!(
            (plain.status.as_u16(), plain.text().as_str()),
            (404, "There is nothing at /pkg/no-such-file.js.\n")
        );
        let request = Request::post("/nowhere")
            .header("host", "localhost")
            .body(Body::empty())
            .unwrap();
        assert_eq!(demo.send(request).await.status, 404);
    });
}

#[test]
fn health_is_told() {
    with_demo(async |demo| {
        for path in ["/healthz", "/readyz"] {
            assert_eq!(demo.get(path).await.status, 200, "{path}");
        }
    });
}

#[test]
fn not_being_ready_is_told_until_every_host_was_tried() {
    with_demo(async |demo| {
        let (tried, ready) = tokio::sync::watch::channel(false);
        let web = server::web::Web::new(
            demo.operations.clone(),
            ready,
            tokio_util::sync::CancellationToken::new(),
        );
        let router = server::web::router(web);
        let ask = async || {
            let request = Request::get("/readyz")
                .header("host", "localhost")
                .body(Body::empty())
                .unwrap();
            router
                .clone()
                .oneshot(request)
                .await
                .unwrap()
                .status()
                .as_u16()
        };
        assert_eq!(ask().await, 503);
        tried.send_replace(true);
        assert_eq!(ask().await, 200);
    });
}

#[test]
fn answers_are_compressed_for_whoever_takes_it() {
    with_demo(async |demo| {
        for (accepted, coding) in [("br", "br"), ("gzip", "gzip"), ("identity", "")] {
            let page = demo
                .get_with(
                    "/",
                    &[("accept", "text/html"), ("accept-encoding", accepted)],
                )
                .await;
            assert_eq!(page.header("content-encoding"), coding);
        }
    });
}

#[test]
fn the_graph_travels_and_is_asked_for_again_by_its_tag() {
    with_demo(async |demo| {
        for view in TopologyView::ALL {
            let (version, answer) = present_graph(demo, view).await;
            assert_eq!(answer.header("content-type"), "application/octet-stream");
            let picture = Picture::decode(&answer.body).unwrap();
            assert_eq!((picture.version, picture.view), (version, view));
            assert_eq!(
                picture.diagram.nodes.len() + picture.diagram.groups.len(),
                picture.positions.len()
            );
            let tag = answer.header("etag").to_owned();
            let path = format!("/graph/{version}?view={view}");
            let again = demo.get_with(&path, &[("if-none-match", &tag)]).await;
            assert_eq!(again.status, 304);
        }
        // Of one that is not kept, the present one.
        let (version, _) = present_graph(demo, TopologyView::Virtual).await;
        let answer = demo.get("/graph/0?view=virtual").await;
        assert_eq!(answer.status, 200);
        assert_eq!(Picture::decode(&answer.body).unwrap().version, version);
        for (path, status) in [
            ("/graph/999999", 404),
            ("/graph/x", 400),
            ("/graph/1?view=inner", 400),
        ] {
            let answer = demo.get(path).await;
            assert_eq!(answer.status, status, "{path}");
            assert!(answer.text().ends_with(".\n"), "{}", answer.text());
        }
    });
}

fn post(path: &str, body: &str) -> Request<Body> {
    Request::post(path)
        .header("host", "localhost:8080")
        .header("origin", "http://localhost:8080")
        .header("accept", "text/html")
        .header("referer", "http://localhost:8080/settings")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

async fn settings(demo: &Demo, location: &str) -> String {
    let path = location.trim_start_matches("http://localhost:8080");
    assert!(path.starts_with("/settings"), "{location}");
    let page = demo.get_with(path, &[("accept", "text/html")]).await;
    assert_eq!(page.status, 200);
    page.text()
}

/// What a page says went wrong.
fn notice(page: &str) -> Option<&str> {
    let after = page.split("class=\"notice\">").nth(1)?;
    after.split('<').next()
}

#[test]
fn a_host_comes_and_goes_by_plain_forms() {
    with_demo(async |demo| {
        // As a browser sends it, with a user that was typed before the transport was changed.
        let form = "host=by-form&name=By+form&site=\
                    &endpoints%5B0%5D%5Bdriver%5D=test&endpoints%5B0%5D%5Btransport%5D=local\
                    &endpoints%5B0%5D%5Baddress%5D=&endpoints%5B0%5D%5Bport%5D=\
                    &endpoints%5B0%5D%5Buser%5D=vms&endpoints%5B0%5D%5Bkey%5D=";
        let done = demo.send(post("/api/register_host", form)).await;
        assert_eq!(done.status, 302, "{}", done.text());
        let page = settings(demo, done.header("location")).await;
        assert!(page.contains("By form") && page.contains("test:///default"));
        assert_eq!(notice(&page), None);

        let again = demo.send(post("/api/register_host", form)).await;
        assert_eq!(again.status, 302);
        let page = settings(demo, again.header("location")).await;
        assert!(notice(&page).is_some_and(|text| text.contains("by-form")));
        let form = page.split("<details").nth(1).unwrap();
        assert!(form.split('>').next().unwrap().contains("open"), "{form}");

        let gone = demo.send(post("/api/remove_host", "host=by-form")).await;
        assert_eq!(gone.status, 302);
        let page = settings(demo, gone.header("location")).await;
        assert!(!page.contains("By form"), "{page}");
    });
}

#[test]
fn settings_tell_how_hosts_are_reached_and_offer_no_removal_of_configured_ones() {
    with_demo(async |demo| {
        let page = settings(demo, "/settings").await;
        let caller = Demo::caller();
        let hosts = demo
            .operations
            .list_hosts(&caller, ListHostsRequest {})
            .await;
        for host in hosts.unwrap().hosts {
            for endpoint in &host.endpoints {
                assert!(page.contains(&endpoint.uri), "{}", endpoint.uri);
            }
        }
        assert!(page.contains("configured") && page.contains("vms.toml"));
        assert!(
            !page.contains("Remove…"),
            "configured hosts are removed elsewhere"
        );

        let refused = demo.send(post("/api/remove_host", "host=rio-core-1")).await;
        let page = settings(demo, refused.header("location")).await;
        assert!(notice(&page).is_some_and(|text| text.contains("rio-core-1")));
    });
}

/// The URI that the page shows while one types is the one that libvirt is given.
#[test]
fn the_uri_that_is_shown_is_the_one_that_is_used() {
    let mut endpoints = Vec::new();
    for driver in Driver::ALL {
        for transport in Transport::ALL {
            for (address, port, user) in [
                ("alpha.example.net", None, None),
                ("192.0.2.1", Some(2222), Some("vms")),
                ("2001:db8::1", Some(1), None),
            ] {
                endpoints.push(EndpointAddress {
                    driver,
                    transport,
                    address: Some(address.to_owned()),
                    port,
                    user: user.map(str::to_owned),
                    key: None,
                });
            }
        }
    }
    for endpoint in endpoints {
        let shown = app::endpoint::uri(&endpoint);
        let read = control::Uri::parse(&shown).unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(read.to_string(), shown);
        let fits = app::endpoint::fitting(endpoint);
        assert_eq!(read.driver().name(), fits.driver.as_str());
        assert_eq!(
            (read.port(), read.user()),
            (fits.port, fits.user.as_deref())
        );
    }
}

/// The graph of the present version, which other tests may be changing.
async fn present_graph(demo: &Demo, view: TopologyView) -> (u64, Answer) {
    for _ in 0..20 {
        let request = GetTopologyRequest { view: Some(view) };
        let topology = demo.operations.get_topology(&Demo::caller(), request).await;
        let version = topology.unwrap().version;
        let answer = demo.get(&format!("/graph/{version}?view={view}")).await;
        if answer.status == 200 {
            return (version, answer);
        }
        assert_eq!(answer.status, 404, "{}", answer.text());
    }
    panic!("the topology does not stand still");
}

#[test]
fn the_page_asks_for_paths_and_for_the_load() {
    with_demo(async |demo| {
        let ends = "from=host%3Apoa-edge-1&to=host%3Arec-edge-1&view=physical&metric=latency";
        let found = demo
            .get(&format!("/api/find_paths?{ends}&alternatives=3"))
            .await;
        assert_eq!(found.status, 200, "{}", found.text());
        let found: serde_json::Value = serde_json::from_str(&found.text()).unwrap();
        let found = &found["found"];
        assert_eq!(found["paths"].as_array().unwrap().len(), 3);
        let avoid = "avoid[0]=host%3Ario-core-1&avoid[1]=host%3Absb-core-1&include_down=true";
        let around = demo
            .get(&format!("/api/find_paths?{ends}&alternatives=1&{avoid}"))
            .await;
        let around: serde_json::Value = serde_json::from_str(&around.text()).unwrap();
        let steps = around["found"]["paths"][0]["steps"].as_array().unwrap();
        assert!(steps.len() > found["paths"][0]["steps"].as_array().unwrap().len());
        let refused = demo
            .get(&format!("/api/find_paths?{ends}&alternatives=99"))
            .await;
        assert_eq!(refused.status, 400, "{}", refused.text());

        let load = demo.get("/api/load?view=combined").await;
        assert_eq!(load.status, 200, "{}", load.text());
        let load: serde_json::Value = serde_json::from_str(&load.text()).unwrap();
        let length = |column: &str| load[column].as_array().unwrap().len();
        assert_eq!(length("hosts"), length("host_cpu"));
        assert_eq!(length("hosts"), length("host_memory"));
        assert_eq!(length("routers"), length("router_cpu"));
        for column in ["a_to_b", "b_to_a", "capacity"] {
            assert_eq!(length("links"), length(column));
        }
    });
}

/// What the panel beside the picture holds, without what the page needs to come alive.
async fn panel(demo: &Demo, address: &str) -> String {
    let page = demo.get_with(address, &[("accept", "text/html")]).await;
    assert_eq!(page.status, 200, "{address}");
    let html = page.text();
    let panel = html.split("<aside").nth(1).expect("a panel");
    let panel = panel.split("</aside>").next().unwrap();
    panel.replace("<!>", "").replace("<!---->", "")
}

#[test]
fn paths_are_shown_without_script() {
    with_demo(async |demo| {
        let ends = "view=physical&select=host%3Apoa-edge-1&to=host%3Arec-edge-1";
        let html = panel(demo, &format!("/?{ends}&metric=latency&path=1")).await;
        for text in [
            "Paths from poa-edge-1 to rec-edge-1",
            "physical view",
            " ms · ",
            "metric=freeCapacity",
            "select=host%3Arec-edge-1&amp;to=host%3Apoa-edge-1",
            "physical link",
        ] {
            assert!(html.contains(text), "{text:?} is missing in {html}");
        }
        let list = html.split("class=\"ways\"").nth(1).unwrap();
        let list = list.split("</ol>").next().unwrap();
        let paths: Vec<_> = list.split("<li>").skip(1).collect();
        assert!(paths.len() > 1, "{list}");
        for (index, path) in paths.iter().enumerate() {
            let current = path.contains("aria-current=\"true\"");
            assert_eq!(current, index == 1, "{path}");
        }

        let choice = panel(demo, "/?view=physical&select=host%3Apoa-edge-1&to=").await;
        assert!(choice.contains("Paths from poa-edge-1 to…"), "{choice}");
        let option = "<option value=\"host:rec-edge-1\">rec-edge-1</option>";
        assert!(choice.contains(option) && choice.contains("name=\"metric\""));
        assert!(!choice.contains("<option value=\"host:poa-edge-1\""));

        let nowhere = panel(demo, &format!("/?{}", ends.replace("rec-", "poa-"))).await;
        assert!(nowhere.contains("role=\"alert\"") && nowhere.contains("it is the origin, too"));
    });
}

#[test]
fn that_there_is_no_path_is_no_error() {
    with_demo(async |demo| {
        let caller = Demo::caller();
        let request = GetTopologyRequest {
            view: Some(TopologyView::Virtual),
        };
        let topology = demo.operations.get_topology(&caller, request).await;
        let topology = topology.unwrap();
        let origin = &topology.routers[0];
        for router in &topology.routers[1..] {
            let request = api::FindPathsRequest {
                origin: origin.id.into(),
                destination: router.id.into(),
                view: Some(TopologyView::Virtual),
                metric: None,
                alternatives: Some(1),
                avoid: Vec::new(),
                include_down: None,
            };
            let found = demo.operations.find_paths(&caller, request).await.unwrap();
            let Some(reason) = found.reason else {
                continue;
            };
            let (from, to) = (origin.id, router.id);
            let html = panel(
                demo,
                &format!("/?view=virtual&select=router:{from}&to=router:{to}"),
            )
            .await;
            assert!(html.contains(&reason), "{reason} is missing in {html}");
            assert!(html.contains("No path") && !html.contains("role=\"alert\""));
            return;
        }
        panic!("all routers are joined");
    });
}

#[test]
fn a_virtual_link_tells_what_it_runs_over() {
    with_demo(async |demo| {
        let request = GetTopologyRequest {
            view: Some(TopologyView::Virtual),
        };
        let topology = demo.operations.get_topology(&Demo::caller(), request).await;
        let topology = topology.unwrap();
        let host = |end: &api::LinkEnd| {
            let router = topology.routers.iter().find(|it| Some(it.id) == end.router);
            router.map(|router| router.host.clone())
        };
        let (link, [a, b]) = topology
            .links
            .iter()
            .find_map(|link| {
                let ends = [host(&link.a)?, host(&link.b)?];
                (ends[0] != ends[1]).then_some((link, ends))
            })
            .expect("a link between hosts");
        let id = app::format::percent_encode(&format!("link:{}", link.id));
        let html = panel(demo, &format!("/?view=virtual&select={id}")).await;
        let under = html.split("Runs over").nth(1).expect(&html);
        for host in [a, b] {
            let link = format!("select=host%3A{host}");
            assert!(under.contains(&link), "{link} is missing in {under}");
        }
    });
}

#[test]
fn an_act_is_heard_on_the_event_stream() {
    with_demo(async |demo| {
        let router = demo.router_of_its_own(0).await;
        let request = GetTopologyRequest::default();
        let version = demo
            .operations
            .get_topology(&Demo::caller(), request)
            .await
            .unwrap()
            .version;
        let request = Request::get(format!("/events?since={version}"))
            .header("host", "localhost:8080")
            .header("accept-encoding", "br, gzip")
            .body(Body::empty())
            .unwrap();
        let response = demo.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(
            !response.headers().contains_key("content-encoding"),
            "a compressed stream is held back"
        );

        let request = SuspendRouterRequest {
            router: router.id,
            request_id: None,
        };
        demo.operations
            .suspend_router(&Demo::caller(), request)
            .await
            .unwrap();
        let mut body = response.into_body().into_data_stream();
        let mut text = String::new();
        let wanted = router.id.to_string();
        tokio::time::timeout(Duration::from_secs(10), async {
            while !text
                .lines()
                .any(|line| line.starts_with("data:") && line.contains(&wanted))
            {
                text +=
                    std::str::from_utf8(&body.next().await.expect("the stream goes on").unwrap())
                        .unwrap();
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{wanted} is not told of in:\n{text}"));

        let message = text
            .split("\n\n")
            .find(|message| message.contains(&wanted))
            .unwrap();
        let field = |name: &str| {
            message
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .map(str::trim_start)
                .unwrap()
        };
        let event: Event = serde_json::from_str(field("data:")).unwrap();
        let Event::Topology { version: at, .. } = event else {
            panic!("{event:?}")
        };
        assert!(at > version);
        assert_eq!(field("id:"), at.to_string());

        let request = api::GetRouterStatusRequest { router: router.id };
        let now = demo
            .operations
            .get_router_status(&Demo::caller(), request)
            .await
            .unwrap();
        assert_eq!(now.router.state, RouterState::Suspended);
    });
}

#[test]
fn streams_end_with_the_server() {
    with_demo(async |demo| {
        let shutdown = tokio_util::sync::CancellationToken::new();
        let (_tried, ready) = tokio::sync::watch::channel(true);
        let web = server::web::Web::new(demo.operations.clone(), ready, shutdown.clone());
        let run = web.run;
        let request = Request::get("/events")
            .header("host", "localhost")
            .body(Body::empty())
            .unwrap();
        let response = server::web::router(web).oneshot(request).await.unwrap();
        let mut body = response.into_body().into_data_stream();
        let first = body.next().await.unwrap().unwrap();
        let first = std::str::from_utf8(&first).unwrap();
        assert!(first.contains("event: run\n"), "{first}");
        let run = format!("data: {run}\n");
        assert!(first.contains(&run), "{first} has no {run}");
        shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(10), async {
            while body.next().await.is_some() {}
        })
        .await
        .expect("the stream ends");
    });
}
