/**
 * The part of protobuf that OTLP needs, written by hand: the official encoder comes with the whole SDK, which an
 * edge that records no traces of its own never loads.
 */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
};

const tag = (field: number, type: number): Buffer => varint(field * 8 + type);

/** A non-negative integer below 2^53. */
export const uint = (field: number, value: number): Buffer =>
  Buffer.concat([tag(field, VARINT), varint(value)]);

export const bytes = (field: number, value: Buffer): Buffer =>
  Buffer.concat([tag(field, BYTES), varint(value.length), value]);

export const string = (field: number, value: string): Buffer => bytes(field, Buffer.from(value));

/** A message inside a message. */
export const message = (field: number, ...parts: readonly Buffer[]): Buffer =>
  bytes(field, Buffer.concat(parts));

export const double = (field: number, value: number): Buffer => {
  const fixed = Buffer.alloc(8);
  fixed.writeDoubleLE(value);
  return Buffer.concat([tag(field, FIXED64), fixed]);
};

/** A point in time; `at` is Unix time in ms, sent in ns. */
export const nanoseconds = (field: number, at: number): Buffer => {
  const fixed = Buffer.alloc(8);
  // Microseconds fit a double; nanoseconds do not.
  fixed.writeBigUInt64LE(BigInt(Math.max(0, Math.round(at * 1000))) * 1000n);
  return Buffer.concat([tag(field, FIXED64), fixed]);
};

export const fixed32 = (field: number, value: number): Buffer => {
  const fixed = Buffer.alloc(4);
  fixed.writeUInt32LE(value);
  return Buffer.concat([tag(field, FIXED32), fixed]);
};
