//! What programs show to Prometheus: one list a program, which registers its metrics from it.

pub mod gateway;

/// One metric, as it is registered and described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name, which dashboards and alerts ask for.
    pub name: &'static str,
    /// What it says, for people.
    pub help: &'static str,
    /// How it behaves.
    pub kind: MetricKind,
    /// What its figures are told apart by.
    pub labels: &'static [&'static str],
}

/// How a metric behaves, in the words of Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It grows and shrinks.
    Gauge,
    /// A distribution.
    Histogram,
}

impl MetricKind {
    /// The word for it at `/metrics`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Makes the list of a program's metrics: a constant for each, and `ALL` of them. A line has the
/// metric's kind, its constant, its name, its labels where it has some, and its help.
///
/// ```
/// mod shown {
///     sluice_contract::metrics! {
///         Counter LETTERS = "post_letters_total" ["country"], "Letters that were posted.";
///         Gauge COUNTERS = "post_counters_open", "Counters that are open now.";
///     }
/// }
/// assert_eq!(shown::LETTERS.labels, ["country"]);
/// assert_eq!(shown::ALL.len(), 2);
/// ```
#[macro_export]
macro_rules! metrics {
    ($( $kind:ident $metric:ident = $name:literal $([$($label:literal),+])?, $help:literal; )+) => {
        $(
            #[doc = $help]
            pub const $metric: $crate::Metric = $crate::Metric {
                name: $name,
                help: $help,
                kind: $crate::MetricKind::$kind,
                labels: &[$($($label),+)?],
            };
        )+

        /// All of them.
        pub const ALL: &[$crate::Metric] = &[$($metric),+];
    };
}
