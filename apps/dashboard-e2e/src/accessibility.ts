import type { Page } from '@playwright/test';
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
export async function sameNames(page: Page): Promise<readonly string[]> {
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
