//! What the switch must reach, and whether it did. It owns the bounds; a figure that was not
//! measured passes nothing.

use serde::Serialize;

/// One bound.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bound {
    pub(crate) what: String,
    pub(crate) measured: f64,
    /// At least, or at most.
    pub(crate) at_least: bool,
    pub(crate) limit: f64,
    /// What one would like to reach beyond it.
    pub(crate) moonshot: Option<f64>,
    pub(crate) passed: bool,
    /// What helps to read it.
    pub(crate) remark: String,
}

impl Bound {
    /// `measured` must be at least `limit`.
    pub(crate) fn at_least(what: &str, measured: f64, limit: f64) -> Bound {
        Bound::new(what, measured, limit, true)
    }

    /// `measured` must be at most `limit`.
    pub(crate) fn at_most(what: &str, measured: f64, limit: f64) -> Bound {
        Bound::new(what, measured, limit, false)
    }

    fn new(what: &str, measured: f64, limit: f64, at_least: bool) -> Bound {
        let holds = if at_least { measured >= limit } else { measured <= limit };
        Bound {
            what: what.to_owned(),
            measured,
            at_least,
            limit,
            moonshot: None,
            // Zero is what was not measured; no figure here can truly be zero.
            passed: holds && measured > 0.0,
            remark: String::new(),
        }
    }

    /// With what one would like to reach beyond it.
    pub(crate) fn moonshot(mut self, moonshot: f64) -> Bound {
        self.moonshot = Some(moonshot);
        self
    }

    /// With a remark.
    pub(crate) fn remark(mut self, remark: String) -> Bound {
        self.remark = remark;
        self
    }

    /// One line of the table of bounds.
    pub(crate) fn line(&self) -> String {
        let Bound { what, measured, limit, .. } = self;
        let verdict = if self.passed { "PASS" } else { "FAIL" };
        let relation = if self.at_least { "at least" } else { "at most" };
        let moonshot =
            self.moonshot.map(|moonshot| format!(", moonshot {moonshot}")).unwrap_or_default();
        let remark =
            if self.remark.is_empty() { String::new() } else { format!("; {}", self.remark) };
        format!("{verdict}  {what}: {measured:.2} ({relation} {limit}{moonshot}{remark})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_met_from_its_limit_on() {
        assert!(Bound::at_least("ratio", 20.0, 20.0).passed);
        assert!(!Bound::at_least("ratio", 19.9, 20.0).passed);
        assert!(Bound::at_most("cpu", 25.0, 25.0).passed);
        assert!(!Bound::at_most("cpu", 25.1, 25.0).passed);
    }

    #[test]
    fn what_was_not_measured_passes_nothing() {
        assert!(!Bound::at_most("cpu", 0.0, 25.0).passed);
        assert!(!Bound::at_most("ratio of nothing", f64::NAN, 2.0).passed);
    }

    #[test]
    fn a_line_says_all_of_it() {
        let bound = Bound::at_least("ratio", 19.5, 20.0).moonshot(40.0);
        let line = bound.remark("10 partners".into()).line();
        assert_eq!(line, "FAIL  ratio: 19.50 (at least 20, moonshot 40; 10 partners)");
    }
}
