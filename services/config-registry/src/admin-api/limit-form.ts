import { DocumentTooLarge } from '@sluice/gateway-config';

/** Fields of one form. */
export const MAX_FORM_FIELDS = 1000;
/** Bytes before the content of one part of a multipart form: its headers. */
const MAX_PART_HEAD = 8192;

/**
 * The parsers need time that grows with the square of the number of fields, or with each line of a part's headers.
 * @throws DocumentTooLarge
 */
export const limitFields = (text: string): void => {
  let fields = 1;
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1)) count(++fields);
};

/** @throws DocumentTooLarge */
export const limitParts = (bytes: Buffer, contentType: string): void => {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]*)"|([^;\s]*))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain ?? '';
  if (boundary === '') return; // no form: the parser says so
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  let parts = 0;
  for (let at = bytes.indexOf(delimiter); at >= 0; at = bytes.indexOf(delimiter, at)) {
    count(++parts);
    at += delimiter.length;
    const head = bytes.subarray(at, at + MAX_PART_HEAD);
    if (head.length === MAX_PART_HEAD && !head.includes('\r\n\r\n'))
      throw new DocumentTooLarge(`more than ${MAX_PART_HEAD} bytes of headers in one part`);
  }
};

const count = (fields: number): void => {
  if (fields > MAX_FORM_FIELDS) throw new DocumentTooLarge(`more than ${MAX_FORM_FIELDS} fields in one form`);
};
