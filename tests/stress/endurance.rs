//! Many runs in a row leave nothing behind, and take no more of anything.

use std::collections::BTreeMap;

use crate::series::{Series, names};

/// What the process that makes the series had while a run went on.
#[derive(Debug, Clone, Copy)]
struct Sight {
    descriptors: u64,
    /// In KiB.
    memory: u64,
    children: u64,
}

/// Looks from within a run: its parent is `agxrun run`, and that one's parent makes the series.
const LOOK: &str = r#"
series=$(cut -d' ' -f4 /proc/$PPID/stat)
descriptors=$(ls /proc/$series/fd | wc -l)
memory=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$series/status)
children=$(cat /proc/$series/task/*/children | wc -w)
echo "$descriptors $memory $children" >>sights
"#;

fn sights(series: &Series) -> Vec<Sight> {
    let read = |line: String| {
        let numbers: Vec<u64> = line
            .split(' ')
            .map(|number| number.parse().expect("a number"))
            .collect();
        Sight {
            descriptors: numbers[0],
            memory: numbers[1],
            children: numbers[2],
        }
    };
    series.lines("sights").into_iter().map(read).collect()
}

#[test]
fn two_hundred_runs_leave_nothing_behind() {
    let series = Series::new();
    let options = ["-n", "200", "-j", "2", "--no-fix"];
    let run = series.stress(&options, &["sh", "-c", LOOK]);
    run.assert_code(0);
    let sights = sights(&series);
    assert_eq!(sights.len(), 200);
    let most = |of: fn(&Sight) -> u64, sights: &[Sight]| sights.iter().map(of).max().expect("some");
    let (early, late) = (&sights[10..60], &sights[150..]);
    for of in [|it: &Sight| it.descriptors, |it: &Sight| it.children] {
        assert!(most(of, late) <= most(of, early), "{early:?} {late:?}");
    }
    assert!(most(|it| it.children, &sights) <= 2, "{sights:?}");
    // A line of each run is kept for the answer, some kilobytes.
    let grown = most(|it| it.memory, late).saturating_sub(most(|it| it.memory, early));
    assert!(grown < 4 * 1024, "{grown} KiB in a hundred runs");
    assert_eq!(names(&series.path("tmp")), [""; 0]);
    assert_eq!(names(&series.path("archive/series")), [""; 0]);
    assert_eq!(series.lines("archive/runs.jsonl").len(), 200);
    let mut slots = BTreeMap::new();
    for line in run.json["runs"].as_array().expect("runs") {
        *slots.entry(line["slot"].as_u64()).or_insert(0) += 1;
    }
    assert!(slots.len() == 200 && slots.values().all(|count| *count == 1));
}
