import type { TemplateScope } from './template.ts';
import { applyRules, type Fields, type Rules } from './transform-rules.ts';

/** One part of a multipart body with its own headers, as it stands between two boundaries. */
interface Part {
  readonly name: string | undefined;
  readonly text: string;
}

const boundaryOf = (contentType: string): string | undefined => {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? [];
  return quoted ?? plain;
};

const nameOf = (text: string): string | undefined => {
  const headers = text.slice(0, Math.max(text.indexOf('\r\n\r\n'), 0));
  const [, disposition] = /^content-disposition:([^\r\n]*)/im.exec(headers) ?? [];
  const [, quoted, plain] = /;\s*name=(?:"([^"]*)"|([^\s;]+))/i.exec(disposition ?? '') ?? [];
  return quoted ?? plain;
};

const parseParts = (body: string, boundary: string): Part[] | undefined => {
  const [, ...pieces] = `\r\n${body}`.split(`\r\n--${boundary}`);
  if (!pieces.at(-1)?.startsWith('--')) return undefined;
  // Blanks may follow a boundary on its line.
  const texts = pieces.slice(0, -1).map((piece) => piece.replace(/^[ \t]*\r\n/, ''));
  return texts.map((text) => ({ name: nameOf(text), text }));
};

// A quote or a line break in a name would end the header it stands in (WHATWG multipart encoding).
const quoteName = (name: string): string =>
  name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const partOf = (name: string, value: string): Part => ({
  name,
  text: `Content-Disposition: form-data; name="${quoteName(name)}"\r\n\r\n${value}`,
});
const contentOf = ({ text }: Part): string => text.slice(text.indexOf('\r\n\r\n') + 4);

const partFields = (parts: Part[]): Fields => {
  const keep = (test: (part: Part) => boolean): void => {
    parts.splice(0, parts.length, ...parts.filter(test));
  };
  const replaceBy = (part: Part): void => {
    keep(({ name }) => name !== part.name);
    parts.push(part);
  };
  return {
    has: (name) => parts.some((part) => part.name === name),
    remove: (name) => keep((part) => part.name !== name),
    rename: (from, to) => {
      const moved = parts.find((part) => part.name === from);
      keep((part) => part.name !== from);
      if (moved !== undefined) replaceBy(partOf(to, contentOf(moved)));
    },
    set: (name, value) => replaceBy(partOf(name, value)),
    append: (name, value) => {
      parts.push(partOf(name, value));
    },
  };
};

/** The contents of the parts with a name, as byte strings; none when the form cannot be read. */
export const multipartValues = (body: Buffer, contentType: string, name: string): readonly string[] => {
  const boundary = boundaryOf(contentType);
  const parts = boundary === undefined ? undefined : parseParts(body.toString('latin1'), boundary);
  return (parts ?? []).filter((part) => part.name === name).map(contentOf);
};

/** Applies rules to a multipart form, or undefined when it is none that can be read. */
export const changeMultipart = (
  body: Buffer,
  contentType: string,
  rules: Rules,
  scope: TemplateScope,
): Buffer | undefined => {
  const boundary = boundaryOf(contentType);
  if (boundary === undefined) return undefined;
  const parts = parseParts(body.toString('latin1'), boundary);
  if (parts === undefined) return undefined;
  // Kong appends to no multipart body.
  if (!applyRules(partFields(parts), { ...rules, append: [] }, scope)) return undefined;
  const lines = parts.map(({ text }) => `--${boundary}\r\n${text}\r\n`).join('');
  return Buffer.from(`${lines}--${boundary}--\r\n`, 'latin1');
};
