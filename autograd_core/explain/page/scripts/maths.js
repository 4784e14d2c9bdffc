// The functions that formulas call and JavaScript lacks, as NumPy computes them.

const fround = Math.fround;
const negative = (x) => x < 0 || Object.is(x, -0);
const power = (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : Math.pow(x, y));
const fmax = (x, y) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.max(x, y));
const fmin = (x, y) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.min(x, y));
const copysign = (x, y) => (negative(y) ? -Math.abs(x) : Math.abs(x));
const heaviside = (x, y) => (x < 0 ? 0 : x > 0 ? 1 : x === 0 ? y : x);
const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

// Halves go to the even number.
function rint(x) {
  const down = Math.floor(x), up = x - down;
  if (up === 0 || !Number.isFinite(x)) return x;
  return copysign(up < 0.5 || (up === 0.5 && down % 2 === 0) ? down : down + 1, x);
}

function remainder(x, y) {
  const rest = x % y;
  return rest === 0 ? copysign(0, y) : rest < 0 !== y < 0 ? rest + y : rest;
}

function floorDivide(x, y) {
  if (y === 0) return x / y;
  const rest = x % y, whole = (x - rest) / y - (rest !== 0 && rest < 0 !== y < 0);
  return whole === 0 ? copysign(0, x / y) : rint(whole);
}

// x as m · 2**e with m from 1/2 to 1.
function frexp(x) {
  if (x === 0 || !Number.isFinite(x)) return [x, 0];
  let e = Math.max(-1022, Math.floor(Math.log2(Math.abs(x)))), m = x / 2 ** e;
  for (; Math.abs(m) >= 1; e++) m /= 2;
  for (; Math.abs(m) < 0.5; e--) m *= 2;
  return [m, e];
}

function ldexp(x, n) {
  for (; n > 1023; n -= 1023) x *= 2 ** 1023;
  for (; n < -1021; n += 1021) x *= 2 ** -1021;
  return x * 2 ** n;
}

const logaddexp = (x, y) => (x === y ? x + Math.LN2 : Math.max(x, y) + Math.log1p(Math.exp(-Math.abs(x - y))));
const logaddexp2 = (x, y) => (x === y ? x + 1 : Math.max(x, y) + Math.log1p(2 ** -Math.abs(x - y)) / Math.LN2);
