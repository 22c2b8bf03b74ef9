//! Amounts as Kubernetes writes them: `500m`, `10Gi`, `1e3`.

/// The units, with what they stand for.
const UNITS: [(&str, f64); 13] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
];

/// The number that a quantity stands for; `None` where it is none.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let unit = UNITS.iter().find(|(unit, _)| text.ends_with(unit));
    let (number, scale) = match unit {
        Some((unit, scale)) => (text.strip_suffix(unit)?, *scale),
        None => (text, 1.0),
    };
    let number: f64 = number.parse().ok()?;
    number.is_finite().then_some(number * scale)
}

/// Whether two texts are the same amount, such as `1000m` and `1`.
pub(crate) fn same(a: &str, b: &str) -> bool {
    match (parse(a), parse(b)) {
        (Some(a), Some(b)) => (a - b).abs() <= a.abs().max(b.abs()) * 1e-12,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_what_kubernetes_means_by_them() {
        for (text, number) in [
            ("10Gi", 10_737_418_240.0),
            ("1", 1.0),
            ("250m", 0.25),
            ("2k", 2e3),
            ("1e3", 1e3),
        ] {
            assert_eq!(parse(text), Some(number), "{text}");
        }
        for text in ["", "Gi", "a", "1Zi", "nan", "inf"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_compared_and_not_texts() {
        assert!(same("1000m", "1") && same("1Gi", "1024Mi") && same("0.1", "100m"));
        assert!(!same("1", "1Gi") && !same("a", "a"));
    }
}
