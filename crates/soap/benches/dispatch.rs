//! What a call costs in the server: from the bytes of an HTTP request to those of its response,
//! without a network.

#![allow(missing_docs)]

use axum::{Router, body::Body};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::Request;
use soap::{Call, Limits, Service, Version, client};
use std::{convert::Infallible, hint::black_box};
use tower::ServiceExt as _;

const NAMESPACE: &str = "urn:example:bench";

#[derive(soap::Message)]
struct EchoRequest {
    text: String,
    number: u64,
}

#[derive(soap::Message)]
struct EchoReply {
    text: String,
    number: u64,
}

#[derive(soap::Message)]
struct TopologyRequest {}

#[derive(soap::Message, Clone)]
struct TopologyReply {
    version: u64,
    nodes: Vec<Node>,
}

#[derive(soap::Message, Clone)]
struct Node {
    id: String,
    name: String,
    host: Option<String>,
    state: State,
    cpus: u32,
    memory_bytes: u64,
    load: Option<f64>,
    interfaces: Vec<Interface>,
}

#[derive(soap::Message, Clone)]
struct Interface {
    mac: String,
    segment: Option<String>,
    up: bool,
}

#[derive(soap::Message, Clone, Copy)]
enum State {
    Running,
    Suspended,
}

fn topology() -> TopologyReply {
    let node = |index: u64| Node {
        id: format!("6f1f52a0-0c6e-4b6e-9a35-{index:012x}"),
        name: format!("router-{index}"),
        host: Some(format!("rio-edge-{}", index % 200)),
        state: if index.is_multiple_of(7) {
            State::Suspended
        } else {
            State::Running
        },
        cpus: 2,
        memory_bytes: 134_217_728,
        load: index.is_multiple_of(2).then_some(0.25),
        interfaces: vec![
            Interface {
                mac: "52:54:00:12:34:56".into(),
                segment: Some(format!("rio-edge-{}/br0", index % 200)),
                up: true,
            };
            2
        ],
    };
    TopologyReply {
        version: 42,
        nodes: (0..10_000).map(node).collect(),
    }
}

fn app() -> Router {
    let reply = std::sync::Arc::new(topology());
    let service = Service::new("BenchService", NAMESPACE)
        .operation("Echo", "", |_: Call, request: EchoRequest| async move {
            let EchoRequest { text, number } = request;
            Ok::<_, Infallible>(EchoReply { text, number })
        })
        .operation("Topology", "", move |_: Call, _: TopologyRequest| {
            let reply = std::sync::Arc::clone(&reply);
            async move { Ok::<_, Infallible>(reply) }
        });
    soap::router(vec![service], Limits::default())
}

fn post(content_type: &str, action: &str, body: Vec<u8>) -> Request<Body> {
    Request::post("/services/BenchService")
        .header("content-type", content_type)
        .header("soapaction", action)
        .body(Body::from(body))
        .expect("a request")
}

fn dispatch(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let app = app();
    for version in Version::ALL {
        let question = EchoRequest {
            text: "hello, <world>".into(),
            number: 12_345,
        };
        let (content_type, action, body) = client::request("Echo", NAMESPACE, version, &question);
        c.bench_function(&format!("echo, {version}"), |b| {
            b.iter(|| {
                let request = post(&content_type, &action, body.clone());
                let response = runtime
                    .block_on(app.clone().oneshot(request))
                    .expect("answer");
                assert_eq!(response.status(), 200);
                black_box(response)
            });
        });
    }

    // The reply's encoding alone, by the client's function, which writes the same way.
    let reply = topology();
    let (_, _, bytes) = client::request("TopologyResponse", NAMESPACE, Version::V12, &reply);
    let mut group = c.benchmark_group(format!("10,000 nodes, {} bytes", bytes.len()));
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.sample_size(30);
    group.bench_function("write", |b| {
        b.iter(|| client::request("TopologyResponse", NAMESPACE, Version::V12, &reply));
    });
    group.bench_function("read", |b| {
        b.iter(|| {
            client::response::<TopologyReply, Infallible>("Topology", NAMESPACE, &bytes)
                .expect("reply")
        });
    });
    let (content_type, action, body) =
        client::request("Topology", NAMESPACE, Version::V12, &TopologyRequest {});
    group.bench_function("call", |b| {
        b.iter(|| {
            let request = post(&content_type, &action, body.clone());
            black_box(
                runtime
                    .block_on(app.clone().oneshot(request))
                    .expect("answer"),
            )
        });
    });
    group.finish();
}

criterion_group!(benches, dispatch);
criterion_main!(benches);
