import { createServer } from "node:net";

/**
 * Where ports are looked for: below those that systems give to outgoing connections, so that a
 * program can end and come back to its port while others connect. `tests/support/nats/src/ports.rs`
 * shares out the same ports in the same way.
 */
const FIRST = 15_000;
const BLOCKS = 340;
/** How many ports a block has. */
const BLOCK = 50;

/** The ports that this process has and did not give out yet. */
let left = [];

/**
 * Resolves to `count` TCP ports of the loopback address that nobody listens on, and that no other call gives out, in
 * whatever process, while this process lives: a program that is down for a while finds its port free.
 */
export async function freePorts(count) {
  const found = [];
  while (found.length < count) {
    if (!left.length) left = await takeBlock(Math.floor(Math.random() * BLOCKS));
    const port = left.shift();
    // A program that outlived its test may still be there.
    const server = await listen(port);
    if (!server) continue;
    await new Promise((done) => server.close(done));
    found.push(port);
  }
  return found;
}

/**
 * Takes the next block that is free, the one of this number or a later one, and resolves to its ports but the first.
 * That one is listened on, by which other processes see that the block is taken, until this process ends, however.
 */
async function takeBlock(number) {
  for (let tried = 0; tried < BLOCKS; tried++) {
    const first = FIRST + ((number + tried) % BLOCKS) * BLOCK;
    const sign = await listen(first);
    if (!sign) continue;
    sign.unref();
    return Array.from({ length: BLOCK - 1 }, (_, at) => first + 1 + at);
  }
  throw new Error("Every block of ports is taken. End tests that go on elsewhere.");
}

/** Resolves to a server on `port`, or to undefined if the port is taken. */
function listen(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
