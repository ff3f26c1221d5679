import { expect, type Page } from '@playwright/test';
import axe from 'axe-core';

/** What axe finds wrong with the page in the light scheme, and with its colours in the dark one: rule, and the element. Lines of drawings have nothing to be looked at, and are many. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const look = (rules?: string) =>
    page.evaluate(
      (rules) =>
        (globalThis as unknown as { axe: typeof axe }).axe.run(
          { exclude: 'svg[role=img] :is(path, circle)' },
          { resultTypes: ['violations'], ...(rules && { runOnly: rules }) },
        ),
      rules,
    );
  const light = await look();
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await look('color-contrast');
  return [...light.violations, ...dark.violations].flatMap(({ id, nodes }) =>
    nodes.map(({ html }) => `${id}: ${html}`),
  );
}

/** Names that several parts of the page of one kind have, which nobody can tell apart in a list of them. */
async function sameNames(page: Page): Promise<readonly string[]> {
  const names = await page
    .locator('[role][aria-label], button, figure[aria-labelledby], section[aria-labelledby]')
    .evaluateAll((parts) =>
      parts.map((part) => {
        const labels = part.getAttribute('aria-labelledby')?.split(' ') ?? [];
        const label = labels.map((id) => document.getElementById(id)?.textContent).join(' ') || part.getAttribute('aria-label') || part.textContent; // prettier-ignore
        return `${part.getAttribute('role') ?? part.localName}: ${label}`;
      }),
    );
  return names.filter((name, at) => names.indexOf(name) !== at);
}

/** In light and dark, at 1280 and 400 pixels: axe finds nothing, nothing scrolls sideways, no two parts have the same name. */
export async function expectSound(page: Page): Promise<void> {
  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 900 });
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(await violations(page), `${width} pixels`).toEqual([]);
    await page.emulateMedia({ colorScheme: null });
  }
  expect(await sameNames(page)).toEqual([]);
}
