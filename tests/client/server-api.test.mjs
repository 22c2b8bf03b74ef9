import assert from "node:assert/strict";
import { test } from "node:test";
import { STOCK, enter, must } from "./support/clients.mjs";
import { useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { Native } from "./support/native.mjs";
import { Record } from "./support/record.mjs";
import { next, until, within } from "./support/wait.mjs";

const gateway = await useGateway();

/** Calls the server API; the answer must be a success. */
async function call(method, path, body, headers) {
  const answer = await gateway.api(method, path, body, headers);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

test("a message of the backend reaches the room's members; the same key stores it once", async () => {
  const name = fresh("kept");
  const socket = await enter(gateway, STOCK, "ada");
  await must(socket, "join", name);
  const record = new Record(socket, "news");
  const body = { event: "news", data: { n: 1 } };
  const key = { "idempotency-key": "k-1" };
  const first = await call("POST", `/v1/rooms/${name}/messages`, body, key);
  const again = await call("POST", `/v1/rooms/${name}/messages`, body, key);
  assert.deepEqual([first.duplicate, again.duplicate], [false, true]);
  assert.deepEqual([again.id, again.offset], [first.id, first.offset]);
  await call("POST", `/v1/rooms/${name}/messages`, { event: "news", data: { n: 2 } });
  await record.count(2);
  assert.deepEqual(record.data, [{ n: 1 }, { n: 2 }]);
  assert.equal(record.messages[0].meta.offset, first.offset);
});

test("an id that a client used first does not keep the backend's message from anybody", async () => {
  const name = fresh("kept");
  const [ada, bob] = [await enter(gateway, STOCK, "ada"), await enter(gateway, STOCK, "bob")];
  await must(bob, "join", name);
  const record = new Record(bob, "news");
  await must(ada, "publish", name, "news", "hers", { id: "order-18" });
  const body = { event: "news", data: "the application's" };
  const sent = await call("POST", `/v1/rooms/${name}/messages`, body, { "idempotency-key": "order-18" });
  assert.deepEqual([sent.id, sent.duplicate], ["order-18", false]);
  await record.count(2);
  assert.deepEqual(record.data, ["hers", "the application's"]);
  assert.deepEqual(record.messages.map(({ meta }) => meta.id), ["order-18", "order-18"]);
});

test("a room's name in the path may have any characters", async () => {
  const name = `kept-${fresh("ä/b?c")}`;
  const socket = await enter(gateway, STOCK, "ada");
  await must(socket, "join", name);
  const record = new Record(socket, "news");
  await call("POST", `/v1/rooms/${encodeURIComponent(name)}/messages`, { event: "news", data: 1 });
  await record.count(1);
  assert.equal(record.messages[0].meta.room, name);
});

test("a message to a user reaches all sessions, and a broadcast everyone", async () => {
  const user = fresh("user");
  const stock = await enter(gateway, STOCK, user);
  const native = await Native.enter(gateway, user);
  const other = await enter(gateway, STOCK, fresh("user"));
  const [own, others] = [new Record(stock, "note"), new Record(other, "note")];
  await call("POST", `/v1/users/${user}/messages`, { event: "note", data: "for you" });
  await call("POST", "/v1/messages", { event: "note", data: "for all" });
  await own.count(2);
  await others.count(1);
  assert.deepEqual(own.data, ["for you", "for all"]);
  assert.deepEqual(others.data, ["for all"]);
  assert.deepEqual((await native.count("note", 2)).map((push) => push.data), ["for you", "for all"]);
});

test("a backend puts a user into a room and takes it out", async () => {
  const [name, user] = [fresh("kept"), fresh("user")];
  const socket = await enter(gateway, STOCK, user);
  const record = new Record(socket, "news");
  const present = async () => (await call("GET", `/v1/rooms/${name}/presence`)).users;
  await call("PUT", `/v1/rooms/${name}/users/${user}`);
  await until("the user to be in", async () => (await present()).includes(user));
  await call("POST", `/v1/rooms/${name}/messages`, { event: "news", data: 1 });
  await record.count(1);
  await call("DELETE", `/v1/rooms/${name}/users/${user}`);
  await until("the user to be out", async () => (await present()).length === 0);
  await call("POST", `/v1/rooms/${name}/messages`, { event: "news", data: 2 });
  const { messages } = await call("GET", `/v1/rooms/${name}/history`);
  assert.deepEqual(messages.map((message) => message.data), [1, 2]);
  await call("POST", `/v1/users/${user}/messages`, { event: "news", data: 3 });
  await record.count(2);
  assert.deepEqual(record.data, [1, 3]);
});

test("the sessions of a user are listed with their rooms", async () => {
  const [name, user] = [fresh("kept"), fresh("user")];
  const stock = await enter(gateway, STOCK, user);
  const native = await Native.enter(gateway, user);
  await must(stock, "join", name);
  const { sessions } = await call("GET", `/v1/sessions?user=${user}`);
  const seen = sessions.map(({ session, protocol, rooms }) => [session, protocol, rooms]).sort();
  const wanted = [[stock.id, "socketio", [name]], [native.hello.session, "websocket", []]].sort();
  assert.deepEqual(seen, wanted);
});

test("a disconnected user is gone and does not come back by itself", async () => {
  const user = fresh("user");
  const stock = await enter(gateway, STOCK, user);
  const native = await Native.enter(gateway, user);
  const goodbye = next(stock, "disconnect");
  await call("DELETE", `/v1/users/${user}/sessions`);
  const [reason] = await goodbye;
  assert.equal(reason, "io server disconnect");
  assert.equal(stock.active, false);
  const { code } = await within("the plain connection to close", native.closed);
  assert.equal(code, 4502);
});

test("a caller without the key is refused", async () => {
  for (const authorization of ["Bearer wrong-wrong-wrong-wrong", "Basic abc", ""]) {
    const { status } = await gateway.api("GET", "/v1/sessions", undefined, { authorization });
    assert.equal(status, 401);
  }
});

test("what is wrong with a request is said with a code", async () => {
  const path = "/v1/rooms/kept-x/messages";
  for (const body of [{}, { event: "", data: 1 }, { event: "connect", data: 1 }, { event: "e", data: 1, extra: 2 }]) {
    const { status, body: answer } = await gateway.api("POST", path, body);
    assert.ok(status >= 400 && status < 500, JSON.stringify(body));
    assert.match(answer.error.code, /^[a-z_]+$/);
  }
});

test("the API describes itself", async () => {
  const description = await call("GET", "/v1/openapi.json");
  assert.match(description.openapi, /^3\./);
  for (const path of ["/v1/rooms/{room}/messages", "/v1/users/{user}/messages", "/v1/messages", "/v1/sessions", "/v1/revocations"]) {
    assert.ok(description.paths[path], path);
  }
});
