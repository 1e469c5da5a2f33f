//! Hosts that come and go while the server runs.

use crate::support::{
    PATIENCE, Running, absent, administrator, demo, directory, next, observer, operator, start,
};
use api::{
    CheckHostRequest,
    CheckOutcome::{Failed, Passed, Skipped, Warning},
    CheckStepKind::{Address, Authenticate, Connect, Identity, Resolve, Version},
    Driver, EndpointAddress, Error, Event, GetHostStatusReply, GetHostStatusRequest, HostId,
    HostOrigin, HostState, RegisterHostReply, RegisterHostRequest, RemoveHostReply,
    RemoveHostRequest, Transport,
};
use control::{EndpointSettings, HostSettings, Settings, Uri};

fn local(driver: Driver) -> EndpointAddress {
    EndpointAddress {
        driver,
        transport: Transport::Local,
        address: None,
        port: None,
        user: None,
        key: None,
    }
}

fn at(transport: Transport, address: &str) -> EndpointAddress {
    EndpointAddress {
        driver: Driver::Qemu,
        transport,
        address: Some(address.to_owned()),
        port: None,
        user: None,
        key: None,
    }
}

fn registration(host: &str, endpoints: Vec<EndpointAddress>) -> RegisterHostRequest {
    RegisterHostRequest {
        host: host.parse().unwrap(),
        name: None,
        site: None,
        endpoints,
        request_id: None,
    }
}

impl Running {
    async fn register(&self, request: RegisterHostRequest) -> Result<RegisterHostReply, Error> {
        let caller = administrator();
        self.operations.register_host(&caller, request).await
    }

    async fn remove(&self, host: &str) -> Result<RemoveHostReply, Error> {
        let request = RemoveHostRequest {
            host: host.parse().unwrap(),
            request_id: None,
        };
        let caller = administrator();
        self.operations.remove_host(&caller, request).await
    }

    async fn status(&self, host: &str) -> Result<GetHostStatusReply, Error> {
        let request = GetHostStatusRequest {
            host: host.parse().unwrap(),
        };
        self.operations.get_host_status(&observer(), request).await
    }

    async fn wait_for(&self, host: &str, state: HostState) {
        let reached = async {
            while self.status(host).await.unwrap().host.state != state {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached)
            .await
            .unwrap_or_else(|_| panic!("{host} is never {}", state.as_str()));
    }

    async fn ids(&self) -> Vec<String> {
        let topology = self.topology().await;
        topology
            .hosts
            .iter()
            .map(|host| host.id.to_string())
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_comes_is_kept_over_a_restart_and_goes() {
    let data = directory();
    let running = start(Settings::new(data.path().to_owned())).await;
    let since = running.topology().await.version;
    let mut request = registration("lab", vec![local(Driver::Test)]);
    request.name = Some("The lab".to_owned());
    let reply = running.register(request.clone()).await.unwrap();
    assert_eq!(
        (reply.host.name.as_str(), reply.host.origin),
        ("The lab", HostOrigin::Registered)
    );
    assert_eq!(reply.host.endpoints[0].uri, "test:///default");
    running.wait_for("lab", HostState::Online).await;
    assert_eq!(running.routers().await.len(), 1);
    let mut events = running
        .operations
        .subscribe(&observer(), Some(since))
        .await
        .unwrap();
    let Event::Topology { changes, .. } =
        next(&mut events, |event| matches!(event, Event::Topology { .. })).await
    else {
        panic!("no topology");
    };
    assert_eq!(changes[0].summary, "host lab was added (connecting)");

    // Twice is a conflict, and changes nothing.
    let again = running.register(request).await.unwrap_err();
    assert!(matches!(again, Error::Conflict(_)), "{again:?}");
    running.control.shutdown().await;

    let running = start(Settings::new(data.path().to_owned())).await;
    let status = running.status("lab").await.unwrap();
    assert_eq!(status.host.state, HostState::Online);
    assert_eq!(status.host.name, "The lab");
    running.remove("lab").await.unwrap();
    assert!(running.ids().await.is_empty());
    assert!(running.routers().await.is_empty());
    let gone = running.status("lab").await.unwrap_err();
    assert!(matches!(gone, Error::NotFound(_)), "{gone:?}");
    // And comes again, as if it had never been there.
    let request = registration("lab", vec![local(Driver::Test)]);
    running.register(request).await.unwrap();
    running.wait_for("lab", HostState::Online).await;
    running.remove("lab").await.unwrap();
    running.control.shutdown().await;

    let running = start(Settings::new(data.path().to_owned())).await;
    assert!(running.ids().await.is_empty());
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_down_can_be_registered_and_removed() {
    let data = directory();
    let uri = absent("qemu");
    let running = start(Settings::new(data.path().to_owned())).await;
    let mut endpoint = at(Transport::Tcp, uri.host().unwrap());
    endpoint.port = uri.port();
    running
        .register(registration("down", vec![endpoint]))
        .await
        .unwrap();
    running.wait_for("down", HostState::Unreachable).await;
    let status = running.status("down").await.unwrap();
    let message = status.host.message.unwrap();
    assert!(message.contains("refuse"), "{message}");
    assert_eq!((status.load, status.hanging_calls), (None, 0));
    running.remove("down").await.unwrap();
    assert!(running.ids().await.is_empty());
    running.control.shutdown().await;
}

/// People and `ip addr` write IPv6 addresses without the brackets of a URI.
#[tokio::test(flavor = "multi_thread")]
async fn an_ipv6_address_is_taken_with_and_without_brackets() {
    let data = directory();
    let running = start(Settings::new(data.path().to_owned())).await;
    for (port, host, address) in [(1, "bare", "::1"), (2, "bracketed", "[::1]")] {
        let endpoint = EndpointAddress {
            port: Some(port),
            ..at(Transport::Tcp, address)
        };
        let registered = running.register(registration(host, vec![endpoint])).await;
        let host = registered.unwrap().host;
        let expected = format!("qemu+tcp://[::1]:{port}/system");
        assert_eq!(host.endpoints[0].uri, expected);
    }
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_configuration_names_is_removed_there() {
    let data = directory();
    let running = demo(data.path()).await;
    let host = running.ids().await.remove(0);
    let error = running.remove(&host).await.unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error:?}");
    assert!(error.to_string().contains("configuration"), "{error}");
    let again = registration(&host, vec![local(Driver::Test)]);
    let error = running.register(again).await.unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error:?}");
    let error = running.remove("atlantis").await.unwrap_err();
    assert!(matches!(error, Error::NotFound(_)), "{error:?}");

    // The demo's load is made up, and says so.
    let loaded = async {
        loop {
            let status = running.status(&host).await.unwrap();
            if let Some(load) = status.load {
                return load;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let load = tokio::time::timeout(PATIENCE, loaded).await.unwrap();
    assert!(load.simulated);
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_hands_over_keys() {
    let data = directory();
    let running = start(Settings::new(data.path().to_owned())).await;
    let request = registration("lab", vec![local(Driver::Test)]);
    let operations = &running.operations;
    let caller = operator();
    let refused = [
        operations.register_host(&caller, request).await.err(),
        operations
            .remove_host(
                &caller,
                RemoveHostRequest {
                    host: "lab".parse().unwrap(),
                    request_id: None,
                },
            )
            .await
            .err(),
        operations
            .check_host(
                &caller,
                CheckHostRequest {
                    endpoint: local(Driver::Test),
                },
            )
            .await
            .err(),
    ];
    for error in refused {
        let error = error.expect("it is refused");
        assert!(matches!(error, Error::Denied(_)), "{error:?}");
    }
    assert!(running.ids().await.is_empty());
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_makes_no_sense_names_its_element() {
    let data = directory();
    let running = start(Settings::new(data.path().to_owned())).await;
    let with = |change: &dyn Fn(&mut EndpointAddress)| {
        let mut endpoint = at(Transport::Ssh, "rio.example.net");
        change(&mut endpoint);
        registration("lab", vec![endpoint])
    };
    let named = |change: &dyn Fn(&mut RegisterHostRequest)| {
        let mut request = registration("lab", vec![local(Driver::Test)]);
        change(&mut request);
        request
    };
    let foreign = |id: &str| {
        let id: HostId = id.parse().unwrap();
        move |request: &mut RegisterHostRequest| request.host = id.clone()
    };
    let some = |text: &str| Some(text.to_owned());
    let cases = [
        (named(&foreign("../etc")), "host"),
        (named(&foreign("a/b")), "host"),
        (named(&foreign(&"x".repeat(65))), "host"),
        (named(&|r| r.name = some("two\nlines")), "name"),
        (named(&|r| r.site = some(" ")), "site"),
        (named(&|r| r.endpoints.clear()), "endpoints"),
        (
            named(&|r| r.endpoints.push(local(Driver::Test))),
            "endpoints",
        ),
        (
            named(&|r| r.endpoints.push(at(Transport::Local, "rio"))),
            "endpoints[2].address",
        ),
        (with(&|e| e.address = None), "endpoints[1].address"),
        (
            with(&|e| e.address = some("-oProxyCommand=sh")),
            "endpoints[1].address",
        ),
        (
            with(&|e| e.address = some("rio/system?command=sh")),
            "endpoints[1].address",
        ),
        (with(&|e| e.port = Some(0)), "endpoints[1].port"),
        (with(&|e| e.user = some("-l")), "endpoints[1].user"),
        (with(&|e| e.user = some("root:secret")), "endpoints[1].user"),
        (
            with(&|e| {
                e.transport = Transport::Tls;
                e.user = some("root");
            }),
            "endpoints[1].user",
        ),
        (with(&|e| e.key = some("../id")), "endpoints[1].key"),
        (
            with(&|e| {
                e.transport = Transport::Tcp;
                e.key = some("rio");
            }),
            "endpoints[1].key",
        ),
    ];
    for (request, element) in cases {
        let said = format!("{request:?}");
        let Error::InvalidArgument(wrong) = running.register(request).await.unwrap_err() else {
            panic!("{said}");
        };
        assert_eq!(wrong.element, element, "{said}: {}", wrong.message);
        assert!(!wrong.message.contains("secret"), "{}", wrong.message);
    }
    assert!(running.ids().await.is_empty());
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_registers_once() {
    let data = directory();
    let running = start(Settings::new(data.path().to_owned())).await;
    let mut request = registration("lab", vec![local(Driver::Test)]);
    request.request_id = Some("one".to_owned());
    let first = running.register(request.clone()).await.unwrap();
    running.wait_for("lab", HostState::Online).await;
    assert_eq!(running.register(request).await.unwrap(), first);
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_explains_every_step() {
    let data = directory();
    let running = start(Settings::new(data.path().to_owned())).await;
    let check = async |endpoint| {
        let request = CheckHostRequest { endpoint };
        let caller = administrator();
        let reply = running.operations.check_host(&caller, request);
        let reply = reply.await.unwrap();
        for step in &reply.steps {
            assert!(step.explanation.ends_with('.'), "{step:?}");
        }
        reply
    };
    let outline = |reply: &api::CheckHostReply| -> Vec<_> {
        reply.steps.iter().map(|s| (s.step, s.outcome)).collect()
    };

    let reply = check(local(Driver::Test)).await;
    assert!(reply.usable);
    assert_eq!(reply.uri, "test:///default");
    assert_eq!(
        outline(&reply),
        [
            (Address, Passed),
            (Resolve, Skipped),
            (Connect, Skipped),
            (Authenticate, Passed),
            (Version, Passed),
            (Identity, Skipped),
        ]
    );
    let can = |name: &str| {
        let mut all = reply.capabilities.iter();
        all.find(|c| c.name.contains(name)).map(|c| c.supported)
    };
    assert!(!reply.capabilities.is_empty());
    assert_ne!(can("paus"), Some(false), "{:?}", reply.capabilities);

    let reply = check(at(Transport::Tcp, "no-such-host.invalid")).await;
    assert!(!reply.usable && reply.capabilities.is_empty());
    assert_eq!(outline(&reply), [(Address, Warning), (Resolve, Failed)]);
    assert!(
        reply.steps[1].explanation.contains("no-such-host.invalid"),
        "{:?}",
        reply.steps
    );

    // Bound and given back: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap()
        .port();
    let mut closed = at(Transport::Tls, "127.0.0.1");
    closed.port = Some(port);
    let reply = check(closed).await;
    assert_eq!(
        outline(&reply),
        [(Address, Passed), (Resolve, Passed), (Connect, Failed)]
    );

    let mut no_key = at(Transport::Ssh, "127.0.0.1");
    no_key.key = Some("nobody".to_owned());
    let reply = check(no_key).await;
    assert_eq!(outline(&reply), [(Address, Failed)]);
    assert!(reply.steps[0].explanation.contains("no key nobody"));

    let reply = check(at(Transport::Ssh, "-oProxyCommand=sh")).await;
    assert_eq!(outline(&reply), [(Address, Failed)]);
    assert_eq!(running.ids().await.len(), 0);
    running.control.shutdown().await;
}

/// Of two endpoints one answers: what that tells is current, the host as a whole is degraded.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_with_an_endpoint_that_is_down_is_degraded() {
    let data = directory();
    let mut settings = Settings::new(data.path().to_owned());
    let endpoint = |uri| EndpointSettings { uri, key: None };
    let present = Uri::parse("test:///default").unwrap();
    settings.hosts.push(HostSettings {
        endpoints: vec![endpoint(present.clone()), endpoint(absent("qemu"))],
        ..HostSettings::new("both".parse().unwrap(), present)
    });
    let running = start(settings).await;
    let status = running.status("both").await.unwrap();
    assert_eq!(status.host.state, HostState::Degraded);
    let message = status.host.message.unwrap();
    assert!(message.starts_with("qemu: "), "{message}");
    let states: Vec<_> = status.host.endpoints.iter().map(|e| e.state).collect();
    assert_eq!(states, [HostState::Online, HostState::Unreachable]);
    let router = running.routers().await.remove(0);
    assert_eq!((router.driver, router.current), (Driver::Test, true));
    assert!(
        router
            .interfaces
            .iter()
            .all(|nic| nic.link_as_of.as_second() > 0)
    );
    running.control.shutdown().await;
}
