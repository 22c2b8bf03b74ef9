// Rust code as a list of tokens: names, `::`, brackets and other single marks. Comments, texts,
// numbers, lifetimes, attributes and what is for tests alone are left out.

const TOKEN =
  /\/\/[^\n]*|\/\*|(?:b|c|br|cr|r)?"|(?:br|cr|r)(#+)"|b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'])'|'[A-Za-z_]\w*|r#[A-Za-z_]\w*|[A-Za-z_]\w*|\d[\w.]*|::|\s+|./gsu;

const CLOSING = { "(": ")", "[": "]", "{": "}" };

export const opens = (token) => token in CLOSING;
export const closes = (token) => token === ")" || token === "]" || token === "}";
export const isName = (token) => /^[A-Za-z_]/.test(token ?? "");

/** The tokens of a file's code that is not for tests. */
export function code(text) {
  return withoutAttributes(tokens(text));
}

function tokens(text) {
  const found = [];
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) return found;
    const [token, hashes] = match;
    at = TOKEN.lastIndex;
    if (token.startsWith("//")) continue;
    if (token === "/*") at = commentEnd(text, at);
    else if (hashes) at = behind(text, `"${hashes}`, at);
    else if (token.endsWith('"')) at = token.includes("r") ? behind(text, '"', at) : textEnd(text, at);
    else if (isName(token)) found.push(token.replace(/^r#/, ""));
    else if (/^(::|[^\s\d'/])$/.test(token)) found.push(token);
  }
}

/** Comments in comments have ends of their own. */
function commentEnd(text, at) {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = at;
  for (let depth = 1; depth > 0; ) {
    const mark = marks.exec(text);
    if (!mark) return text.length;
    depth += mark[0] === "/*" ? 1 : -1;
  }
  return marks.lastIndex;
}

function textEnd(text, at) {
  const rest = /(?:[^"\\]|\\.)*"/gsy;
  rest.lastIndex = at;
  return rest.test(text) ? rest.lastIndex : text.length;
}

function behind(text, mark, at) {
  const found = text.indexOf(mark, at);
  return found < 0 ? text.length : found + mark.length;
}

/** The place behind the bracket that closes the one at `at`. */
export function closed(tokens, at) {
  let depth = 0;
  for (let i = at; i < tokens.length; i++) {
    if (opens(tokens[i])) depth++;
    else if (closes(tokens[i]) && --depth === 0) return i + 1;
  }
  return tokens.length;
}

function withoutAttributes(tokens) {
  const kept = [];
  for (let i = 0; i < tokens.length; ) {
    const bracket = tokens[i + 1] === "!" ? i + 2 : i + 1;
    if (tokens[i] !== "#" || tokens[bracket] !== "[") {
      kept.push(tokens[i++]);
      continue;
    }
    const end = closed(tokens, bracket);
    const inner = tokens.slice(bracket + 1, end - 1).join(" ");
    i = /^cfg \( (all \( )?test\b/.test(inner) ? itemEnd(tokens, end) : end;
  }
  return kept;
}

/** The place behind the item that begins at `at`: a semicolon or a body ends it. */
function itemEnd(tokens, at) {
  let i = at;
  let isUse = false;
  while (i < tokens.length && tokens[i] !== ";") {
    isUse ||= tokens[i] === "use";
    const end = opens(tokens[i]) ? closed(tokens, i) : i + 1;
    if (tokens[i] === "{" && !isUse) return end;
    i = end;
  }
  return i + 1;
}
