import { rmSync } from 'node:fs';
import type { Locator, Page } from '@playwright/test';
import type { RunRow } from '@towerbench/tracking';
import { violations } from './accessibility.js';
import { type Dashboard, expect, test } from './dashboard.js';
import { begin, experimentInput, LONG_METRIC, LONG_NAME, sweep, sweepOfLongNames } from './sweep.js';

const NAME = 'senet-on-field-noise';
const experimentPage = `/experiments/${NAME}`;

const chart = (page: Page): Locator => page.getByRole('img', { name: 'valid/auc by step' });

/** What the browser itself reports of an answer that is not a success. */
const forgetRefusals = (complaints: string[]): void => {
  expect(complaints.filter((text) => !/status of (400|404|503)/.test(text))).toEqual([]);
  complaints.length = 0;
};

/** A finished experiment, and one with a run of each other status. */
function fill({ writer }: Dashboard): { readonly failed: RunRow } {
  const store = writer();
  sweep(store, NAME);
  const [running, failed] = store.plan({
    ...experimentInput('learning-rates'),
    trials: [0.001, 0.01].map((rate) => ({
      id: `trial-of-rate-${rate}`,
      variant: 'base',
      parameters: { 'optimizer.learning_rate': rate },
      config: { model: { type: 'dssm' }, optimizer: { learningRate: rate } },
    })),
  });
  begin(store, running!, 12);
  store.fail(begin(store, failed!, 3), { error: 'loss is NaN at step 1201', status: 'failed', retry: false });
  return { failed: failed! };
}

test.describe('axe finds nothing wrong with', () => {
  test('the page without a store and the list of experiments', async ({ page, dashboard }) => {
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'There is no store yet' })).toBeVisible();
    expect(await violations(page)).toEqual([]);
    fill(dashboard);
    await expect(page.getByRole('link', { name: 'learning-rates' })).toBeVisible();
    expect(await violations(page)).toEqual([]);
  });

  test('experiments, finished and begun', async ({ page, dashboard }) => {
    fill(dashboard);
    for (const name of [NAME, 'learning-rates']) {
      await page.goto(`/experiments/${name}`);
      await expect(chart(page)).toHaveAccessibleName(/ends at/);
      expect(await violations(page), name).toEqual([]);
    }
  });

  test('a failed run', async ({ page, dashboard }) => {
    const { failed } = fill(dashboard);
    await page.goto(`/runs/${failed.id}`);
    await expect(chart(page)).toHaveAccessibleName(/ends at/);
    expect(await violations(page)).toEqual([]);
  });
});

test.describe('an address that leads nowhere', () => {
  test('says what is missing and leads back', async ({ page, dashboard, complaints }) => {
    sweep(dashboard.writer(), NAME);
    for (const [address, title, message] of [
      ['/experiments/nothing', 'nothing', 'the store has no experiment "nothing"'],
      ['/runs/first', 'Run first', 'id: expected a positive whole number'],
      ['/runs/999', 'Run 999', 'the store has no run 999'],
    ] as const) {
      await page.goto(address);
      await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible();
      await expect(page).toHaveTitle(`${title} · Towerbench`);
      await expect(page.getByRole('alert')).toHaveText(message);
    }
    expect(await violations(page)).toEqual([]);
    await page.getByRole('link', { name: 'Experiments' }).click();
    await expect(page.getByRole('link', { name: NAME })).toBeVisible();
    forgetRefusals(complaints);
  });

  test('that is no page says so and leads back', async ({ page, dashboard, complaints }) => {
    sweep(dashboard.writer(), NAME);
    await page.goto('/experimentz');
    await expect(page.getByRole('heading', { level: 1, name: 'There is no such page' })).toBeVisible();
    await page.getByRole('link', { name: 'All experiments' }).click();
    await expect(page.getByRole('link', { name: NAME })).toBeVisible();
    forgetRefusals(complaints);
  });
});

test('a run with gates shows the weights of its last validation, the largest first', async ({ page, dashboard }) => {
  const store = dashboard.writer();
  const [run] = store.plan(experimentInput(NAME));
  const attempt = begin(store, run!);
  const weights = {
    'query/field_1': 0.75,
    'query/a-field-with-quite-a-long-name-of-its-own': 1.5,
    'candidate/genres': 1.25,
  };
  for (const [step, factor] of [
    [400, 0.1],
    [800, 1],
  ] as const)
    // prettier-ignore
    store.points(
      attempt,
      Object.entries(weights).map(([field, weight]) => ({ series: `valid/gate/${field}`, step, value: factor * weight, time: step })), // prettier-ignore
    );
  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(`/runs/${run!.id}`);
    const rows = (side: string): Locator =>
      page.getByRole('group', { name: `Field weights of the ${side} side` }).locator('tbody tr');
    await expect(rows('query')).toHaveText([/^a-field-with-quite-a-long-name-of-its-own1\.50*$/, /^field_10\.750*$/]);
    await expect(rows('candidate')).toHaveText([/^genres1\.250*$/]);
    const [first, second] = await rows('query').locator('.bar').all();
    const [long, short] = [await first!.boundingBox(), await second!.boundingBox()];
    expect((short?.width ?? 0) / (long?.width ?? 1)).toBeCloseTo(0.5, 1);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: null });
  }
  const [, plain] = store.plan(experimentInput(NAME));
  begin(store, plain!);
  await page.goto(`/runs/${plain!.id}`);
  await expect(chart(page)).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Field weights' })).toHaveCount(0);
});

test('a store that is replaced takes its experiments off the page', async ({ page, dashboard, complaints }) => {
  sweep(dashboard.writer(), NAME);
  await page.goto(experimentPage);
  await expect(chart(page)).toHaveAccessibleName(/ends at/);
  for (const file of ['', '-wal', '-shm']) rmSync(`${dashboard.storePath}${file}`);
  await expect(page.getByRole('heading', { name: 'There is no store yet' })).toBeVisible();
  sweep(dashboard.writer(), 'another-experiment');
  await expect(page.getByRole('alert')).toHaveText(`the store has no experiment "${NAME}"`);
  forgetRefusals(complaints);
});

test('very long names stay inside the page at 400 pixels', async ({ page, dashboard }) => {
  await page.setViewportSize({ width: 400, height: 800 });
  const long = 'a-name-that-someone-let-a-script-put-together-from-every-option-it-had-'.repeat(4) + 'end';
  const [run] = sweep(dashboard.writer(), long, {
    config: { name: long, description: 'x'.repeat(300) },
    file: `${'folder/'.repeat(40)}${long}.yaml`,
    baseVariant: long,
    trials: [{ id: 'long', variant: long, parameters: { [`model.${long}`]: long }, config: { [long]: long } }],
  });
  for (const address of ['/', `/experiments/${long}`, `/runs/${run!.id}`]) {
    await page.goto(address);
    await expect(page.getByText(long).first()).toBeVisible();
    if (address !== '/') await expect(chart(page)).toHaveAccessibleName(/ends at/);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), address).toBeLessThanOrEqual(400);
  }
});

test('long names of variants and metrics leave room: no page scrolls sideways, and the first numbers are in sight', async ({
  page,
  dashboard,
}) => {
  const [run] = sweepOfLongNames(dashboard.writer());
  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 900 });
    for (const address of ['/', `/experiments/${LONG_NAME}`, `/runs/${run!.id}`]) {
      await page.goto(address);
      await expect(page.getByText(LONG_NAME).first()).toBeVisible();
      if (address !== '/') await expect(page.getByRole('img', { name: `${LONG_METRIC} by step` })).toBeVisible();
      expect(await page.evaluate(() => document.documentElement.scrollWidth), address).toBeLessThanOrEqual(width);
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(`/experiments/${LONG_NAME}`);
  for (const [group, column] of [
    ['Leaderboard', `${LONG_METRIC} mean`],
    ['Runs', LONG_METRIC],
  ] as const) {
    const box = page.getByRole('group', { name: group, exact: true });
    const [whole, header] = [await box.boundingBox(), await box.getByRole('columnheader', { name: column }).boundingBox()]; // prettier-ignore
    expect(header!.x + header!.width, group).toBeLessThanOrEqual(whole!.x + whole!.width);
  }
});
