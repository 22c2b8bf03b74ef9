import { createReadStream, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createBrotliCompress, createDeflate, createGzip } from "node:zlib";

const FILE = /\/(socket\.io(?:\.min|\.msgpack\.min|\.esm\.min)?\.js(?:\.map)?)(?:\?|$)/;

const ENCODERS = { br: createBrotliCompress, gzip: createGzip, deflate: createDeflate };

/** The first encoding that a client names and that is known here. */
function encodingOf(accepted: string | string[] | undefined): keyof typeof ENCODERS | undefined {
  const names = String(accepted ?? "").split(",");
  const wanted = names.filter((name) => !/;\s*q=0(\.0*)?$/.test(name)).map((name) => name.split(";")[0]!.trim());
  return wanted.find((name): name is keyof typeof ENCODERS => Object.hasOwn(ENCODERS, name));
}

/** The bundle of `socket.io-client`, from where the program has it installed. */
export class ClientBundle {
  private readonly folder: string | undefined;
  private readonly version: string = "";

  constructor() {
    try {
      const found = createRequire(join(process.cwd(), "package.json")).resolve("socket.io-client/package.json");
      this.folder = join(dirname(found), "dist");
      this.version = JSON.parse(readFileSync(found, "utf8")).version;
    } catch {
      // It is not installed: nothing is served.
    }
  }

  /** Answers a request for one of its files; `false` where it is none. */
  serve(request: IncomingMessage, response: ServerResponse): boolean {
    const file = FILE.exec(request.url ?? "")?.[1];
    if (!file || !this.folder || request.method !== "GET") return false;
    const tag = `"${this.version}"`;
    const asked = request.headers["if-none-match"];
    if (asked === tag || asked === `W/${tag}`) {
      response.writeHead(304).end();
      return true;
    }
    const type = file.endsWith(".map") ? "application/json" : "application/javascript";
    response.setHeader("Cache-Control", "public, max-age=0");
    response.setHeader("Content-Type", `${type}; charset=utf-8`);
    response.setHeader("ETag", tag);
    this.send(join(this.folder, file), request.headers["accept-encoding"], response);
    return true;
  }

  private send(path: string, encodings: string | string[] | undefined, response: ServerResponse): void {
    const file = createReadStream(path);
    file.on("error", () => {
      if (!response.headersSent) response.writeHead(404);
      response.end();
    });
    file.once("open", () => {
      const encoding = encodingOf(encodings);
      if (!encoding) {
        response.writeHead(200);
        file.pipe(response);
        return;
      }
      response.writeHead(200, { "Content-Encoding": encoding });
      file.pipe(ENCODERS[encoding]()).pipe(response);
    });
  }
}
