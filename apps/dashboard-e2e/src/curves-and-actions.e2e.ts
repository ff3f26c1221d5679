import axe from 'axe-core';
import { openStoreReader } from '@towerbench/tracking';
import { expect, test } from './dashboard.js';
import { begin, experimentInput, finish } from './sweep.js';

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
  await page.getByRole('button', { name: 'Compare' }).click();
  await expect(page.getByRole('group', { name: 'Metrics' }).getByRole('row')).toHaveCount(4);
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  expect(violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))).toEqual([]);
});
