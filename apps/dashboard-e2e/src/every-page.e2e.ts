import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeFileSync } from 'node:fs';
import { buildPage, toHtml } from '@towerbench/report';
import { openStoreReader } from '@towerbench/tracking';
import { expectSound } from './accessibility.js';
import { expect } from './dashboard.js';
import { test } from './large-dashboard.js';
import { LARGE_NAME } from './large-store.js';
import { sweep } from './sweep.js';

const paths = pathToFileURL(join(import.meta.dirname, '../../dashboard/dist/contract/paths.js')).href;
const { pages } = (await import(paths)) as { readonly pages: readonly string[] };

/** The address of a page in the large store. Charts that have an element per trial are tables here: axe looks at each of 4,000; drawn they are in analysis.e2e.ts. */
const addressOf = (page: string): string =>
  page
    .replace(':name', LARGE_NAME)
    .replace(':id', '1')
    .replace(':other', '6')
    .replace(/analysis$/, '$&?tables=parallel&tables=effect');

for (const pattern of pages) {
  test(`nothing is wrong with ${pattern} of 10,000 runs`, async ({ page, full: _ }) => {
    await page.goto(addressOf(pattern));
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByText(/^(Loading|Waiting)/)).toHaveCount(0);
    for (const closed of await page.locator('details:not([open]) > summary').all()) await closed.click();
    await expectSound(page);
  });
}

test('nothing is wrong with any page of an empty store', async ({ page, dashboard }) => {
  dashboard.writer();
  const seen = new Set<string>(); // most of them say the same
  for (const pattern of pages) {
    await page.goto(addressOf(pattern));
    await expect(page.getByRole('heading', { name: 'The store is empty' })).toBeVisible();
    const content = await page.locator('body').innerHTML();
    if (!seen.has(content)) await expectSound(page);
    seen.add(content);
  }
});

test('nothing is wrong with the report to send to a colleague', async ({ page, dashboard }) => {
  const writer = dashboard.writer();
  sweep(writer, 'first', { seeds: [1, 2, 3, 4, 5, 6] });
  sweep(writer, 'second');
  const reader = openStoreReader(dashboard.storePath);
  const file = `${dashboard.storePath}.html`;
  const reports = ['first', 'second'].map((name) => buildPage(reader, name));
  const moved = { runs: 9, environment: { node: 'v22' } }; // as many runs as on the machine before
  writeFileSync(file, toHtml(reports.map((one) => ({ ...one, environments: [...one.environments, moved] }))));
  reader.close();
  await page.goto(pathToFileURL(file).href);
  for (const closed of await page.locator('details > summary').all()) await closed.click();
  await expectSound(page);
});
