// npm socket.io with the two events the load generator uses, at its defaults.
//
// node server.js PORT [CERTIFICATE KEY]
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
