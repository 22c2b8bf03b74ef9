import assert from "node:assert/strict";
import { test } from "node:test";
import { enter, forEveryClient, must } from "./support/clients.mjs";
import { useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { Native } from "./support/native.mjs";
import { Record } from "./support/record.mjs";

const gateway = await useGateway();

forEveryClient("binary", (kind) => {
  test("bytes arrive as bytes, wherever they stand in the data", async () => {
    const name = fresh("kept");
    const ada = await enter(gateway, kind, "ada");
    const bob = await enter(gateway, kind, "bob");
    await must(ada, "join", name);
    await must(bob, "join", name);
    const record = new Record(bob, "file");
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, n) => n % 256));
    await must(ada, "publish", name, "file", { name: "a.bin", parts: [bytes, Buffer.from("x")] });
    const [{ data, meta }] = await record.count(1);
    assert.equal(data.name, "a.bin");
    assert.deepEqual(Buffer.from(data.parts[0]), bytes);
    assert.deepEqual(Buffer.from(data.parts[1]), Buffer.from("x"));
    assert.equal(meta.from, "ada");
  });

  test("history has the bytes in base64, as the plain protocol has them", async () => {
    const name = fresh("kept");
    const ada = await enter(gateway, kind, "ada");
    await must(ada, "publish", name, "file", Buffer.from([1, 2, 3]));
    const { messages: [{ data, attachments }] } = await must(ada, "history", name);
    assert.deepEqual(data, { _placeholder: true, num: 0 });
    assert.deepEqual(Buffer.from(attachments[0], "base64"), Buffer.from([1, 2, 3]));
  });

  test("the plain protocol carries the same bytes in base64", async () => {
    const name = fresh("kept");
    const ada = await enter(gateway, kind, "ada");
    const native = await Native.enter(gateway, "nat");
    await must(ada, "join", name);
    await native.must({ op: "join", room: name });
    const record = new Record(ada, "file");
    await must(ada, "publish", name, "file", { bytes: Buffer.from("to native") });
    const [push] = await native.count("file", 1);
    assert.deepEqual(push.data, { bytes: { _placeholder: true, num: 0 } });
    assert.equal(Buffer.from(push.attachments[0], "base64").toString(), "to native");
    await native.must({
      op: "publish", room: name, event: "file",
      data: { bytes: { _placeholder: true, num: 0 } },
      attachments: [Buffer.from("from native").toString("base64")],
    });
    await record.count(2);
    assert.equal(Buffer.from(record.data[1].bytes).toString(), "from native");
  });
});
