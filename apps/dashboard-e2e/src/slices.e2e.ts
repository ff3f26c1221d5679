import { readFileSync } from 'node:fs';
import { violations } from './accessibility.js';
import { expect, test } from './dashboard.js';
import { RANKED_NAME, rankedSweep } from './ranked-sweep.js';
import { sweep } from './sweep.js';

const address = `/experiments/${RANKED_NAME}/slices`;

test('says for whom a variant is better, with what is too small to tell, as chart, table and files', async ({
  page,
  dashboard,
}) => {
  rankedSweep({ writer: dashboard.writer(), storePath: dashboard.storePath });
  await page.goto(`/experiments/${RANKED_NAME}`);
  const leaderboard = page.getByRole('group', { name: 'Leaderboard' }).getByRole('row', { name: /^gate/ });
  const overall = await leaderboard.getByRole('cell').first().locator('data').first().textContent();
  await page.getByRole('link', { name: 'All trials, grouped and filtered' }).click(); // leads on, too
  await page.getByRole('link', { name: 'Slices' }).click();
  await expect(page.getByRole('heading', { name: `Slices of ${RANKED_NAME}` })).toBeVisible();

  const popularity = page.getByRole('group', { name: 'Popularity of the item to find, all numbers' });
  const row = (name: RegExp) => popularity.getByRole('row', { name });
  await expect(
    row(/^all test users 400/)
      .getByRole('cell')
      .nth(2),
  ).toContainText(overall!);
  await expect(
    row(/^head .* training interactions/)
      .getByRole('cell')
      .nth(2),
  ).toContainText('better');
  await expect(row(/^new 0 training interactions/)).not.toContainText('better');
  await expect(row(/too small to tell/).first()).toBeVisible();
  await expect(page.getByText(/corrected over all \d+ comparisons of this page/)).toBeVisible();
  const title = 'Difference to base in test/hr@10 by popularity of the item to find';
  await expect(page.getByRole('img', { name: `${title}: 2 variants in 4 slices` })).toBeVisible();

  const frame = page.getByRole('figure', {
    name: 'Difference to base in test/hr@10 by popularity of the item to find',
  });
  await frame.getByRole('button', { name: 'Table' }).click();
  await expect(frame.getByRole('columnheader', { name: 'p (Holm)' })).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'All slices as CSV' }).click();
  const csv = readFileSync(await (await download).path(), 'utf8').split('\n');
  expect(csv[0]).toMatch(/^experiment,metric,by,slice,meaning,users,weight/);
  expect(csv.filter((line) => line.includes(',popularity,head,'))).toHaveLength(3);

  await page.getByRole('combobox', { name: 'Metric' }).selectOption('test/mrr');
  await expect(page).toHaveURL(/metric=test%2Fmrr/);
  await expect(page.getByRole('heading', { name: 'Difference to base in test/mrr by history of the user' })).toBeVisible(); // prettier-ignore
});

test('says of runs that have not kept their users how to have slices, and of labelled rows that they have none', async ({
  page,
  dashboard,
}) => {
  const writer = dashboard.writer();
  rankedSweep({ writer, storePath: dashboard.storePath, keeps: false });
  sweep(writer, 'three-variants');
  await page.goto(address);
  await expect(page.getByRole('status').filter({ hasText: 'was not kept for these runs' })).toContainText(
    `npx towerbench sweep --config configs/${RANKED_NAME}.yaml --store PATH`,
  );
  await page.goto('/experiments/three-variants/slices');
  await expect(page.getByText(/^The test part is labelled rows\./)).toBeVisible();
});

test('axe finds nothing wrong with the slices, and they do not scroll the page sideways', async ({
  page,
  dashboard,
}) => {
  rankedSweep({ writer: dashboard.writer(), storePath: dashboard.storePath });
  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(address);
    await expect(page.getByRole('heading', { name: 'Category of the item to find', exact: true })).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: null });
  }
});
