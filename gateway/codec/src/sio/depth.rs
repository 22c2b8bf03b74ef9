//! How deep JSON nests.

use super::MAX_DEPTH;

/// Raw values are skipped without a bound, but whoever parses them later recurses. Few payloads
/// are long enough and have so many brackets that they must be looked at one by one.
pub(super) fn too_deep(json: &[u8]) -> bool {
    json.len() > 2 * MAX_DEPTH && brackets(json) > MAX_DEPTH && depth(json) > MAX_DEPTH
}

/// Counts in bytes as long as they cannot overflow, which compiles to vector instructions.
fn brackets(json: &[u8]) -> usize {
    let opening = |byte: &u8| u8::from(matches!(byte, b'[' | b'{'));
    json.chunks(255)
        .map(|chunk| usize::from(chunk.iter().map(opening).sum::<u8>()))
        .sum()
}

fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
