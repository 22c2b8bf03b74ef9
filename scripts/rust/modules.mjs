// The modules of a crate: what each defines, what it names, and where a name leads.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { closed, closes, code, isName, opens } from "./tokens.mjs";

const ITEMS = new Set(["fn", "struct", "enum", "union", "trait", "type", "const", "static"]);

/** The root module of the crate that begins in a file. */
export function crate(file) {
  const root = new Module(file, null, "crate");
  root.read(code(readFileSync(file, "utf8")), dirname(file));
  return root;
}

export class Module {
  children = new Map();
  /** The names of what it defines. */
  items = new Set();
  /** Names that it brings in, `{path, as, exported}`; `as` is `*` where it brings in all. */
  uses = [];
  /** Paths in its code that are longer than a name. */
  paths = [];
  /** The first names of all paths in its code. */
  words = new Set();

  constructor(file, parent, name) {
    Object.assign(this, { file, parent, name });
  }

  get root() {
    return this.parent ? this.parent.root : this;
  }

  /** It and all modules in it. */
  all() {
    return [this, ...[...this.children.values()].flatMap((child) => child.all())];
  }

  /** Reads its code; its children's files are in a folder. */
  read(tokens, folder) {
    let depth = 0;
    for (let i = 0; i < tokens.length; ) {
      const [token, next] = [tokens[i], tokens[i + 1]];
      if (token === "use") {
        i = this.#tree(tokens, i + 1, [], depth === 0 && isPublic(tokens, i));
      } else if (token === "mod" && isName(next) && tokens[i + 2] === ";") {
        this.#open(next, folder);
        i += 3;
      } else if (token === "mod" && isName(next) && tokens[i + 2] === "{") {
        const end = closed(tokens, i + 2);
        this.#child(this.file, next).read(tokens.slice(i + 3, end - 1), join(folder, next));
        i = end;
      } else if (isName(token) && !["::", "."].includes(tokens[i - 1])) {
        if (depth === 0 && ITEMS.has(token) && isName(next)) this.items.add(next);
        if (token === "macro_rules") this.items.add(tokens[i + 2]);
        i = this.#path(tokens, i);
      } else {
        if (opens(token)) depth++;
        if (closes(token)) depth--;
        i++;
      }
    }
  }

  #path(tokens, at) {
    const path = [tokens[at]];
    let i = at + 1;
    for (; tokens[i] === "::" && isName(tokens[i + 1]); i += 2) path.push(tokens[i + 1]);
    this.words.add(path[0]);
    if (path.length > 1) this.paths.push(path);
    return i;
  }

  /** Reads the tree of a `use` into its leaves. */
  #tree(tokens, at, prefix, exported) {
    let path = prefix;
    let i = tokens[at] === "::" ? at + 1 : at;
    for (;;) {
      if (tokens[i] === "{") {
        const end = closed(tokens, i);
        for (i++; i < end - 1; i += tokens[i] === "," ? 1 : 0) i = this.#tree(tokens, i, path, exported);
        return end;
      }
      if (tokens[i] === "*") {
        this.uses.push({ path, as: "*", exported });
        return i + 1;
      }
      path = [...path, tokens[i++]];
      if (tokens[i] !== "::") break;
      i++;
    }
    if (path.length > 1 && path.at(-1) === "self") path = path.slice(0, -1);
    const renamed = tokens[i] === "as";
    this.uses.push({ path, as: renamed ? tokens[i + 1] : path.at(-1), exported });
    return renamed ? i + 2 : i;
  }

  #child(file, name) {
    const child = new Module(file, this, name);
    this.children.set(name, child);
    return child;
  }

  #open(name, folder) {
    const file = [`${name}.rs`, join(name, "mod.rs")].map((it) => join(folder, it)).find(existsSync);
    if (!file) throw new Error(`${this.file} declares mod ${name}, which is not in ${folder}`);
    this.#child(file, name).read(code(readFileSync(file, "utf8")), join(folder, name));
  }

  /**
   * Where a path leads: to `{module}`, or to `{file, name}` of what a module of the crate defines;
   * nowhere where it leaves the crate.
   */
  lead(path, seen = new Set()) {
    let at = this;
    let rest = path;
    let inside = false;
    for (; ["crate", "self", "super"].includes(rest[0]); rest = rest.slice(1), inside = true) {
      if (rest[0] === "crate") at = this.root;
      if (rest[0] === "super") at = at.parent;
      if (!at) return null;
    }
    while (rest.length > 0) {
      const [name, ...more] = rest;
      const child = at.children.get(name);
      const found = (more.length === 0 || !child) && at.#defined(name, seen);
      if (found && (!found.module || more.length === 0)) return found;
      const next = child ?? (found || {}).module;
      if (!next) return inside ? { file: at.file, name } : null;
      if (more.length === 0) return { module: next };
      [at, rest, inside] = [next, more, true];
    }
    return { module: at };
  }

  /** What a name means here: an item of its own, or what is brought in from elsewhere. */
  #defined(name, seen) {
    if (this.items.has(name)) return { file: this.file, name };
    const mark = `${this.file} ${this.name} ${name}`;
    if (seen.has(mark)) return null;
    seen.add(mark);
    const named = this.uses.filter((use) => use.as === name).map((use) => this.lead(use.path, seen));
    const found = named.find((it) => it && !it.module) ?? named.find((it) => it);
    if (found) return found;
    for (const use of this.uses.filter((use) => use.as === "*")) {
      const from = this.lead(use.path, seen)?.module;
      const child = from?.children.get(name);
      const brought = from?.#defined(name, seen) ?? (child ? { module: child } : null);
      if (brought) return brought;
    }
    return null;
  }
}

function isPublic(tokens, at) {
  if (tokens[at - 1] === "pub") return true;
  if (tokens[at - 1] !== ")") return false;
  return tokens[tokens.lastIndexOf("(", at) - 1] === "pub";
}
