import { expect, test } from 'vitest';
import { compileTemplate, TemplateError } from '../src/template.ts';

const scope = {
  header: (name: string) => ({ 'x-a': '1', 'x-user-id': 'u', or: 'header named or' })[name],
  query: (name: string) => ({ q: '20', bare: true as const })[name],
  capture: (name: string) => ({ id: 'foo', 1: 'foo' })[name],
};

test.each([
  ['plain', 'plain'],
  ['', ''],
  ['$(headers["x-a"])', '1'],
  ["$(headers['X-A'])", '1'],
  ['$(headers.x_a)', '1'],
  ['$(headers.x_user_id)', 'u'],
  ['$(headers.x-user-id)', 'u'],
  ['$( headers.x-user-id )', 'u'],
  ['$(headers.or)', 'header named or'],
  ['$(headers.absent)', ''],
  ['$(query_params.q)', '20'],
  ['$(query_params["bare"])', 'true'],
  ['$(query_params.absent)', ''],
  ['$(uri_captures.id)', 'foo'],
  ['$(uri_captures["id"])', 'foo'],
  ['$(uri_captures[1])', 'foo'],
  ['$(shared.anything)', ''],
  ['a-$(query_params.q)-z', 'a-20-z'],
  ['$(query_params.q)$(uri_captures.id)', '20foo'],
  ['$(query_params.no or "fallback")', 'fallback'],
  ["$(uri_captures.user or 'nobody')", 'nobody'],
  ['$(headers.x_a and "yes" or "no")', 'yes'],
  ['$(headers.none and "yes" or "no")', 'no'],
  ['$(headers.x_a == "1" and "one")', 'one'],
  ['$(headers.x_a ~= "1" or "same")', 'same'],
  ['$(not headers.none and ("a" .. 1 .. headers.x_a))', 'a11'],
  ['$(nil)$(false)$(true)', 'true'],
  ["$('$(literal)')", '$(literal)'],
  ['$("a\\"b\\\\")', 'a"b\\'],
  ['$(OPENAI_API_KEY)', ''],
  ['$(never closed', '$(never closed'],
  ['$5 and $ (x)', '$5 and $ (x)'],
])('the template %s gives %j', (source, expected) => {
  expect(compileTemplate(source).render(scope)).toBe(expected);
});

test.each(['$(foo(1))', '$(foo.bar)', '$(headers)', '$(headers.x_a.y)', '$("a" .. nil)', '$(type(headers))'])(
  'the template %s parses and cannot be evaluated',
  (source) => {
    expect(() => compileTemplate(source).render(scope)).toThrow(TemplateError);
  },
);

test.each([
  ['$()', 'expected a name, a string or a number at character 1, found the end'],
  ['$(headers.)', 'expected a name at character 9'],
  ['$(headers[)', 'expected a string or a number'],
  ['$(headers[x])', 'expected a string or a number at character 9'],
  ['$(a b)', "expected the end of the expression at character 3, found 'b'"],
  ['$(1 + 1)', "found '+ 1'"],
  ['$(headers.x:upper())', "found ':upper()'"],
  [`$(${'('.repeat(500)}1${')'.repeat(500)})`, 'fewer parentheses'],
])('the template %s is refused with the place of the error', (source, message) => {
  expect(() => compileTemplate(source)).toThrow(message);
});

test('a template knows which headers it reads and whether it is nothing but expressions', () => {
  expect(compileTemplate('$(headers.X-A or headers["x_b"])')).toMatchObject({
    isOnlyTemplates: true,
    headerNames: ['x-a', 'x_b', 'x-b'],
  });
  expect(compileTemplate('Bearer $(OPENAI_API_KEY)')).toMatchObject({
    isOnlyTemplates: false,
    unknownNames: ['OPENAI_API_KEY'],
  });
});

test('what a request brings can be escaped apart from the text around it', () => {
  expect(compileTemplate('/a?$(uri_captures.id)').render(scope, (value) => value.toUpperCase())).toBe(
    '/a?FOO',
  );
});
