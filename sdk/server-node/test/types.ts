// What programs in TypeScript may rely on: this is checked by the compiler, and not run.
import type { BroadcastOperator, Server, Socket } from "../src/index.js";

type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;
const is = <_True extends true>(): void => {};

interface FromClient {
  say: (text: string) => void;
  ask: (question: number, answer: (result: string) => void) => void;
}
interface ToClient {
  said: (by: string, text: string) => void;
  confirm: (what: string, answer: (sure: boolean) => void) => void;
}
interface Between {
  ping: (answer: (at: number) => void) => void;
}
interface Data {
  name: string;
}

export async function typed(io: Server<FromClient, ToClient, Between, Data>): Promise<void> {
  io.on("connection", async (socket) => {
    is<Same<typeof socket, Socket<FromClient, ToClient, Between, Data>>>();
    is<Same<typeof socket.data.name, string | undefined>>();
    socket.on("say", (text) => is<Same<typeof text, string>>());
    socket.on("ask", (question, answer) => answer(String(question + 1)));
    socket.on("disconnect", (reason) => reason === "ping timeout");
    socket.on("detach", () => {});
    socket.emit("confirm", "it", (sure) => is<Same<typeof sure, boolean>>());
    socket.timeout(1).emit("confirm", "it", (error, sure) => is<Same<[typeof error, typeof sure], [Error, boolean]>>());
    const sure = await socket.emitWithAck("confirm", "it");
    is<Same<typeof sure, boolean>>();
    // @ts-expect-error: the client has no such event.
    socket.emit("unknown");
    // @ts-expect-error: it is said by whom.
    socket.broadcast.emit("said", 1);
    // @ts-expect-error: nobody can answer it.
    socket.emitWithAck("said", "ann");
  });
  io.to("room").emit("said", "ann", "hello");
  // @ts-expect-error: without a time, nobody is asked.
  io.emit("confirm", "it");
  const all = await io.timeout(1).emitWithAck("confirm", "it");
  is<Same<typeof all, boolean[]>>();
  is<typeof io.local extends BroadcastOperator<any, Data> ? true : false>();
  const pongs = await io.serverSideEmitWithAck("ping");
  is<Same<typeof pongs, number[]>>();
  for (const remote of await io.fetchSockets()) is<Same<typeof remote.data, Data>>();
}

export function untyped(io: Server): void {
  io.on("connection", (socket) => {
    socket.data.anything = 1;
    socket.emit("anything", 1, (answer: number) => answer);
    socket.on("anything", (one: number, answer: (result: number) => void) => answer(one));
    io.emit("anything", socket.id);
  });
}
