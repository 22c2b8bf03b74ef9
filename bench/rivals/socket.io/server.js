// npm socket.io with the two events the load generator uses, at its defaults.
//
// node server.js PORT [CERTIFICATE KEY]
//
// With REDIS_URL it is one of several behind its Redis adapter; REDIS_ADAPTER=sharded takes the
// adapter of that name in place of the usual one.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { Server } from "socket.io";

const [port, certificate, key] = process.argv.slice(2);
const server = certificate
  ? https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) })
  : http.createServer();

const io = new Server(server, {
  transports: ["websocket"],
  serveClient: false,
  pingInterval: 25_000,
  pingTimeout: 20_000,
  adapter: process.env.REDIS_URL && (await redisAdapter(process.env.REDIS_URL)),
});

io.on("connection", (socket) => {
  socket.on("join", (room, acknowledge) => {
    socket.join(room);
    acknowledge({ ok: true });
  });
  socket.on("publish", (room, event, data, acknowledge) => {
    io.to(room).emit(event, data);
    acknowledge({ ok: true });
  });
});

server.listen(Number(port), "127.0.0.1");

async function redisAdapter(url) {
  const { createAdapter, createShardedAdapter } = await import("@socket.io/redis-adapter");
  const { Redis } = await import("ioredis");
  const [publisher, subscriber] = [new Redis(url), new Redis(url)];
  return process.env.REDIS_ADAPTER === "sharded"
    ? createShardedAdapter(publisher, subscriber)
    : createAdapter(publisher, subscriber);
}
