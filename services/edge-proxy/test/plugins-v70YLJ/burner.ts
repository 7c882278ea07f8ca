import { z } from 'zod';
     import { definePlugin } from '@sluice/plugins';
     export const plugin = definePlugin({ name: 'burner', priority: 5, summary: 's', config: z.strictObject({}),
       access: () => {
         const begun = process.cpuUsage();
         while (process.cpuUsage(begun).user < 100_000);
         return undefined;
       } });