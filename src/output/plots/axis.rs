//! From numbers to places on a plot, and the round numbers beside it.

/// One direction of a plot: numbers from 0 to `most`, at places from `from` to `to`.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub most: f64,
    pub from: f64,
    pub to: f64,
    /// Round numbers, the first 0 and the last `most`.
    pub ticks: Vec<f64>,
}

/// Numbers for which there is an axis: the time of a run, or a share, is none of the others.
const DRAWN: std::ops::Range<f64> = 1e-10..1e12;

impl Axis {
    /// Up to the first round number from `highest` on; up to 1 where that is 0, no number, or beyond [`DRAWN`].
    pub fn up_to(highest: f64, from: f64, to: f64) -> Self {
        let highest = if DRAWN.contains(&highest) {
            highest
        } else {
            1.0
        };
        let step = step(highest);
        let mut ticks = vec![0.0];
        let mut count = 0.0;
        while step * count < highest * (1.0 - 1e-9) {
            count += 1.0;
            ticks.push(step * count);
        }
        Self {
            most: step * count,
            from,
            to,
            ticks,
        }
    }

    /// The same for shares, which end at 1.
    pub fn of_shares(highest: f64, from: f64, to: f64) -> Self {
        Self::up_to(highest.min(1.0), from, to).capped()
    }

    fn capped(mut self) -> Self {
        if self.most > 1.0 {
            self.ticks.retain(|tick| *tick < 1.0);
            self.ticks.push(1.0);
            self.most = 1.0;
        }
        self
    }

    /// The place of a number; one beyond the axis is at its end.
    pub fn at(&self, number: f64) -> f64 {
        let share = (number / self.most).clamp(0.0, 1.0);
        self.from + (self.to - self.from) * share
    }

    /// The decimals that tell a step from the next.
    pub fn decimals(&self) -> usize {
        let step = self.ticks.get(1).copied().unwrap_or(1.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to some dozen
        {
            (-step.log10() - 1e-9).ceil().clamp(0.0, 12.0) as usize
        }
    }

    /// A tick as a number.
    pub fn number(&self, tick: f64) -> String {
        format!("{tick:.*}", self.decimals())
    }

    /// A tick as a percentage.
    pub fn percent(&self, tick: f64) -> String {
        if tick == 0.0 {
            return "0".to_owned();
        }
        let decimals = self.decimals().saturating_sub(2);
        format!("{:.decimals$} %", tick * 100.0)
    }
}

/// A round number, 1, 2 or 5 times a power of ten, of which four to nine make `highest`.
fn step(highest: f64) -> f64 {
    let power = 10_f64.powf((highest / 4.0).log10().floor());
    let times = highest / 4.0 / power;
    let round = [5.0, 2.0].into_iter().find(|round| times >= *round);
    power * round.unwrap_or(1.0)
}

/// A place, to a tenth of a unit.
pub(super) fn place(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        let labels = |highest: f64| {
            let axis = Axis::of_shares(highest, 0.0, 100.0);
            axis.ticks
                .iter()
                .map(|tick| axis.percent(*tick))
                .collect::<Vec<_>>()
        };
        assert_eq!(labels(0.81), ["0", "20 %", "40 %", "60 %", "80 %", "100 %"]);
        assert_eq!(labels(0.05), ["0", "1 %", "2 %", "3 %", "4 %", "5 %"]);
        assert_eq!(labels(0.0049).last().map(String::as_str), Some("0.5 %"));
        let axis = Axis::up_to(59.0, 10.0, 110.0);
        assert_eq!((axis.most, axis.number(20.0)), (60.0, "20".to_owned()));
        assert_eq!(
            (axis.at(0.0), axis.at(30.0), axis.at(1e9)),
            (10.0, 60.0, 110.0)
        );
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Axis::up_to(odd, 0.0, 1.0).ticks.last(), Some(&1.0));
        }
    }

    proptest! {
        #[test]
        fn a_few_ticks_reach_the_highest_number(highest in 1e-9..1e9_f64) {
            let axis = Axis::up_to(highest, 0.0, 1.0);
            prop_assert!((4..=11).contains(&axis.ticks.len()), "{:?}", axis.ticks);
            prop_assert!(axis.most >= highest * (1.0 - 1e-6));
            prop_assert!(axis.most <= highest * 1.3);
        }
    }
}
