//! The SOAP services: what a pilot finds and gets.

use crate::demo::{Demo, with_demo};
use api::{
    CheckHostReply, CheckHostRequest, CheckMigrationReply, CheckMigrationRequest, CheckStepKind,
    Driver, EndpointAddress, Error, FindPathsReply, FindPathsRequest, GetHostStatusReply,
    GetHostStatusRequest, GetJobReply, GetJobRequest, GetLoadReply, GetLoadRequest,
    GetRouterStatusReply, GetRouterStatusRequest, HostId, HostOrigin, JobState, ListHostsReply,
    ListHostsRequest, MigrateRouterReply, MigrateRouterRequest, MigrationMode, PathMetric,
    RegisterHostReply, RegisterHostRequest, RemoveHostReply, RemoveHostRequest, ResumeRouterReply,
    ResumeRouterRequest, RouterState, SuspendRouterReply, SuspendRouterRequest, TopologyView,
    Transport,
};
use axum::body::Body;
use http::Request;
use server::pilot::{NAMESPACE, services};
use soap::{Message, Version, client};

const OPERATIONS: [(&str, &[&str]); 6] = [
    ("TopologyService", &["GetTopology", "FindPaths"]),
    (
        "StatusService",
        &[
            "ListHosts",
            "GetHostStatus",
            "RegisterHost",
            "RemoveHost",
            "CheckHost",
            "SetHostMaintenance",
            "ListRouters",
            "GetRouterStatus",
        ],
    ),
    ("MeasurementService", &["GetLoad", "QueryHistory"]),
    (
        "MigrationService",
        &[
            "CheckMigration",
            "MigrateRouter",
            "GetJob",
            "ListJobs",
            "CancelJob",
        ],
    ),
    ("ProvisioningService", &["SuspendRouter", "ResumeRouter"]),
    (
        "ImageService",
        &[
            "ListImages",
            "GetImage",
            "ListImportFiles",
            "ImportImage",
            "BeginImageUpload",
            "GetImageUpload",
            "CancelImageUpload",
            "UploadImage",
            "DescribeImage",
            "DeleteImage",
            "DistributeImage",
            "EvictImage",
        ],
    ),
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
fn paths_are_found_and_what_cannot_be_asked_is_a_fault() {
    with_demo(async |demo| {
        let host = |id: &str| -> api::ElementId { id.parse::<HostId>().unwrap().into() };
        let request = FindPathsRequest {
            origin: host("poa-edge-1"),
            destination: host("rec-edge-1"),
            view: Some(TopologyView::Physical),
            metric: Some(PathMetric::Latency),
            alternatives: Some(2),
            avoid: vec![host("rio-core-1")],
            include_down: None,
        };
        let direct = demo
            .operations
            .find_paths(&Demo::caller(), request.clone())
            .await
            .unwrap();
        for version in Version::ALL {
            let find = async |request: &FindPathsRequest| {
                call::<_, FindPathsReply>(demo, "TopologyService", "FindPaths", version, request)
                    .await
                    .1
            };
            let reply = find(&request).await.unwrap();
            assert_eq!(reply.paths.len(), 2);
            let steps = |reply: &FindPathsReply| {
                let paths = reply.paths.iter();
                paths.map(|path| path.steps.len()).collect::<Vec<_>>()
            };
            assert_eq!(steps(&reply), steps(&direct));
            assert_eq!(
                reply.paths[0].latency_seconds,
                direct.paths[0].latency_seconds
            );
            assert_eq!(reply.paths[0].steps[0].element, request.origin);

            let many = FindPathsRequest {
                alternatives: Some(17),
                ..request.clone()
            };
            match find(&many).await {
                Err(client::Error::Fault(Error::InvalidArgument(fault))) => {
                    assert_eq!(fault.element, "alternatives");
                }
                other => panic!("{other:?}"),
            }
            let nowhere = FindPathsRequest {
                destination: host("atlantis"),
                ..request.clone()
            };
            assert!(matches!(
                find(&nowhere).await,
                Err(client::Error::Fault(Error::NotFound(fault))) if fault.id == "atlantis"
            ));
        }
    });
}

#[test]
fn the_load_is_told_in_one_call() {
    with_demo(async |demo| {
        for version in Version::ALL {
            let request = GetLoadRequest {
                view: Some(TopologyView::Physical),
            };
            let (status, reply) =
                call::<_, GetLoadReply>(demo, "MeasurementService", "GetLoad", version, &request)
                    .await;
            let reply = reply.unwrap();
            assert_eq!((status, reply.view), (200, TopologyView::Physical));
            assert!(reply.routers.is_empty());
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

#[test]
fn a_router_is_moved_by_a_job_that_can_be_waited_for() {
    with_demo(async |demo| {
        let service = "MigrationService";
        let router = demo.router_of_its_own(2).await.id;
        for version in Version::ALL {
            let check = CheckMigrationRequest {
                router,
                destination: None,
                mode: Some(MigrationMode::Cold),
            };
            let (_, reply) =
                call::<_, CheckMigrationReply>(demo, service, "CheckMigration", version, &check)
                    .await;
            let checked = reply.unwrap();
            let best = &checked.verdicts[0];
            assert!(best.is_possible(), "{best:#?}");

            let migrate = MigrateRouterRequest {
                router,
                destination: best.host.clone(),
                mode: Some(MigrationMode::Cold),
                bandwidth_mebibytes_per_second: None,
                maximum_downtime_milliseconds: None,
                shutdown_seconds: Some(5),
                request_id: Some(format!("moved by {version}")),
            };
            let ask = async |request: &MigrateRouterRequest| {
                call::<_, MigrateRouterReply>(demo, service, "MigrateRouter", version, request)
                    .await
                    .1
            };
            let job = ask(&migrate).await.unwrap().job;
            assert_eq!(ask(&migrate).await.unwrap().job.id, job.id);
            let live = MigrateRouterRequest {
                mode: Some(MigrationMode::Live),
                destination: checked.source.clone(),
                request_id: None,
                ..migrate.clone()
            };

            let wait = async |wait_seconds| {
                let wait = GetJobRequest {
                    job: job.id,
                    wait_seconds: Some(wait_seconds),
                };
                call::<_, GetJobReply>(demo, service, "GetJob", version, &wait)
                    .await
                    .1
            };
            let ended = wait(50).await.unwrap().job;
            assert_eq!(ended.state, JobState::Succeeded, "{ended:#?}");
            assert_eq!(ended.destination.as_ref(), Some(&migrate.destination));
            match wait(51).await {
                Err(client::Error::Fault(Error::InvalidArgument(fault))) => {
                    assert_eq!(fault.element, "waitSeconds");
                }
                other => panic!("{other:?}"),
            }
            let refused = ask(&live).await;
            assert!(
                matches!(&refused, Err(client::Error::Fault(Error::NotSupported(fault))) if fault.driver == "test"),
                "{refused:?}"
            );
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

/// The host that libvirt's test driver makes up, inside the server.
fn made_up() -> EndpointAddress {
    EndpointAddress {
        driver: Driver::Test,
        transport: Transport::Local,
        address: None,
        port: None,
        user: None,
        key: None,
    }
}

#[test]
fn a_host_is_checked_registered_read_and_removed() {
    with_demo(async |demo| {
        for version in Version::ALL {
            let check = CheckHostRequest {
                endpoint: made_up(),
            };
            let (_, reply) =
                call::<_, CheckHostReply>(demo, "StatusService", "CheckHost", version, &check)
                    .await;
            let checked = reply.unwrap();
            assert!(checked.usable, "{checked:?}");
            assert_eq!(checked.uri, "test:///default");
            assert_eq!(checked.steps[0].step, CheckStepKind::Address);
            assert!(!checked.capabilities.is_empty());

            let host: HostId = "by-soap".parse().unwrap();
            let register = RegisterHostRequest {
                host: host.clone(),
                name: Some("By SOAP".to_owned()),
                site: None,
                endpoints: vec![made_up()],
                request_id: None,
            };
            let (_, reply) = call::<_, RegisterHostReply>(
                demo,
                "StatusService",
                "RegisterHost",
                version,
                &register,
            )
            .await;
            let registered = reply.unwrap().host;
            assert_eq!(registered.origin, HostOrigin::Registered);
            assert_eq!(
                (&registered.id, registered.name.as_str()),
                (&host, "By SOAP")
            );

            let ask = GetHostStatusRequest { host: host.clone() };
            let (_, reply) = call::<_, GetHostStatusReply>(
                demo,
                "StatusService",
                "GetHostStatus",
                version,
                &ask,
            )
            .await;
            let status = reply.unwrap();
            assert_eq!(status.host.endpoints[0].uri, "test:///default");
            assert_eq!(status.source.host, host);

            // The id is taken now.
            let (_, again) = call::<_, RegisterHostReply>(
                demo,
                "StatusService",
                "RegisterHost",
                version,
                &register,
            )
            .await;
            assert!(
                matches!(again, Err(client::Error::Fault(Error::Conflict(_)))),
                "{again:?}"
            );

            let remove = RemoveHostRequest {
                host: host.clone(),
                request_id: None,
            };
            let (_, reply) =
                call::<_, RemoveHostReply>(demo, "StatusService", "RemoveHost", version, &remove)
                    .await;
            assert_eq!(reply.unwrap().host, host);
            let (_, gone) = call::<_, GetHostStatusReply>(
                demo,
                "StatusService",
                "GetHostStatus",
                version,
                &ask,
            )
            .await;
            assert!(
                matches!(&gone, Err(client::Error::Fault(Error::NotFound(fault))) if fault.kind == "host"),
                "{gone:?}"
            );
        }
    });
}

#[test]
fn a_host_that_cannot_be_registered_or_removed_is_a_fault_with_its_reason() {
    with_demo(async |demo| {
        let nowhere = RegisterHostRequest {
            host: "nowhere".parse().unwrap(),
            name: None,
            site: None,
            endpoints: Vec::new(),
            request_id: None,
        };
        let confused = RegisterHostRequest {
            endpoints: vec![EndpointAddress {
                user: Some("vms".to_owned()),
                ..made_up()
            }],
            ..nowhere.clone()
        };
        for request in [nowhere, confused] {
            let (_, reply) = call::<_, RegisterHostReply>(
                demo,
                "StatusService",
                "RegisterHost",
                Version::V12,
                &request,
            )
            .await;
            match reply {
                Err(client::Error::Fault(Error::InvalidArgument(fault))) => {
                    assert!(fault.element.starts_with("endpoints"), "{fault:?}");
                }
                other => panic!("{other:?}"),
            }
        }
        let configured = RemoveHostRequest {
            host: "rio-core-1".parse().unwrap(),
            request_id: None,
        };
        let (_, reply) = call::<_, RemoveHostReply>(
            demo,
            "StatusService",
            "RemoveHost",
            Version::V12,
            &configured,
        )
        .await;
        assert!(
            matches!(reply, Err(client::Error::Fault(Error::Conflict(_)))),
            "{reply:?}"
        );
    });
}
