import { expect, test } from 'vitest';
import { linesOf } from '../../src/upstream/engines/head-lines.ts';

/** Parts of one piece of memory, as the parser hands them over. */
const partsOf = (text: string, ...parts: readonly string[]): Buffer[] => {
  const block = Buffer.from(text, 'latin1');
  let at = 0;
  return parts.map((part) => {
    at = block.indexOf(part, at, 'latin1');
    const found = block.subarray(at, at + part.length);
    at += part.length;
    return found;
  });
};

test('names and values of one piece come out byte for byte, values without the blanks behind them', () => {
  const raw = partsOf('A: caf\xe9 \t\r\nB-c: x y\r\n', 'A', 'caf\xe9 \t', 'B-c', 'x y');
  expect(linesOf(raw)).toEqual(['A', 'caf\xe9', 'B-c', 'x y']);
});

test('a value that is empty, or nothing but blanks, is empty', () => {
  const raw = partsOf('Empty: \r\nBlank:  \t\r\n', 'Empty', '', 'Blank', '  \t');
  expect(linesOf(raw)).toEqual(['Empty', '', 'Blank', '']);
});

test('lines in several pieces of memory, or in another order, are the same lines', () => {
  const elsewhere = Buffer.concat([Buffer.from('va'), Buffer.from('lue ')]);
  expect(linesOf([...partsOf('A: ', 'A'), elsewhere])).toEqual(['A', 'value']);
  const [first, second] = partsOf('one two', 'one', 'two') as [Buffer, Buffer];
  expect(linesOf([second, first])).toEqual(['two', 'one']);
});

test('lines far apart in one piece of memory are the same lines', () => {
  const block = Buffer.alloc(100_000, 'x');
  block.write('A', 0);
  block.write('b ', 99_998);
  expect(linesOf([block.subarray(0, 1), block.subarray(99_998)])).toEqual(['A', 'b']);
});

test('no lines are no lines', () => {
  expect(linesOf([])).toEqual([]);
});
