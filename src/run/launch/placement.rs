//! Which process group the target belongs in.

/// What there is to know about us and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // facts, not states
pub struct Facts {
    /// We have a controlling terminal.
    pub terminal: bool,
    /// Our process group is that terminal's foreground one.
    pub foreground: bool,
    /// We lead our process group: what a job-control shell does for each job.
    pub leader: bool,
    /// stdout or stderr is a pipe: others of our group read it.
    pub in_pipeline: bool,
}

/// Where the target runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In a process group of its own, so that a time-out reaches every member at once.
    OwnGroup {
        /// That group gets the terminal.
        foreground: bool,
    },
    /// In ours. On a terminal there can be one foreground group only: with a group of its own, the
    /// target of `agxrun CMD | less` would push `less` into the background.
    Joined,
}

/// Decides.
pub fn place(facts: Facts) -> Placement {
    if facts.terminal && (!facts.leader || facts.in_pipeline) {
        Placement::Joined
    } else {
        Placement::OwnGroup {
            foreground: facts.terminal && facts.foreground,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: Facts = Facts {
        terminal: true,
        foreground: true,
        leader: true,
        in_pipeline: false,
    };

    #[test]
    fn a_job_alone_gets_the_terminal() {
        assert_eq!(place(ALONE), Placement::OwnGroup { foreground: true });
    }

    #[test]
    fn a_background_job_does_not() {
        let background = Facts {
            foreground: false,
            ..ALONE
        };
        assert_eq!(place(background), Placement::OwnGroup { foreground: false });
    }

    #[test]
    fn pipelines_and_scripts_share_the_group() {
        for facts in [
            Facts {
                in_pipeline: true,
                ..ALONE
            },
            Facts {
                leader: false,
                ..ALONE
            },
        ] {
            assert_eq!(place(facts), Placement::Joined);
        }
    }

    #[test]
    fn without_a_terminal_nothing_is_handed_over() {
        for leader in [false, true] {
            let facts = Facts {
                terminal: false,
                foreground: false,
                leader,
                in_pipeline: true,
            };
            assert_eq!(place(facts), Placement::OwnGroup { foreground: false });
        }
    }
}
