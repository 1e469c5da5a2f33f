//! Appending, asking, pruning.

use history::{Aggregation, Error, History, Query, Series};

use crate::{place, row, samples_of, tick};

fn values(series: &Series) -> Vec<Option<f64>> {
    series.points.iter().map(|point| point.value).collect()
}

#[tokio::test]
async fn what_is_appended_is_answered() {
    let (_directory, path) = place();
    let history = History::open(&path).await.unwrap();
    assert_eq!(history.last_tick_ms().await.unwrap(), None);
    assert_eq!(history.latest("r1").await.unwrap(), None);
    history
        .append(tick(
            10_000,
            [
                row("r1", &[("cpu", 1), ("memory", -5)]),
                row("r2", &[("cpu", 9)]),
            ],
        ))
        .await
        .unwrap();
    // A NIC more: another layout.
    history
        .append(tick(
            20_000,
            [row("r1", &[("cpu", 2), ("disk", 7), ("memory", -6)])],
        ))
        .await
        .unwrap();

    let memory = history
        .query(&samples_of("r1", "memory", 30_000))
        .await
        .unwrap();
    assert_eq!(values(&memory), [Some(-5.0), Some(-6.0), None]);
    let disk = history
        .query(&samples_of("r1", "disk", 30_000))
        .await
        .unwrap();
    assert_eq!(values(&disk), [None, Some(7.0), None]);
    let other = history
        .query(&samples_of("r2", "cpu", 30_000))
        .await
        .unwrap();
    assert_eq!(values(&other), [Some(9.0), None, None]);
    for (entity, metric) in [("r3", "cpu"), ("r1", "uptime")] {
        let nothing = history
            .query(&samples_of(entity, metric, 30_000))
            .await
            .unwrap();
        assert_eq!(values(&nothing), [None; 3]);
    }

    let latest = history.latest("r1").await.unwrap().unwrap();
    assert_eq!(latest.at_ms, 20_000);
    assert_eq!(latest.value("disk"), Some(7));
    assert_eq!(latest.value("uptime"), None);
    assert_eq!(latest.values.len(), 3);
    assert_eq!(history.last_tick_ms().await.unwrap(), Some(20_000));
    history.close().await;
}

#[tokio::test]
async fn a_tick_appended_twice_replaces_its_rows_and_no_others() {
    let (_directory, path) = place();
    let history = History::open(&path).await.unwrap();
    history
        .append(tick(10_000, [row("r1", &[("cpu", 1)])]))
        .await
        .unwrap();
    history
        .append(tick(10_000, [row("r2", &[("cpu", 2)])]))
        .await
        .unwrap();
    history
        .append(tick(10_000, [row("r1", &[("cpu", 3)])]))
        .await
        .unwrap();
    let of = async |entity| history.latest(entity).await.unwrap().unwrap().value("cpu");
    assert_eq!(of("r1").await, Some(3));
    assert_eq!(of("r2").await, Some(2));
    history.close().await;
}

#[tokio::test]
async fn of_two_rows_for_one_entity_the_last_one_counts() {
    let (_directory, path) = place();
    let history = History::open(&path).await.unwrap();
    let rows = [3, 1, 2].map(|value| row("r1", &[("cpu", value)]));
    history.append(tick(10_000, rows)).await.unwrap();
    let latest = history.latest("r1").await.unwrap().unwrap();
    assert_eq!(latest.value("cpu"), Some(2));
    history.close().await;
}

#[tokio::test]
async fn a_tick_without_rows_is_a_tick() {
    let (_directory, path) = place();
    let history = History::open(&path).await.unwrap();
    history.append(tick(10_000, [])).await.unwrap();
    assert_eq!(history.last_tick_ms().await.unwrap(), Some(10_000));
    history.close().await;
}

#[tokio::test]
async fn many_ticks_out_of_order_are_answered_in_order() {
    let (_directory, path) = place();
    let history = History::open(&path).await.unwrap();
    let ticks = (1..=700_i64).rev().map(|second| {
        tick(
            second * 10_000,
            [row("r1", &[("n", second)]), row("r2", &[("n", -second)])],
        )
    });
    history.append_many(ticks.collect()).await.unwrap();
    let series = history
        .query(&samples_of("r2", "n", 7_000_000))
        .await
        .unwrap();
    let expected: Vec<_> = (1..=700).map(|second| Some(-f64::from(second))).collect();
    assert_eq!(values(&series), expected);
    history.close().await;
}

#[tokio::test]
async fn simulated_is_marked_in_every_answer() {
    let (_directory, path) = place();
    let history = History::open(&path).await.unwrap();
    let mut made_up = row("r1", &[("n", 1)]);
    made_up.simulated = true;
    history.append(tick(10_000, [made_up])).await.unwrap();
    history
        .append(tick(20_000, [row("r1", &[("n", 2)])]))
        .await
        .unwrap();
    let series = history.query(&samples_of("r1", "n", 20_000)).await.unwrap();
    assert!(series.simulated);
    let marks: Vec<_> = series.points.iter().map(|point| point.simulated).collect();
    assert_eq!(marks, [true, false]);
    assert!(!history.latest("r1").await.unwrap().unwrap().simulated);
    history.close().await;
}

#[tokio::test]
async fn a_bad_tick_stores_nothing_and_spoils_nothing() {
    let (_directory, path) = place();
    let history = History::open(&path).await.unwrap();
    for (bad, word) in [
        (
            tick(10_000, [row("r1", &[("n", 1)]), row("r1", &[("a\nb", 1)])]),
            "line breaks",
        ),
        (
            tick(10_000, [row("r1", &[("n", 1)]), row("r1", &[("", 1)])]),
            "must have a name",
        ),
        (tick(10_000, [row("r1", &[("n", 1), ("n", 2)])]), "twice"),
        (
            tick(i64::MAX, [row("r1", &[("n", 1)])]),
            "the time of a tick",
        ),
    ] {
        let error = history.append(bad).await.unwrap_err();
        assert!(matches!(error, Error::InvalidTick(_)), "{error}");
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(history.latest("r1").await.unwrap(), None);
        assert_eq!(history.last_tick_ms().await.unwrap(), None);
    }
    // The names that were met in the failed transactions are not in the file: they come anew.
    history
        .append(tick(20_000, [row("r1", &[("n", 4)])]))
        .await
        .unwrap();
    assert_eq!(
        history.latest("r1").await.unwrap().unwrap().value("n"),
        Some(4)
    );
    history.close().await;
}

#[tokio::test]
async fn a_name_with_a_line_break_never_passes_for_two_metrics() {
    let (_directory, path) = place();
    let history = History::open(&path).await.unwrap();
    history
        .append(tick(10_000, [row("r1", &[("a", 1), ("b", 2)])]))
        .await
        .unwrap();
    let error = history
        .append(tick(20_000, [row("r1", &[("a\nb", 1)])]))
        .await;
    assert!(matches!(error, Err(Error::InvalidTick(_))));
    history.close().await;
}

#[tokio::test]
async fn pruning_removes_what_is_older_and_forgets_who_is_gone() {
    let (_directory, path) = place();
    let history = History::open(&path).await.unwrap();
    // More entities than one transaction of pruning takes.
    let entities: Vec<_> = (0..250).map(|number| format!("r{number}")).collect();
    for at in 1..=4 {
        // The even ones fall silent after the second tick.
        let rows: Vec<_> = entities
            .iter()
            .enumerate()
            .filter(|(number, _)| at <= 2 || number % 2 == 1)
            .map(|(_, entity)| row(entity, &[("n", at)]))
            .collect();
        history.append(tick(at * 10_000, rows)).await.unwrap();
    }
    assert_eq!(history.prune(30_000).await.unwrap(), 500);
    assert_eq!(history.prune(30_000).await.unwrap(), 0);
    assert_eq!(history.latest("r0").await.unwrap(), None);
    let kept = history.query(&samples_of("r1", "n", 40_000)).await.unwrap();
    assert_eq!(values(&kept), [None, None, Some(3.0), Some(4.0)]);
    // Who was forgotten may come back.
    history
        .append(tick(50_000, [row("r0", &[("n", 5)])]))
        .await
        .unwrap();
    assert_eq!(history.latest("r0").await.unwrap().unwrap().at_ms, 50_000);
    assert_eq!(history.prune(i64::MAX).await.unwrap(), 251);
    assert_eq!(history.last_tick_ms().await.unwrap(), None);
    history.close().await;
}

#[tokio::test]
async fn readers_and_writers_do_not_wait_for_each_other() {
    let (_directory, path) = place();
    let history = History::open(&path).await.unwrap();
    let writers = (0..4_i64).map(|writer| {
        let history = history.clone();
        tokio::spawn(async move {
            for at in 1..=50 {
                let rows = [row(&format!("r{writer}"), &[("n", at)])];
                history.append(tick(at * 10_000, rows)).await.unwrap();
            }
        })
    });
    let readers = (0..4).map(|reader| {
        let history = history.clone();
        tokio::spawn(async move {
            let mut seen = 0;
            while seen < 50 {
                let query = samples_of(&format!("r{reader}"), "n", 500_000);
                let series = history.query(&query).await.unwrap();
                let found = series
                    .points
                    .iter()
                    .filter(|point| point.value.is_some())
                    .count();
                assert!(found >= seen, "an acknowledged tick vanished");
                seen = found;
            }
        })
    });
    let tasks: Vec<_> = writers.chain(readers).collect();
    for task in tasks {
        task.await.unwrap();
    }
    history.close().await;
}

#[tokio::test]
async fn who_stops_waiting_for_an_append_breaks_nothing() {
    let (_directory, path) = place();
    let history = History::open(&path).await.unwrap();
    for at in 1..=20 {
        let rows: Vec<_> = (0..300)
            .map(|n| row(&format!("r{n}"), &[("n", at)]))
            .collect();
        let append = history.append(tick(at * 10_000, rows));
        let _ = tokio::time::timeout(std::time::Duration::from_micros(200), append).await;
    }
    // Later than all that was queued, so that it waits for them.
    history.append(tick(210_000, [])).await.unwrap();
    let ends = async |entity: &str| {
        let series = history
            .query(&samples_of(entity, "n", 210_000))
            .await
            .unwrap();
        values(&series)
    };
    // Whole ticks or none.
    assert_eq!(ends("r0").await, ends("r299").await);
    history.close().await;
}

#[tokio::test]
async fn a_closed_history_says_so() {
    let (_directory, path) = place();
    let history = History::open(&path).await.unwrap();
    let clone = history.clone();
    history.close().await;
    history.close().await;
    assert!(matches!(
        clone.append(tick(1, [])).await,
        Err(Error::Closed)
    ));
    assert!(matches!(clone.prune(1).await, Err(Error::Closed)));
    assert!(matches!(clone.latest("r1").await, Err(Error::Closed)));
    assert!(matches!(clone.last_tick_ms().await, Err(Error::Closed)));
    assert!(matches!(
        clone.query(&samples_of("r1", "n", 1)).await,
        Err(Error::Closed)
    ));
}

#[tokio::test]
async fn the_cap_on_points_reaches_the_caller() {
    let (_directory, path) = place();
    let history = History::open(&path).await.unwrap();
    let query = Query {
        step_ms: 1,
        aggregation: Aggregation::Rate,
        ..samples_of("r1", "n", 3_600_000)
    };
    let error = history.query(&query).await.unwrap_err();
    assert!(
        error.to_string().contains("a step of at least 328 ms"),
        "{error}"
    );
    history.close().await;
}
