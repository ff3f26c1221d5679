import axe from 'axe-core';
import { openStoreReader } from '@towerbench/tracking';
import { expect, test } from './dashboard.js';
import { begin, experimentInput, finish, sweep } from './sweep.js';

test('a run of 100,000 points is drawn in pairs, whole after zooming in, and says what it leaves out', async ({
  page,
  dashboard,
}) => {
  const writer = dashboard.writer();
  const [run] = writer.plan(experimentInput('long'));
  const attempt = begin(writer, run!);
  writer.points(attempt, Array.from({ length: 100_000 }, (_, k) => ({ series: 'valid/long', step: k + 1, value: k === 7 ? NaN : Math.sin(k), time: k }))); // prettier-ignore
  await page.goto(`/runs/${run!.id}?series=valid/long`);
  await expect(page.getByText('99,999 points shown as 1,000 min/max pairs')).toBeVisible();
  await expect(page.getByText('1 points are NaN or infinite')).toBeVisible();
  const zoomIn = page.getByRole('button', { name: 'Zoom in' });
  await zoomIn.focus();
  for (let k = 0; k < 6; k++) {
    const before = page.url();
    await page.keyboard.press('+');
    await expect.poll(() => page.url()).not.toBe(before);
  }
  await expect(page.getByText('min/max pairs')).toBeHidden();
  await page.getByRole('combobox', { name: 'x axis' }).selectOption('examples');
  await expect(page.getByRole('img', { name: 'valid/long by examples' })).toBeVisible();
  await page.getByRole('checkbox', { name: 'log y' }).check();
  await expect(page.getByText('have no place on a logarithmic axis')).toBeVisible();
  await expect(page).toHaveURL(/x=examples.*log=y/);
});

test('a drag across the chart shows that part of the curves, which a click does not, and the whole comes back', async ({
  page,
  dashboard,
}) => {
  sweep(dashboard.writer(), 'e');
  await page.goto('/experiments/e');
  const chart = page.getByRole('img', { name: 'valid/auc by step' });
  await expect(chart).toHaveAccessibleName(/base ends at .* at step 12,000/);
  await chart.scrollIntoViewIfNeeded();
  const box = (await chart.boundingBox())!;
  const at = (share: number) => [box.x + share * box.width, box.y + box.height / 2] as const;
  await page.mouse.click(...at(0.5));
  expect(page.url()).not.toContain('from=');
  await page.mouse.move(...at(0.6));
  await page.mouse.down();
  await page.mouse.move(...at(0.3), { steps: 3 });
  const chosen = (await page.locator('.drag').boundingBox())!;
  expect(chosen.width).toBeCloseTo(0.3 * box.width, -1);
  await page.mouse.up();
  await expect(page.locator('.drag')).toHaveCount(0);
  // the plot begins right of its axis, so the window lies a little left of these shares of 12,000 steps
  await expect(chart).toHaveAccessibleName(/base ends at .* at step (6,[048]00|7,200)/);
  const [from, to] = ['from', 'to'].map((key) => Number(new URL(page.url()).searchParams.get(key))) as [number, number];
  expect([from > 3000 && from < 3600, to > 6400 && to < 7200]).toEqual([true, true]);
  await page.getByRole('button', { name: 'Table of valid/auc by step' }).click();
  const steps = page.getByRole('group', { name: 'valid/auc by step as a table' }).getByRole('row').nth(1).getByRole('cell').nth(1); // prettier-ignore
  await expect(steps).toHaveText((400 * Math.ceil(from / 400)).toLocaleString('en-US'));
  await page.getByRole('button', { name: 'Table of valid/auc by step' }).click();

  await page.getByRole('button', { name: 'Whole curve' }).click();
  await expect(chart).toHaveAccessibleName(/base ends at .* at step 12,000/);
});

test('the band is from the least to the greatest seed or the t interval of the mean, in the chart and under it', async ({
  page,
  dashboard,
}) => {
  const runs = sweep(dashboard.writer(), 'e').filter(({ variant }) => variant === 'base');
  const reader = openStoreReader(dashboard.storePath);
  const { mean, std, min, max, step } = reader.lastMean(runs.map(({ id }) => id), 'valid/auc')!; // prettier-ignore
  reader.close();
  const half = (4.302652729911275 * std!) / Math.sqrt(3); // t of .975 with two degrees of freedom
  await page.goto('/experiments/e');
  const chart = page.getByRole('img', { name: 'valid/auc by step' });
  const curves = page.getByRole('group', { name: 'Curves' });
  const row = curves.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'base' }) });
  const box = page.getByRole('checkbox', { name: 'base' });
  const expectBand = async (title: string, low: number, high: number) => {
    const band = `${low.toFixed(4)} to ${high.toFixed(4)}`;
    await expect(chart).toHaveAccessibleName(new RegExp(`base ends at ${mean.toFixed(4)} \\(${band} over 3 seeds\\) at step ${step.toLocaleString('en-US')}`)); // prettier-ignore
    await expect(curves.getByRole('columnheader', { name: title })).toBeVisible();
    await expect(row).toContainText(band);
    await box.uncheck();
    await expect(chart).not.toHaveAccessibleName(/base/);
    await expect(row).toContainText(band);
    await box.check();
  };
  await expectBand('Least to greatest', min, max);
  await page.getByRole('combobox', { name: 'Band' }).selectOption('95 % t interval of the mean');
  await expectBand('95 % interval', mean - half, mean + half);
  await expect(page.getByText('Band: 95 % t interval of the mean, where two seeds have a value.')).toBeVisible();
  await page.reload();
  await expect(page.getByRole('combobox', { name: 'Band' })).toHaveValue('t');
});

test('notes are written, a failed run is retried, a running sweep is stopped, two runs are compared', async ({
  page,
  dashboard,
}) => {
  const writer = dashboard.writer();
  const [failed, running, done] = writer.plan(experimentInput('e'));
  writer.fail(begin(writer, failed!, 3), { error: 'loss is NaN', status: 'failed', retry: false });
  const attempt = begin(writer, running!, 5);
  finish(writer, done!, begin(writer, done!));
  const stored = <T>(ask: (reader: ReturnType<typeof openStoreReader>) => T): T => {
    const reader = openStoreReader(dashboard.storePath);
    try {
      return ask(reader);
    } finally {
      reader.close();
    }
  };
  await page.goto(`/runs/${failed!.id}`);
  await page.getByRole('button', { name: 'Write notes' }).click();
  await page.getByRole('textbox', { name: 'Notes in Markdown' }).fill('**diverged**, <b>see</b> [two](/runs/2)');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.locator('strong')).toHaveText('diverged');
  await expect(page.getByText('<b>see</b>')).toBeVisible();
  await page.getByRole('button', { name: 'Retry' }).click();
  await expect.poll(() => stored((reader) => reader.run(failed!.id)!.status)).toBe('pending');

  await page.goto('/experiments/e');
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(page.getByText('Somebody has asked to stop this sweep')).toBeVisible();
  expect(stored((reader) => reader.experiment('e')!.isStopRequested)).toBe(true);

  finish(writer, running!, attempt);
  await page.goto(`/runs/${running!.id}`);
  await page.getByRole('spinbutton', { name: 'Compare with run' }).fill(String(done!.id));
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await expect(page.getByRole('group', { name: 'Metrics' }).getByRole('row')).toHaveCount(4);
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  expect(violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))).toEqual([]);
});
