import { join } from 'node:path';
import { expect, test } from './dashboard.js';
import { begin, experimentInput, LONG_METRIC, LONG_NAME, sweep, sweepOfLongNames } from './sweep.js';

const NAME = 'senet-on-field-noise';

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1280, 400]) {
    test(`pictures of every page, ${colorScheme}, ${width} pixels wide`, async ({ page, dashboard }) => {
      const folder = process.env['SCREENSHOTS'] ?? 'test-results';
      const shot = (name: string) =>
        page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      const chart = page.getByRole('img', { name: 'valid/auc by step' });
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await page.goto('/');
      await expect(page.getByRole('heading', { name: 'There is no store yet' })).toBeVisible();
      await shot('missing');

      const writer = dashboard.writer();
      await expect(page.getByRole('heading', { name: 'The store is empty' })).toBeVisible();
      await shot('empty');
      sweep(writer, NAME);
      const [running, failing] = writer.plan({
        ...experimentInput('learning-rates'),
        trials: [0.001, 0.01].map((rate) => ({
          id: `trial-of-rate-${rate}`,
          variant: 'base',
          parameters: { 'optimizer.learning_rate': rate },
          config: { model: { type: 'dssm' }, optimizer: { learningRate: rate } },
        })),
      });
      begin(writer, running!, 12);
      const error = 'loss is NaN at step 1201\n  at       training.learning_rate\n  hint     lower the learning rate';
      writer.fail(begin(writer, failing!, 3), { error, status: 'failed', retry: false });
      await expect(page.getByRole('link', { name: 'learning-rates' })).toBeVisible();
      await shot('experiments');
      for (const name of [NAME, 'learning-rates']) {
        await page.goto(`/experiments/${name}`);
        await expect(chart).toHaveAccessibleName(/ends at/);
        await shot(name);
      }
      await page.goto(`/runs/${failing!.id}`);
      await expect(chart).toHaveAccessibleName(/ends at/);
      await shot('run');

      const [wordy] = sweepOfLongNames(writer);
      await page.goto('/');
      await expect(page.getByRole('link', { name: LONG_NAME })).toBeVisible();
      await shot('long-experiments');
      for (const [name, address] of [
        ['long', `/experiments/${LONG_NAME}`],
        ['long-run', `/runs/${wordy!.id}`],
      ] as const) {
        await page.goto(address);
        await expect(page.getByRole('img', { name: `${LONG_METRIC} by step` })).toHaveAccessibleName(/ends at/);
        await shot(name);
      }
    });
  }
}
