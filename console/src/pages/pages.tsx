import type { ComponentType } from 'preact';
import type { Place } from '../place.ts';
import { NowPage } from './now.tsx';
import { RequestPage } from './request.tsx';

interface PageEntry {
  readonly name: string;
  readonly title: string;
  readonly Page: ComponentType<{ place: Place }>;
}

const NOW: PageEntry = { name: 'now', title: 'Now', Page: NowPage };

/** In the order of the menu. */
export const PAGES: readonly PageEntry[] = [NOW, { name: 'request', title: 'Requests', Page: RequestPage }];

export const pageNamed = (name: string): PageEntry => PAGES.find((page) => page.name === name) ?? NOW;
