import type { Locator, Page } from '@playwright/test';
import { buildReport } from '@towerbench/report';
import { openStoreReader } from '@towerbench/tracking';
import { type Dashboard, expect, test } from './dashboard.js';
import { begin, experimentInput, fingerprint, finish, numPoints, seeds, sweep, variants } from './sweep.js';

const NAME = 'senet-on-field-noise';
const experimentPage = `/experiments/${NAME}`;

const leaderboard = (page: Page): Locator => page.getByRole('group', { name: 'Leaderboard' }).getByRole('table');

/** A body or foot row by the name that it begins with. */
const rowOf = (table: Locator, name: string): Locator =>
  table.getByRole('row').filter({ has: table.page().getByRole('rowheader', { name }) });

/** The machine-readable values of a row, in the order of its columns. */
const valuesOf = (row: Locator): Promise<readonly number[]> =>
  row.locator('data').evaluateAll((cells) => cells.map((cell) => Number(cell.getAttribute('value'))));

function reportOf({ storePath }: Dashboard) {
  const reader = openStoreReader(storePath);
  try {
    return buildReport(reader, NAME);
  } finally {
    reader.close();
  }
}

/** Number of pixels of the chart that have the colour of a series, within a few steps of each channel. */
const pixelsOf = (chart: Locator, series: number): Promise<number> =>
  chart.evaluate((canvas, series) => {
    if (!(canvas instanceof HTMLCanvasElement)) throw new Error('the chart is not a canvas');
    const hex = getComputedStyle(document.documentElement).getPropertyValue(`--series-${series}`).trim();
    // A copy is read, so that the chart's own canvas stays where the browser draws fastest.
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const context = copy.getContext('2d', { willReadFrequently: true });
    const probe = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    if (probe === null || context === null) throw new Error('no 2d context');
    context.drawImage(canvas, 0, 0);
    probe.fillStyle = hex;
    probe.fillRect(0, 0, 1, 1);
    const wanted = probe.getImageData(0, 0, 1, 1).data;
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let at = 0; at < data.length; at += 4) {
      if ([0, 1, 2, 3].every((channel) => Math.abs((data[at + channel] ?? 0) - (wanted[channel] ?? 0)) < 12)) found++;
    }
    return found;
  }, series);

test.describe('the leaderboard', () => {
  test('shows the numbers of the report, the oracle and popularity', async ({ page, dashboard }) => {
    sweep(dashboard.writer(), NAME);
    const report = reportOf(dashboard);
    await page.goto(experimentPage);

    const metrics = [...report.columns, report.metric.name];
    expect(report.groups.map(({ variant }) => variant).sort()).toEqual(variants.map(({ name }) => name).sort());
    for (const group of report.groups) {
      const row = rowOf(leaderboard(page), group.variant);
      const expected = metrics.flatMap((name) => {
        const versus = group.versus?.[name];
        const mean = group.metrics[name]?.mean;
        return typeof versus === 'object' ? [mean, versus.difference] : [mean];
      });
      await expect(row).toBeVisible();
      expect(await valuesOf(row), group.variant).toEqual(expected);
      for (const name of metrics) {
        const { mean, ci95 } = group.metrics[name]!;
        const half = (ci95![1] - ci95![0]) / 2;
        await expect(row.getByText(`${mean.toFixed(4)} ± ${half.toFixed(4)}`).first()).toBeVisible();
      }
      await expect(row.getByRole('cell', { name: String(group.n), exact: true })).toBeVisible();
      if (group.parameterCount !== null) await expect(row).toContainText(group.parameterCount.toLocaleString('en-US'));
    }
    expect(await valuesOf(rowOf(leaderboard(page), 'oracle'))).toEqual([0.8013, 0.4021]);
    await expect(page.getByText('not enough seeds to tell, nothing is bold')).toBeVisible();
  });

  test('has in bold what stands over seeds and over users, and nothing else', async ({ page, dashboard }) => {
    sweep(dashboard.writer(), NAME, { seeds: [1, 2, 3, 4, 5, 6], report: ['test/auc', 'test/logloss'] });
    await page.goto(experimentPage);
    const colors: string[] = [];
    // The log loss has no values per user, so nothing can be said about users there.
    for (const { variant, versus } of reportOf(dashboard).groups) {
      const auc = versus?.['test/auc'];
      const bold = rowOf(leaderboard(page), variant).locator('strong');
      if (typeof auc !== 'object') {
        await expect(bold).toHaveCount(0);
        continue;
      }
      expect(Math.max(auc.pHolm!, auc.pUsers!), variant).toBeLessThan(0.05);
      await expect(bold).toHaveText([`${auc.difference < 0 ? '−' : '+'}${Math.abs(auc.difference).toFixed(4)}`]);
      await expect(rowOf(leaderboard(page), variant)).toContainText('Holm');
      const mark = rowOf(leaderboard(page), variant).getByText(/^ *(better|worse)$/);
      await expect(mark).toHaveText([auc.difference > 0 ? 'better' : 'worse']);
      colors.push(await bold.evaluate((element) => getComputedStyle(element).color));
    }
    expect(new Set(colors).size, 'one is better, one worse').toBe(2);
    await expect(page.getByText('Bold: p (Holm) < .05 and p (users) < .05.')).toBeVisible();
  });

  test('is sorted by Enter on a column, which the address remembers', async ({ page, dashboard }) => {
    sweep(dashboard.writer(), NAME);
    await page.goto(experimentPage);
    const order = () => leaderboard(page).locator('tbody').getByRole('rowheader').allInnerTexts();
    const names = async () => (await order()).map((text) => text.split(/\s/)[0]);
    const header = page.getByRole('columnheader', { name: 'test/logloss mean' });

    await expect.poll(names).toEqual(['senet-2sigmoid', 'base', 'popularity']);
    await header.getByRole('button').focus();
    await page.keyboard.press('Enter');
    await expect(header).toHaveAttribute('aria-sort', 'ascending');
    await expect.poll(names).toEqual(['senet-2sigmoid', 'base', 'popularity']);
    await page.keyboard.press('Enter');
    await expect(header).toHaveAttribute('aria-sort', 'descending');
    await expect.poll(names).toEqual(['popularity', 'base', 'senet-2sigmoid']);

    await page.getByRole('searchbox', { name: 'Filter variants' }).fill('B');
    await expect(rowOf(leaderboard(page), 'base')).toBeVisible();
    await page.getByRole('searchbox', { name: 'Filter variants' }).fill('senet');
    await expect.poll(names).toEqual(['senet-2sigmoid']);
    await expect(rowOf(leaderboard(page), 'oracle')).toBeVisible();

    await page.reload();
    await expect.poll(names).toEqual(['senet-2sigmoid']);
    await expect(header).toHaveAttribute('aria-sort', 'descending');
    await expect(page.getByRole('searchbox', { name: 'Filter variants' })).toHaveValue('senet');
  });

  test('is in the order of the objective when the address names a column that is not there', async ({
    page,
    dashboard,
  }) => {
    sweep(dashboard.writer(), NAME);
    await page.goto(`${experimentPage}?sort=test/gone&order=asc`);
    await expect(page.getByRole('columnheader', { name: 'valid/auc mean' })).toHaveAttribute('aria-sort', 'descending');
    await expect(leaderboard(page).locator('tbody').getByRole('rowheader')).toHaveText([
      'senet-2sigmoid',
      /^base/,
      'popularity',
    ]);
  });

  test('is seen whole at 1280 pixels with three metrics beside the objective', async ({ page, dashboard }) => {
    sweep(dashboard.writer(), NAME, {
      seeds: [1, 2, 3, 4, 5, 6],
      report: ['test/auc', 'test/logloss', 'valid/auc'],
      metric: { name: 'test/other', goal: 'maximize' },
    });
    await page.goto(experimentPage);
    await expect(rowOf(leaderboard(page), 'senet-2sigmoid')).toContainText('Holm');
    const box = page.getByRole('group', { name: 'Leaderboard' });
    expect(await box.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);
  });

  test("has the paper's number beside ours with its source, and numbers of another protocol in a table of their own", async ({
    page,
    dashboard,
  }) => {
    const cell = { metric: 'test/auc', protocol: { dataset: fingerprint, split: 'planted', candidates: 'labelled' } };
    sweep(dashboard.writer(), NAME, {
      published: [
        { ...cell, variant: 'base', value: 0.7204, source: 'Someone 2019, table 3' },
        {
          ...cell,
          variant: 'popularity',
          value: 0.6101,
          source: 'Another 2020, table 1',
          protocol: { ...cell.protocol, split: 'by time' },
        },
      ],
    });
    await page.goto(experimentPage);
    await expect(rowOf(leaderboard(page), 'base')).toContainText('published 0.7204');
    await expect(page.getByText('base test/auc 0.7204: Someone 2019, table 3')).toBeVisible();
    await expect(leaderboard(page)).not.toContainText('0.6101');
    const apart = rowOf(page.getByRole('group', { name: 'Published on another protocol' }), 'popularity');
    await expect(apart.getByRole('cell')).toHaveText([
      'test/auc',
      '0.6101',
      'Another 2020, table 1',
      'split by time, here planted',
    ]);
  });
});

test.describe('an experiment', () => {
  test('draws the chosen variants with their seeds, which the address remembers', async ({ page, dashboard }) => {
    sweep(dashboard.writer(), NAME);
    await page.goto(experimentPage);
    const chart = page.getByRole('img', { name: 'valid/auc by step' });
    const curves = page.getByRole('group', { name: 'Curves' });

    await expect(chart).toHaveAccessibleName(
      /base ends at 0\.7\d{3} \(0\.\d{4} to 0\.\d{4} over 3 seeds\) at step 12,000/,
    );
    await expect(rowOf(curves, 'senet-2sigmoid').getByRole('cell').last()).toHaveText(
      (numPoints * 400).toLocaleString('en-US'),
    );
    await expect.poll(() => pixelsOf(chart, 3)).toBeGreaterThan(100);

    await curves.getByRole('checkbox', { name: 'senet-2sigmoid' }).press('Space');
    await expect(chart).not.toHaveAccessibleName(/senet-2sigmoid/);
    await expect.poll(() => pixelsOf(chart, 3)).toBe(0);
    await page.getByRole('combobox', { name: 'Metric of the chart' }).selectOption('train/loss');
    await expect(page.getByRole('img', { name: 'train/loss by step' })).toBeVisible();

    await page.reload();
    const reloaded = page.getByRole('img', { name: 'train/loss by step' });
    await expect(reloaded).toHaveAccessibleName(/popularity ends at/);
    await expect(reloaded).not.toHaveAccessibleName(/senet-2sigmoid/);
    await expect(curves.getByRole('checkbox', { name: 'senet-2sigmoid' })).not.toBeChecked();
  });

  test('draws in the colours of the dark scheme as soon as the system turns dark', async ({ page, dashboard }) => {
    sweep(dashboard.writer(), NAME);
    await page.goto(experimentPage);
    const chart = page.getByRole('img', { name: 'valid/auc by step' });
    await expect.poll(() => pixelsOf(chart, 1)).toBeGreaterThan(100);
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await ground();
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(() => pixelsOf(chart, 1)).toBeGreaterThan(100);
    expect(await ground()).not.toBe(light);
  });

  test("says what differs between the variants' configs", async ({ page, dashboard }) => {
    sweep(dashboard.writer(), NAME);
    await page.goto(experimentPage);
    const differences = page.getByRole('group', { name: 'What differs' });
    await expect(rowOf(differences, 'model.excitation').getByRole('cell')).toHaveText(['–', '–', '2*sigmoid']);
    await expect(rowOf(differences, 'model.type').getByRole('cell')).toHaveText(['dssm', 'popularity', 'senet']);
    await expect(rowOf(differences, 'optimizer.learning_rate')).toHaveCount(0);
    await expect(rowOf(differences, 'model.output_dim').getByRole('cell')).toHaveText(['16', '–', '16']);
  });

  test('says on what data and by which protocol it was measured', async ({ page, dashboard }) => {
    sweep(dashboard.writer(), NAME);
    await page.goto(experimentPage);
    await expect(
      page.getByText(`world/field-noise · data ${fingerprint.slice(0, 8)} · split planted · candidates labelled`),
    ).toBeVisible();
  });

  test('lists its runs with what they reached or why they failed', async ({ page, dashboard }) => {
    const writer = dashboard.writer();
    const [first, second] = writer.plan(experimentInput(NAME));
    finish(writer, first!, begin(writer, first!));
    const error = 'loss is NaN at step 1201\n  at       training.learning_rate';
    writer.fail(begin(writer, second!, 3), { error, status: 'failed', retry: false });
    await page.goto(experimentPage);
    const runs = page.getByRole('group', { name: 'Runs' });
    await expect(runs.getByRole('columnheader', { name: 'valid/auc' })).toBeVisible();
    const reader = openStoreReader(dashboard.storePath);
    const reached = reader.run(first!.id)!.metrics['valid/auc']!;
    reader.close();
    await expect(rowOf(runs, `run ${first!.id}`).locator('data')).toHaveText(reached.toFixed(4));
    expect(await rowOf(runs, `run ${second!.id}`).innerText()).toMatch(/failed\s+loss is NaN at step 1201/);
    await expect(rowOf(runs, `run ${second!.id}`)).not.toContainText('training.learning_rate');
  });

  test('lists the metrics of the chart in the order of their numbers', async ({ page, dashboard }) => {
    const writer = dashboard.writer();
    const [run] = writer.plan(experimentInput(NAME));
    const names = ['valid/hr@5', 'valid/hr@10', 'valid/hr@100', 'train/examples_per_second'];
    writer.points(
      begin(writer, run!),
      names.map((series) => ({ series, step: 1, value: 8240.176, time: 1 })),
    );
    await page.goto(experimentPage);
    const select = page.getByRole('combobox', { name: 'Metric of the chart' });
    await expect(select.getByRole('option')).toHaveText([
      'train/examples_per_second',
      'train/loss',
      'valid/auc',
      'valid/hr@5',
      'valid/hr@10',
      'valid/hr@100',
    ]);
    await select.selectOption('train/examples_per_second');
    await expect(page.getByRole('img', { name: 'train/examples_per_second by step' })).toHaveAccessibleName(
      /base ends at 8,240\.2 at step 1$/,
    );
  });

  test('lists its runs by status', async ({ page, dashboard }) => {
    const writer = dashboard.writer();
    const [first, second] = writer.plan(experimentInput(NAME));
    finish(writer, first!, begin(writer, first!));
    begin(writer, second!, 10);
    await page.goto(experimentPage);
    const runs = page.getByRole('group', { name: 'Runs' });
    await expect(runs.getByRole('row')).toHaveCount(1 + variants.length * seeds.length);
    await page.getByRole('combobox', { name: 'Show' }).selectOption('running');
    await expect(runs.getByRole('row')).toHaveCount(2);
    await expect(rowOf(runs, `run ${second!.id}`)).toContainText('4,000 of 12,000');
    await expect(page).toHaveURL(/status=running/);
  });
});

test.describe('live', () => {
  test('a second experiment appears in the list without a reload', async ({ page, dashboard }) => {
    const writer = dashboard.writer();
    sweep(writer, NAME);
    await page.goto('/');
    const list = page.getByRole('group', { name: 'Experiments' });
    await expect(list.getByRole('link')).toHaveText([NAME]);
    await page.evaluate(() => document.body.setAttribute('data-not-reloaded', ''));

    sweep(writer, 'second-experiment');
    await expect(list.getByRole('link', { name: 'second-experiment' })).toBeVisible();
    await expect(rowOf(list, 'second-experiment')).toContainText('senet-2sigmoid');
    await expect(page.locator('body[data-not-reloaded]')).toBeAttached();
  });

  test('a running sweep moves its counts, curves and leaderboard', async ({ page, dashboard }) => {
    const writer = dashboard.writer();
    const runs = writer.plan(experimentInput(NAME));
    await page.goto(experimentPage);
    await expect(page.getByText('No run has finished yet.')).toBeVisible();
    await expect(page.getByText('No run has written a curve yet.')).toBeVisible();

    const [first, ...others] = runs;
    const attempt = begin(writer, first!);
    await expect(page.getByRole('img', { name: 'valid/auc by step' })).toHaveAccessibleName(/ends at/);
    finish(writer, first!, attempt);
    await expect(rowOf(leaderboard(page), first!.variant).locator('data').first()).toBeVisible();
    await expect(page.getByText('No run has finished yet.')).toBeHidden();
    for (const run of others) finish(writer, run, begin(writer, run));
    await expect(leaderboard(page).getByRole('cell', { name: String(seeds.length), exact: true })).toHaveCount(
      variants.length,
    );
    await expect(page.getByText(`${runs.length} done`)).toBeVisible();
  });
});

test.describe('without experiments', () => {
  const commandOf = ({ storePath }: Dashboard) => `npx nx run runner:sweep --store ${storePath} --config configs/senet.yaml`; // prettier-ignore

  test('a missing store shows the command that fills it, and its experiments once it is filled', async ({
    page,
    dashboard,
  }) => {
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'There is no store yet' })).toBeVisible();
    await expect(page.getByText(commandOf(dashboard))).toBeVisible();
    sweep(dashboard.writer(), NAME);
    await expect(page.getByRole('link', { name: NAME })).toBeVisible();
  });

  test('an empty store shows the command that fills it', async ({ page, dashboard }) => {
    dashboard.writer();
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'The store is empty' })).toBeVisible();
    await expect(page.getByText(commandOf(dashboard))).toBeVisible();
  });
});

test('a run shows its curve, config, environment, log and error', async ({ page, dashboard }) => {
  const writer = dashboard.writer();
  const [run] = writer.plan(experimentInput(NAME));
  const failed = begin(writer, run!, 3);
  writer.fail(failed, { error: 'loss is NaN at step 1201 (training.learning_rate)', status: 'failed', retry: true });
  finish(writer, run!, begin(writer, run!));
  await page.goto(experimentPage);
  await page.getByRole('link', { name: `run ${run!.id}`, exact: true }).click();

  await expect(page.getByRole('heading', { level: 1, name: 'base, seed 1' })).toBeVisible();
  await expect(page.getByRole('img', { name: 'valid/auc by step' })).toHaveAccessibleName(/at step 12,000/);
  await expect(rowOf(page.getByRole('group', { name: 'Config' }), 'optimizer.learning_rate')).toContainText('0.005');
  await expect(rowOf(page.getByRole('group', { name: 'Environment' }), 'commit')).toContainText('3f9c2ab');
  await expect(page.getByRole('region', { name: 'Log of attempt 2' })).toContainText('epoch 1: 30 evaluations');
  await page.getByText('Attempt 1: failed').press('Enter');
  await expect(page.getByText('loss is NaN at step 1201')).toBeVisible();
});

test('a failed run says why once', async ({ page, dashboard }) => {
  const writer = dashboard.writer();
  const [run] = writer.plan(experimentInput(NAME));
  writer.fail(begin(writer, run!, 3), { error: 'loss is NaN at step 1201', status: 'failed', retry: false });
  await page.goto(`/runs/${run!.id}`);
  await expect(page.getByRole('alert')).toHaveText('loss is NaN at step 1201');
  await expect(page.getByRole('region', { name: 'Log of attempt 1' })).toBeVisible();
  await expect(page.getByText('loss is NaN at step 1201')).toHaveCount(1);
});

test('a variant without a result is not called the best of its trials, nor one seed a band', async ({
  page,
  dashboard,
}) => {
  const writer = dashboard.writer();
  const [run] = writer.plan({
    ...experimentInput(NAME),
    trials: [0.001, 0.01].map((rate) => ({
      id: `trial-of-rate-${rate}`,
      variant: 'base',
      parameters: { 'optimizer.learning_rate': rate },
      config: { optimizer: { learningRate: rate } },
    })),
  });
  const attempt = begin(writer, run!);
  await page.goto(experimentPage);
  await expect(rowOf(leaderboard(page), 'base')).toContainText('first of 2 trials');
  await expect(
    rowOf(page.getByRole('group', { name: 'Curves' }), 'base')
      .getByRole('cell')
      .nth(1),
  ).toHaveText('–');
  finish(writer, run!, attempt);
  await expect(rowOf(leaderboard(page), 'base')).toContainText('best of 2 trials');
});

test('a run shows the metrics of the report first, and all of them by part in a table', async ({ page, dashboard }) => {
  const writer = dashboard.writer();
  const [run] = writer.plan(experimentInput(NAME));
  finish(writer, run!, begin(writer, run!), { 'test/ndcg@20': 0.2, 'test/ndcg@100': 0.1, 'valid/ndcg@100': 0.15 });
  await page.goto(`/runs/${run!.id}`);
  const metrics = page.getByRole('region', { name: 'Metrics' });
  await expect(metrics.getByRole('term')).toHaveText(['valid/auc', 'test/auc', 'test/logloss']);
  await metrics.getByText('All 6 metrics').press('Enter');
  const table = metrics.getByRole('table');
  await expect(table.getByRole('columnheader')).toHaveText(['Metric', 'test', 'valid']);
  await expect(table.getByRole('rowheader')).toHaveText(['auc', 'logloss', 'ndcg@20', 'ndcg@100']);
  await expect(rowOf(table, 'ndcg@20').getByRole('cell')).toHaveText(['0.2000', '–']);
  await expect(rowOf(table, 'ndcg@100').getByRole('cell')).toHaveText(['0.1000', '0.1500']);
});

test('a run shows the lines of its uncommitted changes as they are', async ({ page, dashboard }) => {
  const writer = dashboard.writer();
  const [run] = writer.plan(experimentInput(NAME));
  writer.claim(run!.id, { host: 'here', pid: 1, environment: { source: { diff: '-  old line\n+  new line' } } });
  await page.goto(`/runs/${run!.id}`);
  const diff = rowOf(page.getByRole('group', { name: 'Environment' }), 'source.diff').getByRole('cell');
  await expect(diff).toBeVisible();
  expect(await diff.innerText()).toContain('-  old line\n+  new line');
});

test('no page scrolls sideways at 400 pixels', async ({ page, dashboard }) => {
  await page.setViewportSize({ width: 400, height: 800 });
  const width = () => page.evaluate(() => document.documentElement.scrollWidth);
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'There is no store yet' })).toBeVisible();
  expect(await width()).toBeLessThanOrEqual(400);
  const [run] = sweep(dashboard.writer(), NAME);
  await expect(page.getByRole('link', { name: NAME })).toBeVisible();
  expect(await width()).toBeLessThanOrEqual(400);
  await page.goto(experimentPage);
  await expect(page.getByRole('img', { name: 'valid/auc by step' })).toHaveAccessibleName(/ends at/);
  expect(await width()).toBeLessThanOrEqual(400);
  await page.goto(`/runs/${run!.id}`);
  await expect(page.getByRole('img', { name: 'valid/auc by step' })).toHaveAccessibleName(/ends at/);
  expect(await width()).toBeLessThanOrEqual(400);
});
