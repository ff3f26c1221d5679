import { violations } from './accessibility.js';
import { expect, test } from './dashboard.js';
import { sweep } from './sweep.js';

const NAME = 'senet-on-field-noise';

test('the ablation table has the base on top and, a row each, what a variant changes and what that does', async ({
  page,
  dashboard,
}) => {
  sweep(dashboard.writer(), NAME, { seeds: [1, 2, 3, 4, 5, 6] });
  await page.goto(`/experiments/${NAME}`);
  const table = page.getByRole('group', { name: 'Ablation' }).getByRole('table');
  const row = (variant: string) =>
    table.getByRole('row').filter({ has: page.getByRole('rowheader', { name: variant }) });
  await expect(table.getByRole('row').nth(1)).toContainText(/^base reference/);
  await expect(row('senet-2sigmoid')).toContainText('model.type: dssm → senet');
  await expect(row('senet-2sigmoid')).toContainText(/\+0\.0\d{3}.*better$/);
  await expect(row('popularity')).toContainText(/−0\.\d{4}.*worse$/);

  await page.getByRole('combobox', { name: 'Metric', exact: true }).selectOption('test/logloss');
  await expect(row('senet-2sigmoid')).toContainText('no values per user to tell');
  await page.reload();
  await expect(page.getByRole('combobox', { name: 'Metric', exact: true })).toHaveValue('test/logloss');
  expect(await violations(page)).toEqual([]);
});

test('the ablation table says where there are not enough seeds to tell', async ({ page, dashboard }) => {
  sweep(dashboard.writer(), NAME);
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto(`/experiments/${NAME}`);
  const cells = page.getByRole('group', { name: 'Ablation' }).getByRole('cell', { name: 'not enough seeds to tell' });
  await expect(cells).toHaveCount(2);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400);
});
