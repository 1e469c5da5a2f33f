//! Measurements, now and over time.

use crate::support::{PATIENCE, Running, demo, directory, next, observer, start};
use api::{
    Aggregation, Error, Event, GetRouterStatusRequest, Metric, QueryHistoryReply,
    QueryHistoryRequest, Router, RouterId, RouterState, Timestamp,
};
use control::Settings;
use std::time::Duration;

fn of(router: &Router, metric: Metric) -> QueryHistoryRequest {
    QueryHistoryRequest {
        router: router.id,
        interface: None,
        disk: None,
        metric,
        start: None,
        end: None,
        step_seconds: None,
        aggregation: None,
    }
}

impl Running {
    async fn query(&self, request: QueryHistoryRequest) -> Result<QueryHistoryReply, Error> {
        self.operations.query_history(&observer(), request).await
    }

    /// Waits until something is measured.
    async fn measured(&self) {
        let events = self.operations.subscribe(&observer(), None).await;
        let measured = |event: &Event| matches!(event, Event::Measured { .. });
        next(&mut events.unwrap(), measured).await;
    }

    /// The router that has an interface and runs.
    async fn wired(&self) -> Router {
        let routers = self.routers().await.into_iter();
        let wired =
            |r: &Router| r.state == RouterState::Running && r.interfaces[0].segment.is_some();
        routers
            .filter(|r| !r.interfaces.is_empty())
            .find(wired)
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_measured_can_be_queried_and_is_marked() {
    let data = directory();
    let running = demo(data.path()).await;
    let router = running.wired().await;
    let mut events = running
        .operations
        .subscribe(&observer(), None)
        .await
        .unwrap();
    let measured =
        |event: &Event| matches!(event, Event::Measured { host, .. } if *host == router.host);
    next(&mut events, measured).await;
    let Event::Measured { at, .. } = next(&mut events, measured).await else {
        panic!("not measured");
    };
    // What the event names is there.
    let second = Duration::from_secs(1);
    let mut request = of(&router, Metric::CpuTime);
    (request.start, request.end) = (Some(at - second), Some(at));
    (request.step_seconds, request.aggregation) = (Some(1), Some(Aggregation::Last));
    let reply = running.query(request).await.unwrap();
    assert_eq!(reply.points.len(), 1);
    assert_eq!(reply.points[0].at, at);
    assert!(reply.points[0].value.is_some_and(|value| value > 0.0));
    assert!(reply.simulated);
    assert_eq!(reply.unit, "ns");

    let request = GetRouterStatusRequest { router: router.id };
    let status = running
        .operations
        .get_router_status(&observer(), request)
        .await
        .unwrap();
    let now = status.measurement.unwrap();
    assert!(now.simulated && now.at >= at);
    assert!(now.cpus_used.is_some_and(|cpus| cpus > 0.0));
    assert_eq!(now.interfaces.len(), router.interfaces.len());
    assert!(
        now.interfaces
            .iter()
            .all(|i| router.interfaces.iter().any(|r| r.mac == i.mac))
    );
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_measured_at_once() {
    let data = directory();
    let mut settings = Settings::demo(data.path().to_owned()).unwrap();
    // The next multiple of it is far away.
    settings.sample_interval = Duration::from_hours(1);
    let running = start(settings).await;
    let router = running.wired().await;
    let request = GetRouterStatusRequest { router: router.id };
    let measured = async {
        loop {
            let status = (running.operations)
                .get_router_status(&observer(), request.clone())
                .await;
            if status.unwrap().measurement.is_some() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, measured)
        .await
        .expect("a first tick");
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_there_and_goes_on_into_the_present() {
    let data = directory();
    let started = Timestamp::now();
    // Ended before the day is complete, with ticks already there: the next start completes it.
    let running = demo(data.path()).await;
    running.measured().await;
    running.control.shutdown().await;
    let running = demo(data.path()).await;
    let router = running.wired().await;
    let day = |start: Timestamp| {
        let mut request = of(&router, Metric::ReceivedBytes);
        request.interface = Some(router.interfaces[0].mac);
        request.start = Some(start);
        request
    };
    let hour = Duration::from_hours(1);
    let request = day(started - hour * 24);
    let full = async {
        loop {
            let reply = running.query(request.clone()).await.unwrap();
            let known = reply.points.iter().filter(|point| point.value.is_some());
            if known.count() + 2 >= reply.points.len() {
                return reply;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let reply = tokio::time::timeout(PATIENCE * 5, full)
        .await
        .expect("the day is seeded");
    assert_eq!((reply.unit.as_str(), reply.step_seconds), ("B/s", 300));
    assert_eq!(reply.aggregation, Aggregation::Rate);
    assert!(reply.simulated);
    // Inside, every step is whole: the pieces it was made in leave no seam.
    let inside = &reply.points[2..reply.points.len() - 2];
    let holes = inside
        .iter()
        .filter(|p| p.value.is_none() || p.coverage < 0.99)
        .count();
    assert_eq!(holes, 0, "of {}", inside.len());
    // No seam is a counter that began anew: nothing is many times the middle.
    let mut values: Vec<_> = inside.iter().filter_map(|point| point.value).collect();
    values.sort_by(f64::total_cmp);
    let (middle, most) = (values[values.len() / 2], values[values.len() - 1]);
    assert!(middle > 0.0 && most < middle * 30.0, "{middle} {most}");
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_makes_no_sense_names_its_element() {
    let data = directory();
    let running = demo(data.path()).await;
    let router = running.wired().await;
    let now = Timestamp::now();
    let nic = Some(router.interfaces[0].mac);
    let element = async |request: QueryHistoryRequest| match running.query(request).await {
        Err(Error::InvalidArgument(detail)) => (detail.element, detail.message),
        other => panic!("{other:?}"),
    };
    let cpu = of(&router, Metric::CpuTime);

    let (name, message) = element(of(&router, Metric::ReceivedBytes)).await;
    assert_eq!(name, "interface");
    assert!(
        message.contains(&router.interfaces[0].mac.to_string()),
        "{message}"
    );
    assert_eq!(element(of(&router, Metric::ReadBytes)).await.0, "disk");
    let unwanted = QueryHistoryRequest {
        interface: nic,
        ..cpu.clone()
    };
    assert_eq!(element(unwanted).await.0, "interface");
    let backwards = QueryHistoryRequest {
        start: Some(now),
        end: Some(now),
        ..cpu.clone()
    };
    assert_eq!(element(backwards).await.0, "start");
    let no_step = QueryHistoryRequest {
        step_seconds: Some(0),
        ..cpu.clone()
    };
    assert_eq!(element(no_step).await.0, "stepSeconds");
    let far = now - Duration::from_hours(24 * 30);
    let many = QueryHistoryRequest {
        start: Some(far),
        step_seconds: Some(1),
        ..cpu.clone()
    };
    let (name, message) = element(many).await;
    assert_eq!(name, "stepSeconds");
    assert!(message.contains("at least 236 seconds"), "{message}");
    let rate = Some(Aggregation::Rate);
    let gauge = of(&router, Metric::MemoryUsed);
    let rate_of_gauge = QueryHistoryRequest {
        aggregation: rate,
        ..gauge
    };
    assert_eq!(element(rate_of_gauge).await.0, "aggregation");

    let unknown = QueryHistoryRequest {
        router: RouterId(uuid::Uuid::from_bytes([7; 16])),
        ..cpu
    };
    assert!(matches!(
        running.query(unknown).await,
        Err(Error::NotFound(_))
    ));
    let mut elsewhere = of(&router, Metric::ReceivedBytes);
    elsewhere.interface = Some("52:54:00:ff:ff:ff".parse().unwrap());
    let error = running.query(elsewhere).await.unwrap_err();
    assert!(matches!(error, Error::NotFound(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains(&router.interfaces[0].mac.to_string()),
        "{error}"
    );
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_fit_the_question() {
    let data = directory();
    let running = demo(data.path()).await;
    let router = running.wired().await;
    let reply = running.query(of(&router, Metric::CpuTime)).await.unwrap();
    assert_eq!(reply.unit, "cpus");
    assert_eq!(reply.aggregation, Aggregation::Rate);
    // An hour, in steps no shorter than what lies between the seeded samples.
    assert_eq!(reply.step_seconds, 30);
    assert!(
        (120..=121).contains(&reply.points.len()),
        "{}",
        reply.points.len()
    );
    let reply = running
        .query(of(&router, Metric::MemoryUsed))
        .await
        .unwrap();
    assert_eq!(
        (reply.unit.as_str(), reply.aggregation),
        ("B", Aggregation::Average)
    );
    running.control.shutdown().await;
}
