// Numbers, written as Python writes them with six digits.

function format(x) {
  if (x === null) return "not computed";
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  if (x === 0) return "0"; // a zero has no sign
  const [digits, exponent] = x.toExponential(5).split("e");
  if (exponent < -4 || exponent >= 6) {
    const trimmed = digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
    return `${trimmed}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  const fixed = Number(x.toPrecision(6)).toFixed(Math.max(0, 5 - exponent));
  return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed;
}
