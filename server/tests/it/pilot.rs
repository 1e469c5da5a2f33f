//! The SOAP services: what a pilot finds and gets.

use crate::demo::{Demo, with_demo};
use api::{
    Error, GetRouterStatusReply, GetRouterStatusRequest, ListHostsReply, ListHostsRequest,
    ResumeRouterReply, ResumeRouterRequest, RouterState, SuspendRouterReply, SuspendRouterRequest,
};
use axum::body::Body;
use http::Request;
use server::pilot::{NAMESPACE, services};
use soap::{Message, Version, client};

const OPERATIONS: [(&str, &[&str]); 4] = [
    ("TopologyService", &["GetTopology"]),
    (
        "StatusService",
        &["ListHosts", "ListRouters", "GetRouterStatus"],
    ),
    ("MeasurementService", &["QueryHistory"]),
    ("ProvisioningService", &["SuspendRouter", "ResumeRouter"]),
];

async fn call<Q: Message, A: Message>(
    demo: &Demo,
    service: &str,
    operation: &str,
    version: Version,
    request: &Q,
) -> (u16, Result<A, client::Error<Error>>) {
    let (content_type, action, body) = client::request(operation, NAMESPACE, version, request);
    let request = Request::post(format!("/services/{service}"))
        .header("host", "localhost:8080")
        .header("content-type", content_type)
        .header("soapaction", action)
        .body(Body::from(body))
        .unwrap();
    let answer = demo.send(request).await;
    (
        answer.status.as_u16(),
        client::response(operation, NAMESPACE, &answer.body),
    )
}

#[test]
fn services_are_listed_and_described() {
    with_demo(async |demo| {
        let list = demo.get("/services/").await;
        assert_eq!(list.status, 200);
        for (service, operations) in OPERATIONS {
            assert!(list.text().contains(service), "{service}");
            for query in ["wsdl", "wsdl11"] {
                let wsdl = demo.get(&format!("/services/{service}?{query}")).await;
                assert_eq!(wsdl.status, 200);
                let text = wsdl.text();
                assert!(
                    text.contains(&format!("http://localhost:8080/services/{service}")),
                    "{text}"
                );
                for operation in operations {
                    assert!(
                        text.contains(&format!("name=\"{operation}\"")),
                        "{service} {operation}"
                    );
                }
            }
        }
        assert_eq!(demo.get("/services/NoService?wsdl").await.status, 404);
    });
}

/// The description is a contract: a change of it is a decision.
#[test]
fn the_descriptions_are_those_that_were_published() {
    with_demo(async |demo| {
        let mut names = Vec::new();
        for service in services(&demo.operations) {
            names.push(service.name().to_owned());
            let golden = format!(
                "{}/tests/wsdl/{}.wsdl",
                env!("CARGO_MANIFEST_DIR"),
                service.name()
            );
            let wsdl = service.wsdl(&format!(
                "http://localhost:8080/services/{}",
                service.name()
            ));
            if std::env::var_os("UPDATE_WSDL").is_some() {
                std::fs::write(&golden, &wsdl).unwrap();
            }
            let published = std::fs::read_to_string(&golden).expect(&golden);
            assert!(
                wsdl == published,
                "{golden} is another: if that is meant, run the test again with UPDATE_WSDL=1"
            );
        }
        assert_eq!(names, OPERATIONS.map(|(name, _)| name));
    });
}

#[test]
fn both_versions_of_soap_tell_what_the_operation_tells() {
    with_demo(async |demo| {
        let direct = demo
            .operations
            .list_hosts(&Demo::caller(), ListHostsRequest {})
            .await
            .unwrap();
        for version in Version::ALL {
            let (status, reply) = call::<_, ListHostsReply>(
                demo,
                "StatusService",
                "ListHosts",
                version,
                &ListHostsRequest {},
            )
            .await;
            let reply = reply.unwrap();
            assert_eq!(status, 200);
            let facts = |reply: &ListHostsReply| {
                let hosts = reply.hosts.iter();
                hosts
                    .map(|host| {
                        (
                            host.id.clone(),
                            host.name.clone(),
                            host.uuid.clone(),
                            host.memory_bytes,
                            host.routers,
                        )
                    })
                    .collect::<Vec<_>>()
            };
            assert_eq!(facts(&reply), facts(&direct), "{version}");
        }
    });
}

#[test]
fn a_fault_has_its_type_in_both_versions() {
    with_demo(async |demo| {
        let nobody = GetRouterStatusRequest {
            router: "00000000-0000-4000-8000-000000000000".parse().unwrap(),
        };
        for (version, expected) in [(Version::V11, 500), (Version::V12, 400)] {
            let (status, reply) = call::<_, GetRouterStatusReply>(
                demo,
                "StatusService",
                "GetRouterStatus",
                version,
                &nobody,
            )
            .await;
            assert_eq!(status, expected);
            match reply {
                Err(client::Error::Fault(Error::NotFound(fault))) => {
                    assert_eq!(
                        (fault.kind.as_str(), fault.id),
                        ("router", nobody.router.to_string())
                    );
                }
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn a_router_is_suspended_and_resumed() {
    with_demo(async |demo| {
        let router = demo.router_of_its_own(1).await.id;
        let service = "ProvisioningService";
        for version in Version::ALL {
            let suspend = SuspendRouterRequest {
                router,
                request_id: None,
            };
            let (_, reply) =
                call::<_, SuspendRouterReply>(demo, service, "SuspendRouter", version, &suspend)
                    .await;
            assert_eq!(reply.unwrap().router.state, RouterState::Suspended);
            let resume = ResumeRouterRequest {
                router,
                request_id: None,
            };
            let (_, reply) =
                call::<_, ResumeRouterReply>(demo, service, "ResumeRouter", version, &resume).await;
            assert_eq!(reply.unwrap().router.state, RouterState::Running);
        }
    });
}

/// A stopped router cannot be suspended: what the fault says is for a person.
#[test]
fn what_stands_in_the_way_is_a_conflict() {
    with_demo(async |demo| {
        let request = api::ListRoutersRequest {
            state: Some(RouterState::ShutOff),
            ..Default::default()
        };
        let stopped = demo
            .operations
            .list_routers(&Demo::caller(), request)
            .await
            .unwrap()
            .routers;
        let router = stopped.first().expect("the demo has a stopped router").id;
        let suspend = SuspendRouterRequest {
            router,
            request_id: None,
        };
        let (_, reply) = call::<_, SuspendRouterReply>(
            demo,
            "ProvisioningService",
            "SuspendRouter",
            Version::V12,
            &suspend,
        )
        .await;
        match reply {
            Err(client::Error::Fault(Error::Conflict(fault))) => {
                assert!(fault.message.len() > 20, "{fault:?}");
            }
            other => panic!("{other:?}"),
        }
    });
}
