//! Axes: round ticks for values and times. Pure.

/// Round ticks from 0 to at least `greatest`, at most `most` of them above 0.
///
/// Steps are 1, 2 or 5 times a power of ten. A greatest value that is no positive number gives an
/// axis up to 1.
pub fn value_ticks(greatest: f64, most: usize) -> Vec<f64> {
    let greatest = if greatest.is_finite() && greatest > 0.0 {
        greatest
    } else {
        1.0
    };
    let most = most.max(1);
    let raw = greatest / most as f64;
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| step * most as f64 >= greatest * (1.0 - 1e-9))
        .unwrap_or(10.0 * power);
    let count = (greatest / step * (1.0 - 1e-9)).ceil().max(1.0) as usize;
    (0..=count).map(|tick| tick as f64 * step).collect()
}

/// Times between `start` and `end` (milliseconds since 1970) at round steps, at most `most`.
pub fn time_ticks(start: i64, end: i64, most: i64) -> Vec<i64> {
    const MINUTE: i64 = 60_000;
    const STEPS: [i64; 11] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720];
    let span = end.saturating_sub(start);
    if span <= 0 || most <= 0 {
        return Vec::new();
    }
    let step = STEPS
        .into_iter()
        .map(|minutes| minutes * MINUTE)
        .find(|step| span / step <= most)
        .unwrap_or(1440 * MINUTE);
    let first = start.div_euclid(step) * step + step;
    (first..end)
        .step_by(step as usize)
        .take(most as usize + 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_ticks_are_round_and_reach_the_top() {
        assert_eq!(value_ticks(8.7, 4), [0.0, 5.0, 10.0]);
        assert_eq!(value_ticks(4.0, 4), [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(
            value_ticks(1_234_567.0, 3),
            [0.0, 500_000.0, 1_000_000.0, 1_500_000.0]
        );
        assert_eq!(value_ticks(0.0, 2), [0.0, 0.5, 1.0]);
        assert_eq!(value_ticks(f64::NAN, 2), [0.0, 0.5, 1.0]);
        for greatest in [0.001, 0.37, 3.3, 99.0, 1e9] {
            let ticks = value_ticks(greatest, 4);
            assert!(ticks.len() <= 5 && ticks[ticks.len() - 1] >= greatest * 0.999_999);
        }
    }

    #[test]
    fn time_ticks_are_on_round_minutes() {
        let hour = time_ticks(1_000, 3_601_000, 5);
        assert_eq!(hour.len(), 4, "{hour:?}");
        assert!(hour.iter().all(|at| at % (15 * 60_000) == 0));
        let day = time_ticks(0, 86_400_000, 5);
        assert!(day.len() <= 5 && day.iter().all(|at| at % (6 * 3_600_000) == 0));
        assert!(time_ticks(5, 5, 5).is_empty());
    }
}
