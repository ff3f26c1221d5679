import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import type { StoreWriter } from '@towerbench/tracking';
import { expectSound } from './accessibility.js';
import { expect, test } from './dashboard.js';
import { experimentInput, sweep } from './sweep.js';

const NAME = 'rates-and-widths';
const address = `/experiments/${NAME}/analysis`;

/** 40 trials of one seed: the rate decides, the width does nothing. A trial that reaches nothing has failed. */
function search(writer: StoreWriter, reached: (k: number) => number | null = (k) => 0.5 + k / 100): void {
  const runs = writer.plan({
    ...experimentInput(NAME),
    seeds: [1],
    trials: Array.from({ length: 40 }, (_, k) => ({
      id: `trial-${k}`,
      variant: 'base',
      parameters: { 'optimizer.learning_rate': 10 ** (-4 + k / 13), 'model.output_dim': [16, 32, 64][k % 3] as number },
      config: { k },
    })),
  });
  for (const { id, trialId } of runs) {
    const { attemptId } = writer.claim(id, { host: 'here', pid: 1, environment: {} })!;
    const value = reached(Number(trialId.split('-')[1]));
    if (value === null) writer.fail(attemptId, { error: 'loss is NaN', status: 'failed', retry: false });
    else
      writer.finish(attemptId, {
        metrics: { 'valid/auc': value },
        perUser: {},
        parameterCount: 1,
        indexBytesPerItem: null,
        seconds: 1,
        bestStep: 1,
        artifacts: [],
      });
  }
}

/** Content of the file that a button of the page saves. */
async function saved(page: Page, name: string): Promise<string> {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name, exact: true }).click();
  return readFileSync(await (await download).path(), 'utf8');
}

test('says which parameter decides, shows it alone, and both can be saved', async ({ page, dashboard }) => {
  search(dashboard.writer());
  await page.goto(`/experiments/${NAME}`);
  await page.getByRole('link', { name: 'Parameters' }).click();
  const importance = page.getByRole('img', { name: /^Importance: optimizer\.learning_rate \d+ %, model\.output_dim/ });
  await expect(importance).toBeVisible();
  await expect(page.getByRole('combobox', { name: 'Parameter' })).toHaveValue('optimizer.learning_rate');
  await expect(page.getByRole('img', { name: 'valid/auc by optimizer.learning_rate: 40 trials, the best 0.8900 at 0.1' })).toBeVisible(); // prettier-ignore

  const csv = await saved(page, 'Save Share of the variance that a parameter explains alone as CSV');
  expect(csv.split('\n')[0]).toBe('parameter,share,5 % of trees,95 % of trees');
  expect(csv.split('\n')[1]).toMatch(/^optimizer\.learning_rate,(0\.9|1)/);
  const svg = await saved(page, 'Save Trials by valid/auc as SVG');
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  expect(svg.match(/<path [^>]*stroke="rgb/g)!.length).toBeGreaterThan(40);
  expect(svg).not.toContain('class=');

  await page.getByText('Ends of the axes').click();
  await expect(page.getByRole('slider').first()).toBeVisible();
  await expectSound(page);
});

test('two parameters together: trials on a grid of cell means, with what failed, chosen by keyboard and kept in the address', async ({
  page,
  dashboard,
}) => {
  const writer = dashboard.writer();
  search(writer, (k) => (k < 38 ? 0.5 + k / 100 : null));
  await page.goto(address);
  const part = page.getByRole('region', { name: 'Two parameters' });
  const [across, up] = [part.getByRole('combobox', { name: 'Across' }), part.getByRole('combobox', { name: 'Up' })];
  await expect(across).toHaveValue('optimizer.learning_rate');
  await expect(up).toHaveValue('model.output_dim');
  const drawing = part.getByRole('img');
  await expect(drawing).toHaveAccessibleName(
    /^valid\/auc by optimizer\.learning_rate and model\.output_dim: 38 trials in 12 cells, and 2 that failed; the best trial 0\.8700 at 0\.0702 and 32; the best cell 0\.8450, the mean of 2, at 0\.021 to 0\.14 and 16$/,
  );
  const strengths = await drawing.locator('rect:has(title)').evaluateAll((cells) => cells.map((cell) => Number(getComputedStyle(cell).fillOpacity))); // prettier-ignore
  expect(strengths).toHaveLength(12);
  expect(strengths).toEqual(strengths.toSorted((a, b) => a - b)); // from the worst to the best cell

  await across.focus();
  await page.keyboard.press('ArrowDown');
  await expect(across).toHaveValue('model.output_dim');
  await expect(up).toHaveValue('optimizer.learning_rate');
  await expect(page).toHaveURL(/across=model\.output_dim&up=optimizer\.learning_rate/);
  await page.reload();
  await expect(across).toHaveValue('model.output_dim');
  const csv = await saved(page, 'Save valid/auc by model.output_dim and optimizer.learning_rate as CSV');
  expect(csv.split('\n')[0]).toBe('variant,model.output_dim,optimizer.learning_rate,valid/auc,n,failed,mean of its cell,trials in its cell,run'); // prettier-ignore
  expect(csv.trim().split('\n')).toHaveLength(1 + 40);
  expect(csv).toMatch(/^base,64,0\.0837\d+,,0,1,0\.835,2,39$/m);
  const svg = await saved(page, 'Save valid/auc by model.output_dim and optimizer.learning_rate as SVG');
  expect(svg).toMatch(/<title[^>]*>0\.8450, the mean of 2, at 16 and 0\.021 to 0\.14</);
  await part.getByRole('button', { name: 'Table' }).click();
  await expect(part.getByRole('table')).toHaveAttribute('aria-rowcount', '41');
});

test('keeps only the trials that cross a part of an axis, by keyboard and by pointer, which the address remembers', async ({
  page,
  dashboard,
}) => {
  search(dashboard.writer());
  await page.goto(address);
  const kept = page.getByText(/^\d+ of 40 trials\./);
  await expect(kept).toHaveText(/^40 of 40/);
  await page.getByText('Ends of the axes').click();
  const from = page.getByRole('group', { name: 'valid/auc' }).getByRole('slider', { name: 'From' });
  await from.press('End');
  await expect(kept).toHaveText(/^1 of 40/);
  await from.press('Home');
  await expect(kept).toHaveText(/^40 of 40/);

  const drawing = page.getByRole('img', { name: /^40 trials over/ });
  await drawing.scrollIntoViewIfNeeded();
  const box = (await drawing.boundingBox())!;
  const [x, y] = [box.x + (70 / 580) * box.width, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x, box.y + box.height - 2);
  await page.mouse.up();
  await expect(kept).toHaveText(/^(19|20|21) of 40/);
  const text = await kept.textContent();
  await page.reload();
  await expect(kept).toHaveText(text!);
  await page.getByRole('button', { name: 'Table' }).first().click();
  await expect(page.getByRole('group', { name: 'Trials by valid/auc as a table' }).getByRole('table')).toHaveAttribute('aria-rowcount', String(Number.parseInt(text!) + 1)); // prettier-ignore
});

test('says of noise that it is noise, of too few trials that they are too few, and of no search that there is none', async ({
  page,
  dashboard,
}) => {
  const writer = dashboard.writer();
  search(writer, (k) => 0.5 + 0.1 * Math.sin(1000 * k * k));
  sweep(writer, 'three-variants');
  await page.goto(address);
  await expect(page.getByText(/^Not to be told from noise: over 40 trials/)).toBeVisible();
  await page.goto('/experiments/three-variants/analysis');
  await expect(page.getByText('Too few trials to tell: 3 of at least 20 that differ in a parameter.')).toBeVisible();
});
