import { customFields } from './custom-fields.ts';
import { defineLogger } from './define-logger.ts';
import { flag, record, text } from './fields.ts';
import { LINE_QUEUE } from './log-queue.ts';

const Config = record({
  path: text()
    .regex(/^[^*&%`]+$/, 'not a valid filename')
    .describe('File that the records are appended to, one JSON line each.'),
  reopen: flag().default(false).describe('Accepted as in Kong; the file is opened for every batch.'),
  custom_fields_by_lua: customFields(),
});

/** Kong's `file-log`: appends the record of every request to a file. */
export const fileLog = defineLogger({
  name: 'file-log',
  priority: 9,
  summary: 'Appends a record of every request to a file.',
  config: Config,
  sinkOf: ({ path }) => ({ kind: 'file', path, queue: LINE_QUEUE }),
});
