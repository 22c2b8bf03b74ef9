import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { after } from "node:test";

const PAGE = `<!doctype html><meta charset="utf-8"><title>Sluice</title><h1>Room</h1><ol id="got"></ol>
<script type="module">
import { Client } from "/index.js";
import { indexedDbStore } from "/store.js";
const parameters = new URLSearchParams(location.search);
window.start = (url, token) => {
  const client = new Client(url, { getToken: () => token, outbox: { store: indexedDbStore("outbox-ann") } });
  const room = client.room("kept-page");
  window.got = [];
  window.states = [];
  window.settled = [];
  client.on("state", ({ state, reason }) => window.states.push([Date.now(), state, reason]));
  client.on("settled", ({ item, error }) => window.settled.push([item.data, error?.code]));
  room.on("message", (data) => {
    window.got.push(data);
    const line = document.createElement("li");
    line.textContent = data;
    document.querySelector("#got").append(line);
  });
  window.client = client;
  window.room = room;
  return room.join();
};
window.kept = () => new Promise((resolve, reject) => {
  const opening = indexedDB.open("outbox-ann");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const counting = opening.result.transaction("items").objectStore("items").count();
    counting.onsuccess = () => {
      opening.result.close();
      resolve(counting.result);
    };
  };
});
window.ready = true;
</script>`;

/** Serves the library and a page that uses it, for the tests of one file; resolves to the page's address. */
export async function usePage() {
  const server = createServer(async (request, answer) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (pathname === "/") return answer.setHeader("content-type", "text/html").end(PAGE);
    try {
      const file = await readFile(new URL(`../../../dist${pathname}`, import.meta.url));
      answer.setHeader("content-type", "text/javascript").end(file);
    } catch {
      answer.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  after(() => server.close());
  // Not every browser takes a page at an address for one that is secure; localhost is.
  return `http://localhost:${server.address().port}/`;
}
