// Text to instructions for a machine with a stack, as the parser of `autograd explain` makes them. It has no table of its
// own: signs, names, counts of arguments and sentences are those of GRAMMAR, which Python wrote.

class ExpressionError extends Error {
  constructor(message, column) {
    super(message);
    this.column = column;
  }
}

const filled = (sentence, values) => GRAMMAR.sentences[sentence].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const asPython = (list) => list.join(", ");
const PATTERNS = Object.entries(GRAMMAR.tokens).map(([kind, pattern]) => [kind, new RegExp(pattern, "y")]);
const has = (table, key) => Object.hasOwn(table, key);

// Names that few slips of the hand lead to: letters left out, put in, changed, or swapped with the next.
function near(name, among) {
  const reach = Math.max(1, Math.floor([...name].length / 3));
  const found = [...new Set(among)].map((other) => [slips([...name], [...other]), other]).filter(([n]) => n <= reach);
  found.sort(([a, x], [b, y]) => a - b || (x < y ? -1 : 1));
  return found.length ? filled("near", { names: found.slice(0, 3).map(([, other]) => other).join(" or ") }) : "";
}

function slips(a, b) {
  let older, before, row = Array.from({ length: b.length + 1 }, (_, j) => j);
  a.forEach((x, i) => {
    [older, before, row] = [before, row, [i + 1]];
    b.forEach((y, j) => {
      let least = Math.min(before[j + 1] + 1, row[j] + 1, before[j] + (x !== y));
      if (i && j && x === b[j - 1] && a[i - 1] === y) least = Math.min(least, older[j - 1] + 1);
      row.push(least);
    });
  });
  return row.at(-1);
}

class Parser {
  constructor(source) {
    Object.assign(this, { source, made: [], depth: 0, at: 0 });
    this.tokens = this.split();
  }

  fail(sentence, column, values = {}) {
    throw new ExpressionError(filled(sentence, values), column);
  }

  split() {
    const { source } = this, tokens = [], limit = GRAMMAR.limits.length, count = [...source].length;
    if (count > limit) this.fail("length", limit, { count, limit });
    let at = 0;
    while (at < source.length) {
      let text = null, kind = null;
      for (const [name, pattern] of PATTERNS) {
        pattern.lastIndex = at;
        text = pattern.exec(source)?.[0] ?? null;
        kind = name;
        if (text !== null) break;
      }
      if (text === null) {
        const character = String.fromCodePoint(source.codePointAt(at));
        this.fail("\r\n".includes(character) ? "line" : "character", at, { text: character });
      }
      if (has(GRAMMAR.instead, text)) this.fail("write", at, { instead: source.replaceAll(text, GRAMMAR.instead[text]).trim() });
      const end = at + text.length;
      if (kind === "name") text = text.normalize("NFKC");
      if (kind !== "blank") tokens.push({ kind, text, column: at, end });
      at = end;
    }
    tokens.push({ kind: "end", text: "", column: at, end: at });
    return tokens;
  }

  get next() {
    return this.tokens[this.at];
  }

  take(text) {
    const taken = this.next.kind === "sign" && this.next.text === text;
    if (taken) this.at += 1;
    return taken;
  }

  need(text) {
    if (!this.take(text)) this.unexpected(text);
  }

  unexpected(expected) {
    const { kind, text, column } = this.next;
    if (has(GRAMMAR.write, text)) this.fail("write", column, { instead: GRAMMAR.write[text] });
    if (kind === "end") this.fail("end", column, { expected });
    this.fail("expected", column, { expected, got: text });
  }

  finish() {
    if (this.next.kind !== "end") this.unexpected(GRAMMAR.sentences.operator);
  }

  deeper() {
    this.depth += 1;
    const limit = GRAMMAR.limits.depth;
    if (this.depth > limit) this.fail("depth", this.next.column, { limit });
  }

  push(kind, value, column, count = 0, more = {}) {
    this.made.push({ do: kind, value, column, count, keywords: {}, text: "", ...more });
  }

  // -- arithmetic ------------------------------------------------------------------------------------------------

  expression(level) {
    this.deeper();
    const token = this.next;
    if (token.kind === "sign" && has(GRAMMAR.prefix, token.text)) {
      this.at += 1;
      const [right, op] = GRAMMAR.prefix[token.text];
      this.expression(right);
      if (op) this.push("call", op, token.column, 1);
    } else {
      this.operand();
    }
    let compared = false, sign;
    while ((sign = this.next).kind === "sign" && has(GRAMMAR.infix, sign.text) && GRAMMAR.infix[sign.text][0] >= level) {
      const [tightness, right, op] = GRAMMAR.infix[sign.text];
      if (compared && tightness === GRAMMAR.compared) this.fail("chain", sign.column);
      compared = tightness === GRAMMAR.compared;
      this.at += 1;
      const before = this.made.length;
      this.expression(right);
      if (op === "power" && this.made.length === before + 1 && this.made.at(-1).value === 2) {
        this.made.pop();
        this.push("call", GRAMMAR.square, sign.column, 1);
      } else {
        const sides = [this.source.slice(token.column, sign.column), this.source.slice(sign.end, this.tokens[this.at - 1].end)];
        this.push("call", op, sign.column, 2, { text: compared ? sides.map((side) => side.trim()).join(` ${sign.text} `) : "" });
      }
    }
    if (["number", "name"].includes(sign.kind) || sign.text === "(") {
      if (has(GRAMMAR.write, sign.text)) this.unexpected("");
      const instead = `${this.source.slice(0, sign.column).trimEnd()} * ${this.source.slice(sign.column)}`.trim();
      this.fail("write", sign.column, { instead });
    }
    this.depth -= 1;
  }

  operand() {
    const token = this.next;
    if (token.kind === "number") {
      this.at += 1;
      this.push("number", Number(token.text), token.column);
    } else if (token.kind === "name" && !has(GRAMMAR.write, token.text)) {
      this.at += 1;
      if (this.take("(")) this.call(token, 0);
      else this.push("name", token.text, token.column);
    } else if (this.take("(")) {
      this.expression(0);
      this.need(")");
    } else if (token.text === "[") {
      this.push("array", this.element(), token.column);
    } else {
      this.unexpected(GRAMMAR.sentences.operand);
    }
    while (this.next.kind === "sign" && ["[", "."].includes(this.next.text)) {
      const opening = this.next;
      this.at += 1;
      if (opening.text === "[") this.push("index", this.index(opening), opening.column, 1);
      else this.method();
    }
  }

  method() {
    const token = this.next;
    if (token.kind !== "name") this.fail("attribute", token.column);
    this.at += 1;
    if (token.text === "T") {
      this.push("call", "transpose", token.column, 1);
    } else if (!this.take("(")) {
      this.fail("attribute", token.column);
    } else if (!GRAMMAR.methods.includes(token.text)) {
      this.fail("method", token.column, { name: token.text, near: near(token.text, GRAMMAR.methods) });
    } else {
      this.call(token, 1);
    }
  }

  // -- functions -------------------------------------------------------------------------------------------------

  call(token, count) {
    const name = token.text, all = GRAMMAR.functions;
    if (!has(all, name)) this.fail("function", token.column, { name, near: near(name, Object.keys(all)) });
    const { by, keywords: allowed } = all[name], keywords = {};
    while (!this.take(")")) {
      const [word, equals] = this.at + 2 < this.tokens.length ? this.tokens.slice(this.at, this.at + 2) : [token, token];
      if (word.kind === "name" && equals.text === "=") {
        this.at += 2;
        if (!allowed.includes(word.text)) {
          const takes = `takes ${asPython(allowed) || "no keywords here"}`;
          this.fail("keyword", word.column, { name, takes, near: near(word.text, allowed) });
        }
        if (has(keywords, word.text)) this.fail("twice", word.column, { name: word.text });
        keywords[word.text] = this.setting();
      } else {
        this.expression(0);
        count += 1;
      }
      if (!this.take(",")) {
        this.need(")");
        break;
      }
    }
    if (!has(by, count)) {
      const counts = Object.keys(by);
      let takes = filled("takes", { counts: counts.join(" or "), s: counts.join() === "1" ? "" : "s" });
      if (allowed.length) takes += filled("keywords", { keywords: asPython(allowed.map((word) => `${word}=`)) });
      this.fail("arity", token.column, { name, takes, count });
    }
    this.push("call", by[count], token.column, count, { keywords });
  }

  setting() {
    this.deeper();
    const token = this.next;
    let value;
    if (token.kind === "sign" && ["(", "["].includes(token.text)) {
      this.at += 1;
      const closing = token.text === "(" ? ")" : "]", limit = GRAMMAR.limits.elements;
      value = [];
      while (!this.take(closing)) {
        value.push(this.setting());
        if (!this.take(",")) {
          this.need(closing);
          break;
        }
      }
      if (value.some((part) => typeof part !== "number") || value.reduce((a, b) => a * Math.abs(b), 1) > limit) {
        this.fail("shape", token.column, { limit });
      }
    } else if (token.kind === "name" && has(GRAMMAR.words, token.text)) {
      this.at += 1;
      value = GRAMMAR.words[token.text];
    } else {
      value = this.whole("setting");
    }
    this.depth -= 1;
    return value;
  }

  whole(sentence) {
    const { column } = this.next, minus = this.take("-"), token = this.next;
    if (token.kind !== "number" || !/^[0-9]+$/.test(token.text) || Number(token.text) > GRAMMAR.limits.elements) {
      this.fail(sentence, column);
    }
    this.at += 1;
    return Number(token.text) * (minus ? -1 : 1) + 0;
  }

  index(token) {
    const found = [];
    while (!this.take("]")) {
      if (this.take("...")) {
        found.push("...");
      } else {
        const parts = [null];
        while (!["]", ",", ""].includes(this.next.text) && parts.length < 4) {
          if (this.take(":")) parts.push(null);
          else if (parts.at(-1) === null) parts[parts.length - 1] = this.whole("index");
          else this.fail("index", this.next.column);
        }
        if (parts.length > 3 || (parts.length === 1 && parts[0] === null)) this.fail("index", this.next.column);
        found.push(parts.length === 1 ? parts[0] : [...parts, null, null].slice(0, 3));
      }
      if (!this.take(",")) {
        this.need("]");
        break;
      }
    }
    if (!found.length) this.fail("index", token.column);
    return found;
  }

  element() {
    this.deeper();
    const token = this.next;
    let value;
    if (this.take("[")) {
      value = [];
      while (!this.take("]")) {
        value.push(this.element());
        if (!this.take(",")) {
          this.need("]");
          break;
        }
      }
      const shape = (part) => (Array.isArray(part) ? [part.length, ...(part.length ? shape(part[0]) : [])] : []);
      if (new Set(value.map((part) => shape(part).join())).size > 1) this.fail("rows", token.column);
    } else if (token.kind === "sign" && has(GRAMMAR.prefix, token.text)) {
      this.at += 1;
      if (this.next.text === "[") this.fail("element", token.column, { got: token.text });
      value = this.element() * (token.text === "-" ? -1 : 1);
    } else if (token.kind === "number" || has(GRAMMAR.constants, token.text)) {
      this.at += 1;
      value = token.kind === "number" ? Number(token.text) : Number(GRAMMAR.constants[token.text]);
    } else if (token.kind === "end") {
      this.unexpected("a number");
    } else {
      this.fail("element", token.column, { got: token.text });
    }
    this.depth -= 1;
    return value;
  }
}

function parse(source) {
  const parser = new Parser(source);
  parser.expression(0);
  parser.finish();
  return parser.made;
}

function parseNumbers(source) {
  const parser = new Parser(source), found = parser.element();
  parser.finish();
  return found;
}

// x=-2 y:=1: names and what they are, and of which no gradient is asked for.
function parseGiven(texts) {
  const found = new Map(), given = new RegExp(`^\\s*(${GRAMMAR.tokens.name})\\s*(:?)=`);
  for (const text of texts) {
    const match = given.exec(text);
    if (!match) throw new ExpressionError(filled("given", { text }), 0);
    const name = match[1].normalize("NFKC");
    if (found.has(name)) throw new ExpressionError(filled("twice", { name }), 0);
    found.set(name, { value: parseNumbers(" ".repeat(match[0].length) + text.slice(match[0].length)), data: match[2] !== "" });
  }
  return found;
}
