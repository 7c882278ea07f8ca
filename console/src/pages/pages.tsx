import type { ComponentType } from 'preact';
import type { Place } from '../place.ts';
import { AccessPage } from './access.tsx';
import { AuditPage } from './audit.tsx';
import { ConfigPage } from './config.tsx';
import { FleetPage } from './fleet.tsx';
import { GuardPage } from './guard.tsx';
import { NowPage } from './now.tsx';
import { QuotaPage } from './quota.tsx';
import { RequestPage } from './request.tsx';
import { RoutesPage } from './routes.tsx';
import { TenantPage } from './tenant.tsx';

interface PageEntry {
  readonly name: string;
  readonly title: string;
  readonly Page: ComponentType<{ place: Place }>;
}

const NOW: PageEntry = { name: 'now', title: 'Now', Page: NowPage };

/** In the order of the menu. */
export const PAGES: readonly PageEntry[] = [
  NOW,
  { name: 'tenant', title: 'Tenants', Page: TenantPage },
  { name: 'request', title: 'Requests', Page: RequestPage },
  { name: 'config', title: 'Configuration', Page: ConfigPage },
  { name: 'routes', title: 'Routes & upstreams', Page: RoutesPage },
  { name: 'quota', title: 'Quotas', Page: QuotaPage },
  { name: 'guard', title: 'Guard', Page: GuardPage },
  { name: 'fleet', title: 'Services', Page: FleetPage },
  { name: 'access', title: 'Auth', Page: AccessPage },
  { name: 'audit', title: 'Audit', Page: AuditPage },
];

export const pageNamed = (name: string): PageEntry => PAGES.find((page) => page.name === name) ?? NOW;
