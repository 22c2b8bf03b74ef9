//! Free ports.

use std::{net::TcpListener, ops::Range, sync::Mutex};

/// Below those that the system gives to outgoing connections, so that a server that is restarted
/// finds its port free. `tests/client/support/ports.mjs` shares out the same ports in the same way.
const FIRST: u16 = 15_000;
const BLOCKS: u16 = 340;
/// How many ports a block has.
const BLOCK: u16 = 50;

static PORTS: Mutex<Ports> = Mutex::new(Ports::new());

/// A port of 127.0.0.1 that nobody listens on, and that no other call gives out, in whatever
/// process, while this process lives: a server that is down for a while finds its port free.
pub fn free_port() -> u16 {
    PORTS.lock().unwrap().next()
}

/// The ports of a process. It has them in blocks, and listens on the first port of each, by which
/// other processes see that the block is taken. However a process ends, its blocks are free then.
struct Ports {
    signs: Vec<TcpListener>,
    left: Range<u16>,
}

impl Ports {
    const fn new() -> Self {
        Self {
            signs: Vec::new(),
            left: 0..0,
        }
    }

    fn next(&mut self) -> u16 {
        loop {
            match self.left.next() {
                None => self.take_block(rand::random_range(0..BLOCKS)),
                // A program that outlived its test may still be there.
                Some(port) if listen(port).is_none() => {}
                Some(port) => return port,
            }
        }
    }

    /// Takes the next block that is free, the one of this number or a later one.
    fn take_block(&mut self, number: u16) {
        let firsts = (number..number + BLOCKS).map(|number| FIRST + number % BLOCKS * BLOCK);
        let mut free = firsts.filter_map(|first| Some((first, listen(first)?)));
        let block = free.next();
        let (first, sign) = block.expect("a block of ports is free, if few tests run elsewhere");
        self.signs.push(sign);
        self.left = first + 1..first + BLOCK;
    }
}

fn listen(port: u16) -> Option<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_processes_have_a_block_in_common() {
        let (mut one, mut other) = (Ports::new(), Ports::new());
        for number in [0, 0, BLOCKS - 1] {
            one.take_block(number);
            other.take_block(number);
            let (one, other) = (one.left.clone(), other.left.clone());
            assert!(one.end < other.start || other.end < one.start);
        }
    }

    #[test]
    fn a_port_is_given_out_once_and_free() {
        let mut ports = Ports::new();
        let mut given: Vec<_> = (0..2 * BLOCK).map(|_| ports.next()).collect();
        assert!(given.iter().all(|&port| listen(port).is_some()));
        given.sort_unstable();
        given.dedup();
        assert_eq!(given.len(), usize::from(2 * BLOCK));
    }

    #[test]
    fn where_somebody_listens_is_passed_over() {
        let mut ports = Ports::new();
        ports.take_block(0);
        let next = ports.left.start;
        let _somebody = listen(next);
        assert!(ports.next() > next);
    }
}
