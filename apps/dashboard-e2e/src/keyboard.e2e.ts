import type { Locator } from '@playwright/test';
import { expect, test } from './dashboard.js';
import { sweep } from './sweep.js';

const NAME = 'senet-on-field-noise';

/** The element has the focus, and one can see that it has. */
async function expectSeenFocus(element: Locator): Promise<void> {
  await expect(element).toBeFocused();
  await expect(element).toHaveCSS('outline-style', 'solid');
  await expect(element).toHaveCSS('outline-width', '2px');
}

test('the keyboard alone leads from the list to a sorted leaderboard, and goes on where a new page begins', async ({
  page,
  dashboard,
}) => {
  sweep(dashboard.writer(), NAME);
  await page.goto('/');
  const link = page.getByRole('link', { name: NAME });
  await expect(link).toBeVisible();
  const tab = () => page.keyboard.press('Tab');

  await tab();
  await expectSeenFocus(page.getByRole('link', { name: 'Skip to the content' }));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toBeFocused();
  await tab();
  await expectSeenFocus(page.getByRole('group', { name: 'Experiments' }));
  await tab();
  await expectSeenFocus(link);
  await page.keyboard.press('Enter');

  const header = page.getByRole('columnheader', { name: 'valid/auc mean' });
  await expect(header).toHaveAttribute('aria-sort', 'descending');
  await expect(page.getByRole('main')).toBeFocused();
  await tab();
  await expectSeenFocus(page.getByRole('link', { name: 'Experiments' }));
  await tab();
  await expectSeenFocus(page.getByRole('link', { name: 'All trials, grouped and filtered' }));
  await tab();
  await expectSeenFocus(page.getByRole('link', { name: 'Slices' }));
  await tab();
  await expectSeenFocus(page.getByRole('searchbox', { name: 'Filter variants' }));
  await tab();
  await expectSeenFocus(page.getByRole('group', { name: 'Leaderboard' }));
  for (const column of ['Variant', 'test/auc mean', 'test/logloss mean', 'valid/auc mean']) {
    await tab();
    await expectSeenFocus(page.getByRole('columnheader', { name: column }).getByRole('button'));
  }
  await page.keyboard.press('Space');
  await expect(header).toHaveAttribute('aria-sort', 'ascending');
  await expectSeenFocus(header.getByRole('button'));
});

test('the back button brings back what was chosen, and where the page was', async ({ page, dashboard }) => {
  const [run] = sweep(dashboard.writer(), NAME);
  await page.goto(`/experiments/${NAME}`);
  const series = page.getByRole('combobox', { name: 'Metric of the chart' });
  const filter = page.getByRole('searchbox', { name: 'Filter variants' });
  await filter.fill('a');
  await series.selectOption('train/loss');
  await page.getByRole('columnheader', { name: 'Variant' }).first().getByRole('button').click();
  const link = page.getByRole('link', { name: `run ${run!.id}`, exact: true });
  await link.scrollIntoViewIfNeeded();
  const place = () => page.evaluate(() => Math.round(scrollY));
  const before = await place();
  expect(before).toBeGreaterThan(200);
  await link.click();
  await expect(page.getByRole('heading', { level: 1, name: 'base, seed 1' })).toBeVisible();
  expect(await place()).toBe(0);

  await page.goBack();
  await expect(filter).toHaveValue('a');
  await expect(series).toHaveValue('train/loss');
  await expect(page.getByRole('columnheader', { name: 'Variant' }).first()).toHaveAttribute('aria-sort', 'ascending');
  await expect.poll(place).toBeGreaterThan(before - 50);
});
