// Numbers and arrays, written as Python writes them.

// One number, with six digits unless said otherwise.
function digitsOf(x, digits = 6) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  if (x === 0) return "0"; // a zero has no sign
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  if (exponent < -4 || exponent >= digits) {
    const trimmed = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
    return `${trimmed}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  const fixed = Number(x.toPrecision(digits)).toFixed(Math.max(0, digits - 1 - exponent));
  return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed;
}

// All digits, to be read as a number again, of which a zero may have a sign.
const exact = (x) => (Object.is(x, -0) ? "-0" : String(x));

const isArray = (value) => value !== null && typeof value === "object";
const sizeOf = (value) => (isArray(value) ? value.shape.reduce((a, b) => a * b, 1) : 1);
// Where the k-th element of an array is: "0, 1".
const placeOf = ({ shape }, k) => shape.map((n, i) => Math.floor(k / shape.slice(i + 1).reduce((a, b) => a * b, 1)) % n).join(", ");
const dimensions = (array) => array.shape.join("×");

// The smallest, the largest and the mean of an array: from Python, of what it computed, which may not be here whole.
function range(array) {
  const given = "min" in array, all = given ? [] : numbers(array), mean = given ? Number(array.mean) : all.reduce((a, b) => a + b, 0) / all.length;
  const [low, high] = given ? [Number(array.min), Number(array.max)] : [Math.min(...all), Math.max(...all)];
  return [low, high, tidy(mean, Math.max(Math.abs(low), Math.abs(high)))];
}

// 0 for what is there only because far larger numbers beside it were rounded.
function tidy(x, largest) {
  const negligible = Number.isFinite(largest) ? 4 * (data.single ? 2 ** -23 : 2 ** -52) * largest : 0;
  return Math.abs(x) <= negligible ? 0 : x;
}

function nested(array, digits, gradient) {
  const all = numbers(array), largest = gradient ? Math.max(...all.map(Math.abs)) : 0;
  let parts = Array.from(all, (x) => digitsOf(tidy(x, largest), digits));
  for (const n of [...array.shape].reverse()) {
    const rows = [];
    for (let i = 0; i < (n ? parts.length / n : 1); i++) rows.push(`[${parts.slice(i * n, (i + 1) * n).join(", ")}]`);
    parts = rows;
  }
  return parts[0];
}

function ends(array, gradient) {
  const [low, high] = range(array), largest = gradient ? Math.max(Math.abs(low), Math.abs(high)) : 0;
  return [tidy(low, largest), tidy(high, largest)];
}

// A value in a sentence; undefined is one that depends on what the page cannot compute. Of a gradient is left out what
// rounding left in it.
function format(value, gradient = false, digits = 6) {
  if (value === null) return "not computed";
  if (value === undefined) return "frozen";
  if (!isArray(value)) return digitsOf(value, digits);
  if (sizeOf(value) <= 6) return nested(value, 4, gradient);
  const [low, high, mean] = [...ends(value, gradient), range(value)[2]].map((x) => digitsOf(x, 4));
  return `[${dimensions(value)}, ${low === high ? `all ${low}` : `from ${low} to ${high}, mean ${mean}`}]`;
}

// A value in a box or a table.
function brief(value, gradient = false) {
  if (!isArray(value)) return format(value);
  if (!sizeOf(value)) return `${dimensions(value)}, empty`;
  if (sizeOf(value) <= 3) return nested(value, 3, gradient);
  const [low, high] = ends(value, gradient);
  return `${dimensions(value)}, ${low === high ? `all ${digitsOf(low, 3)}` : `${digitsOf(low, 3)} to ${digitsOf(high, 3)}`}`;
}

// The size of a gradient in one number: the mean magnitude of its elements.
function magnitude(g) {
  if (!isArray(g)) return g === null ? null : Math.abs(g);
  if ("size" in g) return Number(g.size);
  const all = numbers(g);
  return all.length ? all.reduce((sum, x) => sum + Math.abs(x), 0) / all.length : 0;
}
