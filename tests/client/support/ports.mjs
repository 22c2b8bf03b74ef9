import { createServer } from "node:net";

/**
 * Where ports are looked for: below those that systems give to outgoing connections, so that a
 * program can end and come back to its port while others connect.
 */
const [LOWEST, HIGHEST] = [15_000, 32_000];

/** Resolves to `count` TCP ports of the loopback address that nobody listens on at the moment. */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, listenAnywhere));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

async function listenAnywhere() {
  for (;;) {
    const server = await listen(LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST)));
    if (server) return server;
  }
}

/** Resolves to a server on `port`, or to undefined if the port is taken. */
function listen(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
