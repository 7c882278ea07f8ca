import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { APIResponse, BrowserContext, Page } from 'playwright-core';
import { type ConsoleWorld, type Role, TOKENS } from './console-world.ts';

/** Git ignores it; CI keeps what lies there. */
const PICTURES = join(import.meta.dirname, '..', 'artefacts', 'console');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const DESK = { width: 1280, height: 900 };
const PHONE = { width: 375, height: 800 };

/** One person before the console, and what the browser complains about. */
export class Visit implements AsyncDisposable {
  readonly page: Page;
  /** Errors of the console, of scripts, and requests to anybody but the registry. */
  readonly complaints: string[] = [];
  readonly #context: BrowserContext;

  readonly #admin: string;

  private constructor(admin: string, context: BrowserContext, page: Page) {
    this.#admin = admin;
    this.#context = context;
    this.page = page;
  }

  /** `as`: logs in first. `expects` are parts of complaints that are meant to be. */
  static async of(world: ConsoleWorld, as?: Role, expects: readonly string[] = []): Promise<Visit> {
    const context = await world.browser.newContext({ viewport: DESK, reducedMotion: 'reduce' });
    const visit = new Visit(world.admin, context, await context.newPage());
    const complain = (text: string) => {
      if (!expects.some((part) => text.includes(part))) visit.complaints.push(text);
    };
    visit.page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning')
        complain(`${message.text()} ${message.location().url}`);
    });
    visit.page.on('pageerror', ({ message }) => complain(message));
    context.on('request', (request) => {
      if (!request.url().startsWith(`${world.admin}/`)) complain(`asks ${request.url()}`);
    });
    if (as !== undefined) {
      const login = { data: { token: TOKENS[as] } };
      const answer = await context.request.post(`${world.admin}/sluice/login`, login);
      if (!answer.ok()) throw new Error(`no login: ${answer.status()}`);
    }
    await visit.page.goto(`${world.admin}/console`);
    return visit;
  }

  async open(place: string): Promise<void> {
    await this.page.evaluate(`location.hash = '#/${place}'`);
  }

  /** Asks the registry with this person's session, behind the page's back. */
  ask(path: string): Promise<APIResponse> {
    return this.#context.request.get(`${this.#admin}${path}`);
  }

  async change(method: string, path: string, data?: object): Promise<void> {
    const { csrf } = (await (await this.ask('/sluice/session')).json()) as { csrf: string };
    const options = { method, headers: { 'x-sluice-csrf': csrf }, ...(data === undefined ? {} : { data }) };
    const answer = await this.#context.request.fetch(`${this.#admin}${path}`, options);
    if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
  }

  /** Puts a text in the place of what the editor holds, as people do who have it from somewhere. */
  async pasteOverAll(text: string): Promise<void> {
    await this.page.getByRole('textbox', { name: 'Configuration, YAML' }).click();
    await this.page.keyboard.press('Control+a');
    await this.page.evaluate(`{
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', ${JSON.stringify(text)});
      const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
      document.querySelector('.editor').shadowRoot.querySelector('.cm-content').dispatchEvent(event);
    }`);
  }

  /** What of a page is a serious matter for somebody: by axe, in light and in dark, and too wide for a phone. */
  async findings(name: string): Promise<string[]> {
    await this.page.evaluate(AXE);
    const light = await this.#axe({});
    await this.#picture(`${name}-light`);
    await this.page.emulateMedia({ colorScheme: 'dark' });
    await this.page.setViewportSize(PHONE);
    const dark = await this.#axe({ runOnly: ['color-contrast'] });
    const width = (await this.page.evaluate('document.documentElement.scrollWidth')) as number;
    await this.#picture(`${name}-dark-phone`);
    await this.page.setViewportSize(DESK);
    await this.page.emulateMedia({ colorScheme: 'light' });
    const wide = width > PHONE.width ? [`${width} px wide on a phone`] : [];
    return [...light, ...dark.map((one) => `dark: ${one}`), ...wide];
  }

  async #axe(options: object): Promise<string[]> {
    const { violations } = (await this.page.evaluate(`axe.run(document, ${JSON.stringify(options)})`)) as {
      violations: { id: string; impact: string; nodes: { html: string }[] }[];
    };
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
  }

  async #picture(name: string): Promise<void> {
    mkdirSync(PICTURES, { recursive: true });
    await this.page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}
