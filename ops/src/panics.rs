//! What becomes of a process in which something panics.

use std::{panic, process};

/// From now on a panic of any thread ends the whole process, after it is told of as usual: a part
/// that is gone would be missed by nobody until its work is. The build for users does so by itself;
/// this way the one that tests run does too.
pub fn end_the_process() {
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        tell(info);
        process::abort();
    }));
}
