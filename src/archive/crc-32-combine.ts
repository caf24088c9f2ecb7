/** The polynomial of CRC-32, with its bits reversed: bit 31 is the coefficient of x⁰. */
const POLYNOMIAL = 0xedb88320;

/** Product of two polynomials modulo that of CRC-32. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) product ^= shifted;
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product >>> 0;
}

/** x^(2^n) modulo the polynomial, for n from 0 on: the squares of x, one after the other. */
const SQUARES: readonly number[] = (() => {
  const squares = [0x40000000]; // x¹
  for (let n = 1; n < 56; n++) squares.push(multiply(squares[n - 1] ?? 0, squares[n - 1] ?? 0));
  return squares;
})();

/** x^(8 · length) modulo the polynomial: what a CRC is multiplied by when `length` bytes follow. */
function shiftOf(length: number): number {
  let shift = 0x80000000; // 1
  for (let n = 3, rest = length; rest > 0; n++, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) shift = multiply(shift, SQUARES[n] ?? 0);
  }
  return shift;
}

/** Most blocks have the same length, so the last shift is kept. */
let [lastLength, lastShift] = [0, shiftOf(0)];

/**
 * CRC-32 of two runs of bytes one after the other, from the CRC-32 of each and the length of the second, as zlib's
 * `crc32_combine` calculates it.
 */
export function combineCrc32(first: number, second: number, secondLength: number): number {
  if (secondLength !== lastLength) [lastLength, lastShift] = [secondLength, shiftOf(secondLength)];
  return (multiply(first, lastShift) ^ second) >>> 0;
}
