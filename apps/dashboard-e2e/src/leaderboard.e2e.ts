import type { Locator, Page } from '@playwright/test';
import { expect } from './dashboard.js';
import { test } from './large-dashboard.js';
import { LARGE_NAME } from './large-store.js';
import { experimentInput, sweep } from './sweep.js';

const rows = (page: Page): Locator => page.getByRole('group', { name: 'Leaderboard' }).locator('tbody tr');
const status = (page: Page): Locator => page.getByRole('navigation', { name: 'Pages' }).getByRole('status');
const means = async (page: Page, column: number): Promise<readonly number[]> =>
  Promise.all((await rows(page).all()).map(async (row) => Number(await row.locator('data').nth(column).getAttribute('value')))); // prettier-ignore

test('10,000 runs are paged and ordered by the server, which the address remembers', async ({ page, full: _ }) => {
  await page.goto('/leaderboard');
  await expect(status(page)).toHaveText('Page 1 of 40: 2,000 rows of 10,000 runs');
  const first = await means(page, 0);
  expect(first).toHaveLength(50);
  expect(first).toEqual(first.toSorted((a, b) => b - a));

  await page.getByRole('button', { name: 'Next' }).click();
  await expect(status(page)).toHaveText(/^Page 2 of 40/);
  await expect.poll(async () => Math.max(...(await means(page, 0)))).toBeLessThanOrEqual(first.at(-1)!);
  await page.reload();
  await expect(status(page)).toHaveText(/^Page 2 of 40/);

  await page.getByRole('button', { name: 'test/ndcg@10' }).press('Enter');
  await expect(status(page)).toHaveText(/^Page 1 of 40/);
  await page.getByRole('button', { name: 'test/ndcg@10' }).press('Enter');
  await expect(page.getByRole('columnheader', { name: 'test/ndcg@10' })).toHaveAttribute('aria-sort', 'ascending');
  await expect.poll(async () => (await means(page, 1))[0]).toBeLessThan(0.2);
});

test('rows are grouped by anything, filtered, and show the columns that were chosen', async ({ page, full: _ }) => {
  await page.goto('/leaderboard');
  await page.getByRole('combobox', { name: 'Group by' }).selectOption('variant');
  await expect(rows(page)).toHaveCount(4);
  await page.getByRole('combobox', { name: 'and by' }).selectOption('model.output_dim');
  await expect(rows(page)).toHaveCount(16);
  await page.getByRole('searchbox', { name: 'Filter' }).fill('senet model.output_dim>=64');
  await expect(rows(page)).toHaveCount(2);
  await expect(rows(page).first().getByRole('rowheader')).toHaveText('senet');

  await page.getByText(/^Columns: /).click();
  await page.getByRole('checkbox', { name: 'test/mrr' }).check();
  await page.getByRole('checkbox', { name: 'optimizer.learning_rate' }).uncheck();
  await expect(page.getByRole('columnheader', { name: 'test/mrr' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('columnheader', { name: 'test/mrr' })).toBeVisible();
  await expect(page.getByRole('columnheader', { name: 'optimizer.learning_rate' })).toHaveCount(0);
  await expect(rows(page)).toHaveCount(2);

  await page.getByRole('searchbox', { name: 'Filter' }).fill('nobody-has-this');
  await expect(status(page)).toHaveText('No run fits the filter.');
});

test('a trial leads to its runs', async ({ page, full: _ }) => {
  await page.goto(`/leaderboard?experiment=${LARGE_NAME}`);
  await rows(page).first().getByRole('link').click();
  await expect(status(page)).toHaveText('Page 1 of 1: 5 rows of 5 runs');
  await rows(page).first().getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1, name: /^Run \d+: sdm, seed \d$/ })).toBeVisible();
});

test('experiments of another protocol are never in the same table', async ({ page, dashboard }) => {
  const writer = dashboard.writer();
  sweep(writer, 'here');
  sweep(writer, 'elsewhere', {
    protocol: { dataset: 'another', split: 'by time' },
    trials: [{ ...experimentInput('x').trials[0]!, id: 'trial-elsewhere' }],
  });
  await page.goto('/leaderboard');
  await expect(status(page)).toHaveText('Page 1 of 1: 1 rows of 3 runs');
  const scopes = page.getByRole('combobox', { name: 'Data and protocol' });
  await scopes.selectOption({ index: 1 });
  await expect(status(page)).toHaveText('Page 1 of 1: 3 rows of 9 runs');
  await expect(page.getByRole('combobox', { name: 'Experiment' }).getByRole('option')).toHaveText(['every experiment', 'here']); // prettier-ignore
});
