use proptest::prelude::*;

use super::*;

fn nanos(text: &str) -> u128 {
    text.parse::<Duration>().unwrap().as_std().as_nanos()
}

fn refusal(text: &str) -> String {
    text.parse::<Duration>().unwrap_err().to_string()
}

#[test]
fn what_go_writes_is_read() {
    assert_eq!(nanos("25s"), 25_000_000_000);
    assert_eq!(nanos("2m"), 120_000_000_000);
    assert_eq!(nanos("1h30m"), 5_400_000_000_000);
    assert_eq!(nanos("500ms"), 500_000_000);
    assert_eq!(nanos("1h0m0.5s"), 3_600_500_000_000);
    assert_eq!(nanos("3us2ns"), 3_002);
    assert_eq!(nanos("0"), 0);
    assert_eq!(nanos("0s"), 0);
}

#[test]
fn fractions_are_read_down_to_the_nanosecond() {
    assert_eq!(nanos("1.5h"), 5_400_000_000_000);
    assert_eq!(nanos("0.25ms"), 250_000);
    assert_eq!(nanos("1.9ns"), 1);
}

#[test]
fn it_is_printed_with_the_largest_units_and_without_zeros() {
    for text in [
        "0s", "25s", "2m", "1h30m", "24h", "500ms", "1s500ms", "1us", "7ns",
    ] {
        assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
    }
    assert_eq!(Duration::from_secs(120).to_string(), "2m");
    assert_eq!(Duration::from_millis(90_500).to_string(), "1m30s500ms");
}

#[test]
fn what_is_no_duration_is_refused_with_one_that_was_likely_meant() {
    assert_eq!(
        refusal("24"),
        "\"24\" is not a duration; write it as Go does, for example 24s"
    );
    assert_eq!(
        refusal("7d"),
        "\"7d\" is not a duration; write it as Go does, for example 168h"
    );
    assert!(refusal("10 minutes").ends_with("for example 10m"));
    assert!(refusal("100 millis").ends_with("for example 100ms"));
    for text in [
        "", "s", "-5s", "1h 30m", "1e3s", ".5s", "1.s", "24x", "1S", "∞",
    ] {
        assert!(refusal(text).contains("is not a duration"), "{text}");
    }
}

#[test]
fn a_duration_of_more_than_ten_years_is_refused() {
    assert_eq!(nanos("87600h"), 87_600 * 3_600 * 1_000_000_000);
    assert!(refusal("87601h").contains("ten years"));
    assert!(refusal("99999999999999999999999999999h").contains("ten years"));
}

#[test]
fn a_long_text_is_cut_in_the_message() {
    assert!(refusal(&"9".repeat(10_000)).len() < 200);
}

#[test]
fn json_has_it_as_text() {
    let duration: Duration = serde_json::from_str("\"90s\"").unwrap();
    assert_eq!(serde_json::to_string(&duration).unwrap(), "\"1m30s\"");
    assert!(serde_json::from_str::<Duration>("90").is_err());
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_as_the_same(nanos in 0..=MAX_HOURS * UNITS[0].1) {
        let duration = Duration(std::time::Duration::from_nanos(nanos));
        prop_assert_eq!(duration.to_string().parse::<Duration>(), Ok(duration));
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in "[0-9hmsun. -]{0,40}|.{0,40}") {
        let _ = text.parse::<Duration>();
    }

    #[test]
    fn rust_and_the_rule_language_read_the_same_length(
        hours in 0..1000_u32, seconds in 0..100_000_u32, millis in 0..10_000_u32,
    ) {
        let text = format!("{hours}h{seconds}s{millis}ms");
        let rule = format!("duration('{text}') == duration('{}')", text.parse::<Duration>().unwrap());
        let program = kube::core::cel::cel::Program::compile(&rule).unwrap();
        let context = kube::core::cel::cel::Context::default();
        prop_assert_eq!(program.execute(&context).unwrap(), true.into());
    }
}
