// The chat's server code, as one writes it for Socket.IO. Run as many of it as you like.
//
//   SLUICE_CLUSTER=chat SLUICE_APPLICATION=chat SLUICE_NAME=one node chat.mjs
import { Server } from "@sluice/server";

const GREETING = "Welcome";
const name = process.env.SLUICE_NAME ?? `process ${process.pid}`;
const io = new Server();

io.use((socket, next) => {
  const user = socket.handshake.auth.user?.trim?.();
  if (!user || user.length > 40) return next(new Error("Choose a name of 1 to 40 characters."));
  socket.data.user = user;
  next();
});

io.on("connection", (socket) => {
  const { user } = socket.data;
  socket.join("lobby");
  socket.emit("served", { by: name, greeting: `${GREETING}, ${user}` });
  // A session that another instance had before is nobody who has just come.
  if (!socket.recovered) socket.to("lobby").emit("came", { user });

  socket.on("say", (text, answer) => {
    if (typeof text !== "string" || text.length === 0 || text.length > 4000) {
      return answer?.({ error: "A message has 1 to 4000 characters." });
    }
    socket.to("lobby").emit("said", { user, text, by: name });
    answer?.({ by: name });
  });

  socket.on("who", async (answer) => {
    const sockets = await io.in("lobby").fetchSockets();
    answer?.(sockets.map((other) => other.data.user));
  });

  socket.on("disconnect", () => io.to("lobby").emit("went", { user }));
});

io.ready.then(
  () => console.log(`${name} serves the chat`),
  (error) => {
    console.error(`${name} cannot serve the chat: ${error.message}`);
    process.exit(1);
  },
);
