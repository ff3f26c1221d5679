import type { Page } from '@playwright/test';
import axe from 'axe-core';

/** What axe finds wrong with the page in the light scheme, and with its colours in the dark one: rule, and the element. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const look = (rules?: string) =>
    page.evaluate(
      (rules) => (globalThis as unknown as { axe: typeof axe }).axe.run(rules ? { runOnly: rules } : {}),
      rules,
    );
  const light = await look();
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await look('color-contrast');
  return [...light.violations, ...dark.violations].flatMap(({ id, nodes }) =>
    nodes.map(({ html }) => `${id}: ${html}`),
  );
}
