// An instance of the application of failover tests: counts each session's events in its data, and answers with the count.
import { Server } from "../../../sdk/server-node/dist/index.js";

const io = new Server();
io.on("connection", (socket) => {
  socket.join("all");
  socket.on("count", (number, answer) => {
    const { data } = socket;
    data.counted = (data.counted ?? 0) + 1;
    data.last = number;
    answer({ by: process.env.SLUICE_NAME, number, counted: data.counted, repeated: socket.repeated });
  });
  socket.on("block", (ms) => {
    const end = Date.now() + ms;
    while (Date.now() < end);
  });
  socket.on("who", (answer) => answer(process.env.SLUICE_NAME));
});
await io.ready;
console.log("ready");
