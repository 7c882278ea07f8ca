/** Two 32-bit sums that take in one character after the other. */
export interface Lanes {
  a: number;
  b: number;
}
/** Where every sum begins. */
export const START: Lanes = { a: 0x2f0b4c47, b: 0x51ed270b };
export const FACTOR_A = 0x9e3779b1;
export const FACTOR_B = 0x5f356495;
export const take = (lanes: Lanes, code: number): void => {
  lanes.a = Math.imul(lanes.a ^ code, FACTOR_A);
  lanes.b = Math.imul(lanes.b ^ code, FACTOR_B);
};
export const takeAll = (lanes: Lanes, text: string): void => {
  for (let i = 0; i < text.length; i++) take(lanes, text.charCodeAt(i));
};
/** Spreads what was taken in over all bits. */
export const mix = ({ a, b }: Lanes): Lanes => ({
  a: Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35),
  b: Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35),
});
