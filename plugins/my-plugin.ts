import { definePlugin } from '@sluice/plugins';
import { z } from 'zod';

/** A sample of a plugin of your own: copies one setting into a header, both ways. See docs/guides/write-a-plugin.md. */
export const myPlugin = definePlugin({
  name: 'my-plugin',
  priority: 700,
  summary: 'Adds a header of your choice upstream and downstream.',
  config: z.strictObject({
    my_setting: z.string().min(1).describe('Value of the X-My-Plugin header.'),
  }),
  access({ toUpstream }, { my_setting }) {
    toUpstream.set('X-My-Plugin', my_setting);
    return undefined;
  },
  response({ toClient }, { my_setting }) {
    toClient.set('X-My-Plugin', my_setting);
  },
});
