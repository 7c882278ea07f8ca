import { say } from '../measure/say.ts';
import { findOrInstall } from '../peers/install.ts';

export interface Programs {
  readonly nginx: string;
  readonly haproxy?: string;
}

/** What is measured with and beside; installed where that takes no question. */
export const findPrograms = (): Programs => {
  const { nginx, wrk, haproxy } = findOrInstall(['nginx', 'wrk', 'haproxy'], say);
  if (nginx === undefined || wrk === undefined)
    throw new Error(
      'nothing can be measured without nginx, which is the upstream, and wrk, which is the load',
    );
  return { nginx, ...(haproxy === undefined ? {} : { haproxy }) };
};
