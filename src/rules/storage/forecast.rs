//! When a volume will be full: a straight line through what was counted.

use serde::{Deserialize, Serialize};

use crate::model::Forecast;

/// How many samples of a volume are kept.
const KEPT: usize = 96;
/// Over a shorter time a line says nothing.
const SHORTEST: i64 = 30;
/// What is further away is no forecast.
const LONGEST: f64 = 2.0 * 365.0 * 86400.0;

/// One count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds since 1970.
    pub time: i64,
    /// Bytes.
    pub used: u64,
    /// The size of the file system in bytes.
    pub size: u64,
}

/// Adds a count. Another size begins anew; what is too much is thinned out where it is oldest.
pub fn keep(samples: &mut Vec<Sample>, new: Sample) {
    samples.retain(|sample| sample.size == new.size && sample.time < new.time);
    samples.push(new);
    if samples.len() > KEPT {
        let half = samples.len() / 2;
        let mut position = 0;
        samples.retain(|_| {
            position += 1;
            position > half || position % 2 == 1
        });
    }
}

/// When the free bytes are used up if the volume grows as it did over the samples, which are in order of time; None when
/// it does not grow, or too little is known.
pub fn forecast(samples: &[Sample], free: u64) -> Option<Forecast> {
    let (first, last) = (samples.first()?, samples.last()?);
    let over = last.time.saturating_sub(first.time);
    if over < SHORTEST {
        return None;
    }
    let slope = slope(samples)?;
    let full_in = free as f64 / slope;
    let growth = slope * 3600.0;
    (slope > 0.0 && growth >= 1.0 && full_in <= LONGEST).then(|| Forecast {
        bytes_per_hour: growth as u64,
        full_in: full_in as u64,
        over: u64::try_from(over).unwrap_or(0),
    })
}

/// Bytes a second, by least squares.
fn slope(samples: &[Sample]) -> Option<f64> {
    let first = samples.first()?;
    let count = samples.len() as f64;
    let points: Vec<(f64, f64)> =
        samples.iter().map(|sample| ((sample.time - first.time) as f64, sample.used as f64)).collect();
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (time, used) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - time).powi(2)).sum();
    let common: f64 = points.iter().map(|point| (point.0 - time) * (point.1 - used)).sum();
    (spread > 0.0).then(|| common / spread)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(time: i64, used: u64) -> Sample {
        Sample { time, used, size: 1000 }
    }

    #[test]
    fn steady_growth_is_drawn_out() {
        let samples = [sample(0, 100), sample(60, 160), sample(120, 220)];
        let forecast = forecast(&samples, 600).unwrap();
        assert_eq!((forecast.bytes_per_hour, forecast.full_in, forecast.over), (3600, 600, 120));
    }

    #[test]
    fn what_shrinks_stands_still_or_is_too_young_has_no_forecast() {
        assert_eq!(forecast(&[sample(0, 100), sample(60, 100)], 600), None);
        assert_eq!(forecast(&[sample(0, 100), sample(60, 50)], 600), None);
        assert_eq!(forecast(&[sample(0, 100), sample(5, 500)], 600), None);
        assert_eq!(forecast(&[], 600), None);
    }

    #[test]
    fn another_size_begins_anew_and_the_same_count_is_one() {
        let mut samples = vec![sample(0, 1), sample(60, 2)];
        keep(&mut samples, sample(60, 3));
        assert_eq!(samples, [sample(0, 1), sample(60, 3)]);
        keep(&mut samples, Sample { size: 2000, ..sample(90, 4) });
        assert_eq!(samples.len(), 1);
    }

    proptest! {
        #[test]
        fn samples_stay_few_and_in_order(times in proptest::collection::vec(0i64..10_000, 0..400)) {
            let mut samples = Vec::new();
            for time in times {
                keep(&mut samples, sample(time, 1));
            }
            prop_assert!(samples.len() <= KEPT);
            prop_assert!(samples.windows(2).all(|pair| pair[0].time < pair[1].time));
            let _ = forecast(&samples, u64::MAX);
        }
    }
}
